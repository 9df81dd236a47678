"""The life cycle's table, and the parameters of its stages, as arrays."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import normal_table, table_points
from simulator.engine.tables import tables as layout
from simulator.engine.tables.case_tables import EXIT, GONE
from simulator.engine.tables.tables import MAX_SCREEN, OUTCOMES, RANKS, About, AtEnd, Layout, StageKind
from simulator.scenario.durations import DAY
from simulator.scenario.life_cycle import CREATOR, RESUME_EVENT, beside_visits, successors
from simulator.scenario.limits import LEAST
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import HazardConsume, Scenario

RUN_LAYOUTS = {
    "autoplay": Layout.AUTOPLAY,
    "grid": Layout.GRID,
    "list": Layout.LIST,
    "carousel": Layout.GRID,  # what the swipe shows is compared, as in a grid of one row
    "single": Layout.LIST,  # a list of one card
}
NO_SURFACE = 255
ENDS = {"exit": EXIT, "gone": GONE}


@dataclass(frozen=True)
class Vocabulary:
    """Names behind the codes of a compiled scenario, in the order of the codes."""

    facets: tuple[str, ...]
    modalities: tuple[str, ...]
    types: tuple[str, ...]
    surfaces: tuple[str, ...]
    devices: tuple[str, ...]
    stages: tuple[str, ...]
    acts: tuple[str, ...]
    labels: tuple[str, ...]
    published_counters: tuple[str, ...]  # modalities that are published counts
    counters: tuple[str, ...]  # what is counted per item: an event, or with a + behind it the sum of its values
    events: tuple[str, ...]  # all, in the order of their codes
    attributes: tuple[str, ...]  # public numbers of items
    attribute_effects: tuple[str, ...]  # modalities that show a number that is worth something

    @property
    def by_column(self) -> dict[str, tuple[str, ...]]:
        """Return the names behind the codes of the logs' columns."""
        return {"surface": self.surfaces, "device": self.devices, "stage": self.stages, "event": self.events}

    @property
    def codes(self) -> dict[str, int]:
        """Return the number of every event."""
        return {name: code for code, name in enumerate(self.events)}


class Tables:
    """Distributions as rows of quantiles; equal ones share a row."""

    def __init__(self) -> None:
        self.rows: list[npt.NDArray[np.float32]] = [normal_table()]  # row layout.NORMAL
        self._known: dict[bytes, int] = {}

    def add(self, quantity: Any) -> int:
        """Add a distribution, or a number that stands for one that never varies, and return its row."""
        points = table_points()
        if isinstance(quantity, Distribution):
            values = quantity.quantile(points)
        else:
            values = np.full(points.shape, quantity.value)
        row = np.asarray(values, dtype=np.float32)
        key = row.tobytes()
        if key not in self._known:
            self._known[key] = len(self.rows)
            self.rows.append(row)
        return self._known[key]


def whole_ticks(seconds: float) -> float:
    """Return a time as a multiple of the engine's time step, of which differences and sums are exact."""
    return float(np.floor(seconds * layout.TICKS_PER_SECOND)) / layout.TICKS_PER_SECOND


def log_odds(p: float) -> float:
    """Return log(p / (1 - p)), held within 40 of 0."""
    if p <= 0.0:
        return -40.0
    return float(np.log(p / (1.0 - p))) if p < 1.0 else 40.0


def stage_tables(scenario: Scenario, names: Vocabulary, tables: Tables) -> dict[str, Any]:
    """Return the tables of `Plan` that come from stages and surfaces, by name."""
    n, d = len(names.stages), len(names.devices)
    stages = np.zeros(n, dtype=layout.STAGE)
    shares = np.ones((n, 3, 3))
    alternatives = np.full((n, 3, 3), -1, dtype=np.int32)
    skim = np.zeros((n, RANKS))
    steps: list[tuple[float, float]] = []
    screens = np.zeros((n, d, 2), dtype=np.int64)
    entries = np.zeros(n)
    events = np.full((n, 4), -1, dtype=np.int32)
    costs: list[npt.NDArray[np.void]] = []
    notes: list[npt.NDArray[np.void]] = []
    suffices = np.zeros(n, dtype=layout.SUFFICES)
    suffices["event"] = -1
    for s, (name, stage) in enumerate(scenario.stages.items()):
        stages[s]["number"], stages[s]["kind"] = s, StageKind[stage.kind.upper()]
        for key in ("starts", "shows_parents", "children_of", "queue_of", "picks", "reopen_event"):
            stages[s][key] = -1
        if stage.surface is None:
            stages[s]["surface"] = NO_SURFACE
            continue
        surface_name = stage.surface
        surface = scenario.surfaces[surface_name]
        stages[s]["surface"], stages[s]["slate"] = names.surfaces.index(surface_name), surface.slate
        stages[s]["about"] = About[stage.about.upper()] if stage.about is not None else 0
        stages[s]["layout"] = RUN_LAYOUTS.get(surface.layout, Layout.LIST)
        entries[s] = stage.entry.value if stage.entry else 0.0
        _parents_of_stage(scenario, names, name, stages[s], tables)
        for k, device in enumerate(names.devices):
            for modality in surface.shows.get(stage.kind, []):
                seen = surface.visible.get(device, 0) > 0 or scenario.modalities[modality].kind == "audio"
                if seen and modality not in surface.hidden.get(device, []):
                    screens[s, k, 0] |= 1 << names.modalities.index(modality)
            screens[s, k, 1] = min(surface.visible.get(device, 0), MAX_SCREEN)
        if stage.kind not in OUTCOMES or name in beside_visits(scenario):
            continue
        for o, outcome in enumerate(OUTCOMES[stage.kind]):
            if outcome in stage.next and outcome not in stage.wait:
                following, added_up = successors_of(names, stage.next[outcome])
                alternatives[s, o, : len(following)], shares[s, o, : len(following)] = following, added_up
            if outcome in stage.events:
                events[s, o] = names.codes[stage.events[outcome]]
            elif stage.kind == "consume" and outcome in stage.next:
                events[s, o] = names.codes[outcome]
        if "pause" in stage.next:
            events[s, len(OUTCOMES["consume"])] = names.codes[RESUME_EVENT]
        if stage.kind == "commit":
            _commit_parameters(scenario, names, name, stages[s], costs, tables)
        else:
            _stage_parameters(scenario, names, name, stage.kind, stages[s], skim[s], steps, tables)
        if stage.kind == "inspect":
            _notes(scenario, names, name, stages[s], notes)
        block = scenario.browse.get(name)
        if block is not None and block.suffices is not None:
            enough = block.suffices
            suffices[s]["event"], suffices[s]["modality"] = (
                names.codes[enough.event], names.modalities.index(enough.modality),
            )  # fmt: skip
            suffices[s]["probability"], suffices[s]["value"] = enough.probability.value, enough.value.value
    return {
        "stages": stages,
        "shares": shares,
        "alternatives": alternatives,
        "skim": skim,
        "leave_by_share": np.array(steps, dtype=np.float64).reshape(-1, 2),
        "screens": screens,
        "entries": np.cumsum(entries),
        "events": events,
        "costs": np.stack(costs) if costs else np.zeros(0, dtype=layout.COST),
        "notes": np.stack(notes) if notes else np.zeros(0, dtype=layout.NOTE),
        "suffices": suffices,
        "outreach": _outreach(scenario, names, tables),
    }


def _parents_of_stage(
    scenario: Scenario, names: Vocabulary, name: str, row: npt.NDArray[np.void], tables: Tables
) -> None:
    """Set what a stage does with parents: shows them as cards, shows the children of one, or the rest of a slate."""
    stage, kinds = scenario.stages[name], list(scenario.parents)
    row["shows_parents"] = kinds.index(stage.shows_parents) if stage.shows_parents is not None else -1
    row["card_event"] = names.codes[stage.card_event or "impression"]
    if stage.queue_of is not None:
        row["queue_of"] = names.stages.index(stage.queue_of)
    if stage.children_of is not None:
        row["children_of"] = layout.BY_CREATOR if stage.children_of == CREATOR else kinds.index(stage.children_of)
    block = scenario.browse.get(name)
    if block is not None and block.picks is not None:
        row["picks"], row["pick_event"] = tables.add(block.picks.number), names.codes[block.picks.event]
        row["together"] = all(after in scenario.commit for outcome, after in successors(stage) if outcome == "select")


def _notes(
    scenario: Scenario, names: Vocabulary, name: str, row: npt.NDArray[np.void], notes: list[npt.NDArray[np.void]]
) -> None:
    acts = scenario.inspect[name].acts
    row["first_note"], row["n_notes"] = len(notes), len(acts)
    for event, act in acts.items():
        note = np.zeros((), dtype=layout.NOTE)
        note["event"], note["log_odds"], note["slope"] = (
            names.codes[event], log_odds(act.base.value), act.slope.value,
        )  # fmt: skip
        notes.append(note)


def _outreach(scenario: Scenario, names: Vocabulary, tables: Tables) -> npt.NDArray[np.void]:
    """Return the messages from outside; `at` is an hour of the day, so what starts_at has passed of it is taken off."""
    rows = np.zeros(len(scenario.outreach), dtype=layout.OUTREACH)
    for row, outreach in zip(rows, scenario.outreach.values(), strict=True):
        row["stage"], row["every"] = names.stages.index(outreach.stage), outreach.every.value
        row["reaches"], row["opened"] = outreach.reaches.value, outreach.opened.value
        row["opened_after"] = tables.add(outreach.opened_after)
        row["at"] = -1.0 if outreach.at is None else (outreach.at.value - scenario.clock.starts_at.value) % DAY
    return rows


def _commit_parameters(
    scenario: Scenario,
    names: Vocabulary,
    name: str,
    row: npt.NDArray[np.void],
    costs: list[npt.NDArray[np.void]],
    tables: Tables,
) -> None:
    block, stage = scenario.commit[name], scenario.stages[name]
    for key in ("attention", "temperature", "risk_aversion"):
        row[key] = getattr(block, key).value
    row["seconds"] = tables.add(block.seconds)
    row["starts"] = names.stages.index(stage.starts["confirm"]) if "confirm" in stage.starts else -1
    row["pays"] = names.attributes.index(block.pays) if block.pays is not None else -1
    of_parents = {attribute for parent in scenario.parents.values() for attribute in parent.attributes}
    row["pays_each"] = block.pays not in of_parents
    row["basket"], row["basket_at_most"] = -1, 1
    if block.basket is not None:
        row["basket"], row["basket_at_most"] = tables.add(block.basket.size), block.basket.at_most
    row["off_platform"] = block.off_platform.value if block.off_platform else 0.0
    row["defer_delay"] = -1
    if block.defer is not None and "defer" in stage.next:
        row["defer"], row["forgotten"] = block.defer.probability.value, block.defer.forgotten.value
        row["defer_delay"] = tables.add(stage.wait["defer"].delay)
    if block.bracket is not None:
        row["bracket_users"], row["bracket_extra"] = block.bracket.users.value, tables.add(block.bracket.extra)
        row["bracket_types"] = sum(1 << names.types.index(each) for each in block.bracket.types)
        row["bracket_at_most"] = block.bracket.at_most
        row["bracket_starts"] = names.stages.index(block.bracket.starts)
    row["first_cost"], row["n_costs"] = len(costs), len(block.costs)
    for cost in block.costs.values():
        one = np.zeros((), dtype=layout.COST)
        one["attribute"] = names.attributes.index(cost.attribute) if cost.attribute else -1
        one["amount"] = tables.add(cost.amount) if cost.amount is not None else -1
        one["each"] = cost.attribute not in of_parents
        one["weight"] = cost.weight.value
        costs.append(one)


def successors_of(names: Vocabulary, successor: Any) -> tuple[list[int], list[float]]:
    """Return what may follow an outcome, numbers of stages or of ends, and the shares added up; the last is 1."""
    if isinstance(successor, str):
        return [_number(names, successor)], [1.0]
    shares = list(itertools.accumulate(share.value for share in successor.values()))
    return [_number(names, name) for name in successor], [*shares[:-1], 1.0]


def _number(names: Vocabulary, stage: str) -> int:
    return ENDS[stage] if stage in ENDS else names.stages.index(stage)


# What each kind reads from its block of the scenario: numbers by value, distributions by their table's row.
_NUMBERS = {
    "browse": ("attention", "temperature", "risk_aversion", "read"),
    "inspect": ("attention", "temperature", "hesitation_band", "hesitation_uncertainty"),
    "consume": (
        "attention", "glance", "leave_at_sight", "leave_judged", "leave_known", "judgment_sensitivity",
        "truth_sensitivity", "tolerate", "seek", "unattended",
    ),
    "respond": (),
}  # fmt: skip
_DISTRIBUTIONS = {
    "browse": (),
    "inspect": ("seconds", "hesitation_seconds"),
    "consume": ("judged_after", "known_after", "tolerated_seconds", "seek_share", "unattended_seconds"),
    "respond": ("seconds",),
}


def _stage_parameters(
    scenario: Scenario,
    names: Vocabulary,
    name: str,
    kind: str,
    row: npt.NDArray[np.void],
    skim: npt.NDArray[np.float64],
    steps: list[tuple[float, float]],
    tables: Tables,
) -> None:
    block: Any = getattr(scenario, kind).get(name)
    if block is None:  # a feed that plays by itself has nothing to decide
        return
    for key in _NUMBERS[kind]:
        row[key] = getattr(block, key).value
    for key in _DISTRIBUTIONS[kind]:
        row[key] = tables.add(getattr(block, key))
    if kind == "browse":
        if block.reopen is not None:
            row["reopen"], row["reopen_event"] = block.reopen.probability.value, names.codes[block.reopen.event]
            row["reopen_temperature"] = block.reopen.temperature.value
        row["carries_on"], row["seconds"] = block.continue_.value, tables.add(block.seconds_per_screen)
        skim[:] = block.skim.value * np.arange(1, RANKS + 1, dtype=np.float64) ** -block.position_decay.value
        row["over_list"] = block.decays_over == "list"
        if block.look_and_leave is not None:
            row["look_and_leave"] = block.look_and_leave.share.value
            row["look_seconds"] = tables.add(block.look_and_leave.seconds)
    elif kind == "respond":
        row["followed_bonus"] = block.followed_bonus.value if block.followed_bonus else 0.0
    elif kind == "consume":
        _ending_parameters(block, row, steps)
        row["start_delay"] = whole_ticks(block.start_delay.value)
        if block.pause is not None:
            row["pause"], row["pause_delay"] = block.pause.value, tables.add(scenario.stages[name].wait["pause"].delay)
            row["pause_left"] = block.pause_left.value if block.pause_left is not None else 0.0
        row["bounce_event"], row["reached_event"], row["wall"] = -1, -1, -1
        if block.paywall is not None:
            shown: Any = scenario.modalities[block.paywall.modality]
            row["wall"] = names.attribute_effects.index(block.paywall.modality)
            row["wall_attribute"], row["free"] = names.attributes.index(shown.shows), block.paywall.free.value
            row["wall_event"] = names.codes[block.paywall.event]
        if block.bounce is not None:
            row["bounce_event"], row["bounce_within"] = names.codes[block.bounce.event], block.bounce.within.value
        row["moves"] = block.reached is None or block.reached.by_itself
        if block.reached is not None:
            row["reached_event"] = names.codes[block.reached.event]
        after = scenario.respond[str(scenario.stages[name].next["complete"])]
        for key in ("loss_aversion", "experience_weight", "confirmation"):
            row[key] = getattr(after, key).value


def _ending_parameters(block: HazardConsume, row: npt.NDArray[np.void], steps: list[tuple[float, float]]) -> None:
    """Set how plays end: what follows the end, how often they are played again, and hazards by share of the play."""
    row["loops_at_most"] = block.loops_at_most
    if block.at_end is not None:
        row["at_end"] = AtEnd[block.at_end.upper()]
    if block.loop is not None and block.loop_sensitivity is not None:
        row["loop_log_odds"], row["loop_sensitivity"] = log_odds(block.loop.value), block.loop_sensitivity.value
    row["first_share"], row["n_shares"] = len(steps), len(block.leave_by_share)
    steps += [(step.after.value, max(step.hazard.value, LEAST)) for step in block.leave_by_share]
