"""Types of items, and of parents that stages show: what is worth what to whom, and how it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables import tables as layout
from simulator.plan.stages import Tables, Vocabulary
from simulator.scenario.schema.catalog import ItemType, Remembered
from simulator.scenario.schema.scenario import Scenario

_LEAST = 1e-9  # of what logarithms are taken of, at the least


def type_tables(
    scenario: Scenario, names: Vocabulary, tables: Tables
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float64]]:
    """Return the rows of all types, dtype TYPE (types,), and their weights as in `Plan.weights`."""
    n = len(scenario.facets)
    types = np.zeros(len(names.types), dtype=layout.TYPE)
    weights = np.ones((len(names.types), n + 2 * len(names.modalities)))
    items = len(scenario.item_types)
    for row, kind, own in zip(types[:items], scenario.item_types.values(), weights[:items], strict=True):
        row["prior"], row["knowledge"] = kind.prior.value, tables.add(kind.knowledge)
        _memory(names, kind.remembered, row)
        row["leaving"] = 1.0 if kind.leaving is None else kind.leaving.value
        row["returning"] = 0.0 if kind.returning is None else np.log(max(kind.returning.value, _LEAST))
        row["half_life"] = np.inf if kind.half_life is None else _mean(kind.half_life, tables)
        row["idiosyncratic"] = 1.0
        own[:n] = _facet_weights(scenario, kind)
        for modality, ratio in kind.precisions.items():
            own[n + names.modalities.index(modality)] = ratio.value
    for row, name, own in zip(types[items:], names.types[items:], weights[items:], strict=True):
        _parent_type(scenario, names, name, row, own, tables)
    reads = weights[:, n : n + len(names.modalities)]
    weights[:, n + len(names.modalities) :] = np.sqrt(reads)
    return types, weights


def _memory(names: Vocabulary, kept: Remembered | None, row: npt.NDArray[np.void]) -> None:
    """Set what users keep of what they had of a type."""
    if kept is None:
        return
    row["known"], row["forgetting"] = kept.precision.value, kept.half_life.value
    row["known_of"], row["known_rate"] = kept.of == "creator", kept.rate.value if kept.rate is not None else 1.0
    revealed_by = names.modalities if kept.revealed_by is None else kept.revealed_by
    row["known_by"] = sum(1 << names.modalities.index(modality) for modality in revealed_by)


def _parent_type(
    scenario: Scenario, names: Vocabulary, name: str, row: npt.NDArray[np.void], own: npt.NDArray[np.float64],
    tables: Tables,
) -> None:  # fmt: skip
    """Describe parents that a stage shows as a type: worth what their children are on average, to every user.

    A child is `sqrt(share)` its parent in each facet that they share, so that this is the parent's weight; what is the
    child's own, in facets and in the taste that no model can learn, is 0 on average.
    """
    parent = scenario.parents[name]
    assert parent.knowledge is not None
    row["knowledge"], row["half_life"], row["leaving"] = tables.add(parent.knowledge), np.inf, 1.0
    _memory(names, parent.remembered, row)
    row["own"] = sum(1 << names.modalities.index(modality) for modality in parent.modalities)
    kinds = {key: kind for key, kind in scenario.item_types.items() if parent.types is None or key in parent.types}
    shares = np.array([kind.share.value for kind in kinds.values()])
    shares = shares / max(shares.sum(), 1e-12)
    row["prior"] = sum(share * kind.prior.value for share, kind in zip(shares, kinds.values(), strict=True))
    shared = np.array([parent.shares[f].value if f in parent.shares else 0.0 for f in scenario.facets])
    weights = np.array([_facet_weights(scenario, kind) for kind in kinds.values()])
    own[: len(shared)] = np.sqrt(shared) * (shares @ weights)
    for modality, ratio in parent.precisions.items():
        own[len(scenario.facets) + names.modalities.index(modality)] = ratio.value


def _facet_weights(scenario: Scenario, kind: ItemType) -> npt.NDArray[np.float64]:
    """Return the weight of each facet in the utility of items of a type, (facets,).

    The type says how its facets weigh beside each other, not how much its items differ: whatever it weighs, the facets
    together have the variance that their shares leave them, so that a threshold means the same for all types.
    """
    shares = np.array([facet.share.value for facet in scenario.facets.values()])
    ratios = np.array([kind.weights[name].value if name in kind.weights else 1.0 for name in scenario.facets])
    spread = float(shares @ ratios**2)
    if spread <= 0.0:
        return np.zeros(len(shares))
    return np.asarray(np.sqrt(shares * shares.sum() / spread) * ratios)


def _mean(quantity: Any, tables: Tables) -> float:
    return float(tables.rows[tables.add(quantity)].astype(np.float64).mean())
