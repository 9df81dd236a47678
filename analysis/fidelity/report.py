"""Every target of a scenario beside what its worlds show: distance, interval over seeds, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.fidelity.worlds import live
from analysis.kept_worlds import World, changes_of, values
from analysis.statistics import Floats, mean, seeds_for, t_interval
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import resolve
from simulator.errors import InputError, check_known
from simulator.scenario.checks.provenance import claims_in
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.targets import Role, Target, role_of

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario

MET, MISSED, UNDECIDED, INPUT = "met", "missed", "undecided", "input"
TOLERANCE: dict[Role, float] = {"fit": 0.05, "check": 0.2}
"""How far from a target is near enough, in parts of it."""
HALF_WIDTH = 0.05
"""Of an interval that says enough, in parts of the target."""
COLUMNS = (
    "name", "role", "target", "target_low", "target_high", "unit", "simulated", "low", "high", "distance", "verdict",
    "note",
)  # fmt: skip


def plan(scenario: str, seeds: Sequence[int], settings: Mapping[str, object]) -> tuple[Scenario, list[World[None]]]:
    """Return the scenario and a world per seed. Nothing is run or written.

    Raises:
        InputError: fewer than two seeds; a setting is wrong; the scenario does not hang together, has no
            targets, or does not say how one of them is measured.
        RecommenderError: the recommender does not take its parameters.
    """
    from simulator import check_scenario
    from simulator.plan.compiler import compile_scenario
    from simulator.records.measures import check_measures, unmeasured

    if len(seeds) < 2:
        raise InputError("fidelity", f"seed={','.join(map(str, seeds))}", "expected at least two, for an interval")
    config = resolve([("scenario", scenario), *settings.items()], where="fidelity")
    found = load_scenario(scenario, changes_of(settings))
    if config.recommender is not None:
        check_recommender_name(config.recommender)
        check_recommender_parameters(config)
    check_scenario(found)
    compiled = compile_scenario(found)
    check_measures(compiled)
    if not found.targets:
        raise InputError(found.shown, "has no targets", "expected known figures under targets:")
    for name in unmeasured(compiled):
        right = "say how with measure: the name of a measure, or a reading (docs/write-a-scenario.md)"
        raise InputError(found.shown, f"targets.{name} cannot be measured: no measure has this name", right)
    return found, [World(None, f"worlds/s{seed}", scenario, {**settings, "seed": seed}) for seed in seeds]


def run(
    scenario: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    folder: Path,
    workers: int,
    targets: Sequence[str] = (),
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Run the worlds that are not there yet, in processes of their own, and return a row per target, with `COLUMNS`.

    Args:
        scenario, seeds, settings: as in `plan`, which says what else is raised.
        folder: where each world leaves its measures, those of all targets.
        workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
        targets: that are told of; all where none is named.

    Raises:
        InputError: a target is unknown; or there was nothing to measure of one in some world.
    """
    found, worlds = plan(scenario, seeds, settings)
    check_known(found.shown, "target", targets, found.targets)
    measured = kept_worlds.run(worlds, live, folder, workers, report, stop)
    places = [world.place for world in worlds]
    wanted = {name: found.targets[name] for name in targets or found.targets}
    by_seed = {name: values(measured, places, name) for name in wanted}
    empty = {name: int(np.isnan(each).sum()) for name, each in by_seed.items() if np.isnan(each).any()}
    if empty:
        wrong = ", ".join(f"{name} (in {n} of {len(seeds)} worlds)" for name, n in empty.items())
        right = "more users= or a longer horizon=, or targets= without them; what is done is kept"
        raise InputError(found.shown, f"nothing to measure of {wrong}", right)
    shared = sources_of_numbers(found)
    rows = [row(name, target, by_seed[name], shared) for name, target in wanted.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def sources_of_numbers(scenario: Scenario) -> set[str]:
    """Return the keys of the sources that numbers of a scenario, its targets apart, are said to be from."""
    return {claim.see for _, claim in claims_in(scenario) if claim.see is not None and claim.provenance != "calibrated"}


def row(name: str, target: Target, by_seed: Floats, sources: Collection[str]) -> dict[str, object]:
    """Hold one target against what the worlds show, with `COLUMNS`.

    Args:
        name, target: which.
        by_seed: what was measured of it, in its unit, shape (seeds,).
        sources: keys of the sources that numbers of the scenario are from.

    The distance is that of the mean from the declared band, or from the value where none is declared, in parts of the
    value. Near enough is what lies in the band, or within `TOLERANCE` of the value.
    """
    role, size = role_of(name), abs(target.value)
    simulated, (low, high) = mean(by_seed), t_interval(by_seed)
    bottom = target.value if target.low is None else target.low
    top = target.value if target.high is None else target.high
    beyond = simulated - min(max(simulated, bottom), top)
    note = ""
    if role == "check" and target.see in sources:
        verdict = INPUT
        note = f"numbers of the scenario are from its source, {target.see}"
    else:
        near = TOLERANCE[role] * size
        verdict = _verdict(low, high, min(bottom, target.value - near), max(top, target.value + near))
        if verdict == UNDECIDED:
            note = _seeds_note(by_seed, HALF_WIDTH * size)
    return dict(zip(COLUMNS, (
        name, role, target.value, target.low, target.high, target.unit, simulated, low, high,
        beyond / size if size else beyond, verdict, note,
    ), strict=True))  # fmt: skip


def _verdict(low: float, high: float, least: float, most: float) -> str:
    """Return what an interval says of a range: inside, outside, or across one of its ends."""
    if least <= low and high <= most:
        return MET
    return MISSED if high < least or low > most else UNDECIDED


def _seeds_note(by_seed: Floats, half: float) -> str:
    n = seeds_for(by_seed, half)
    if n is None:
        return "no number of seeds gives a half-width of 5 % of the target"
    if n <= len(by_seed):
        return "the half-width is within 5 % of the target: it lies at the limit"
    return f"about {n} seeds for a half-width of 5 % of the target"
