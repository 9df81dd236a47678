"""Public numbers of items (prices, salaries), their worth to users, and the places of users and items."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import PARENT, PERSON, SUPPLY, Keys, numbered, table_points, uniforms
from simulator.plan.compiler import Compiled
from simulator.plan.groups import partitions
from simulator.plan.limits import limit_worths
from simulator.population.parents import ParentIndex
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.users import User

Float32 = npt.NDArray[np.float32]

# What is drawn under PERSON, beside what `population` draws, and under SUPPLY, beside what `catalog` draws.
_GROUP, _TRAIT, _PLACE = 300, 320, 400  # + number of the partition, of the trait, of the axis
_ATTRIBUTE = 420  # + number of the attribute


def drawn(quantity: Any, draw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a distribution's values at these uniform draws; of a number, the number."""
    if isinstance(quantity, Distribution):
        return np.asarray(quantity.quantile(draw))
    return np.full(len(draw), float(quantity.value))


def places(scenario: Scenario, seed: int, purpose: np.uint64, rows: Keys) -> Float32:
    """Draw places on the scenario's square, km, (n, 2); at 0 where it has none."""
    out = np.zeros((len(numbered(rows)), 2), dtype=np.float32)
    if scenario.places is not None:
        for axis in range(2):
            out[:, axis] = scenario.places.side.value * uniforms(seed, purpose, rows, _PLACE + axis)
    return out


def item_places(scenario: Scenario, seed: int, n_items: int, kin: tuple[ParentIndex, ...] = ()) -> Float32:
    """Return the places of items, km, (n, 2): that of their parent, if all its children are of one creator."""
    out = places(scenario, seed, SUPPLY, n_items)
    for each in kin:
        if each.rule.one_creator:
            out[each.children] = places(scenario, seed, PARENT, each.keys)[each.parent]
    return out


def attributes(
    compiled: Compiled, types: npt.NDArray[np.integer[Any]], seed: int, kin: tuple[ParentIndex, ...] = ()
) -> tuple[Float32, Float32]:
    """Return numbers of items, (n, attributes), and their worth, (n, effects): beside the usual of their type, and what
    missing each limit costs.
    """
    scenario, names = compiled.scenario, compiled.names
    values = np.zeros((len(types), len(names.attributes)), dtype=np.float32)
    usual = np.zeros((len(names.types), len(names.attributes)))
    for a, name in enumerate(names.attributes):
        draw = uniforms(seed, SUPPLY, len(types), _ATTRIBUTE + a)
        for t, kind in enumerate(scenario.item_types.values()):
            if name in kind.attributes:
                of_type = types == t
                values[of_type, a] = drawn(kind.attributes[name], draw[of_type])
                usual[t, a] = drawn(kind.attributes[name], table_points()).mean()
    for each in kin:
        for name, quantity in each.rule.attributes.items():
            a = names.attributes.index(name)
            values[each.children, a] = drawn(quantity, each.draw(_ATTRIBUTE + a))[each.parent]
            usual[np.unique(types[each.children]), a] = drawn(quantity, table_points()).mean()
    worth = np.zeros((len(types), len(names.attribute_effects)), dtype=np.float32)
    for k, name in enumerate(names.attribute_effects):
        modality: Any = scenario.modalities[name]
        if modality.kind == "attribute" and modality.shows in names.attributes:
            a = names.attributes.index(modality.shows)
            per = modality.per.value if modality.per is not None else 1.0
            beside = usual[types, a]
            unit = beside if modality.relative else np.ones(len(types))
            more = np.divide(values[:, a] - beside, per * unit, out=np.zeros(len(types)), where=unit > 0.0)
            worth[:, k] = modality.weight.value * more
    return values, np.concatenate([worth, limit_worths(scenario, names.attributes, values)], axis=1)


def members(user: User, rows: Keys, seed: int) -> npt.NDArray[np.int64]:
    """Return the group of the users with these keys in each partition of users, (n, partitions)."""
    keys, ways = numbered(rows), partitions(user)
    out = np.zeros((len(keys), len(ways)), dtype=np.int64)
    for p, groups in enumerate(ways):
        bounds = np.cumsum([group.share.value for group in groups])
        draw = uniforms(seed, PERSON, keys, _GROUP + p)
        out[:, p] = np.minimum(np.searchsorted(bounds, draw, side="right"), len(groups) - 1)
    return out


def segment_of(user: User, member: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
    """Return the numbers, among `segments`, of the combinations of groups that users are in, (n,)."""
    out = np.zeros(len(member), dtype=np.int64)
    for p, groups in enumerate(partitions(user)):
        out = out * len(groups) + member[:, p]
    return out.astype(np.uint16)


def traits(compiled: Compiled, rows: npt.NDArray[np.uint64], seed: int) -> Float32:
    """Return how much each shown number matters to the users with these keys, (n, effects): 1 where none is named.

    A group's own trait goes before everybody's, and that of a later partition before that of an earlier one. Limits
    matter only while a visit has them: 0.
    """
    scenario, user = compiled.scenario, compiled.scenario.user
    out = np.zeros((len(rows), len(compiled.plan.attribute_effects)), dtype=np.float32)
    out[:, : len(compiled.names.attribute_effects)] = 1.0
    out[:, compiled.plan.attribute_effects["repeats"] == 1] = 1.0
    groups = list(user.groups.values())
    known = list(dict.fromkeys([*user.traits, *(trait for group in groups for trait in group.traits)]))
    member = members(user, rows, seed)
    for a, name in enumerate(compiled.names.attribute_effects):
        trait = getattr(scenario.modalities[name], "trait", None)
        if trait is None:
            continue
        draw = uniforms(seed, PERSON, rows, _TRAIT + known.index(trait))
        if trait in user.traits:
            out[:, a] = drawn(user.traits[trait], draw)
        for p, partition in enumerate(partitions(user)):
            for g, group in enumerate(partition):
                if trait in group.traits:
                    own = member[:, p] == g
                    out[own, a] = drawn(group.traits[trait], draw)[own]
    return out
