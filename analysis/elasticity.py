"""Elasticity: what users do, and how well they fare, where one modality is hidden everywhere or read less exactly.

The same worlds are run as they are, and treated: same seeds, same users, tastes and luck. What is measured of a world
is measured on its truth log, and does not name a scenario: decisions are the positives of its own label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.kept_worlds import World, changes_of, values
from analysis.statistics import LEVEL, Floats, Interval, compare, mean, ratio_of_means, t_interval
from analysis.treatments import Treatment, treatments
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, resolve
from simulator.errors import InputError
from simulator.scenario.load import load_scenario

if TYPE_CHECKING:
    from simulator.scenario.schema.platform import Label
    from simulator.scenario.schema.scenario import Scenario

OPENS, DECISIONS, SATISFACTION = "opens_per_visit", "decisions_per_visit", "satisfaction"
WORTH, CORRELATION = "utility_of_decisions", "belief_utility_correlation"
MEASURES = (OPENS, DECISIONS, SATISFACTION, WORTH, CORRELATION)
ABOVE_CARDS, ABOVE_STAGE = "sd_above_cards_of_the_visit", "sd_above_judged_at_the_stage"
_ASKED = ["visits", SATISFACTION]
"""What a run measures itself, whatever else its scenario names."""
COLUMNS = (
    "modality", "treatment", "measure", "control", "treated", "ratio", "low", "high", "pairs",
    "difference", "difference_low", "difference_high", "note",
)  # fmt: skip


def card_events(scenario: Scenario) -> set[str]:
    """Return the events of cards and plays that come before a user's eyes."""
    return {"impression"} | {stage.card_event for stage in scenario.stages.values() if stage.card_event is not None}


def decisions(truth: pd.DataFrame, label: Label, items: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a truth log that are positives of a label; `items` has a row per item in order of number."""
    rows = truth[truth["event"].isin(label.events)]
    if label.at_least is None:
        return rows
    least = np.full(len(rows), label.at_least.value)
    if label.or_item is not None:
        least = np.minimum(least, items[label.or_item].to_numpy()[rows["item"].to_numpy(dtype=np.int64)])
    return rows[rows["value"].to_numpy(dtype=np.float64) >= least]


def judge(
    truth: pd.DataFrame, items: pd.DataFrame, label: Label, cards: Collection[str], visits: float
) -> dict[str, float]:
    """Measure a world on its truth log.

    Args:
        truth: the log.
        items: as a run's result has them.
        label: the scenario's own: its positives are the decisions.
        cards: events of cards and plays that come before a user's eyes.
        visits: of the run.

    Returns:
        `MEASURES` but satisfaction, and how far beliefs of decisions lie above others, NaN where there is nothing to
        tell it from: ABOVE_CARDS and ABOVE_STAGE, in `above_cards` and `above_stage`.
    """
    chosen = decisions(truth, label, items)
    seen = truth[truth["event"].isin(cards) & truth["belief"].notna()]
    per_visit = 1.0 / visits if visits else np.nan
    held = chosen[chosen["belief"].notna()]
    return {
        OPENS: float((truth["event"] == "open").sum()) * per_visit,
        DECISIONS: len(chosen) * per_visit,
        WORTH: mean(chosen["utility"]),
        CORRELATION: _correlation(_floats(seen["belief"]), _floats(seen["utility"])),
        ABOVE_CARDS: above_cards(held, seen),
        ABOVE_STAGE: above_stage(held, truth[truth["belief"].notna()]),
    }


def above_cards(chosen: pd.DataFrame, seen: pd.DataFrame) -> float:
    """Return how far the median belief of what was decided on lies above the cards and plays of the same visits.

    Each belief is taken from the mean of its own visit, whose need they have in common, in standard deviations within
    visits. Decisions of visits in which no card was judged (one that was put off to a later visit) are left out.
    """
    visit = ["user", "session"]
    means = seen.groupby(visit)["belief"].mean().rename("of_the_visit").reset_index()
    chosen = chosen.merge(means, on=visit)
    seen = seen.merge(chosen[visit].drop_duplicates(), on=visit).merge(means, on=visit)
    freedom = len(seen) - len(seen[visit].drop_duplicates())
    if freedom < 1:
        return float("nan")
    spread = np.sqrt(((seen["belief"] - seen["of_the_visit"]) ** 2).sum() / freedom)
    return float((chosen["belief"] - chosen["of_the_visit"]).median() / spread) if spread > 0 else float("nan")


def above_stage(chosen: pd.DataFrame, judged: pd.DataFrame) -> float:
    """Return how far the median belief of what was decided on lies above all that was judged at the same stages.

    In standard deviations of that. A thing counts once each time that it is judged, with the last belief about it.
    """
    once = ["user", "session", "request", "stage", "item", "position"]
    there = judged[judged["stage"].isin(set(chosen["stage"]))]
    beliefs = _floats(there.sort_values("time", kind="stable").drop_duplicates(once, keep="last")["belief"])
    if beliefs.size < 2 or beliefs.std() == 0:
        return float("nan")
    return float((np.median(_floats(chosen["belief"])) - beliefs.mean()) / beliefs.std(ddof=1))


def _correlation(x: Floats, y: Floats) -> float:
    if x.size < 3 or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _floats(column: pd.Series) -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


@dataclass(frozen=True)
class Elasticity:
    """What came out.

    Attributes:
        frame: a row per modality, treatment and measure, with `COLUMNS`; one row with a note alone for a treatment that
            cannot be.
        accepted: how far the median belief of decisions lies above others in the worlds as they are, in standard
            deviations: mean over worlds and its interval, by `ABOVE_CARDS` and `ABOVE_STAGE`.
    """

    frame: pd.DataFrame
    accepted: Mapping[str, tuple[float, Interval]]


def plan(
    scenario: str, seeds: Sequence[int], settings: Mapping[str, object], modalities: Sequence[str] = ()
) -> tuple[list[Treatment], list[World[None]]]:
    """List the treatments, with those that cannot be, and all worlds. Nothing is run or written.

    Args:
        scenario: name or path.
        seeds: of the worlds.
        settings: of all worlds, as `simulator.run` takes them, with the name of a recommender.
        modalities: that are treated; all that some surface shows where none is named.

    Raises:
        InputError: a setting is wrong, a modality is unknown or not shown, or the scenario does not hang together.
        RecommenderError: the recommender does not take its parameters.
    """
    from simulator import check_scenario

    config = resolve([("scenario", scenario), *settings.items()], where="elasticity")
    check_recommender_name(config.recommender)
    check_recommender_parameters(config)
    own = changes_of(settings)
    untreated = load_scenario(scenario, own)
    check_scenario(untreated)
    given = []
    for treatment in treatments(untreated, modalities):
        try:
            if treatment.changes:
                check_scenario(load_scenario(scenario, {**own, **treatment.changes}))
        except InputError as error:
            treatment = replace(treatment, changes={}, note=f"not run: {error.wrong}; {error.right}")
        given.append(treatment)
    shared = {**settings, f"{CHANGE_PREFIX}measures": _ASKED}
    worlds = [
        World(None, _place(arm, seed), scenario, {**shared, **changes, "seed": seed})
        for arm, changes in [(None, {}), *((each, _prefixed(each.changes)) for each in given if each.changes)]
        for seed in seeds
    ]
    return given, worlds


def run(
    scenario: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    modalities: Sequence[str],
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Elasticity:
    """Run all worlds that are not there yet, in processes of their own, and compare the treated with the others.

    Args:
        scenario, seeds, settings, modalities: as in `plan`, which says what else is raised.
        folder: where each world leaves its measures.
        workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    given, worlds = plan(scenario, seeds, settings, modalities)
    found = kept_worlds.run(worlds, live, folder, workers, report, stop)

    def arm(treatment: Treatment | None) -> dict[str, Floats]:
        places = [_place(treatment, seed) for seed in seeds]
        return {name: values(found, places, name) for name in (*MEASURES, ABOVE_CARDS, ABOVE_STAGE)}

    control = arm(None)
    rows = [row for each in given for row in (compared(each, control, arm(each)) if each.changes else [_named(each)])]
    accepted = {name: control[name][np.isfinite(control[name])] for name in (ABOVE_CARDS, ABOVE_STAGE)}
    return Elasticity(
        pd.DataFrame(rows, columns=list(COLUMNS)).astype({"pairs": "Int64"}),
        {name: (mean(each), t_interval(each, LEVEL)) for name, each in accepted.items()},
    )


def live(world: World[None]) -> dict[str, float]:
    """Run a world and return its measures."""
    import simulator

    own = dict(world.settings)
    result = simulator.run(world.scenario, str(own.pop("recommender")), log="full", **own)  # type: ignore[arg-type]
    scenario = load_scenario(world.scenario, changes_of(world.settings))
    label = scenario.platform.labels[scenario.platform.label]
    judged = judge(result.truth, result.items, label, card_events(scenario), result.metrics["visits"])
    return {**judged, SATISFACTION: result.metrics[SATISFACTION]}


def compared(
    treatment: Treatment, control: Mapping[str, Floats], treated: Mapping[str, Floats]
) -> list[dict[str, object]]:
    """Return the rows of one treatment, from the measures of both arms by seed."""
    rows: list[dict[str, object]] = []
    for measure in MEASURES:
        a, b = control[measure], treated[measure]
        ratio, difference = ratio_of_means(b, a, LEVEL), compare(b, a, LEVEL)
        rows.append(
            {**_named(treatment), "measure": measure, "control": mean(a), "treated": mean(b),
             "ratio": ratio.ratio, "low": ratio.interval.low, "high": ratio.interval.high, "pairs": ratio.n,
             "difference": difference.difference, "difference_low": difference.interval.low,
             "difference_high": difference.interval.high}
        )  # fmt: skip
    return rows


def _named(treatment: Treatment) -> dict[str, object]:
    return {"modality": treatment.modality, "treatment": treatment.name, "note": treatment.note}


def _place(treatment: Treatment | None, seed: int) -> str:
    arm = "as-it-is" if treatment is None else f"{treatment.modality}-{treatment.name}"
    return f"worlds/{arm}-s{seed}"


def _prefixed(changes: Mapping[str, object]) -> dict[str, object]:
    return {CHANGE_PREFIX + key: value for key, value in changes.items()}
