"""The knock-out of one modality: runs its worlds, and says what each effect is and what may be said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.arms import Arm
from analysis.kept_worlds import Measures, World, processes, values
from analysis.knockout.design import Cell, Plan, judged_place, served_place
from analysis.knockout.effects import Effect, per_seed, possible, two_sides
from analysis.knockout.live import judge_offline, leave_log, serve
from analysis.knockout.measures import BY, WHY
from analysis.statistics import LEVEL, Floats, compare, mean
from analysis.verdicts.bounds import bound_of, declared
from analysis.verdicts.directions import better
from analysis.verdicts.outer import OverDraws, means_of, over_draws
from analysis.verdicts.verdict import Question, Verdict, Word, family

COLUMNS = (
    "recommender", "effect", "measure", "group", "control", "treated", "difference", "low", "high", "n", "p",
)  # fmt: skip
Q = TypeVar("Q")
OFFLINE = "offline"
"""The effect of using a modality on what a recommender recalls of a log, told apart by whose log it is."""


@dataclass(frozen=True)
class Judgment:
    """Hold what is said of one effect on one measure.

    Attributes:
        recommender, effect, measure: of what.
        control, treated: means over worlds.
        verdict: what may be said; where there are draws of the estimates, of their means.
        over: what may be said over these draws; None without any.
    """

    recommender: str
    effect: Effect
    measure: str
    control: float
    treated: float
    verdict: Verdict
    over: OverDraws | None = None

    @property
    def word(self) -> Word:
        """Return what may be said, in one of the words of a verdict."""
        return self.verdict.word if self.over is None else self.over.word

    @property
    def says(self) -> str:
        """Return what may be said, with what it lacks."""
        return self.verdict.says if self.over is None else self.over.says


@dataclass(frozen=True)
class Knockout:
    """What came out.

    Attributes:
        plan: what was run.
        judgments: of the headline effects on the measures for which the scenario declares a bound.
        frame: every effect on every measure, and on those of groups, with `COLUMNS`; differences have no correction.
        why: what the worlds in which all see it say of who saw it: mean over worlds, by measure.
    """

    plan: Plan
    judgments: Sequence[Judgment]
    frame: pd.DataFrame
    why: Mapping[str, float]


def run(
    plan: Plan,
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Knockout:
    """Run all worlds that are not there yet, in processes of their own, and judge.

    Args:
        plan: the worlds.
        folder: where each world leaves what is kept of it.
        workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    total = len(plan.logs) + len(plan.judged) + len(plan.served)
    found: dict[str, Measures] = {}
    with processes(workers) as pool:

        def _all(worlds: Sequence[World[Q]], live: Callable[[World[Q]], dict[str, float]]) -> dict[str, Measures]:
            before = len(found)
            tell = None if report is None else (lambda done, _: report(before + done, total))
            return kept_worlds.run(worlds, live, folder, workers, tell, stop, pool)

        found |= _all(plan.logs, partial(leave_log, folder=folder))
        found |= _all(plan.judged, partial(judge_offline, folder=folder))
        found |= _all(plan.served, partial(serve, folder=folder))
    return judged(plan, found)


def judged(plan: Plan, found: Mapping[str, Measures]) -> Knockout:
    """Return what worlds say, from the measures of each by its place."""
    effects = possible(plan.readable)
    rows = [row for arm in plan.arms for row in (*_served_rows(plan, found, arm, effects), *_offline(plan, found, arm))]
    why: dict[str, float] = {}
    cell = next(each for each in plan.cells() if each.sees and each.learned and each.uses == plan.readable)
    for name in WHY:
        why[name] = mean(np.concatenate([_value(plan, found, arm, name)(cell).ravel() for arm in plan.arms]))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n": "Int64"})
    return Knockout(plan, [each for arm in plan.arms for each in _judgments(plan, found, arm, effects)], frame, why)


def _value(plan: Plan, found: Mapping[str, Measures], arm: Arm, measure: str) -> Callable[[Cell], Floats]:
    """Return what gives a measure of a world, (draws, seeds)."""

    def of(cell: Cell) -> Floats:
        return np.array([
            values(found, [served_place(arm, cell, draw, seed) for seed in plan.seeds], measure) for draw in plan.draws
        ])  # fmt: skip

    return of


def _measures(plan: Plan, found: Mapping[str, Measures], arm: Arm) -> list[str]:
    """Return the measures of an arm's worlds by name, each with those of its groups behind it."""
    places = [
        served_place(arm, cell, draw, seed) for cell in plan.cells() for draw in plan.draws for seed in plan.seeds
    ]
    names = {name for place in places for name in found[place]}
    return sorted(names, key=lambda name: (name.partition(BY)[0], name))


def _served_rows(
    plan: Plan, found: Mapping[str, Measures], arm: Arm, effects: Sequence[Effect]
) -> Iterator[dict[str, object]]:
    for effect in effects:
        for name in _measures(plan, found, arm):
            value = _value(plan, found, arm, name)
            more, less = two_sides(effect, value)
            measure, _, group = name.partition(BY)
            sides = (more, less) if effect.simple else (np.array([np.nan]), np.array([np.nan]))
            yield _row(arm, effect.name, measure, group, *sides) | _difference(plan, per_seed(effect, value))


def _offline(plan: Plan, found: Mapping[str, Measures], arm: Arm) -> Iterator[dict[str, object]]:
    """Yield how much more is recalled of a log where the modality is used, by whose log it is."""
    if not plan.readable:
        return
    for learned in (True, False):

        def of(uses: bool, measure: str, learned: bool = learned) -> Floats:
            return np.array([
                values(found, [judged_place(arm, uses, learned, draw, seed) for seed in plan.seeds], measure)
                for draw in plan.draws
            ])  # fmt: skip

        first = judged_place(arm, True, learned, plan.draws[0], plan.seeds[0])
        for measure in sorted(name for name in found[first] if name != "positives"):
            used, shuffled = of(True, measure), of(False, measure)
            name = f"{OFFLINE}, log of who {'saw it' if learned else 'did not'}"
            yield _row(arm, name, measure, "", used, shuffled) | _difference(plan, used - shuffled)


def _row(arm: Arm, effect: str, measure: str, group: str, treated: Floats, control: Floats) -> dict[str, object]:
    return {
        "recommender": arm.name, "effect": effect, "measure": measure, "group": group,
        "control": mean(control), "treated": mean(treated),
    }  # fmt: skip


def _counted(plan: Plan, values: Floats) -> Floats:
    """Return what is counted of values (draws, seeds): the means of draws where estimates are drawn, else the seeds."""
    return means_of(values) if plan.outer else values[0]


def _difference(plan: Plan, differences: Floats) -> dict[str, object]:
    """Return a difference with its interval, from (draws, seeds)."""
    each = _counted(plan, differences)
    found = compare(each, np.zeros_like(each), LEVEL)
    return {"difference": found.difference, "low": found.interval.low, "high": found.interval.high,
            "n": found.n, "p": found.p}  # fmt: skip


def _alike(plan: Plan, found: Mapping[str, Measures], arm: Arm, effect: Effect) -> bool:
    """Return whether the worlds of an effect agree, seed by seed, in all that is measured but for who saw it."""

    def lived(cell: Cell, draw: int | None, seed: int) -> Measures:
        measures = found[served_place(arm, cell, draw, seed)]
        return {name: value for name, value in measures.items() if name not in WHY}

    first, *others = (cell for cell, weight in effect.weights.items() if weight)
    return all(
        lived(first, draw, seed) == lived(cell, draw, seed)
        for cell in others for draw in plan.draws for seed in plan.seeds
    )  # fmt: skip


def _judgments(plan: Plan, found: Mapping[str, Measures], arm: Arm, effects: Sequence[Effect]) -> Iterator[Judgment]:
    """Yield what may be said of each headline effect, on each measure that has a bound; one family per recommender."""
    asked = {
        f"{effect.name}: {measure}": (effect, measure)
        for effect in effects if effect.headline
        for measure in _measures(plan, found, arm) if declared(plan.scenario, measure) is not None
    }  # fmt: skip
    sides = {name: two_sides(effect, _value(plan, found, arm, measure)) for name, (effect, measure) in asked.items()}
    alike = {effect.name: _alike(plan, found, arm, effect) for effect, _ in asked.values()}
    questions = {
        name: Question(
            _counted(plan, sides[name][0] - sides[name][1]),
            bound_of(plan.scenario, measure, _counted(plan, sides[name][1])),
            better(measure),
            alike[effect.name],
        )
        for name, (effect, measure) in asked.items()
    }
    verdicts = family(questions)
    for name, (effect, measure) in asked.items():
        more, less = sides[name]
        own = verdicts[name]
        over = None
        if plan.outer:
            over = over_draws(
                more - less, questions[name].bound, plan.numbers, p_adjusted=own.p_adjusted, better=better(measure),
                alike=alike[effect.name], tests=len(questions),
            )  # fmt: skip
            own = over.over_means
        yield Judgment(arm.name, effect, measure, mean(less), mean(more), own, over)
