"""From a scenario's fulfilments, resources and promises to the tables that the kernels of cases read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import WORLD, uniforms
from simulator.engine.tables import case_tables as layout
from simulator.engine.tables.case_tables import EXIT, Per, ResourceKind, Travel, WorldPlan
from simulator.engine.tables.tables import StageKind
from simulator.errors import InputError
from simulator.plan.stages import NO_SURFACE, Tables, Vocabulary, log_odds, successors_of, whole_ticks
from simulator.scenario.durations import DAY
from simulator.scenario.life_cycle import outcome_event
from simulator.scenario.limits import PERIODS
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.fulfilment import FulfilParameters, Queue, Slots, Step, Stock
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.quantities import per_user
from simulator.scenario.schema.scenario import ExperienceConsume, Scenario

CASE_OUTCOMES: dict[str, tuple[str, ...]] = {
    "fulfil": ("done", "refused", "cancelled", "expired"),
    "consume": ("complete", "skip"),
    "respond": ("continue", "leave", "return"),
}
"""Outcomes of the stages that cases walk through, in the order of their numbers."""

_CIRCUMSTANCE = 1 << 16  # what is drawn under WORLD: + 2 * number: dry spells, + 1: how long it holds


def compile_world(scenario: Scenario, names: Vocabulary, codes: Mapping[str, int], tables: Tables) -> WorldPlan:
    """Compile the tables of the world that the cases of a scenario share.

    Args:
        scenario: a checked scenario.
        names: its vocabulary.
        codes: number of every event.
        tables: takes the distributions.

    Returns:
        The tables; resources have no units yet and circumstances no periods (`populated`).
    """
    stages = np.zeros(len(names.stages), dtype=layout.FULFIL)
    following = np.full((len(names.stages), 4, 3), EXIT, dtype=np.int32)
    shares = np.ones((len(names.stages), 4, 3))
    events = np.full((len(names.stages), 4), -1, dtype=np.int32)
    rows = _Rows(scenario, names, tables)
    promises, parts = rows.promises()
    for s, (name, stage) in enumerate(scenario.stages.items()):
        row = stages[s]
        row["kind"] = StageKind[stage.kind.upper()]
        row["surface"] = names.surfaces.index(stage.surface) if stage.surface else NO_SURFACE
        for key in ("promise", "announced", "rating_event", "text_event", "late_promise"):
            row[key] = -1
        row["never_came"] = np.nan
        if stage.kind not in CASE_OUTCOMES:
            continue
        for o, outcome in enumerate(CASE_OUTCOMES[stage.kind]):
            known = outcome if outcome in stage.next else "refused" if outcome == "expired" else None
            if known is None:
                continue
            after, added_up = successors_of(names, stage.next[known])
            following[s, o] = after[-1]
            following[s, o, : len(after)], shares[s, o, : len(after)] = after, added_up
            event = outcome_event(scenario, name, known)
            events[s, o] = codes[event] if event is not None else -1
        if stage.kind == "fulfil":
            rows.fulfil(name, row)
        elif stage.kind == "consume" and isinstance(scenario.consume[name], ExperienceConsume):
            rows.consume(name, row)
        elif stage.kind == "respond":
            rows.respond(name, row)
    resources, shifts = rows.resources()
    return WorldPlan(
        stages=stages,
        next=following,
        shares=shares,
        events=events,
        steps=_stack(rows.steps, layout.STEP),
        slows=_stack(rows.slows, layout.SLOW),
        acts=_stack(rows.acts, layout.CASE_ACT),
        thresholds=np.array(rows.thresholds, dtype=np.float64),
        resources=resources,
        shifts=shifts,
        choosers=rows.choosers(names),
        promises=promises,
        parts=parts,
        first_period=np.zeros(len(scenario.circumstances) + 1, dtype=np.int64),
        periods=np.zeros((0, 2)),
        speed=np.array([scenario.places.speed.value if scenario.places else 0.0]),
    )


def usual_seconds(scenario: Scenario, step: Step, tables: Tables) -> float:
    """Return how long a step takes on average, once it has begun and without any way, s."""
    quantity = step.delay
    if quantity is None and step.uses:
        quantity = getattr(scenario.resources[step.uses], "service", None)
    if quantity is None:
        return 0.0
    return float(tables.rows[tables.add(quantity)].astype(np.float64).mean())


def usual_distance(scenario: Scenario) -> float:
    """Return how far two places are apart on average, km: any two within reach of each other; 0 without places.

    Two points drawn evenly on a square of side 1 are 0.5214 apart on average (Mathai 1999), two within reach of each
    other at most two thirds of that reach (the mean distance to the middle of a disc).
    """
    if scenario.places is None:
        return 0.0
    return min(0.5214 * scenario.places.side.value, scenario.places.reach.value * 2.0 / 3.0)


def usual_way(scenario: Scenario, step: Step) -> float:
    """Return how long the way of a step takes on average, s."""
    if step.travels is None or scenario.places is None:
        return 0.0
    return usual_distance(scenario) / scenario.places.speed.value


def _stack(rows: list[npt.NDArray[np.void]], dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
    return np.stack(rows) if rows else np.zeros(0, dtype=dtype)


class _Rows:
    """Tables that grow while stages are compiled."""

    def __init__(self, scenario: Scenario, names: Vocabulary, tables: Tables) -> None:
        self.scenario, self.codes, self.tables = scenario, names.codes, tables
        self._types = names.types
        self.names = list(scenario.resources)
        self.steps: list[npt.NDArray[np.void]] = []
        self.slows: list[npt.NDArray[np.void]] = []
        self.acts: list[npt.NDArray[np.void]] = []
        self.thresholds: list[float] = []

    def fulfil(self, name: str, row: npt.NDArray[np.void]) -> None:
        """Add the steps of a fulfilment, and how it may be cut short."""
        block = self.scenario.fulfil[name]
        row["first_step"], row["n_steps"] = len(self.steps), len(block.steps)
        row["promise"] = list(self.scenario.promises).index(block.promise) if block.promise else -1
        row["announced"] = self.codes[block.announced] if block.announced else -1
        if block.cancel is not None:
            row["cancel"] = block.cancel.base.value
            row["cancel_late"] = block.cancel.after_promise.value if block.cancel.after_promise else 0.0
        row["expires_after"] = block.expires_after.value if block.expires_after else np.inf
        for k in range(len(block.steps)):
            self.steps.append(self._step(block, k))
        row["expected"] = sum(float(step["mean"]) * float(step["needs"]) for step in self.steps[-len(block.steps) :])

    def _step(self, block: FulfilParameters, k: int) -> npt.NDArray[np.void]:
        step = block.steps[k]
        row = np.zeros((), dtype=layout.STEP)
        row["event"] = self.codes[step.event] if step.event else -1
        row["uses"] = self.names.index(step.uses) if step.uses else -1
        row["holds"] = sum(1 << self.names.index(each) for each in step.holds)
        row["delay"] = self.tables.add(step.delay) if step.delay is not None else -1
        row["needs"] = step.needs.value if step.needs else 1.0
        row["passes"] = step.passes.value if step.passes else 1.0
        row["withdraws"] = step.withdraws.value if step.withdraws else 0.0
        row["unanswered"] = step.unanswered.value if step.unanswered else 0.0
        row["chooser"] = list(self.scenario.choosers).index(step.chosen_by) if step.chosen_by else -1
        row["travels"] = Travel[step.travels.upper()] if step.travels else Travel.NONE
        row["first_slow"], row["n_slow"] = len(self.slows), len(step.slowed_by)
        for circumstance, factor in step.slowed_by.items():
            slow = np.zeros((), dtype=layout.SLOW)
            slow["circumstance"] = list(self.scenario.circumstances).index(circumstance)
            slow["factor"] = factor.value
            self.slows.append(slow)
        row["mean"] = usual_seconds(self.scenario, step, self.tables)
        return row

    def consume(self, name: str, row: npt.NDArray[np.void]) -> None:
        """Add an experience: when, and how far it strays from what the item is worth."""
        block: Any = self.scenario.consume[name]
        row["after"] = self.tables.add(block.after)
        row["noise"], row["skipped"] = np.sqrt(block.noise.value), block.skipped.value

    def respond(self, name: str, row: npt.NDArray[np.void]) -> None:
        """Add what is done about an experience."""
        block = self.scenario.respond[name]
        for key in ("loss_aversion", "experience_weight", "confirmation"):
            row[key] = getattr(block, key).value
        row["first_act"], row["n_acts"] = len(self.acts), len(block.acts)
        for event, act in block.acts.items():
            one = np.zeros((), dtype=layout.CASE_ACT)
            one["event"], one["log_odds"], one["slope"] = self.codes[event], log_odds(act.base.value), act.slope.value
            one["delay"] = self.tables.add(act.delay) if act.delay is not None else -1
            self.acts.append(one)
        if block.rating is not None:
            rating = block.rating
            row["rating_event"], row["rating_log_odds"] = self.codes[rating.event], log_odds(rating.base.value)
            row["rating_slope"], row["rating_noise"] = rating.slope.value, rating.noise.value
            row["rating_delay"] = self.tables.add(rating.delay)
            row["first_threshold"], row["n_thresholds"] = len(self.thresholds), len(rating.thresholds)
            self.thresholds += [threshold.value for threshold in rating.thresholds]
            if rating.text is not None:
                row["text_event"], row["text_log_odds"] = (
                    self.codes[rating.text.event],
                    log_odds(rating.text.base.value),
                )
                row["text_slope"] = rating.text.slope.value
        if block.lateness is not None:
            late = block.lateness
            row["late_promise"] = list(self.scenario.promises).index(late.promise)
            row["late_threshold"], row["late_effect"] = late.threshold.value, late.effect.value
            row["late_per_second"] = late.per_second.value if late.per_second else 0.0
            row["early"] = late.early.value if late.early else 0.0
        if block.returns is not None:
            back = block.returns
            row["returns"], row["returns_log_odds"] = 1, log_odds(back.base.value)
            row["returns_slope"] = back.slope.value
            row["returns_delay"] = self.tables.add(back.delay) if back.delay is not None else -1
        if block.again is not None:
            again = block.again
            row["again_types"] = sum(1 << self._types.index(each) for each in set(again.types))
            row["again_log_odds"], row["again_slope"] = log_odds(again.base.value), again.slope.value
            row["again_lasts"] = self.tables.add(again.lasts)
            row["again_stage"] = list(self.scenario.stages).index(again.stage)
        if block.never_came is not None:
            none = block.never_came
            row["never_came"], row["never_came_rates"] = none.worth.value, none.rates
            row["never_came_acts"] = sum(1 << list(block.acts).index(act) for act in set(none.acts))

    def resources(self) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
        """Return the resources without their units, which depend on the catalog, and their shifts."""
        rows = np.zeros(len(self.names), dtype=layout.RESOURCE)
        shifts: list[npt.NDArray[np.void]] = []
        for row, resource in zip(rows, self.scenario.resources.values(), strict=True):
            row["kind"], row["per"] = ResourceKind[resource.kind.upper()], per_of(self.scenario, resource.per)
            row["service"], row["line"] = -1, np.inf
            row["first_shift"] = len(shifts)
            if isinstance(resource, Queue):
                row["service"] = self.tables.add(resource.service) if resource.service is not None else -1
                row["slowdown"] = resource.slowdown.value if resource.slowdown else 0.0
                if resource.per_item is not None:
                    row["more"], row["usual"] = resource.per_item.more.value, resource.per_item.usual.value
                row["every"] = resource.every.value if resource.every else 0.0
                row["moves"] = resource.moves
                if resource.line is not None:
                    row["line"] = whole_or_per_user(resource.line)
                for shift in resource.shifts:
                    one = np.zeros((), dtype=layout.SHIFT)
                    one["starts"] = whole_ticks(shift.starts.value) % DAY  # else the time to an edge may round to 0
                    one["ends"] = whole_ticks(shift.ends.value) % DAY
                    one["capacity"] = whole_or_per_user(shift.capacity)
                    shifts.append(one)
            elif isinstance(resource, Stock):
                row["restock_below"] = resource.restock_below.value
                to = resource.restock_to
                row["restock_to"] = to.value if per_user(to) else np.floor(to.value)
                row["restock_lead"] = self.tables.add(resource.restock_lead)
            elif isinstance(resource, Slots):
                row["every"] = resource.every.value if resource.every else 0.0
            row["n_shifts"] = len(shifts) - row["first_shift"]
        return rows, _stack(shifts, layout.SHIFT)

    def promises(self) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
        """Return the table of what is announced: the steps that each promise counts."""
        rows = np.zeros(len(self.scenario.promises), dtype=layout.PROMISE)
        parts: list[npt.NDArray[np.void]] = []
        for row, promise in zip(rows, self.scenario.promises.values(), strict=True):
            row["first_part"], row["n_parts"] = len(parts), len(promise.steps)
            block = self.scenario.fulfil[promise.stage]
            for name in promise.steps:
                k = [step.step for step in block.steps].index(name)
                step = self._step(block, k)
                part = np.zeros((), dtype=layout.PART)
                part["resource"], part["mean"] = step["uses"], step["mean"]
                if step["travels"] == Travel.TO_ITEM:  # the way to the user is known, and added for each
                    part["mean"] += usual_way(self.scenario, block.steps[k])
                part["kept"] = self._kept(block, k)
                parts.append(part)
        return rows, _stack(parts, layout.PART)

    def _kept(self, block: FulfilParameters, k: int) -> float:
        """Return how long on average a case keeps what step k uses, s: to the end of the last step that holds it."""
        total = 0.0
        for step in block.steps[k:]:
            if step is not block.steps[k] and block.steps[k].uses not in step.holds:
                break
            seconds = usual_seconds(self.scenario, step, self.tables) * (step.needs.value if step.needs else 1.0)
            for circumstance, factor in step.slowed_by.items():
                share = self.scenario.circumstances[circumstance].probability.value
                seconds *= 1.0 + share * (factor.value - 1.0)
            total += seconds + usual_way(self.scenario, step)
        return total

    def choosers(self, names: Vocabulary) -> npt.NDArray[np.void]:
        """Return the table of choosers; their tastes lie in the columns of the applicants' qualifications."""
        rows = np.zeros(len(self.scenario.choosers), dtype=layout.CHOOSER)
        offset = 0
        for row, chooser in zip(rows, self.scenario.choosers.values(), strict=True):
            width = self.scenario.facets[chooser.facet].dimensions
            row["offset"], row["width"], row["scale"] = offset, width, 1.0 / np.sqrt(width)
            row["knowledge"] = self.tables.add(chooser.knowledge)
            row["threshold"], row["temperature"] = chooser.threshold.value, chooser.temperature.value
            if chooser.shortlist is not None and chooser.every is not None:
                row["shortlist"] = max(round(chooser.shortlist.value), 1)  # of a number per user: see `Cases`
                row["every"] = whole_ticks(chooser.every.value)
            row["capacity_of"] = self.names.index(chooser.capacity_of) if chooser.capacity_of else -1
            row["judgment_event"] = self.codes[chooser.judgment] if chooser.judgment else -1
            row["match_event"] = self.codes[chooser.match] if chooser.match else -1
            offset += width
        return rows


def whole_or_per_user(number: Number) -> float:
    """Return a number of its own as a whole one; one per user as it is: there is no whole one without users."""
    return number.value if per_user(number) else float(round(number.value))


def per_of(scenario: Scenario, name: str) -> Per:
    """Return what a resource has one unit of."""
    if name in scenario.parents:
        return Per.PARENT
    known = {"world": Per.WORLD, "item": Per.ITEM, "creator": Per.CREATOR, "user": Per.USER, "zone": Per.ZONE}
    if name == scenario.supply.called:
        return Per.CREATOR
    return known[name]


def periods_of(scenario: Scenario, horizon: float, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return when each circumstance holds up to the horizon: it comes and goes, and holds its share of the time."""
    first = [0]
    rows: list[tuple[float, float]] = []
    for k, (name, circumstance) in enumerate(scenario.circumstances.items()):
        share = min(circumstance.probability.value, 0.99)
        lasts: Distribution = circumstance.lasts
        points = (np.arange(4096) + 0.5) / 4096
        usual = float(lasts.quantile(points).mean())
        n = int(4 * horizon / max(usual, 1.0)) + 16
        if n > PERIODS:
            wrong = f"circumstances.{name}.lasts: {usual:.3g} s on average, and the run takes {horizon:.3g} s"
            raise InputError(scenario.shown, wrong, f"expected a run of at most {PERIODS / 4:,.0f} times that")
        dry = -np.log1p(-uniforms(seed, WORLD, n, _CIRCUMSTANCE + 2 * k)) * usual * (1.0 - share) / max(share, 1e-9)
        wet = lasts.quantile(uniforms(seed, WORLD, n, _CIRCUMSTANCE + 2 * k + 1))
        ends = np.cumsum(dry + wet)
        kept = ends - wet < horizon
        rows += list(zip((ends - wet)[kept], ends[kept], strict=True))
        first.append(len(rows))
    return np.array(first, dtype=np.int64), np.array(rows, dtype=np.float64).reshape(-1, 2)
