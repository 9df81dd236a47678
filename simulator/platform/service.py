"""The platform: who answers requests, when models are fitted, and on what has arrived by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import (
    Catalog as PublicCatalog,
    Recommender,
    Requests,
    Slates,
    calling,
    places_of,
    slates_of,
    validate_slates,
    validate_state,
)
from simulator.errors import InputError
from simulator.part import Part, Published
from simulator.platform.kernels.slate_check import fits
from simulator.platform.policies import Policies, create_recommender
from simulator.records.platform_log import PlatformMemory
from simulator.scenario.schema.scenario import Scenario

_NO_ODDS = np.empty((0, 0), dtype=np.float32)


class Platform(Part):
    """Answers requests with the warm-up policy until the first fit, with the recommender from then on.

    Stages that have a policy of the platform's own are answered by that: from the beginning, or where it learns from
    the first fit on. It is fitted when the recommender is, on the same log. All requests of a batch are of stages that
    one of them serves (`Rounds` groups them so).

    Versions count the models that were put in charge: 0 is the warm-up policy.
    """

    def __init__(
        self,
        scenario: Scenario,
        recommender: Recommender,
        catalog: PublicCatalog,
        memory: PlatformMemory | None,
        seed: int,
        first_fit: float,
        settle: Callable[[], None],
        policies: Policies | None = None,
    ) -> None:
        settings = scenario.platform
        self.recommender = recommender
        self.version = 0
        self.fitted_at: list[float] = []
        self._catalog, self._memory = catalog, memory
        self._first_fit = first_fit
        self._settle = settle
        self._warm_up = create_recommender(settings.warm_up, {}, scenario, seed)
        if self._warm_up.learns and first_fit > 0.0:
            raise InputError(
                scenario.shown,
                f"platform.warm_up = {settings.warm_up} learns from a log and there is none yet",
                "random, or a catalog with interactions",
            )
        self._own: Mapping[int, Recommender] = {} if policies is None else policies.by_stage
        each = [recommender, *(() if policies is None else policies.each)]
        self._learners: Sequence[Recommender] = [who for who in each if who.learns]
        self._updating = [who for who in self._learners if who.takes_updates]
        self._last_update = -np.inf
        self._looked_at = 0  # slates
        self._n_items = catalog.n_items
        self._offered_in = np.full(self._n_items, -1, dtype=np.int64)  # marks of `fits`
        self._seen_in = np.full(self._n_items, -1, dtype=np.int64)
        # the candidates that are marked, and by which number
        self._offered: tuple[npt.NDArray[np.int32], int] | None = None

    @property
    def in_charge(self) -> Recommender:
        """Return the recommender that answers now."""
        return self.recommender if self.version > 0 else self._warm_up

    @property
    def first_fit(self) -> float:
        """Return when the recommender takes over, s."""
        return self._first_fit

    def fit(self, time: float) -> None:
        """Fit the recommender, and policies that learn, on everything that has arrived, and put them in charge."""
        if self._memory is not None:
            log = self._memory.arrived(time)
            for who in self._learners:
                with calling(who, "fit"):
                    who.fit(log, self._catalog)
                places_of(who)  # what it counts is written at the end: that it can be is seen now
        if self._learners or self.version == 0:
            self.version += 1
            self.fitted_at.append(time)
        self._last_update = time

    def publish(self, published: Published) -> None:
        """Hand over what arrived since the last fit or update, to whoever takes it and is in charge."""
        if self.version == 0 or self._memory is None or not self._updating:
            return
        self._settle()
        if self._last_update < published.time:
            events = self._memory.since(self._last_update, published.time)
            for who in self._updating:
                with calling(who, "update"):
                    who.update(events)
            self._last_update = published.time

    def background(self, requests: Requests) -> Slates:
        """Return slates of the warm-up policy, whoever is in charge, but where the platform has one of its own."""
        return self._answer(self._server(requests, self._warm_up), requests)

    def answer(self, requests: Requests) -> Slates:
        """Answer a batch with slates, checked against the contract.

        Raises:
            RecommenderError: naming what breaks the contract.
        """
        return self._answer(self._server(requests, self.in_charge), requests)

    def _server(self, requests: Requests, otherwise: Recommender) -> Recommender:
        """Return the policy of the requests' stage, where there is one and it is fitted if it has to be."""
        if not self._own or not len(requests):
            return otherwise
        own = self._own.get(int(requests.stage[0]), otherwise)
        return self._warm_up if own.learns and self.version == 0 else own

    def _answer(self, who: Recommender, requests: Requests) -> Slates:
        def check(slates: Slates, batch: Requests) -> None:
            if not self._fit_in(slates, batch):
                validate_slates(slates, batch, self._n_items, who.name)

        return _as_logged(slates_of(who, requests, check))

    def _fit_in(self, slates: Slates, requests: Requests) -> bool:
        """Return whether slates surely keep the contract, in one pass where `validate_slates` makes several.

        The latter says what is wrong, if anything is.
        """
        items, odds = slates.items, slates.propensity
        if odds is None:
            odds = _NO_ODDS
        if odds.dtype != np.float32 or not (items.flags.c_contiguous and odds.flags.c_contiguous):
            return False
        known, lists = -1, requests.lists
        if requests.several is None:
            if self._offered is not None and self._offered[0] is requests.candidates:
                known = self._offered[1]
            self._offered = requests.candidates, self._looked_at + 1 if known < 0 else known
        else:
            self._offered = None
        good = fits(
            items, odds, lists.items, lists.bounds, lists.of, self._offered_in, self._seen_in, self._looked_at, known
        )
        self._looked_at += len(requests)
        return bool(good)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that a resumed run needs of the platform, as plain arrays.

        Raises:
            RecommenderError: the recommender's state is something else.
        """
        arrays: dict[str, npt.NDArray[Any]] = {
            "version": np.array([self.version]),
            "fitted_at": np.array(self.fitted_at, dtype=np.float64),
            "last_update": np.array([self._last_update]),
        }
        for prefix, who in self._kept().items():
            with calling(who, "state"):
                learned: object = who.state()
            arrays |= {f"{prefix}{k}": array for k, array in validate_state(learned, who.name).items()}
        return arrays

    def _kept(self) -> dict[str, Recommender]:
        """Return whose state is kept, by the prefix of its arrays."""
        if self.version == 0:
            return {}
        own = [who for who in self._learners if who is not self.recommender]
        return {"model/": self.recommender} | {f"policy/{k}/": who for k, who in enumerate(own)}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave; nothing is fitted again."""
        self.version = int(arrays["version"][0])
        self.fitted_at = [float(time) for time in arrays["fitted_at"]]
        self._last_update = float(arrays["last_update"][0])
        for prefix, who in self._kept().items():
            learned = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
            with calling(who, "restore"):
                who.restore(learned)


def _as_logged(slates: Slates) -> Slates:
    """Return slates in the one form that kernels take: contiguous, and propensities of 32 bits."""
    items, odds = slates.items, slates.propensity
    if items.flags.c_contiguous and (odds is None or (odds.flags.c_contiguous and odds.dtype == np.float32)):
        return slates
    return Slates(np.ascontiguousarray(items), None if odds is None else np.ascontiguousarray(odds, dtype=np.float32))
