"""Rankings of recommenders by what users lived through and by an offline measure: over seeds, and over designs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from analysis import kept_worlds
from analysis.arms import Arm, read_arm
from analysis.hardness.report import positives_of
from analysis.kept_worlds import Measures, World, changes_of
from analysis.offline import label_of
from analysis.stability.designs import design
from analysis.statistics import Floats, mean, t_interval
from analysis.validity.report import sizes
from recommenders.contract import Catalog
from recommenders.evaluation.offline import evaluate, holdout_split
from recommenders.registry import create
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, PARAMETER_PREFIX, complete, resolve
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name
from simulator.scenario.load import load_scenario

DEFAULT = ("random", "popularity", "recentpopularity", "itemknn", "userknn", "puresvd", "nmf", "rp3beta")
LIVED, OFFLINE = "lived", "offline"
SEEDS, DESIGNS = "seeds", "estimates moved by 20 %"
CUTOFF = 20
TAUS = ("by", "across", "worlds", "tau", "low", "high")
PAIRS = ("by", "better", "worse", "flips_over_seeds", "flips_over_designs")


@dataclass(frozen=True)
class Question:
    """Say which world this is: of which recommender, and which others are judged on its log."""

    arm: Arm
    seed: int
    design: int | None
    lived: str
    judged: tuple[Arm, ...] = ()


@dataclass(frozen=True)
class Stability:
    """What came out.

    Attributes:
        taus: a row per measure and kind of change, with `TAUS`.
        pairs: a row per pair of recommenders and measure, with `PAIRS`: how often their order is not that of the means.
        left_out: numbers that some design could not move.
    """

    taus: pd.DataFrame
    pairs: pd.DataFrame
    left_out: list[str]


def plan(
    scenario: str,
    recommenders: Sequence[str],
    seeds: Sequence[int],
    designs: int,
    settings: Mapping[str, object],
    lived: str,
    logging: str,
) -> tuple[list[World[Question]], list[str]]:
    """Return the worlds, and the numbers that no design can move. Nothing is run or written.

    Args:
        scenario: name or path.
        recommenders: that are ranked, at least three; parameters in brackets.
        seeds: of the worlds as they are, at least two; each design has one of them in turn.
        designs: how many there are.
        settings: of all worlds.
        lived: the scenario's measure of what users lived through.
        logging: the one of them on whose logs all are judged offline.

    Raises:
        InputError: a setting is wrong, or there is too little to compare.
        RecommenderError: a recommender does not take its parameters.
    """
    if len(recommenders) < 3 or len(set(recommenders)) < len(recommenders):
        raise InputError("stability", f"recommenders={','.join(recommenders)}", "expected at least three, each once")
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise InputError("stability", f"seed={','.join(map(str, seeds))}", "expected at least two, each once")
    check_known("stability", "recommender", [logging], list(recommenders))
    arms = [read_arm(text) for text in recommenders]
    own = {**sizes(scenario), **settings}
    for arm in arms:
        check_recommender_name(arm.recommender)
        check_recommender_parameters(resolve([("scenario", scenario), *_of(arm).items(), *own.items()], "stability"))
    check_known("stability", "measure", [lived], load_scenario(scenario, changes_of(own)).measures)
    left: dict[str, None] = {}
    cases: list[tuple[int | None, int, dict[str, object]]] = [(None, seed, {}) for seed in seeds]
    for number in range(designs):
        changes, out = design(scenario, number, changes_of(own))
        left |= dict.fromkeys(out)
        cases.append(
            (number, seeds[number % len(seeds)], {CHANGE_PREFIX + key: value for key, value in changes.items()})
        )
    worlds = []
    for case, seed, changed in cases:
        for arm in arms:
            judged = tuple(arms) if arm.name == logging else ()
            place = f"worlds/{_case(case, seed)}-{safe_name(arm.name)}"
            given = {**own, **changed, **_of(arm), "seed": seed}
            worlds.append(World(Question(arm, seed, case, lived, judged), place, scenario, given))
    return worlds, list(left)


def _of(arm: Arm) -> dict[str, object]:
    return {"recommender": arm.recommender} | {PARAMETER_PREFIX + key: value for key, value in arm.parameters.items()}


def _case(number: int | None, seed: int) -> str:
    return f"s{seed}" if number is None else f"d{number}-s{seed}"


def live(world: World[Question]) -> dict[str, float]:
    """Run a world and return what its users lived through; and how all recommenders rank its held-out positives."""
    from simulator.world import run_world  # loads numba

    asked = world.question
    config = resolve([("scenario", world.scenario), *world.settings.items()], where="stability")
    scenario = load_scenario(config.scenario, config.scenario_changes)
    config = complete(config, scenario.defaults.model_dump())
    result = run_world(replace(config, log="platform" if asked.judged else "metrics"))
    found = {LIVED: float(result.metrics[asked.lived])}
    if asked.judged:
        label = scenario.platform.labels[scenario.platform.label]
        positives = positives_of(result.platform, result.items, label)
        n_users, n_items = int(result.manifest["users"]), len(result.items)
        split = holdout_split(positives, asked.seed)
        for arm in asked.judged:
            made = create(arm.recommender, dict(arm.parameters), seed=asked.seed, label=label_of(scenario))
            judged = evaluate(
                made, split.train, split.test, Catalog(n_items), n_users, k=CUTOFF, seed=asked.seed
            )  # fmt: skip
            found[f"{OFFLINE}.{arm.name}"] = judged.means[f"recall@{min(CUTOFF, n_items)}"]
    return found


def run(
    scenario: str,
    recommenders: Sequence[str],
    seeds: Sequence[int],
    designs: int,
    settings: Mapping[str, object],
    lived: str,
    logging: str,
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Stability:
    """Run the worlds that are not there yet, in processes of their own, and compare the rankings.

    Args:
        scenario, recommenders, seeds, designs, settings, lived, logging: as in `plan`, which says what else is raised.
        folder, workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    worlds, left = plan(scenario, recommenders, seeds, designs, settings, lived, logging)
    found = kept_worlds.run(worlds, live, folder, workers, report, stop)
    tables = {by: table(worlds, found, by, recommenders) for by in (LIVED, OFFLINE)}
    taus, pairs = [], []
    for by, frame in tables.items():
        taus += taus_of(by, frame)
        pairs += pairs_of(by, frame)
    return Stability(
        pd.DataFrame(taus, columns=list(TAUS)), pd.DataFrame(pairs, columns=list(PAIRS)), left
    )  # fmt: skip


def table(
    worlds: Sequence[World[Question]], found: Mapping[str, Measures], by: str, recommenders: Sequence[str]
) -> pd.DataFrame:
    """Return a measure with a row per case, (design, seed), and a column per recommender; -1: no number is moved."""
    rows: dict[tuple[int, int], dict[str, float]] = {}
    for world in worlds:
        asked = world.question
        row = rows.setdefault((-1 if asked.design is None else asked.design, asked.seed), {})
        measures = found[world.place]
        if by == LIVED:
            row[asked.arm.name] = _number(measures.get(LIVED))
        for arm in asked.judged if by == OFFLINE else ():
            row[arm.name] = _number(measures.get(f"{OFFLINE}.{arm.name}"))
    index = pd.MultiIndex.from_tuples(list(rows), names=["design", "seed"])
    return pd.DataFrame(list(rows.values()), index=index)[list(recommenders)]


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def taus_of(by: str, frame: pd.DataFrame) -> list[dict[str, object]]:
    """Return Kendall's tau-b between worlds of different seeds, and between each design and the same seed as it is.

    The interval over seeds is that of the mean over a seed's pairs with the others (pairs are no independent cases).
    """
    seeds = frame.loc[-1]
    each = {
        seed: [tau(seeds.loc[seed], seeds.loc[other]) for other in seeds.index if other != seed] for seed in seeds.index
    }
    over_seeds = np.array([mean(values) for values in each.values()])
    changed = frame[frame.index.get_level_values("design") >= 0]
    same = seeds.loc[changed.index.get_level_values("seed")]
    over_designs = np.array([tau(changed.iloc[k], same.iloc[k]) for k in range(len(changed))])
    rows = []
    for across, values in ((SEEDS, over_seeds), (DESIGNS, over_designs)):
        there = values[np.isfinite(values)]
        low, high = np.clip(t_interval(there), -1.0, 1.0)
        rows.append({
            "by": by, "across": across, "worlds": there.size, "tau": mean(there),
            "low": float(low), "high": float(high),
        })  # fmt: skip
    return rows


def tau(a: pd.Series, b: pd.Series) -> float:
    """Return Kendall's tau-b of two rankings; NaN where one of them has no order."""
    return float(stats.kendalltau(a.to_numpy(dtype=np.float64), b.to_numpy(dtype=np.float64)).statistic)


def pairs_of(by: str, frame: pd.DataFrame) -> list[dict[str, object]]:
    """Return how often the order of each pair is not that of its means over seeds, of the pairs that flip at all."""
    seeds, designs = frame.loc[-1], frame[frame.index.get_level_values("design") >= 0]
    rows = []
    for a, b in combinations(frame.columns, 2):
        better, worse = (a, b) if mean(seeds[a]) >= mean(seeds[b]) else (b, a)
        flips = [_flips(each[better], each[worse]) for each in (seeds, designs)]
        if any(share > 0 for share in flips):
            rows.append({
                "by": by, "better": better, "worse": worse,
                "flips_over_seeds": flips[0], "flips_over_designs": flips[1],
            })  # fmt: skip
    return sorted(rows, key=lambda row: -float(str(row["flips_over_designs"])))


def _flips(better: pd.Series, worse: pd.Series) -> float:
    difference: Floats = (better - worse).to_numpy(dtype=np.float64)
    there = difference[np.isfinite(difference)]
    return float((there < 0).mean()) if there.size else float("nan")
