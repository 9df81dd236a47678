"""Paired differences of a comparison, each with its bound and its verdict: what the page says of measures."""

from __future__ import annotations

import pandas as pd

from analysis.tables import Experiment
from analysis.verdicts.bounds import bound_of, declared, in_words
from analysis.verdicts.directions import better
from analysis.verdicts.verdict import Question, Verdict, family
from simulator.scenario.schema.scenario import Scenario


def differences(scenario: Scenario, lived: Experiment, baseline: str) -> pd.DataFrame:
    """Return the difference of every measure and recommender to a baseline in the same worlds, with its verdict.

    Returns:
        A row per measure and recommender but the baseline: measure, recommender, n, difference, low, high (t interval),
        p (sign flips), p_holm (corrected for all rows), bound (as declared), word, verdict (in words).

    Raises:
        InputError: as in `analysis.verdicts.bounds.bound_of`.
    """
    questions: dict[str, Question] = {}
    places: list[tuple[str, str]] = []
    alike = _alike(lived, baseline)
    for measure in lived.measures:
        worlds = lived.worlds(measure)
        if baseline not in worlds:
            continue
        control = worlds[baseline].to_numpy(dtype=float)
        bound = bound_of(scenario, measure, control)
        for arm in worlds:
            if arm != baseline:
                places.append((measure, str(arm)))
                asked = Question(worlds[arm].to_numpy(dtype=float) - control, bound, better(measure), arm in alike)
                questions[f"{measure} of {arm}"] = asked
    found = family(questions)
    rows = [_row(scenario, *place, each) for place, each in zip(places, found.values(), strict=True)]
    return pd.DataFrame(rows, columns=["measure", "recommender", "n", "difference", "low", "high", "p", "p_holm",
                                       "bound", "word", "verdict"])  # fmt: skip


def _alike(lived: Experiment, baseline: str) -> set[str]:
    """Return the recommenders whose worlds agree with the baseline's in every measure."""
    by_arm = {
        str(arm): rows.set_index(["scenario", "seed", "measure"])["value"].sort_index()
        for arm, rows in lived.frame.groupby("recommender")
    }
    return {arm for arm, values in by_arm.items() if baseline in by_arm and values.equals(by_arm[baseline])}


def _row(scenario: Scenario, measure: str, arm: str, found: Verdict) -> dict[str, object]:
    return {
        "measure": measure, "recommender": arm, "n": found.n, "difference": found.difference,
        "low": found.interval.low, "high": found.interval.high, "p": found.p, "p_holm": found.p_adjusted,
        "bound": in_words(declared(scenario, measure)), "word": str(found.word), "verdict": found.says,
    }  # fmt: skip
