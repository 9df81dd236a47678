"""How much of a resource each of its units has, in whole numbers: numbers of their own, and those given per user.

Of what is given per user, a unit has as much as its *share* of the users calls for: all of them where there is one
unit for the world, those per item, parent or zone where there is one for each of these, and those of its items for a
creator. Half a server serves nobody, so what is left of a whole one is rounded, up for as many units as make the mean
right: `rounding` is spread evenly over the units (the fractions of multiples of the golden ratio) and no luck. But a
unit that has any has at least one, or who waits there would wait for ever.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.case_tables import Per, WorldPlan
from simulator.engine.tables.tables import Array
from simulator.errors import InputError
from simulator.population.attributes import drawn
from simulator.scenario.limits import PLACED_SERVERS, UNITS, ZONES
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.fulfilment import Chooser, grows
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.quantities import per_user
from simulator.scenario.schema.scenario import Scenario

_GOLDEN = (5.0**0.5 - 1.0) / 2.0

Whole = npt.NDArray[np.int64]


class Sharing:
    """Who shares what, in one world.

    Args:
        scenario: its resources.
        users: all users who share them.
        creator, type_: of every row of the catalog, (rows,); parents that stages show are no items.
    """

    def __init__(
        self, scenario: Scenario, users: int, creator: npt.NDArray[np.integer[Any]], type_: npt.NDArray[np.integer[Any]]
    ) -> None:
        self._shown, self.users = scenario.shown, users
        items = type_ < len(scenario.item_types)
        self._items, self._of_creator = int(items.sum()), np.bincount(creator[items])

    def share(self, resource: Any, per: Per, units: Array) -> None:
        """Fill `share` and `rounding` of a resource's units, dtype UNIT (n,)."""
        units["share"] = 1.0
        if not grows(resource):
            return
        n = len(units)
        units["rounding"] = (0.5 + _GOLDEN * np.arange(n)) % 1.0
        if per == Per.CREATOR:
            units["share"] = 0.0
            units["share"][: len(self._of_creator)] = self.users * self._of_creator[:n] / self._items
        elif per == Per.ITEM:
            units["share"] = self.users / self._items
        elif per != Per.USER:
            units["share"] = self.users / n

    def whole(self, key: str, amount: Number | Distribution, draw: npt.NDArray[np.float64], units: Array) -> Whole:
        """Return what each unit has, (n,), at these uniform draws. Raises InputError where it is too much."""
        values = drawn(amount, draw)
        if not per_user(amount):
            return np.clip(np.round(values), 0.0, UNITS).astype(np.int64)
        found = whole_of(values, units)
        if found.max(initial=0) > UNITS:
            wrong = f"resources.{key}: {found.max():,} for {self.users:,} users"
            raise InputError(self._shown, wrong, f"at most {UNITS:,} in one unit")
        return found

    def placed(self, name: str, servers: Whole) -> None:
        """Check how many servers with places one unit has. Raises InputError."""
        if servers.max(initial=0) > PLACED_SERVERS:
            wrong = f"resources.{name}: {servers.max():,} servers with places for {self.users:,} users"
            raise InputError(self._shown, wrong, f"at most {PLACED_SERVERS:,} in one unit")

    def shortlist(self, chooser: Chooser) -> int:
        """Return how many of an item's cases pass in one decision."""
        assert chooser.shortlist is not None
        each = self.users / self._items if per_user(chooser.shortlist) else 1.0
        return max(round(chooser.shortlist.value * each), 1)


def zone_rows(scenario: Scenario, users: int) -> int:
    """Return how many zones lie along each side of the square; 1 without places. Raises InputError: too many."""
    if scenario.places is None:
        return 1
    zones = scenario.places.zones
    rows = max(round(math.sqrt(zones.value * (users if per_user(zones) else 1))), 1)
    if rows**2 > ZONES:
        raise InputError(scenario.shown, f"places.zones: {rows**2:,} for {users:,} users", f"at most {ZONES:,}")
    return rows


def whole_of(amount: float | npt.NDArray[np.float64], units: Array) -> Whole:
    """Return the whole number that each unit has of something, (n,); as the engine's function of this name."""
    exact = np.asarray(amount * units["share"], dtype=np.float64)
    return np.asarray(np.where(exact > 0.0, np.maximum(exact, 1.0) + units["rounding"], 0.0), dtype=np.int64)


def most_servers(shared: WorldPlan, row: npt.NDArray[np.void], units: Array) -> Whole:
    """Return the most servers that each unit of a resource has in a day, (n,)."""
    most: Whole = units["capacity"].astype(np.int64)
    for shift in shared.shifts[row["first_shift"] : row["first_shift"] + row["n_shifts"]]:
        most = np.maximum(most, whole_of(float(shift["capacity"]), units))
    return most
