"""Parents of items, and which item belongs to which: a story has articles, an album tracks, a restaurant dishes.

Items of a type are dealt to the parents of that type in the order of their numbers: the first parent has as many as its
size says, then comes the next. So an item keeps its parent when further items are added; but where stages show parents,
there are as many of them as the number of items calls for, and their sizes give way. All else about a parent is drawn
under its own key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import PARENT, table_points, uniforms
from simulator.scenario.activity_profiles import cumulative_activity, spread_over
from simulator.scenario.limits import UNITS
from simulator.scenario.schema.catalog import Parent
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario

Keys = npt.NDArray[np.uint64]
Uniforms = npt.NDArray[np.float64]

# What is drawn under PARENT. Attributes, bias, appeal and coverage are numbered as for items.
CREATOR, TOPIC, OWN_TOPIC = 2, 3, 4
_SIZE, _BEGINS, _FRESH = 0, 5, 6
_SPREAD = 1200  # drawn under SUPPLY: when each child is created
_KIND_BITS = np.uint64(40)  # keys: kind of parent, then its number


@dataclass(frozen=True)
class ParentIndex:
    """Hold the parents of one kind, and which items are their children."""

    name: str
    rule: Parent
    children: npt.NDArray[np.int64]  # (c,): items that have such a parent, rising
    parent: npt.NDArray[np.int64]  # (c,): theirs, 0 ... n - 1
    keys: Keys  # (n,)
    first: int  # number of parent 0 among the parents of all kinds
    row: int  # of parent 0 in the table of items, behind all items; -1: no stage shows parents of this kind

    @property
    def rows(self) -> slice:
        """Return the rows of the parents in the table of items; none where no stage shows them."""
        return slice(self.row, self.row + len(self.keys)) if self.row >= 0 else slice(0, 0)

    def eldest(self) -> npt.NDArray[np.int64]:
        """Return the first child of each parent, (n,)."""
        return self.children[np.unique(self.parent, return_index=True)[1]]

    def draw(self, what: int) -> Uniforms:
        """Return a uniform number for each parent, (n,)."""
        return uniforms(self._seed, PARENT, self.keys, what)

    _seed: int


def draw_kin(scenario: Scenario, types: npt.NDArray[np.integer[Any]], seed: int) -> tuple[ParentIndex, ...]:
    """Draw the parents of each kind that a scenario has, by the types (n,) of its items."""
    shown = {stage.shows_parents for stage in scenario.stages.values()}
    found, first, row = [], 0, len(types)
    for k, (name, rule) in enumerate(scenario.parents.items()):
        own = [t for t, kind in enumerate(scenario.item_types) if rule.types is None or kind in rule.types]
        children = np.flatnonzero(np.isin(types, own))
        keys = (np.uint64(k) << _KIND_BITS) + np.arange(len(children), dtype=np.uint64)
        draw = uniforms(seed, PARENT, keys, _SIZE)
        if name in shown:
            share = sum(kind.share.value for t, kind in enumerate(scenario.item_types.values()) if t in own)
            parent = _dealt_evenly(rule, draw, round(share * len(types) / _usual_size(rule)))
        else:
            parent = np.searchsorted(np.cumsum(_sizes(rule, draw)), np.arange(len(children)), side="right")
        n = int(parent[-1]) + 1 if len(parent) else 0
        found.append(ParentIndex(name, rule, children, parent, keys[:n], first, row if name in shown else -1, seed))
        first += n
        row += n if name in shown else 0
    return tuple(found)


def _usual_size(rule: Parent) -> float:
    points = table_points()
    return float(_sizes(rule, points).mean())


def _dealt_evenly(rule: Parent, draw: Uniforms, parents: int) -> npt.NDArray[np.int64]:
    """Return the parent of each of as many children as there are draws, rising; so many parents in any case.

    Where parents are rows of a catalog, how many there are is a matter of its size alone. Sizes are as drawn, in
    proportion, and each parent has one child at least.
    """
    n = min(max(parents, 1), len(draw))
    beyond = np.maximum(_sizes(rule, draw[:n]) - 1.0, 1e-9)
    ends = np.round(np.cumsum(beyond) / beyond.sum() * (len(draw) - n)) + np.arange(1, n + 1) if n else np.zeros(0)
    return np.searchsorted(ends, np.arange(len(draw)), side="right")


def _sizes(rule: Parent, draw: Uniforms) -> npt.NDArray[np.int64]:
    if isinstance(rule.children, Distribution):
        drawn = rule.children.quantile(draw)
    else:
        drawn = np.full(len(draw), rule.children.value)
    return np.clip(np.round(drawn), 1.0, UNITS).astype(np.int64)


def numbered_parents(kin: tuple[ParentIndex, ...], n_rows: int) -> npt.NDArray[np.int32]:
    """Return the number of each item's parent among all kinds, -1 none, int32 (n_rows,); of a parent's row its own."""
    out = np.full(n_rows, -1, dtype=np.int32)
    for each in kin:
        out[each.children] = each.first + each.parent
        out[each.rows] = each.first + np.arange(len(each.keys))[: len(out[each.rows])]
    return out


def parent_columns(kin: tuple[ParentIndex, ...], n_rows: int) -> dict[str, npt.NDArray[np.int32]]:
    """Return, by kind of parent, the number of each item's parent among those of the kind, -1 none, int32 (n_rows,).

    Where a stage shows parents of the kind, their own rows have their own numbers, and `is_KIND` is 1 there, else 0.
    """
    columns: dict[str, npt.NDArray[np.int32]] = {}
    for each in kin:
        column = columns[each.name] = np.full(n_rows, -1, dtype=np.int32)
        column[each.children] = each.parent
        if each.row >= 0:
            column[each.rows] = np.arange(len(each.keys))
            columns[f"is_{each.name}"] = np.zeros(n_rows, dtype=np.int32)
            columns[f"is_{each.name}"][each.rows] = 1
    return columns


def published_by_parents(
    scenario: Scenario,
    kin: tuple[ParentIndex, ...],
    fresh_share: float,
    horizon: float,
    draw: Callable[[int], Uniforms],
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
        recent = each.draw(_FRESH) < min(fresh_share / within, 1.0)
        begins = each.draw(_BEGINS) * (horizon + longest) - longest
        time = begins[each.parent] + each.rule.spread.quantile(draw(_SPREAD)[each.children])
        new = recent[each.parent] & (time >= 0.0)
        inside = new & (time < horizon)
        if scenario.supply.hours is not None:
            activity = cumulative_activity(scenario.supply.hours.profile)
            time[inside] = spread_over(time[inside] / horizon, activity, horizon, scenario.clock.starts_at.value)
        fresh[each.children] = new
        created[each.children] = time
