"""Hold the verdicts against worlds: how often they err where the answer is known, and how often they find an effect.

    python -m benchmarks.calibrated_verdicts output=runs/calibrated

Worlds of short video with 40 users and 4 hours, in one process. Covers tell nothing in them: no signal, no bias, no
appeal (`NOTHING_TOLD`), though they stand on cards and have features; a recommender that reads these is fitted every
hour. Five kinds of worlds, each kept in a file of its own, so that a stopped run goes on:

    control   the recommender gets the covers' features shuffled
    luck      the same with other seeds: other people, items and luck
    told      the features as they are: they tell nothing either
    planted   the control with less satiation (`PLANTED`), in the control's seeds
    truth     the same in seeds of `luck`: what the planted effect is

Experiments are of 10 pairs, and those of one question share no world. Written down before the first run:

    a. control against luck: in at most 5 % of families (all measures that have a bound) and two standard errors of
       that, it is said of anything that it differs
    b. told against control: the same
    c. planted against control: 90 to 99 % of intervals hold the truth
    d. with the truth as the bound, *no meaningful difference* is said in at most 5 % and two standard errors of that;
       with half of it as the bound and 20 pairs, the right word is said in at least 80 %

Exit code 1 where one is missed. That worlds which differ in nothing their users meet are equal to the last bit is for
tests to say: tests/population/test_blinded.py and tests/runtime/test_earlier_log.py.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import recommenders.registry
import simulator
from analysis.elasticity import card_events, judge
from analysis.statistics import Floats
from analysis.verdicts.bounds import bound_of, declared
from analysis.verdicts.directions import better
from analysis.verdicts.verdict import DIFFERENT, Question, Word, family, verdict
from simulator.engine.jit.compile import source_hash
from simulator.errors import InputError
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario

SCENARIO = "shortvideo"
_NONE = {"dist": "constant", "value": 0, "unit": "utility", "from": "estimate"}
NOTHING_TOLD: dict[str, object] = {
    "scenario.modalities.cover.tells.topic.signal": 0,
    "scenario.modalities.cover.tells.quality.signal": 0,
    "scenario.modalities.cover.bias": _NONE,
    "scenario.modalities.cover.appeal": _NONE,
}
PLANTED: dict[str, object] = {"scenario.user.satiation_weight": 0.2}
SIZE: dict[str, object] = {
    "users": 40, "items": 100, "horizon": "4h", "first_fit": "1h", "refit": "1h", "serves": "all", "log": "full",
}  # fmt: skip
_SHUFFLED = {"blinded_features": {"cover": "shuffle"}}
KINDS: dict[str, dict[str, object]] = {
    "control": _SHUFFLED,
    "luck": _SHUFFLED,
    "told": {},
    "planted": {**_SHUFFLED, **PLANTED},
    "truth": {**_SHUFFLED, **PLANTED},
}
OTHER_SEEDS = 100_000
"""What `luck` and `truth` begin with."""
PAIRS, MORE_PAIRS = 10, 20
HEADLINE = ("satisfaction", "decisions_per_visit")
"""What the planted effect is judged on: the one far from chance, the other near what 20 seeds can tell."""
_METRICS = ("visits", "churned_share", "satisfaction", "regret")
Values = Mapping[str, Floats]


class Line(NamedTuple):
    """Say what a share of experiments was to be, and what it is."""

    what: str
    share: float
    n: int
    low: float
    high: float

    @property
    def met(self) -> bool:
        """Return whether it is what it was to be."""
        return self.low <= self.share <= self.high

    def __str__(self) -> str:
        """Return it with its standard error."""
        error = math.sqrt(max(self.share * (1 - self.share), 0.25 / self.n) / self.n)
        wanted = f"{self.low:.1%} to {self.high:.1%}"
        return (
            f"{self.what:<78} {self.share:6.1%} +- {error:.1%} of {self.n}  ({wanted})  {'' if self.met else 'MISSED'}"
        )


def scenario_of(kind: str) -> Scenario:
    """Return the scenario of a kind of worlds."""
    changes = {**NOTHING_TOLD, **KINDS[kind]}
    prefix = "scenario."
    return load_scenario(SCENARIO, {k.removeprefix(prefix): v for k, v in changes.items() if k.startswith(prefix)})


def live(kind: str, seed: int, scenario: Scenario) -> dict[str, float]:
    """Run one world, and return its measures that have a bound."""
    settings: dict[str, Any] = {**SIZE, **NOTHING_TOLD, **KINDS[kind], "seed": seed}
    result = simulator.run(SCENARIO, "contentknn", recommender_parameters={"modality": "cover"}, **settings)
    label = scenario.platform.labels[scenario.platform.label]
    found = judge(result.truth, result.items, label, card_events(scenario), result.metrics["visits"])
    found |= {name: result.metrics[name] for name in _METRICS}
    return {name: float(value) for name, value in found.items() if declared(scenario, name) is not None}


def lived(kind: str, n: int, folder: Path | None = None) -> dict[str, Floats]:
    """Return the measures of n worlds of a kind, each (n,), running those that are not kept in the folder yet.

    Raises:
        InputError: what is kept was run with another engine, scenario or settings.
    """
    scenario = scenario_of(kind)
    first = OTHER_SEEDS if kind in ("luck", "truth") else 0
    kept = None if folder is None else folder / f"{kind}.jsonl"
    identity = {"engine": source_hash(), "scenario": scenario.hash, "settings": {**SIZE, **NOTHING_TOLD, **KINDS[kind]}}
    if kept and not kept.exists():
        kept.write_text(json.dumps(identity) + "\n")
    told, *rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept else [identity]
    if told != identity:
        raise InputError(str(kept), "is of another engine, scenario or settings", "give another output")
    for seed in range(first + len(rows), first + n):
        rows.append(live(kind, seed, scenario))
        if kept:
            with kept.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    return {name: np.array([row[name] for row in rows[:n]], dtype=np.float64) for name in rows[0]}


def families(treated: Values, control: Values, pairs: int = PAIRS) -> list[dict[str, Word]]:
    """Return the words of every experiment: of all measures that have a bound, as one family."""
    scenario = scenario_of("control")
    found = []
    for first in range(0, len(next(iter(control.values()))) - pairs + 1, pairs):
        own = slice(first, first + pairs)
        alike = all(np.array_equal(treated[name][own], control[name][own], equal_nan=True) for name in control)
        questions = {
            name: Question(treated[name][own] - values[own], bound_of(scenario, name, values[own]), better(name), alike)
            for name, values in control.items()
        }
        found.append({name: each.word for name, each in family(questions).items()})
    return found


def at_most(error: float, n: int) -> float:
    """Return an error rate and two standard errors of it."""
    return error + 2 * math.sqrt(error * (1 - error) / n)


def false_alarms(what: str, words: Sequence[Mapping[str, Word]]) -> Line:
    """Return how many families say of anything that it differs, where nothing does."""
    wrong = [any(word in DIFFERENT for word in each.values()) for each in words]
    return Line(what, float(np.mean(wrong)), len(words), 0.0, at_most(0.05, len(words)))


def coverage(name: str, differences: Floats, truth: float) -> Line:
    """Return how many 95 % intervals of single experiments hold the truth."""
    found = [verdict(each, None, alike=False).interval for each in differences.reshape(-1, PAIRS)]
    held = float(np.mean([low <= truth <= high for low, high in found]))
    return Line(f"c. interval of {name} holds {truth:.4g}", held, len(found), 0.9, 0.99)


def at_the_bound(name: str, differences: Floats, truth: float) -> Line:
    """Return how many experiments call an effect at the bound no meaningful difference."""
    words = [
        verdict(each, abs(truth), better=better(name), alike=False).word for each in differences.reshape(-1, PAIRS)
    ]
    share = float(np.mean([word is Word.NO_MEANINGFUL for word in words]))
    return Line(f"d. {name} at the bound: no meaningful difference", share, len(words), 0.0, at_most(0.05, len(words)))


def twice_the_bound(name: str, differences: Floats, truth: float) -> Line:
    """Return how many experiments of 20 pairs call an effect of twice the bound by its name."""
    bound = abs(truth) / 2
    right = Word.HELPS if (truth > 0) == (better(name) == "higher") else Word.HURTS
    words = [
        verdict(each, bound, better=better(name), alike=False).word for each in differences.reshape(-1, MORE_PAIRS)
    ]
    ratio = float(differences.std(ddof=1)) / bound
    what = f"d. {name} of twice the bound, 20 pairs, sd {ratio:.2f} bounds: {right}"
    return Line(what, float(np.mean([word is right for word in words])), len(words), 0.8, 1.0)


def lines(worlds: Mapping[str, Values], measures: Sequence[str] = HEADLINE) -> list[Line]:
    """Return what was found of every question; see the top of this module."""
    control, n_truth = worlds["control"], len(next(iter(worlds["truth"].values())))
    found = [
        false_alarms("a. A/A, other seeds: a family says that something differs", families(worlds["luck"], control)),
        false_alarms("b. features that tell nothing: the same", families(worlds["told"], control)),
    ]
    for name in measures:
        truth = float(np.nanmean(worlds["truth"][name] - worlds["luck"][name][:n_truth]))
        differences = worlds["planted"][name] - control[name]
        found += [each(name, differences, truth) for each in (coverage, at_the_bound, twice_the_bound)]
    return found


def words_said(worlds: Mapping[str, Values]) -> list[str]:
    """Return how often every word was said of every measure, and how the differences are spread."""
    said = []
    for kind in ("luck", "told", "planted"):
        words = families(worlds[kind], worlds["control"])
        for name, control in worlds["control"].items():
            each = worlds[kind][name] - control
            own = [family_[name] for family_ in words]
            shares = ", ".join(f"{word} {own.count(word) / len(own):.1%}" for word in dict.fromkeys(own))
            lonely = np.mean([verdict(row, None).word in DIFFERENT for row in each.reshape(-1, PAIRS)])
            there = each[~np.isnan(each)]
            spread = float(there.std(ddof=1))
            skewness = float(np.mean((there - there.mean()) ** 3)) / spread**3 if spread else math.nan
            said.append(
                f"{kind:<8} {name:<22} mean {there.mean():+.4f} sd {spread:.4f} skewness {skewness:+.2f} "
                f"zero {np.mean(there == 0):.0%} missing {each.size - there.size} "
                f"alone differs {lonely:.1%} | {shares}"
            )
    return said


def quick_to_begin() -> None:
    """Look installed packages up once, not in every world: a third of what so small a world takes."""
    recommenders.registry.entry_points = cache(importlib.metadata.entry_points)
    importlib.metadata.version = cache(importlib.metadata.version)


def main(arguments: Sequence[str]) -> int:
    """Run what is missing, and print every line."""
    given = dict(each.split("=", 1) for each in arguments)
    folder = Path(given.get("output", "runs/calibrated"))
    folder.mkdir(parents=True, exist_ok=True)
    n = PAIRS * int(given.get("experiments", "200"))
    sizes = {"control": n, "luck": n, "planted": n, "truth": min(n, int(given.get("truth", "400"))), "told": n}
    quick_to_begin()
    worlds: dict[str, Values] = {}
    for kind, size in sizes.items():
        begun = time.perf_counter()
        worlds[kind] = lived(kind, size, folder)
        print(f"{kind}: {size} worlds, {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    found = lines(worlds)
    print(*found, "", *words_said(worlds), sep="\n")
    return int(not all(each.met for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
