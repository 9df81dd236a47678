"""Parents that stages show in place of items, as rows of the table of items; and their children, as menus.

The rows lie behind those of the items, kind by kind. A parent is worth what its children are on average (its facets, by
the weights of its type: see `plan.compiler`), shows the modalities that belong to it, and has the numbers that
belong to it; of its children's numbers it has the mean. It is there from its first child on until its last one is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import sealed
from simulator.engine.randomness import TIE, uniforms
from simulator.engine.tables.tables import BY_CREATOR, ITEM, Items, StageKind
from simulator.part import Part, Published
from simulator.plan.compiler import Compiled
from simulator.plan.limits import weighed_limits
from simulator.population.kernels.menu_order import put_in_order
from simulator.population.parents import ParentIndex, numbered_parents
from simulator.scenario.life_cycle import CREATOR, NEWEST

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def with_parents(
    compiled: Compiled, items: Items, kin: Sequence[ParentIndex], own: Sequence[tuple[Float32, Float32]]
) -> Items:
    """Append to the items the parents that a stage shows; return the same where no stage shows any.

    Args:
        compiled: the scenario.
        items: items alone.
        kin: their parents.
        own: of each kind, truths of the parents (parents, latent_width) and what all modalities would say of them
            (parents, content_width).
    """
    rows = [_rows(compiled, items, each, *its) for each, its in zip(kin, own, strict=True) if each.row >= 0]
    if rows:
        tables = {name: np.concatenate([getattr(items, name), *(row[name] for row in rows)]) for name in rows[0]}
        items = items._replace(**tables, parent=numbered_parents(tuple(kin), len(tables["state"])))
        for each in kin:
            if each.row >= 0:  # a number of the parent's counts once, and there
                items.attribute_effects[np.ix_(each.children, _own_numbers(compiled, each))] = 0.0
    return with_menus(compiled, items, kin)


def listed(compiled: Compiled) -> set[str]:
    """Return the kinds of parents whose children are shown on menus; CREATOR where what one made is."""
    return {stage.children_of for stage in compiled.scenario.stages.values() if stage.children_of is not None}


def _rows(
    compiled: Compiled, items: Items, kin: ParentIndex, truth: Float32, said: Float32
) -> dict[str, npt.NDArray[Any]]:
    """Return the tables of `Items` of the parents of one kind, by name."""
    names, n, eldest = compiled.names, len(kin.keys), kin.eldest()
    own = np.array([name in kin.rule.modalities for name in names.modalities])
    facts = np.zeros(n, dtype=ITEM)
    facts["type"] = compiled.shown_parents[kin.name]
    for key in ("creator", "topic"):
        facts[key] = items.state[key][eldest]
    for m, name in enumerate(names.modalities):
        if own[m]:  # whether a parent has it is the parent's, and so the same for its children
            facts["missing"] |= items.state["missing"][eldest] & np.uint32(1 << m)
        elif compiled.scenario.modalities[name].kind != "attribute":
            facts["missing"] |= np.uint32(1 << m)
    tells = np.zeros_like(said)
    for cue in compiled.cues:
        if own[cue.modality]:
            first = cue.column - compiled.latent_width
            part = slice(first, first + compiled.facets[cue.facet].width)
            tells[:, part] = said[:, part]
    return {
        "state": facts,
        "vectors": np.concatenate([truth, tells], axis=1),
        "bias_appeal": items.bias_appeal[eldest] * np.tile(own, 2),
        "published_counters": np.zeros((n, items.published_counters.shape[1]), dtype=np.float32),
        "attributes": _averaged(kin, items.attributes),
        "attribute_effects": _averaged(kin, items.attribute_effects),
        "place": items.place[eldest],
        "promised": np.zeros((n, items.promised.shape[1]), dtype=np.float32),
        "published": _over_children(np.minimum, kin, items.published),
    }


def _own_numbers(compiled: Compiled, kin: ParentIndex) -> npt.NDArray[np.int64]:
    """Return the columns of `Items.attribute_effects` on numbers of parents of this kind, limits on them included."""
    names = compiled.names.attribute_effects
    columns = [k for k, name in enumerate(names) if name in kin.rule.modalities]
    for limit, own in weighed_limits(compiled.scenario):
        if limit.on in kin.rule.attributes:
            columns += range(len(names) + own.start, len(names) + own.stop)
    return np.array(columns, dtype=np.int64)


def _averaged(kin: ParentIndex, values: Float32) -> Float32:
    """Return means over children, (parents, columns); the parent's own is the same for all of them."""
    total = np.zeros((len(kin.keys), values.shape[1]))
    np.add.at(total, kin.parent, values[kin.children])
    return np.asarray(total / np.bincount(kin.parent)[:, None], dtype=np.float32)


def _over_children(best: np.ufunc, kin: ParentIndex, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    out = values[kin.eldest()].copy()
    best.at(out, kin.parent, values[kin.children])
    return out


def until(kin: Sequence[ParentIndex], withdrawn_at: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
    """Return when each row is withdrawn, s: a parent with the last of its children; None where nothing ever is."""
    if withdrawn_at is None:
        return None
    shown = [_over_children(np.maximum, each, withdrawn_at) for each in kin if each.row >= 0]
    return np.concatenate([withdrawn_at, *shown])


def levels_of(compiled: Compiled, items: Items) -> npt.NDArray[np.int32]:
    """Return the kind of the parent that each row is, -1 an item, int32 (n,)."""
    out = np.full(len(items.state), -1, dtype=np.int32)
    for name, number in compiled.shown_parents.items():
        out[items.state["type"] == number] = list(compiled.scenario.parents).index(name)
    return out


def recommendable(compiled: Compiled, items: Items) -> npt.NDArray[np.bool_]:
    """Tell which rows a slate can hold, bool (n,): parents that are shown; items where slates are of items."""
    stages = compiled.plan.stages
    asks = (stages["kind"] == StageKind.BROWSE) & (stages["children_of"] < 0) & (stages["queue_of"] < 0)
    return np.isin(levels_of(compiled, items), stages["shows_parents"][asks])


class Levels:
    """Tell apart the candidates of slates of items and of slates of parents of each kind.

    Args:
        compiled, items: of the world.
    """

    def __init__(self, compiled: Compiled, items: Items) -> None:
        self._levels = levels_of(compiled, items)
        asks = recommendable(compiled, items)
        self._one = len(np.unique(self._levels[asks])) < 2  # then all candidates are of that level
        self._of_which: npt.NDArray[np.int32] | None = None
        self._among: dict[int, npt.NDArray[np.int32]] = {}

    def of(self, levels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return the levels that rows ask for, (n,), for `among`; a single -1 where all candidates are of one level."""
        return np.full(1, -1, dtype=np.int32) if self._one else levels

    def among(self, level: int, candidates: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return the candidates of a level; the same array as long as the candidates are the same."""
        if self._one:
            return candidates
        if self._of_which is not candidates:
            self._of_which, self._among = candidates, {}
        if level not in self._among:
            self._among[level] = sealed(candidates[self._levels[candidates] == level])
        return self._among[level]


def with_menus(compiled: Compiled, items: Items, kin: Sequence[ParentIndex]) -> Items:
    """Add to the items what menus show: children of listed parents, and what creators made.

    Those of one parent or creator lie together in `Items.menu`; `Items.menus` says where they begin and end.
    """
    lists = listed(compiled)
    if not lists:
        return items
    parents = sum(len(each.keys) for each in kin)
    made = np.flatnonzero(levels_of(compiled, items) < 0) if CREATOR in lists else np.zeros(0, dtype=np.int64)
    creator = items.state["creator"][made].astype(np.int64)
    menus = np.zeros((parents + int(creator.max(initial=-1)) + 1, 4), dtype=np.int32)
    menus[:, 2] = -1
    menu, n = [], 0
    for kind, each in enumerate(kin):
        own = slice(each.first, each.first + len(each.keys))
        menus[own, 3] = kind
        if each.row >= 0:
            menus[own, 2] = each.row + np.arange(len(each.keys))
        if each.name in lists:
            n = _bound(menus[own], each.parent, n)
            menu.append(each.children)  # dealt in the order of their parents
    if CREATOR in lists:
        own = slice(parents, None)
        menus[own, 3] = BY_CREATOR
        _bound(menus[own][::-1], creator, n)
        menu.append(made[np.argsort(creator, kind="stable")])
    offered = np.tile([-np.inf, np.inf], (len(items.state), 1))
    return items._replace(menu=np.concatenate(menu).astype(np.int32), menus=menus, offered=offered)


def _bound(menus: npt.NDArray[np.int32], whose: Rows, n: int) -> int:
    """Say in `menus`, a row for each owner, where what is theirs begins and ends behind the first n; where all ends."""
    ends = n + np.cumsum(np.bincount(whose, minlength=len(menus)))
    menus[:, 1] = ends
    menus[:, 0] = np.concatenate([[n], ends[:-1]])
    return int(ends[-1]) if len(ends) else n


class Menus(Part):
    """Keep menus in order: children on offer, those with most events of a kind first, or the newest.

    All of it is as at the tick.

    Args:
        compiled: a scenario with stages within parents or creators.
        items: its items; `menu` and `offered` are changed in place.
        published_at, withdrawn_at: of all rows, s, (n,); None: nothing is ever withdrawn.
        seed: of the order among equals.
    """

    def __init__(
        self,
        compiled: Compiled,
        items: Items,
        published_at: npt.NDArray[np.float64],
        withdrawn_at: npt.NDArray[np.float64] | None,
        seed: int,
    ) -> None:
        self._items, tick = items, compiled.scenario.clock.tick.value
        # known from the next tick on, as everything that is published
        opens = np.ceil(published_at / tick) * tick
        closes = np.full(len(opens), np.inf) if withdrawn_at is None else np.ceil(withdrawn_at / tick) * tick
        self._spans = np.stack([opens, closes], axis=1)
        items.offered[...] = self._spans
        self._luck = uniforms(seed, TIE, len(opens), 0)[items.menu]
        self._children = items.menu.astype(np.int64)
        owners = _owners(items)
        self._place = items.menus[owners, 0].astype(np.int64)  # rises from menu to menu
        columns, newest = _ordered(compiled, items.menus[owners, 3])
        self._counted = columns >= 0
        self._at = self._children * (1 + len(compiled.names.counters)) + np.maximum(columns, 0)  # in all counters
        self._ages = np.where(newest, opens[items.menu] / tick, 0.0).astype(np.int64)
        self._last = np.full(len(items.menu), np.iinfo(np.int64).min)
        self._hides = False  # anything, as sold out
        # menus lie one behind the other, so all are put in order at once and each stays in its place
        self._order = np.lexsort((self._luck, -self._ages, self._place))
        self._show(np.zeros((len(opens), 1 + len(compiled.names.counters)), dtype=np.int64), None)

    def publish(self, published: Published) -> None:
        """Put menus in the order of the counters, without what is sold out."""
        self._show(published.counters, published.gone)

    def _show(self, counters: npt.NDArray[np.int64], gone: npt.NDArray[np.bool_] | None) -> None:
        """Show what is there by `counters` (n, 1 + counters), and by which rows are sold out, (n,)."""
        hides = False
        if gone is not None and gone.any():
            hides = True
            self._items.offered[:, 0] = np.where(gone, np.inf, self._spans[:, 0])
        elif self._hides:
            self._items.offered[:, 0] = self._spans[:, 0]
        self._hides = hides
        counts = np.where(self._counted, counters.ravel()[self._at], self._ages)
        if not np.array_equal(counts, self._last):
            put_in_order(self._place, counts, self._luck, self._order)
            self._items.menu[...] = self._children[self._order]
            self._last = counts


def _owners(items: Items) -> Rows:
    """Return the row in `Items.menus` of whose menu each entry of `Items.menu` is on."""
    order = np.argsort(items.menus[:, 0], kind="stable")
    sizes = items.menus[order, 1] - items.menus[order, 0]
    return np.repeat(order, sizes)


def _ordered(compiled: Compiled, kinds: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the column of the counters that orders menus of these kinds, -1 for none; and where age orders them."""
    names, scenario = compiled.names, compiled.scenario
    column, newest = np.full(len(kinds), -1, dtype=np.int64), np.zeros(len(kinds), dtype=np.bool_)
    for stage in scenario.stages.values():
        if stage.children_of is not None and stage.ordered_by is not None:
            those = kinds == (
                BY_CREATOR if stage.children_of == CREATOR else list(scenario.parents).index(stage.children_of)
            )
            newest[those] = stage.ordered_by == NEWEST
            if stage.ordered_by != NEWEST:
                column[those] = 1 + names.counters.index(stage.ordered_by)
    return column, newest
