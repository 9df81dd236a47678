"""Base of adapters, which find a library's model by name, train it on the positives, and have it score users."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract import Catalog, Label, RecommenderError, Settings, setting
from recommenders.contract.names import did_you_mean
from recommenders.members import take_apart
from recommenders.models.adapters.own_words import OwnWords, in_words
from recommenders.models.adapters.trial import needs_values, refusal
from recommenders.models.hashing import root
from recommenders.models.profiles import csr
from recommenders.models.ranker import BLOCK, Batch, Learning, Ranker
from recommenders.models.ratings import values_of
from recommenders.registry import name_of

_SEED_BITS = 31
TOP = 20  # best items of a user, among which there must be an order
LEVELS = 101  # of values that may be ratings: stars, points up to 100. Seconds or sums of money take more.
ENOUGH_USERS, ENOUGH_PAIRS = 10, 100  # of training, below which a model may well find nothing to prefer


@dataclass(frozen=True)
class LibrarySettings(Settings):
    """Settings of an adapter."""

    model: str = setting(meaning="the library's name of the model, its own parameters in brackets: BPR(k=64)")
    ratings: Literal["auto", "log", "none"] = setting(
        "auto", f"a pair's value: the log's (log), 1 (none), or the log's where it has at most {LEVELS} levels (auto)"
    )


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
    reads = "positives"

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._library = OwnWords(self.where, self.package, take_apart(self.config.model, self.where)[0])
        self._model: Any = None
        self._made()  # a wrong name or parameter is refused now

    def check(self, catalog: Catalog) -> None:
        """Try the model in a process of its own: it may need more than pairs, lack a package, or end its process.

        Raises:
            RecommenderError: it does.
        """
        refused = refusal(name_of(type(self)), self.config.model)
        if refused is not None:
            raise RecommenderError(self.where, refused if refused.startswith(self.package) else f"{self.who} {refused}")
        if self.config.ratings == "none" and self.needs_values:
            raise RecommenderError(f"recommender {self.name}.ratings", f"is none, and {self.who} needs values of pairs")

    @property
    def needs_values(self) -> bool:
        """Whether a trial of the model went well with values, and not without."""
        return needs_values(name_of(type(self)), self.config.model)

    def train(self, model: Any, matrix: Any) -> None:
        """Train what the library made on users by items, scipy CSR float32 of values, or of ones unless `rated`."""
        raise NotImplementedError

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Return scores (n, n_items) of users who were there at fit, int64 (n,); NaN where there is none.

        ``profile`` is scipy CSR float32 (n, n_items), what they have had by now.
        """
        raise NotImplementedError

    @property
    def library_seed(self) -> int:
        """Return the seed that a library is given."""
        return int(root(self.seed, self.name) >> np.uint64(64 - _SEED_BITS))

    @property
    def rated(self) -> bool:
        """Return whether the model is given values of pairs; otherwise each is worth 1."""
        return "values" in self.learned

    @property
    def where(self) -> str:
        """Return how errors of the model begin."""
        return f"recommender {self.name}.model"

    @property
    def who(self) -> str:
        """Return the library, its version and the model, for messages."""
        return self._library.who

    def ratings_of(self, users: np.ndarray) -> Any:
        """Return the values of users' positives, scipy CSR float32 (n, n_items)."""
        return self._matrix[users]

    # ---- the library's model

    def _made(self) -> Any:
        name, given = take_apart(self.config.model, self.where)
        make = self._found(name)
        missing = self.missing(make)
        if missing:
            raise RecommenderError(self.where, f"{self.who} {missing}")
        accepted = self.accepted(make)
        own = {key: self.library_seed if value is self.SEED else value for key, value in self.ours.items()}
        arguments = {key: value for key, value in own.items() if key in accepted} | given
        try:
            return self._library.call("is made", lambda: make(**arguments))
        except RecommenderError as error:
            if not isinstance(error.__cause__, TypeError | ValueError):
                raise
            raise RecommenderError(
                self.where, f"{self.who} refuses {given}: {in_words(error.__cause__)}",
                f"it takes {', '.join(accepted) or 'nothing'}",
            ) from error.__cause__  # fmt: skip

    def accepted(self, make: Callable[..., Any]) -> tuple[str, ...]:
        """Return the names of the parameters that a model takes."""
        return tuple(name for name in inspect.signature(make).parameters if name not in ("self", "args", "kwargs"))

    def is_model(self, kind: type) -> bool:
        """Return whether a class of the library is a model that scores items, and no base or part of one."""
        raise NotImplementedError

    def missing(self, make: Callable[..., Any]) -> str:
        """Return what a model asks for that no adapter has, as its class says it; empty where there is nothing."""
        return ""

    def _found(self, name: str) -> Callable[..., Any]:
        there: dict[str, Any] = {}
        parts: set[str] = set()
        for module in self.modules:
            try:
                found = self._library.call("is imported", importlib.import_module, module)
            except RecommenderError as error:
                if not isinstance(error.__cause__, ImportError):
                    raise
                wrong, right = (
                    f"{module} cannot be imported ({error.__cause__})",
                    f'pip install "beholder[{self.package}]"',
                )
                raise RecommenderError(self.where, wrong, right) from error.__cause__
            named = {each: getattr(found, each) for each in dir(found) if each[0].isupper()}
            models = {
                each: value
                for each, value in named.items()
                if inspect.isfunction(value)
                or (inspect.isclass(value) and not inspect.isabstract(value) and self.is_model(value))
            }
            there |= models
            parts |= named.keys() - models.keys()
        if name not in there:
            wrong = (
                f"{name} of {self.package} scores no items"
                if name in parts
                else f"{self.package} has no model {name!r}"
            )
            hint = (
                did_you_mean(name, there).rstrip()
                or f"there are: {', '.join(sorted(each for each in there if not self.missing(there[each])))}"
            )
            raise RecommenderError(self.where, wrong, hint)
        return there[name]  # type: ignore[no-any-return]

    # ---- a ranker

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return the value of each positive where the log has one for all; `prepare` trains on them."""
        levels = {"auto": LEVELS, "log": None, "none": 0}[self.config.ratings]
        values = values_of(data, self.label, levels)
        return {} if values is None else {"values": values}

    def prepare(self) -> None:
        """Train, whether after fitting or after restoring."""
        self._model = None
        history = self.history
        if history.items.size:
            model = self._made()
            values = self.learned.get("values", np.ones(history.items.size, np.float32))
            self._matrix = csr(history.start, history.items, values, history.n_items)
            self._library.call("is trained", self.train, model, self._matrix)
            self._model = model
            self._require_order()

    def _require_order(self) -> None:
        """Refuse a model whose best items are all alike to everybody: what it ranks by would be the luck of ties."""
        history = self.history
        users = np.flatnonzero(np.diff(history.start) > 0)[:BLOCK]
        if users.size < ENOUGH_USERS or history.items.size < ENOUGH_PAIRS or history.n_items < 2:
            return
        ones = self._matrix[users].copy()
        ones.data[:] = 1
        scores = self._asked(users, ones)
        best = -np.sort(-scores, axis=1)[:, : min(TOP, history.n_items // 2 + 1)]  # NaN last
        if (best == best[:, :1]).all():
            only = "" if self.rated else "; every pair is worth 1 to it, for the log has no ratings"
            raise RecommenderError(
                self.where,
                f"{self.who} ranks nothing: to each of {users.size} users the best {best.shape[1]} items are "
                f"worth the same{only}", "expected a model that prefers some items to others on this data",
            )  # fmt: skip

    def score(self, batch: Batch) -> np.ndarray:
        """Return the library's scores."""
        scores = np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        rows = np.flatnonzero(batch.known)
        if rows.size and self._model is not None:
            scores[rows] = self._asked(batch.users[rows], batch.profile[rows])
        return scores

    def _asked(self, users: np.ndarray, profile: Any) -> np.ndarray:
        found = np.asarray(self._library.call("scores", self.scores_of, self._model, users, profile), np.float32)
        shape = (users.size, self.history.n_items)
        if found.shape != shape:
            raise RecommenderError(self.where, f"{self.who} gives scores {found.shape}", f"expected {shape}")
        return found
