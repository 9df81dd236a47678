"""The platform log of a scenario's worlds beside the matching real set, under several policies, with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.elasticity import decisions
from analysis.hardness.measures import DENSITY, HELD, ITEM_RATIO, JUDGED, MEASURES, hardness
from analysis.kept_worlds import Measures, World, changes_of, values
from analysis.statistics import Floats, mean, t_interval
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.dataset import read_dataset
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import PARAMETER_PREFIX, RunConfig, complete, resolve
from simulator.errors import InputError, check_known
from simulator.scenario.load import load_scenario
from simulator.scenario.strict_yaml import load_yaml

if TYPE_CHECKING:
    from recommenders.contract import Positives
    from simulator.scenario.schema.platform import Label
    from simulator.scenario.schema.scenario import Scenario

SHIPPED = Path(__file__).parents[1] / "real_sets.yaml"
OWN = "default"
"""Stands for the recommender of the scenario's defaults."""
WITHIN, OUTSIDE, UNDECIDED = "within", "outside", "undecided"
TOO_FEW = "too few users judged"
FEWEST = 100
"""Users with something in both the training and the test part, below which a recall says nothing."""
ABOVE, BELOW = "above", "not above"
LEAST, MOST = 0.5, 2.0
"""How many times the real set's figure a simulated one may be."""
COLUMNS = ("scenario", "policy", "measure", "real", "simulated", "low", "high", "times", "verdict")


@dataclass(frozen=True)
class RealSet:
    """Say which real set a scenario's log is held against.

    Attributes:
        data: folder or file, below the folder of all real sets unless absolute; None where nothing matches.
        label: which of the scenario's labels is a positive; its own unless given.
        items: the public column whose values stand for items; the items themselves unless given.
        why: what the set is, or why there is none.
    """

    data: str | None = None
    label: str | None = None
    items: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Question:
    """Say what is measured of a world: which of its events are positives, and what stands for an item."""

    scenario: str
    policy: str
    label: str
    items: str | None


def read_real_sets(path: Path = SHIPPED) -> dict[str, RealSet]:
    """Read which real set belongs to which scenario. Raises InputError: a key or its value is wrong."""
    found = {}
    for name, given in load_yaml(path).items():
        if not isinstance(given, dict):
            raise InputError(f"{path}: {name}", f"is {given!r}", "expected {data: ..., why: ...}")
        check_known(f"{path}: {name}", "key", given, RealSet.__dataclass_fields__)
        wrong = [key for key, value in given.items() if not isinstance(value, str)]
        if wrong:
            raise InputError(f"{path}: {name}.{wrong[0]}", f"is {given[wrong[0]]!r}", "expected text")
        found[name] = RealSet(**given)
    return found


def label_of(scenario: Scenario, name: str) -> Label:
    """Return one of a scenario's labels. Raises InputError: it has no such label."""
    check_known(scenario.shown, "label", [name], scenario.platform.labels)
    return scenario.platform.labels[name]


def plan(
    scenario: str,
    policies: Sequence[str],
    seeds: Sequence[int],
    settings: Mapping[str, object],
    beside: RealSet,
    times: float = 1.0,
) -> list[World[Question]]:
    """Return a world per policy and seed. Nothing is run or written.

    Args:
        scenario: name or path.
        policies: recommenders, parameters in brackets; `OWN` is the scenario's own.
        seeds: of the worlds, at least two.
        settings: of all worlds, as `simulator.run` takes them.
        beside: what the log is held against.
        times: how many times the users of the scenario's defaults, where `settings` names none.

    Raises:
        InputError: a setting, the label or the column of items is wrong, or there are fewer than two seeds.
        RecommenderError: a recommender does not take its parameters.
    """
    from analysis.arms import read_arm
    from simulator import check_scenario

    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise InputError(
            "hardness", f"seed={','.join(map(str, seeds))}", "expected at least two, each once, for an interval"
        )
    if not policies or len(set(policies)) < len(policies):
        raise InputError("hardness", f"policies={','.join(policies) or '(none)'}", "expected each once")
    found = load_scenario(scenario, changes_of(settings))
    check_scenario(found)
    label = found.platform.label if beside.label is None else beside.label
    label_of(found, label)
    if times != 1.0:
        if "users" in settings:
            raise InputError("hardness", "users and times are both given", "expected one of them")
        settings = {**settings, "users": round(times * found.defaults.users)}
    worlds = []
    for text in policies:
        own = dict(settings)
        if text != OWN:
            arm = read_arm(text)
            check_recommender_name(arm.recommender)
            own |= {"recommender": arm.recommender}
            own |= {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
        check_recommender_parameters(_config(scenario, own))
        question = Question(found.scenario, text, label, beside.items)
        place = kept_worlds_place(found.scenario, text)
        worlds += [World(question, f"{place}-s{seed}", scenario, {**own, "seed": seed}) for seed in seeds]
    return worlds


def kept_worlds_place(scenario: str, policy: str) -> str:
    """Return where the worlds of a scenario under a policy lie below the folder of all, without the seed."""
    from simulator.records.run_folder import safe_name

    return f"worlds/{safe_name(scenario)}-{safe_name(policy)}"


def _config(scenario: str, settings: Mapping[str, object]) -> RunConfig:
    config = resolve([("scenario", scenario), *settings.items()], where="hardness")
    return complete(config, load_scenario(scenario, config.scenario_changes).defaults.model_dump())


def live(world: World[Question]) -> dict[str, float]:
    """Run a world and measure the positives of its platform log."""
    from dataclasses import replace

    from simulator.world import run_world  # loads numba

    config = _config(world.scenario, world.settings)
    label = label_of(load_scenario(config.scenario, config.scenario_changes), world.question.label)
    result = run_world(replace(config, log="platform"))
    return hardness(positives_of(result.platform, result.items, label, world.question.items), seed=config.seed)


def positives_of(log: pd.DataFrame, items: pd.DataFrame, label: Label, column: str | None = None) -> Positives:
    """Return the distinct positives of a platform log; of the values of a public column of items, where one is given.

    Raises:
        InputError: there is no such column.
    """
    chosen = decisions(log[log["item"].notna()], label, items)
    item = chosen["item"].to_numpy(dtype=np.int64)
    if column is not None:
        check_known("hardness", "column of items", [column], items.columns)
        codes, _ = pd.factorize(items[column].to_numpy(), sort=True)
        item = codes[item]
    time = chosen["time"].to_numpy(dtype=np.float64)
    most = int(item.max(initial=0)) + 1
    return distinct_pairs(chosen["user"].to_numpy(dtype=np.uint32), item.astype(np.uint32), time, most)


def real(folder: Path) -> dict[str, float]:
    """Measure a real set, as the worlds are measured. Raises RecommenderError: it cannot be read."""
    return hardness(read_dataset(folder).positives)


def run(
    worlds: Sequence[World[Question]],
    beside: Mapping[str, Mapping[str, float]],
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Run the worlds that are not there yet, in processes of their own, and return a row per measure, with `COLUMNS`.

    Args:
        worlds: as `plan` gives them, of one scenario or several.
        beside: measures of the real set of each scenario, none where nothing matches.
        folder, workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    found = kept_worlds.run(worlds, live, folder, workers, report, stop)
    groups: dict[tuple[str, str], list[str]] = {}
    for world in worlds:
        groups.setdefault((world.question.scenario, world.question.policy), []).append(world.place)
    rows = [
        row for (scenario, policy), places in groups.items()
        for row in held(scenario, policy, found, places, beside.get(scenario, {}))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def held(
    scenario: str, policy: str, found: Mapping[str, Measures], places: Sequence[str], beside: Mapping[str, float]
) -> list[dict[str, object]]:
    """Return the rows of a scenario under a policy. Of the measures in `HELD` alone there is a verdict."""
    rows = []
    judged = mean(values(found, places, JUDGED)) >= FEWEST
    for measure in MEASURES:
        by_seed = values(found, places, measure)
        there = by_seed[np.isfinite(by_seed)]
        known, simulated = beside.get(measure, float("nan")), mean(by_seed)
        low, high = t_interval(there)
        verdict = verdict_of(there, known) if measure in HELD and np.isfinite(known) else ""
        if measure == ITEM_RATIO and policy == "random":
            verdict = ", ".join(filter(None, (verdict, f"itemknn {above_popularity(there)}")))
        if verdict and measure != DENSITY and not judged:
            verdict = TOO_FEW
        rows.append({
            "scenario": scenario, "policy": policy, "measure": measure, "real": known, "simulated": simulated,
            "low": low, "high": high, "times": simulated / known if known else float("nan"), "verdict": verdict,
        })  # fmt: skip
    return rows


def verdict_of(by_seed: Floats, known: float) -> str:
    """Say whether the interval of a mean lies within `LEAST` to `MOST` times what is known, or beyond."""
    low, high = t_interval(by_seed)
    if LEAST * known <= low and high <= MOST * known:
        return WITHIN
    return OUTSIDE if high < LEAST * known or low > MOST * known else UNDECIDED


def above_popularity(by_seed: Floats) -> str:
    """Say whether ratios to popularity lie above 1, by their interval."""
    low, high = t_interval(by_seed)
    return ABOVE if low > 1 else BELOW if high < 1 else UNDECIDED
