"""Parents of items: a story its articles, an album its tracks, a restaurant its dishes; which item belongs to which.

Items of a type are dealt to the parents of that type in the order of their numbers: the first parent has as many as its
size says, then comes the next. So an item keeps its parent when further items are added. All else about a parent is
drawn under its own key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.profiles import cumulative_activity, spread_over
from simulator.randomness import PARENT, table_points, uniforms
from simulator.scenario.distributions import Distribution
from simulator.scenario.schema import Scenario
from simulator.scenario.world import Parent

Keys = npt.NDArray[np.uint64]
Uniforms = npt.NDArray[np.float64]

# What is drawn under PARENT. Attributes, bias, appeal and coverage are numbered as for items.
CREATOR, TOPIC, OWN_TOPIC = 2, 3, 4
_SIZE, _BEGINS, _FRESH = 0, 5, 6
_SPREAD = 1200  # drawn under SUPPLY: when each child is created
_KIND_BITS = np.uint64(40)  # keys: kind of parent, then its number
_DAY = 86400.0


@dataclass(frozen=True)
class Kin:
    """The parents of one kind, and whose their children are."""

    name: str
    rule: Parent
    children: npt.NDArray[np.int64]  # (c,): items that have such a parent, rising
    parent: npt.NDArray[np.int64]  # (c,): theirs, 0 ... n - 1
    keys: Keys  # (n,)
    first: int  # number of parent 0 among the parents of all kinds

    def luck(self, what: int) -> Uniforms:
        """A uniform number for each parent, (n,)."""
        return uniforms(self._seed, PARENT, self.keys, what)

    _seed: int


def draw_kin(scenario: Scenario, types: npt.NDArray[np.integer[Any]], seed: int) -> tuple[Kin, ...]:
    """The parents of each kind that a scenario has, by the types (n,) of its items."""
    found, first = [], 0
    for k, (name, rule) in enumerate(scenario.parents.items()):
        own = [t for t, kind in enumerate(scenario.item_types) if rule.types is None or kind in rule.types]
        children = np.flatnonzero(np.isin(types, own))
        keys = (np.uint64(k) << _KIND_BITS) + np.arange(len(children), dtype=np.uint64)
        sizes = _sizes(rule, uniforms(seed, PARENT, keys, _SIZE))
        parent = np.searchsorted(np.cumsum(sizes), np.arange(len(children)), side="right")
        n = int(parent[-1]) + 1 if len(parent) else 0
        found.append(Kin(name, rule, children, parent, keys[:n], first, seed))
        first += n
    return tuple(found)


def _sizes(rule: Parent, luck: Uniforms) -> npt.NDArray[np.int64]:
    if isinstance(rule.children, Distribution):
        drawn = rule.children.quantile(luck)
    else:
        drawn = np.full(len(luck), rule.children.value)
    return np.maximum(np.round(drawn), 1.0).astype(np.int64)


def numbered_parents(kin: tuple[Kin, ...], n_items: int) -> npt.NDArray[np.int32]:
    """Number of each item's parent among those of all kinds, -1 none, int32 (n_items,)."""
    out = np.full(n_items, -1, dtype=np.int32)
    for each in kin:
        out[each.children] = each.first + each.parent
    return out


def parent_columns(kin: tuple[Kin, ...], n_items: int) -> dict[str, npt.NDArray[np.int32]]:
    """By kind of parent, the number of each item's among those of the kind, -1 none, int32 (n_items,)."""
    columns = {each.name: np.full(n_items, -1, dtype=np.int32) for each in kin}
    for each in kin:
        columns[each.name][each.children] = each.parent
    return columns


def published_by_parents(
    scenario: Scenario,
    kin: tuple[Kin, ...],
    fresh_share: float,
    horizon: float,
    luck: Callable[[int], Uniforms],
    fresh: npt.NDArray[np.bool_],
    created: npt.NDArray[np.float64],
) -> None:
    """Change, in place, which items appear during the run, and when they are created (s), to what parents make of it.

    Where a kind has a `spread`, its parents begin at a constant rate from one spread before the run to its end, and
    each child follows its parent's beginning. Of all children then the same share appears during the run as would
    without parents, at the same rate from beginning to end; what would come after the run never appears. Hours of
    publication shift the times, not their order.

    Args:
        scenario: with the hours of publication.
        kin: parents.
        fresh_share: share of the items that appear during the run.
        horizon: its length, s.
        luck: of the items, (n,), by what it decides under SUPPLY.
        fresh: whether an item appears during the run, or would after it, (n,).
        created: s, (n,).
    """
    for each in kin:
        if each.rule.spread is None:
            continue
        longest = float(each.rule.spread.quantile(table_points()).max())
        # of the children of parents that begin in a span of `horizon + longest`, this share comes within the run
        within = horizon / (horizon + longest)
        recent = each.luck(_FRESH) < min(fresh_share / within, 1.0)
        begins = each.luck(_BEGINS) * (horizon + longest) - longest
        time = begins[each.parent] + each.rule.spread.quantile(luck(_SPREAD)[each.children])
        new = recent[each.parent] & (time >= 0.0)
        inside = new & (time < horizon)
        if scenario.supply.hours is not None:
            activity = cumulative_activity(scenario.supply.hours.profile)
            time[inside] = spread_over(time[inside] / horizon, activity, horizon, scenario.clock.starts_at.value)
        fresh[each.children] = new
        created[each.children] = time
