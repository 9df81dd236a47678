"""Base of adapters, which find a library's model by name, train it on the positives, and have it score users."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import Label, RecommenderError, Settings, setting
from recommenders.contract.names import did_you_mean
from recommenders.members import take_apart
from recommenders.models.hashing import root
from recommenders.models.profiles import csr
from recommenders.models.ranker import Batch, Learning, Ranker

_SEED_BITS = 31


@dataclass(frozen=True)
class LibrarySettings(Settings):
    """Settings of an adapter."""

    model: str = setting(meaning="the library's name of the model, its own parameters in brackets: BPR(k=64)")


class LibraryModel(Ranker):
    """Base: subclasses give :meth:`train` and :meth:`scores_of`.

    It trains on one thread with the platform's seed, so that restoring can train again and come to the same: no
    library's own file is kept, and none is read. Users without positives at fit get what is popular.

    Class attributes:
        package: what is imported, and the extra that installs it.
        modules: where its models are looked for.
        ours: parameters of a model that are set unless they are given, where it has them; `SEED` stands for the seed.
    """

    package: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    ours: ClassVar[dict[str, Any]] = {}
    needs = "user"
    Config: ClassVar[type[Settings]] = LibrarySettings
    config: LibrarySettings

    SEED: ClassVar[object] = object()

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._where = f"recommender {self.name}.model"
        self._model: Any = None
        self._made()  # a wrong name or parameter is refused now

    def train(self, model: Any, matrix: Any) -> None:
        """Train what the library made on users by items, scipy CSR float32 of ones."""
        raise NotImplementedError

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Scores (n, n_items) of users who were there at fit, int64 (n,); NaN where there is none.

        ``profile`` is scipy CSR float32 (n, n_items), what they have had by now.
        """
        raise NotImplementedError

    @property
    def library_seed(self) -> int:
        """Return the seed that a library is given."""
        return int(root(self.seed, self.name) >> np.uint64(64 - _SEED_BITS))

    # ---- the library's model

    def _made(self) -> Any:
        name, given = take_apart(self.config.model, self._where)
        make = self._found(name)
        accepted = self.accepted(make)
        own = {key: self.library_seed if value is self.SEED else value for key, value in self.ours.items()}
        try:
            return make(**{key: value for key, value in own.items() if key in accepted} | given)
        except (TypeError, ValueError) as error:
            raise RecommenderError(
                self._where, f"{name} refuses {given}: {str(error).splitlines()[0]}",
                f"it takes {', '.join(accepted) or 'nothing'}",
            ) from error  # fmt: skip

    def accepted(self, make: Callable[..., Any]) -> tuple[str, ...]:
        """Names of the parameters that a model takes."""
        return tuple(name for name in inspect.signature(make).parameters if name not in ("self", "args", "kwargs"))

    def _found(self, name: str) -> Callable[..., Any]:
        there: dict[str, Any] = {}
        for module in self.modules:
            try:
                found = importlib.import_module(module)
            except ImportError as error:
                right = f'pip install "beholder[{self.package}]"'
                raise RecommenderError(self._where, f"{module} cannot be imported ({error})", right) from error
            named = {each: getattr(found, each) for each in dir(found) if each[0].isupper()}
            there |= {each: value for each, value in named.items() if inspect.isfunction(value) or _trains(value)}
        if name not in there:
            hint = did_you_mean(name, there).rstrip() or f"there are: {', '.join(sorted(there))}"
            raise RecommenderError(self._where, f"{self.package} has no model {name!r}", hint)
        return there[name]  # type: ignore[no-any-return]

    # ---- a ranker

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Learn nothing beside the positives, which are kept in any case; `prepare` trains on them."""
        return {}

    def prepare(self) -> None:
        """Train, whether after fitting or after restoring."""
        self._model = None
        history = self.history
        if history.items.size:
            self._model = self._made()
            ones = np.ones(history.items.size, np.float32)
            self.train(self._model, csr(history.start, history.items, ones, history.n_items))

    def score(self, batch: Batch) -> np.ndarray:
        """Return the library's scores."""
        scores = np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        rows = np.flatnonzero(batch.known)
        if rows.size and self._model is not None:
            scores[rows] = self.scores_of(self._model, batch.users[rows], batch.profile[rows])
        return scores


def _trains(value: Any) -> bool:
    return inspect.isclass(value) and (hasattr(value, "fit") or hasattr(value, "train"))
