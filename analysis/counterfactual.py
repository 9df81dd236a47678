"""Counterfactuals: the same worlds twice, paired by their seeds, with one thing in them changed.

A counterfactual is written down before it is run: what is changed, which measures are looked at, and the sign that is
expected. Its tag says what kind of statement it is: a `law` must come out exact, something `wired` was put in by an
equation and tests the wiring, something `emergent` comes from the interplay and may come out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.kept_worlds import Measures, World
from analysis.statistics import LEVEL, compare, mean
from analysis.treatments import Design, Factor, Level
from recommenders.contract.names import unknown_name
from simulator.config import CHANGE_PREFIX, resolve
from simulator.errors import InputError, check_known
from simulator.scenario.strict_yaml import load_yaml

SHIPPED = Path(__file__).with_name("counterfactuals.yaml")
TAGS = ("law", "wired", "emergent")
SIGNS = {"+": 1, "-": -1, "0": 0}
CONTROL, TREATED = "control", "treated"
EXACT, BROKEN, EMPTY = "exact", "broken", "nothing happened"
HOLDS, REVERSED, OPEN = "holds", "reversed", "undecided"
_KEYS = ("tag", "says", "scenario", "settings", "both", "treatment", "within", "factors", "expect", "readings")
_ARM, _WITHIN = "arm", "within"


@dataclass(frozen=True)
class Counterfactual:
    """One statement and how it is looked at.

    Attributes:
        name, tag, says: what it is called, one of `TAGS`, and the statement in words.
        scenario: name or path.
        settings: settings of all its runs.
        treatment: settings of the treated worlds beside (or in place of) those.
        factors: names of factors, each with two parts and their settings: the effect is then that in the first part
            less that in the second, a difference of differences for any number of factors.
        expect: measure to sign: `+`, `-`, or `0` for a law.
        readings: functions of `analysis.log_measures` that add measures from a run's logs.
    """

    name: str
    tag: str
    says: str
    scenario: str
    settings: Mapping[str, object]
    treatment: Mapping[str, object]
    factors: Mapping[str, Mapping[str, Mapping[str, object]]]
    expect: Mapping[str, str]
    log_measures: tuple[str, ...] = ()

    def worlds(self, seeds: Iterable[int]) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield the name and settings of every world, for all seeds."""
        design = self.design(seeds)
        for seed in design.seeds:
            for cell in design.cells:
                settings = dict(self.settings)
                for parts, part in zip(self.factors.values(), cell, strict=False):
                    settings |= parts[part]
                yield (
                    design.place(cell, seed),
                    {**settings, **(self.treatment if cell[-1] == TREATED else {}), "seed": seed},
                )

    def design(self, seeds: Iterable[int]) -> Design:
        """Return its factors, the arms last, and its seeds."""
        parts = [Factor(name, tuple(Level(part) for part in own)) for name, own in self.factors.items()]
        arms = Factor(_ARM, (Level(CONTROL), Level(TREATED)))
        return Design((*parts, arms), tuple(seeds))

    def by_seed(self, arm: str, seeds: Sequence[int], worlds: Mapping[str, Measures], measure: str) -> np.ndarray:
        """Return a measure of one arm by seed: in the first part less that in the second, of each factor in turn."""
        design = self.design(seeds)
        parts = {factor.name: (factor.names[0], factor.names[1]) for factor in design.factors[:-1]}
        return design.effect(design.contrast(parts, at={_ARM: arm}), worlds, measure)


def read_counterfactuals(path: Path = SHIPPED) -> dict[str, Counterfactual]:
    """Read all counterfactuals of a file.

    Raises:
        InputError: the file is missing or wrong, with the key and what would be right.
    """
    found: dict[str, Counterfactual] = {}
    for name, given in load_yaml(path, str(path)).items():
        if not isinstance(given, dict):
            raise InputError(str(path), f"{name} is no table", f"expected the keys {', '.join(_KEYS)}")
        for key in given:
            if key not in _KEYS:
                raise InputError(str(path), *unknown_name("key", f"{name}.{key}", _KEYS))
        for key in ("tag", "says", "scenario", "treatment", "expect"):
            if key not in given:
                raise InputError(str(path), f"{name}.{key} is missing", "expected it")
        if given["tag"] not in TAGS:
            raise InputError(str(path), f"{name}.tag = {given['tag']}", f"expected one of {', '.join(TAGS)}")
        signs = {measure: str(sign) for measure, sign in given["expect"].items()}
        for measure, sign in signs.items():
            if sign not in SIGNS or (sign == "0") != (given["tag"] == "law"):
                right = 'expected "+" or "-", and "0" for a law only'
                raise InputError(str(path), f"{name}.expect.{measure} = {sign}", right)
        within, factors = given.get("within", {}), given.get("factors", {})
        if within and factors:
            raise InputError(str(path), f"{name} has within and factors", "expected one: within is a single factor")
        if len(within) not in (0, 2):
            raise InputError(str(path), f"{name}.within has {len(within)} parts", "expected two, or none")
        for factor, parts in factors.items():
            if not isinstance(parts, dict) or len(parts) != 2 or factor == _ARM:
                wrong = f"{name}.factors.{factor} = {parts}"
                raise InputError(str(path), wrong, f"expected a factor of two parts, not called {_ARM}")
        found[name] = Counterfactual(
            name,
            given["tag"],
            given["says"],
            given["scenario"],
            {**given.get("settings", {}), **_changes(given.get("both", {}))},
            _changes(given["treatment"]),
            {
                factor: {part: _changes(own or {}) for part, own in parts.items()}
                for factor, parts in (factors or ({_WITHIN: within} if within else {})).items()
            },
            signs,
            tuple(given.get("readings", ())),
        )
    return found


def _changes(given: Mapping[str, object]) -> dict[str, object]:
    """Return settings as a run takes them: what is no setting of a run is a number of the scenario."""
    own = ("recommender", "users", "items", "horizon", "first_fit", "refit")
    return {key if key in own or key.startswith("recommender.") else CHANGE_PREFIX + key: v for key, v in given.items()}


def check(given: Counterfactual) -> None:
    """Check the scenarios of all arms before any world is run. Raises InputError: the name, and what is wrong."""
    from simulator import check_scenario, load_scenario

    for _, settings in given.worlds([0]):
        changes = [(key, value) for key, value in settings.items() if key.startswith(CHANGE_PREFIX)]
        try:
            config = resolve([("scenario", given.scenario), *changes])
            check_scenario(load_scenario(config.scenario, config.scenario_changes))
        except InputError as error:
            raise InputError(f"counterfactual {given.name}: {error.where}", error.wrong, error.right) from error


def live(world: World[Counterfactual]) -> dict[str, float]:
    """Return the measures of one world, with those that the readings add."""
    import simulator
    from analysis import log_measures as log_measures

    own = dict(world.settings)
    recommender = own.pop("recommender", None)
    named = recommender if isinstance(recommender, str) else None
    wanted = world.question.log_measures
    log = "metrics" if log_measures.WITHOUT_LOGS.issuperset(wanted) else "full"
    result = simulator.run(world.scenario, named, log=log, **own)  # type: ignore[arg-type]
    found = dict(result.metrics)
    for name in wanted:
        found |= log_measures.READINGS[name](result)
    return found


def run(
    given: Sequence[Counterfactual],
    seeds: Sequence[int],
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Run all worlds that are not there yet, in processes of their own, and return the table of `verdicts`.

    Args:
        given: the counterfactuals.
        seeds: of the worlds.
        folder: where each world leaves its measures; what is there of the same world is not run again.
        workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.

    Raises:
        InputError: a measure is unknown, or the folder holds worlds of another engine, scenario or settings.
    """
    for each in given:
        check(each)
    worlds = [
        World(each, f"{each.name}/{name}", each.scenario, settings)
        for each in given
        for name, settings in each.worlds(seeds)
    ]
    found = kept_worlds.run(worlds, live, folder, workers, report, stop)
    return pd.concat([verdicts(each, seeds, found) for each in given], ignore_index=True)


def verdicts(given: Counterfactual, seeds: Sequence[int], found: Mapping[str, Measures]) -> pd.DataFrame:
    """Judge each measure, a row each: means of both arms, paired difference with its interval, and a verdict.

    A law is `exact` when no world differs at all, else `broken`; where nothing happened it shows nothing. Any other
    statement `holds`, is `reversed`, or is `undecided` where the interval holds zero. `found` has the measures of
    worlds by their place.
    """
    worlds = {name: found[f"{given.name}/{name}"] for name, _ in given.worlds(seeds)}
    rows: list[dict[str, object]] = []
    for measure, sign in given.expect.items():
        known = sorted({name for each in worlds.values() for name in each})
        check_known(given.name, "measure", [measure], known)
        arms = {arm: given.by_seed(arm, seeds, worlds, measure) for arm in (CONTROL, TREATED)}
        effect = compare(arms[TREATED], arms[CONTROL], LEVEL)
        low, high = effect.interval
        if sign == "0":
            verdict = EXACT if np.array_equal(arms[TREATED], arms[CONTROL], equal_nan=True) else BROKEN
            verdict = verdict if np.isfinite(arms[CONTROL]).all() and np.any(arms[CONTROL]) else EMPTY
        else:
            towards = SIGNS[sign]
            verdict = HOLDS if min(towards * low, towards * high) > 0 else OPEN
            verdict = REVERSED if max(towards * low, towards * high) < 0 else verdict
        rows.append(
            {"counterfactual": given.name, "tag": given.tag, "measure": measure, "expected": sign, "pairs": effect.n,
             CONTROL: mean(arms[CONTROL]), TREATED: mean(arms[TREATED]),
             "difference": effect.difference, "low": low, "high": high, "p": effect.p, "verdict": verdict}
        )  # fmt: skip
    return pd.DataFrame(rows)
