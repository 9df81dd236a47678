"""From a scenario to the tables that kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.simd import LANES
from simulator.engine.primitives import exponential_table
from simulator.engine.randomness import normal_table, table_points
from simulator.engine.tables import tables as layout
from simulator.engine.tables.case_tables import WorldPlan
from simulator.engine.tables.tables import Plan
from simulator.plan.contexts import context_tables
from simulator.plan.demands import demand_tables
from simulator.plan.fulfilment import compile_world, usual_distance, usual_seconds, usual_way
from simulator.plan.item_types import type_tables
from simulator.plan.limits import limit_rows, met_by
from simulator.plan.stages import Tables, Vocabulary, log_odds, stage_tables, whole_ticks
from simulator.plan.supported import ENGINE
from simulator.scenario.activity_profiles import cumulative_activity
from simulator.scenario.checks.check import check_supported
from simulator.scenario.events import MOST_EVENTS, vocabulary
from simulator.scenario.life_cycle import NEWEST, beside_visits, visit_acts
from simulator.scenario.schema.catalog import Parent
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario

AGE = "published_at"
"""Attribute that every item has: when it was published. Shown, it is the item's age."""

SUM = "+"
"""Behind an event's name: the sum of its values, not its count."""

_LEAST = 1e-9  # of what a logarithm is taken of, at the least
_ONE = Number.model_validate({"value": 1.0, "unit": "ratio", "from": "estimate"})  # a factor that changes nothing


@dataclass(frozen=True)
class FacetShape:
    """Where a facet's dimensions lie in tastes and truths."""

    name: str
    offset: int
    dimensions: int
    width: int


@dataclass(frozen=True)
class CueShape:
    """Where the content of one (modality, facet) cue lies, and how much of the truth it tells."""

    modality: int
    facet: int
    column: int
    signal: float


@dataclass(frozen=True)
class Compiled:
    """A scenario as tables, the names behind them, and the shapes that catalogs and populations are drawn in."""

    scenario: Scenario
    plan: Plan
    names: Vocabulary
    facets: tuple[FacetShape, ...]
    cues: tuple[CueShape, ...]  # content cues only
    latent_width: int
    content_width: int
    world: WorldPlan | None  # where there are cases

    @property
    def largest_slate(self) -> int:
        """Return how many items the longest slate has that a recommender is asked for."""
        stages = self.plan.stages
        return int(stages["slate"][(stages["children_of"] < 0) & (stages["queue_of"] < 0)].max())

    @property
    def largest_menu(self) -> int:
        """Return how many cards the longest menu, queue or slate with picks has; 0 where there is none."""
        stages = self.plan.stages
        laid = np.maximum(np.maximum(stages["children_of"], stages["queue_of"]), stages["picks"]) >= 0
        return int(stages["slate"][laid].max(initial=0))

    @property
    def most_responses(self) -> int:
        """Return how many rows users may leave about an item of their own accord: acts, notes and ordered variants."""
        stages = self.plan.stages
        return len(self.plan.acts) + int(stages["n_notes"].max()) + int(stages["bracket_at_most"].max())

    @property
    def shown_parents(self) -> dict[str, int]:
        """Return the kinds of parents that a stage shows, with the number of their type, in the order of the kinds."""
        first = len(self.scenario.item_types)
        return {name: first + k for k, name in enumerate(self.names.types[first:])}


def compile_scenario(scenario: Scenario) -> Compiled:
    """Compile the tables of a checked scenario. Raises InputError for what this version cannot run."""
    check_supported(scenario, ENGINE)
    tables = Tables()
    names = _vocabulary(scenario)
    facets, latent_width = _facet_shapes(scenario)
    cues, modalities, content_cues, content_width = _modalities(scenario, names, facets, latent_width)
    types, weights = type_tables(scenario, names, tables)
    attribute_effects, announced = _asides(scenario, names, tables), _announced(scenario, tables)
    shared = compile_world(scenario, names, names.codes, tables) if beside_visits(scenario) else None
    plan = Plan(
        **stage_tables(scenario, names, tables),
        devices=np.cumsum([d.share.value for d in scenario.devices.values()]),
        cues=cues,
        modalities=modalities,
        facets=_facets(scenario, facets),
        types=types,
        weights=weights,
        user_params=_habits(scenario, tables, int((modalities["trust"] >= 0).sum())),
        acts=(acts := _acts(scenario, names)),
        observation=_observation(scenario, names, tables),
        labels=_labels(scenario, names),
        hours=_hours(scenario),
        starts_at=np.array([whole_ticks(scenario.clock.starts_at.value)]),
        quantiles=np.stack(tables.rows),
        exp_log_tables=exponential_table(),
        attribute_effects=np.concatenate(
            [attribute_effects, limit_rows(scenario, names), _repetitions(scenario, names, types)]
        ),
        announced=announced,
        speed=np.array([scenario.places.speed.value if scenario.places else 0.0]),
        counted=_counted(names),
        **context_tables(scenario, names),
        **demand_tables(scenario, names),
        act_bounds=_act_bounds(acts),
    )
    return Compiled(scenario, plan, names, facets, content_cues, latent_width, content_width, shared)


def _vocabulary(scenario: Scenario) -> Vocabulary:
    published_counters = tuple(name for name, m in scenario.modalities.items() if m.kind == "readout")
    counters: dict[str, None] = {}
    for readout in published_counters:
        modality: Any = scenario.modalities[readout]
        if modality.counts is not None:
            counters[modality.counts] = None
        if modality.averages is not None:
            counters |= {modality.averages: None, modality.averages + SUM: None}
    for stage in scenario.stages.values():
        if stage.ordered_by is not None and stage.ordered_by != NEWEST:
            counters[stage.ordered_by] = None
    shown = {stage.shows_parents: None for stage in scenario.stages.values() if stage.shows_parents is not None}
    own = [kind.attributes for kind in scenario.item_types.values()]
    own += [parent.attributes for parent in scenario.parents.values()]
    attributes = dict.fromkeys(name for each in own for name in each)
    return Vocabulary(
        facets=tuple(scenario.facets),
        modalities=tuple(scenario.modalities),
        types=(*scenario.item_types, *(kind for kind in scenario.parents if kind in shown)),
        surfaces=tuple(scenario.surfaces),
        devices=tuple(scenario.devices),
        stages=tuple(scenario.stages),
        acts=tuple(visit_acts(scenario)),
        labels=tuple(scenario.platform.labels),
        published_counters=published_counters,
        counters=tuple(counters),
        events=vocabulary(scenario.observation),
        attributes=tuple(attributes),
        attribute_effects=tuple(
            name
            for name, m in scenario.modalities.items()
            if m.kind in ("attribute", "promise", "distance") and getattr(m, "weight", None) is not None
        ),
    )


def _facet_shapes(scenario: Scenario) -> tuple[tuple[FacetShape, ...], int]:
    shapes, offset = [], 0
    for name, facet in scenario.facets.items():
        width = -(-facet.dimensions // LANES) * LANES
        shapes.append(FacetShape(name, offset, facet.dimensions, width))
        offset += width
    return tuple(shapes), offset


def _facets(scenario: Scenario, shapes: tuple[FacetShape, ...]) -> npt.NDArray[np.void]:
    rows = np.zeros(len(shapes), dtype=layout.FACET)
    normal = normal_table().astype(np.float64)
    for row, shape in zip(rows, shapes, strict=True):
        saturation = scenario.facets[shape.name].saturation.value
        row["offset"], row["width"], row["saturation"] = shape.offset, shape.width, saturation
        row["scale"] = 1.0 / (normal / (1.0 + saturation * np.abs(normal))).std()
    return rows


def discount_of(scenario: Scenario) -> float:
    """Return how far readers know that what is shown is not all taste: from 0 to 1."""
    return scenario.discount.value if scenario.discount is not None else 0.0


def expect(cue: npt.NDArray[np.void], discount: float, signal: float, bias: Distribution | None) -> None:
    """Set what its readers expect of a cue: how much it tells, and the variance of what else is in it.

    Without a discount they take it at face value; with all of it they know the signal and the spread of the bias.
    """
    cue["signal"] = 1.0 - discount * (1.0 - signal)
    spread = 0.0 if bias is None else float(np.var(bias.quantile(table_points())))
    cue["doubt"] = 1.0 - cue["signal"] ** 2 + discount * spread


def _modalities(
    scenario: Scenario, names: Vocabulary, facets: tuple[FacetShape, ...], column: int
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void], tuple[CueShape, ...], int]:
    first_column = column
    discount = discount_of(scenario)
    cues: list[npt.NDArray[np.void]] = []
    shapes = []
    rows = np.zeros(len(names.modalities), dtype=layout.MODALITY)
    for m, (name, modality) in enumerate(scenario.modalities.items()):
        row = rows[m]
        row["reading"], row["salience"], row["heard"] = (
            modality.reading.value,
            modality.salience.value,
            modality.kind == "audio",
        )
        row["first_cue"] = len(cues)
        bias = getattr(modality, "bias", None)
        # nobody can learn a bias that is not there; where there is none, there is no trust to keep
        learns = bias is not None and bool(np.any(bias.quantile(table_points()) != 0.0))
        row["trust"] = int((rows["trust"][:m] >= 0).sum()) if learns else -1
        tells: Any = getattr(modality, "tells", {})
        for facet_name, telling in tells.items():
            f = names.facets.index(facet_name)
            cue = np.zeros((), dtype=layout.CUE)
            cue["facet"], cue["timed"] = f, modality.kind in ("video", "audio")
            cue["precision"], cue["root_precision"] = telling.precision.value, np.sqrt(telling.precision.value)
            if modality.kind == "readout":
                cue["column"], cue["readout"] = -1, names.published_counters.index(name)
                expect(cue, discount, telling.signal.value if telling.signal is not None else 1.0, None)
            else:
                cue["column"], cue["readout"] = column, -1
                expect(cue, discount, telling.signal.value, bias)
                shapes.append(CueShape(m, f, column, telling.signal.value))
                column += facets[f].width
            cues.append(cue)
        row["end_cue"] = len(cues)
    table = np.stack(cues) if cues else np.zeros(0, dtype=layout.CUE)
    return table, rows, tuple(shapes), column - first_column


def _acts(scenario: Scenario, names: Vocabulary) -> npt.NDArray[np.void]:
    rows = np.zeros(len(names.acts), dtype=layout.ACT)
    for row, (name, act) in zip(rows, visit_acts(scenario).items(), strict=True):
        odds, slope = log_odds(act.base.value), act.slope.value
        row["event"], row["positive"] = names.codes[name], act.positive
        row["topic"] = scenario.declared_interests is not None and scenario.declared_interests.follow == name
        row["counter"] = names.counters.index(name) + 1 if name in names.counters else -1
        row["detour"] = act.detour
        row["log_odds"], row["slope"] = odds, slope
    return rows


def _act_bounds(acts: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """Return the highest probability of each act per level of satisfaction, and that of no act by these bounds."""
    edges = np.arange(layout.LEVELS + 1) / layout.LEVELS_PER_UNIT - layout.USUAL
    odds = acts["log_odds"] + acts["slope"] * edges[:, None]
    # a hair more: kernels have the exponential from tables
    bounds = (1.0 + 1e-6) / (1.0 + np.exp(-np.maximum(odds[:-1], odds[1:])))
    return np.column_stack([bounds, np.prod(1.0 - np.minimum(bounds, 1.0), axis=1)])


def _counted(names: Vocabulary) -> npt.NDArray[np.int32]:
    """Return the columns of the counters for each event: how often it happened, and the sum of its values."""
    columns = np.full((MOST_EVENTS, 2), -1, dtype=np.int32)
    for k, counter in enumerate(names.counters):
        columns[names.codes[counter.removesuffix(SUM)], int(counter.endswith(SUM))] = k + 1
    return columns


def _asides(scenario: Scenario, names: Vocabulary, tables: Tables) -> npt.NDArray[np.void]:
    """Return the modalities that show a number as it is."""
    rows = np.zeros(len(names.attribute_effects), dtype=layout.ATTRIBUTE_EFFECT)
    for row, name in zip(rows, names.attribute_effects, strict=True):
        modality: Any = scenario.modalities[name]
        row["revealed_by"], row["promise"] = 1 << names.modalities.index(name), -1
        if modality.kind == "attribute" and modality.shows == AGE:
            row["ages"], row["weight"] = 1, modality.weight.value
        if modality.kind == "distance":
            row["apart"], row["usual"] = 1, usual_distance(scenario)
            row["weight"] = modality.weight.value / (modality.per.value if modality.per else 1.0)
            row["types"] = met_by(scenario, names.types, name)
        if modality.kind == "promise":
            promise = scenario.promises[modality.promise]
            row["promise"] = list(scenario.promises).index(modality.promise)
            row["weight"] = modality.weight.value / (modality.per.value if modality.per else 1.0)
            row["types"] = met_by(scenario, names.types, name)
            steps = {step.step: step for step in scenario.fulfil[promise.stage].steps}
            # how long it takes and not what is announced: a promise that is padded sounds longer than usual
            row["usual"] = sum(
                usual_seconds(scenario, steps[k], tables) + usual_way(scenario, steps[k]) for k in promise.steps
            )
    return rows


def _repetitions(scenario: Scenario, names: Vocabulary, types: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return what siblings had lately are worth, a row per kind of parent; set what `types` of children remember."""
    types["kind"] = -1
    rows = []
    for k, (kind, parent) in enumerate(scenario.parents.items()):
        again = parent.repetition
        if again is None:
            continue
        row = np.zeros((), dtype=layout.ATTRIBUTE_EFFECT)
        row["promise"], row["repeats"], row["kind"], row["weight"] = -1, 1, k, again.worth.value
        row["rest"] = np.log(max(1.0 - again.first.value, _LEAST))
        for name in parent.modalities if again.revealed_by is None else again.revealed_by:
            row["revealed_by"] |= np.uint32(1 << names.modalities.index(name))
        rows.append(row)
        shown = names.types[len(scenario.item_types) :]
        for t, name in enumerate(names.types):
            if name == kind or (name not in shown and kind not in shown and _holds(parent, name)):
                types[t]["kind"], types[t]["memory"] = k, again.half_life.value
    return np.stack(rows) if rows else np.zeros(0, dtype=layout.ATTRIBUTE_EFFECT)


def _holds(parent: Parent, item_type: str) -> bool:
    return parent.types is None or item_type in parent.types


def _announced(scenario: Scenario, tables: Tables) -> npt.NDArray[np.void]:
    rows = np.zeros(len(scenario.promises), dtype=layout.ANNOUNCED)
    for row, promise in zip(rows, scenario.promises.values(), strict=True):
        row["padding"] = promise.padding.value
        row["spread"] = tables.add(promise.spread) if promise.spread is not None else tables.add(_ONE)
        row["travels"] = any(
            step.travels == "to_user" for step in scenario.fulfil[promise.stage].steps if step.step in promise.steps
        )
    return rows


def _observation(scenario: Scenario, names: Vocabulary, tables: Tables) -> npt.NDArray[np.void]:
    rows = np.zeros(len(names.events), dtype=layout.OBSERVED)
    for name, row in scenario.observation.items():
        if row.observer != "none" and row.probability is not None:
            rows[names.codes[name]] = row.probability.value, tables.add(row.lag)
    return rows


def _labels(scenario: Scenario, names: Vocabulary) -> npt.NDArray[np.void]:
    rows = np.zeros(len(scenario.platform.labels), dtype=layout.LABEL)
    for row, label in zip(rows, scenario.platform.labels.values(), strict=True):
        row["events"] = sum(1 << names.codes[event] for event in label.events)
        row["at_least"] = label.at_least.value if label.at_least else -1.0
        row["or_duration"] = label.or_item == "duration"
    return rows


_HABITS = (
    "return_goodwill", "churn", "churn_goodwill", "goodwill_gain", "goodwill_loss", "goodwill_tolerated",
    "goodwill_decay", "trust_rate", "satiation_step", "satiation_recovery", "satiation_weight",
)  # fmt: skip


def _habits(scenario: Scenario, tables: Tables, trusts: int) -> npt.NDArray[np.void]:
    user = scenario.user
    rows = np.zeros(1, dtype=layout.USER_PARAMS)
    row = rows[0]
    row["idiosyncratic"] = np.sqrt(scenario.idiosyncratic.share.value)
    row["common_error"], row["root_common_error"] = scenario.common_error.value, np.sqrt(scenario.common_error.value)
    for key in _HABITS:
        row[key] = getattr(user, key).value
    for key in ("base", "satisfaction", "bad_streak", "elapsed", "tolerance"):
        row[f"leave_{key}"] = getattr(user.leave, key).value
    for key in ("budget", "tolerance", "return_after"):
        row[key] = tables.add(getattr(user, key))
    row["first_topic"] = trusts
    return rows


def _hours(scenario: Scenario) -> npt.NDArray[np.float64]:
    """Return the `cumulative_activity` at full hours of a day, or of a week that begins on Monday."""
    weekdays = scenario.user.weekdays
    return cumulative_activity(scenario.user.hours.profile, weekdays.profile if weekdays is not None else [1.0])
