"""What all users of an environment share: the compiled scenario, its catalog, what is published, what is worth what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import item_features
from simulator.engine.randomness import numbered
from simulator.engine.tables.tables import Items, Plan, Users
from simulator.env.errors import WHERE, EnvInputError, env_input_errors
from simulator.env.rewards import RewardTables, weights
from simulator.env.settings import EnvSettings
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.population.catalog import TrueCatalog, draw_catalog
from simulator.population.parent_rows import Menus, levels_of, recommendable
from simulator.population.reservations import with_reservations
from simulator.population.users import draw_tastes, new_people, reference_scales
from simulator.records.measures import check_measures
from simulator.runtime.cases import Cases
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.durations import DAY
from simulator.scenario.load import load_scenario

_LIFE = 60 * DAY  # unless the scenario looks further
_SURELY = 1e30
_REFERENCE = 1024  # users


class EnvContext:
    """The stage on which the users of an environment appear.

    Attributes:
        compiled: the scenario.
        catalog: drawn by `catalog_seed`; its items are the actions.
        features: float32 (items, columns), see `recommenders.contract.item_encoder.item_features`.
        tables, weights: of the rewards.
        population: users that what is given per user is counted for.
        horizon: end of a lifetime, s.
        askable: int64 (n,), the numbers that a slate may hold: of items, or of parents where slates show these.
        slate: places of a slate in the action space.
    """

    @env_input_errors()
    def __init__(self, settings: EnvSettings) -> None:
        self.settings = settings
        scenario = load_scenario(settings.scenario)
        check_scenario(scenario)
        self.compiled: Compiled = compile_scenario(scenario)
        check_measures(self.compiled)
        self.population = scenario.defaults.users
        self.seed = settings.catalog_seed
        lasts = max(scenario.defaults.horizon, _LIFE) if settings.episode == "lifetime" else scenario.defaults.horizon
        self.horizon = float(settings.horizon or lasts)
        self.tick = float(scenario.clock.tick.value)
        self.catalog: TrueCatalog = draw_catalog(self.compiled, settings.items, self.horizon, self.seed)
        self.items: Items = self.catalog.items
        self.features = item_features(self.catalog.public, settings.features)
        self.features.flags.writeable = False
        self.weights = weights(settings.reward, self.compiled, settings.episode)
        self.tables = RewardTables(self.compiled, settings.margin)
        found = recommendable(self.compiled, self.items)
        self.askable = np.flatnonzero(found)
        if settings.slate is not None and settings.slate > len(self.askable):
            raise EnvInputError(WHERE, f"slate = {settings.slate}", f"at most {len(self.askable)}, or more items=")
        self.slate = settings.slate or min(self.compiled.largest_slate, len(self.askable))
        self._scales = reference_scales(self.compiled, self.items, self.seed)
        expected = self.users(numbered(_REFERENCE))  # over whom what searching on is worth is taken
        self.compiled = with_reservations(self.compiled, expected, self.items, self.seed)
        self.plan = _for_one_visit(self.compiled.plan) if settings.episode == "visit" else self.compiled.plan
        level, self.closes = self._supply()
        if len(np.unique(levels_of(self.compiled, self.items)[found])) > 1:
            raise EnvInputError(
                WHERE,
                f"{scenario.shown} has slates of items and of parents",
                "a scenario with slates of one kind",
            )
        self.opens = np.where((level > 0) & found, self.catalog.published_at, np.inf)
        if len(self.items.menu):  # nobody's orders change them here
            Menus(self.compiled, self.items, self.catalog.published_at, self.catalog.withdrawn_at, self.seed)
        here = int(self.allowed(0.0).sum())
        if here < self.slate:
            raise EnvInputError(
                WHERE, f"{here} items are there at the beginning", f"items= for a slate of {self.slate}"
            )
        recent = scenario.platform.recent if settings.repeat == "platform" else 0
        self.recent = min(recent, here // 2)

    def __reduce__(self) -> tuple[type[EnvContext], tuple[EnvSettings]]:
        """Make a scene again from its settings: nothing in it changes."""
        return EnvContext, (self.settings,)

    def __deepcopy__(self, memo: dict[int, Any]) -> EnvContext:
        return self

    def users(self, keys: npt.NDArray[np.uint64]) -> Users:
        """Return the users with these keys, as the world of `catalog_seed` draws them."""
        taste = draw_tastes(self.compiled, keys, self.seed) * self._scales
        return new_people(self.compiled, taste, self.seed, keys)

    def cases(self, users: Users) -> Cases:
        """Return the scenario's resources at time 0, and no case yet: as much as its default number of users share."""
        assert self.compiled.world is not None
        return Cases(
            self.compiled.scenario, self.compiled.world, self.compiled.plan, users, self.items,
            self.catalog.n_creators, self.items.parent, self.catalog.published_at, self.horizon, self.seed,
            population=self.population,
        )  # fmt: skip

    def allowed(self, tick: float) -> npt.NDArray[np.bool_]:
        """Return the items that can be shown from the tick at `tick` s on, (items,)."""
        return (self.opens <= tick) & (self.closes > tick)

    def _supply(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the units of every item at the beginning (1 where none are counted), and when it closes, s."""
        n = self.catalog.n_items
        level, closes = np.ones(n, dtype=np.int64), np.full(n, np.inf)
        if self.compiled.world is None:
            return level, closes
        cases = self.cases(self.users(np.zeros(1, dtype=np.uint64)))
        gone = cases.spent(0.0)
        level[gone] = 0
        for row in cases.shared.resources:
            units: Any = cases.case_state.units[int(row["first_unit"]) : int(row["first_unit"] + row["n_units"])]
            if len(units) == n and np.isfinite(units["closes"]).any():
                closes = np.minimum(closes, units["closes"])
        return level, closes


def _for_one_visit(plan: Plan) -> Plan:
    """Return a plan in which nobody comes back: whoever leaves is gone, so a call of the kernel ends with the visit."""
    user_params = plan.user_params.copy()
    user_params["churn"] = _SURELY
    return plan._replace(user_params=user_params)
