"""Small worlds in which the engine's models are fitted, naive readings are held against the truth, and policies valued.

Of every seed there are two worlds: one of a usual recommender, whose truth log the models are fitted to, and one in
which a share of the requests is explored. What each yields is kept as plain numbers; the tables are made from those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from analysis import kept_worlds
from analysis.kept_worlds import Measures, World, changes_of, values
from analysis.offline import label_of
from analysis.statistics import LEVEL, Floats, mean, sign_flip_p, t_interval
from analysis.validity.biases import DIRECTED, SAYS, biases
from analysis.validity.log import Log
from analysis.validity.models import HELD, MODELS
from analysis.validity.off_policy import Explored, estimates
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, complete, resolve
from simulator.errors import InputError
from simulator.scenario.load import load_scenario
from simulator.scenario.strict_yaml import load_yaml

SIZES = Path(__file__).parents[1] / "small_worlds.yaml"
FITTED, EXPLORED = "fitted", "explored"
PARTS = {"truth": 0, "value": 1, "low": 2, "high": 3}
RECOVERY = (
    "parameter", "truth", "worlds", "mean", "difference", "near", "coverage", "coverage_low", "coverage_high",
    "verdict",
)  # fmt: skip
BIAS = ("reading", "worlds", "bias", "low", "high", "p", "verdict", "says")
OFF_POLICY = (
    "estimator", "worlds", "mean", "value", "difference", "coverage", "coverage_low", "coverage_high", "verdict",
)  # fmt: skip
COVERS, SHORT, OPEN = "covers", "does not cover", "undecided"
HOLDS, FAILS, NO_SIGN = "holds", "does not hold", ""
NEAR = 0.05
"""How near an exponent has to come; the table says of every parameter how often it does."""
AIMED, ALLOWED = 0.9, (0.85, 0.95)
OFF_AIMED, OFF_ALLOWED = 0.95, (0.90, 0.99)
P = 0.01


@dataclass(frozen=True)
class Validity:
    """What came out: a table of each kind, and in words which models there was nothing to fit to."""

    recovery: pd.DataFrame
    bias: pd.DataFrame
    off_policy: pd.DataFrame


def sizes(scenario: str, path: Path = SIZES) -> dict[str, object]:
    """Return the size of a scenario's small worlds, none where it has its own."""
    found = load_yaml(path).get(load_scenario(scenario).scenario, {})
    return dict(found)


def plan(scenario: str, seeds: Sequence[int], settings: Mapping[str, object]) -> list[World[str]]:
    """Return two worlds per seed. Nothing is run or written.

    Args:
        scenario: name or path.
        seeds: of the worlds, at least two.
        settings: of all worlds, with the recommender of those that the models are fitted to.

    Raises:
        InputError: a setting is wrong, the scenario does not hang together, or there are fewer than two seeds.
        RecommenderError: the recommender does not take its parameters.
    """
    from simulator import check_scenario

    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise InputError("validity", f"seed={','.join(map(str, seeds))}", "expected at least two, each once")
    own = {**sizes(scenario), **settings}
    held = {CHANGE_PREFIX + key: value for key, value in HELD.items()}
    config = resolve([("scenario", scenario), *own.items()], where="validity")
    check_recommender_name(config.recommender)
    check_recommender_parameters(config)
    check_scenario(load_scenario(scenario, changes_of({**held, **own})))
    plain = {key: value for key, value in own.items() if key != "recommender" and not key.startswith("recommender.")}
    return [
        World(kind, f"worlds/{kind}-s{seed}", scenario, {**given, "seed": seed})
        for seed in seeds for kind, given in ((FITTED, {**held, **own}), (EXPLORED, plain))
    ]  # fmt: skip


def live(world: World[str]) -> dict[str, float]:
    """Run a world and return what was estimated in it, as plain numbers."""
    from simulator.world import run_world  # loads numba

    config = resolve([("scenario", world.scenario), *world.settings.items()], where="validity")
    scenario = load_scenario(world.scenario, config.scenario_changes)
    policy = Explored(seed=int(config.seed), label=label_of(scenario)) if world.question == EXPLORED else None
    if policy is not None:
        config = replace(config, recommender=f"{Explored.__module__}:{Explored.__qualname__}")
    config = replace(complete(config, scenario.defaults.model_dump()), log="full")
    result = run_world(config, policy)
    log = Log(
        scenario, result.truth, result.items, int(result.manifest["users"]), float(result.manifest["horizon_seconds"])
    )
    return explored(log, policy) if policy is not None else fitted(log)


def fitted(log: Log) -> dict[str, float]:
    """Return what every model says of a world, and how far naive readings of it are off."""
    found = {f"bias.{name}": value for name, value in biases(log).items()}
    for model in MODELS.values():
        for each in () if isinstance(there := model(log), str) else there:
            found |= {
                f"fit.{each.name}.{part}": value
                for part, value in zip(PARTS, (each.truth, each.value, each.low, each.high), strict=True)
            }
    return found


def explored(log: Log, policy: Explored) -> dict[str, float]:
    """Return the off-policy estimates of a world, and what they are of."""
    found = estimates(log, policy)
    if isinstance(found, str):
        return {}
    return {
        f"value.{name}.{part}": value for name, each in found.items()
        for part, value in (
            ("estimate", each.estimate), ("error", each.error), ("truth", each.truth), ("covers", float(each.covers)),
        )
    }  # fmt: skip


def run(
    scenario: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Validity:
    """Run the worlds that are not there yet, in processes of their own, and return the tables.

    Args:
        scenario, seeds, settings: as in `plan`, which says what else is raised.
        folder, workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    found = kept_worlds.run(plan(scenario, seeds, settings), live, folder, workers, report, stop)
    return Validity(
        pd.DataFrame(recovery(found), columns=list(RECOVERY)),
        pd.DataFrame(bias(found), columns=list(BIAS)),
        pd.DataFrame(off_policy(found), columns=list(OFF_POLICY)),
    )


def recovery(found: Mapping[str, Measures]) -> list[dict[str, object]]:
    """Return a row per parameter that some world could be fitted for."""
    names = dict.fromkeys(
        key.removeprefix("fit.").removesuffix(".truth")
        for world in found.values() for key in world if key.startswith("fit.") and key.endswith(".truth")
    )  # fmt: skip
    rows = []
    for name in names:
        parts = np.array([values(found, list(found), f"fit.{name}.{part}") for part in PARTS])
        truth, value, low, high = parts[:, np.isfinite(parts).all(axis=0)]
        hit = (low <= truth) & (truth <= high)
        rows.append({
            "parameter": name, "truth": mean(truth), "worlds": truth.size, "mean": mean(value),
            "difference": mean(value - truth), "near": mean(np.abs(value - truth) <= NEAR),
            **covered(hit.astype(np.float64), AIMED, ALLOWED),
        })  # fmt: skip
    return rows


def bias(found: Mapping[str, Measures]) -> list[dict[str, object]]:
    """Return a row per naive reading; one of known direction holds where its bias is above 0 with p below `P`."""
    rows = []
    for name, says in SAYS.items():
        off = values(found, list(found), f"bias.{name}")
        off = off[np.isfinite(off)]
        low, high = t_interval(off, LEVEL)
        p = sign_flip_p(off)
        verdict = NO_SIGN
        if name in DIRECTED and off.size > 1:
            verdict = HOLDS if low > 0 and p < P else FAILS if high < 0 else OPEN
        rows.append({
            "reading": name, "worlds": off.size, "bias": mean(off), "low": low, "high": high, "p": p,
            "verdict": verdict, "says": says,
        })  # fmt: skip
    return rows


def off_policy(found: Mapping[str, Measures]) -> list[dict[str, object]]:
    """Return a row per estimator; `logging` is the value of the logging policy, which is none of the target's."""
    rows = []
    for name in ("ips", "snips", "logging"):
        estimate, truth, covers = (
            values(found, list(found), f"value.{name}.{part}") for part in ("estimate", "truth", "covers")
        )
        there = np.isfinite(estimate) & np.isfinite(truth)
        row = {
            "estimator": name, "worlds": int(there.sum()), "mean": mean(estimate[there]), "value": mean(truth[there]),
            "difference": mean((estimate - truth)[there]), **covered(covers[there], OFF_AIMED, OFF_ALLOWED),
        }  # fmt: skip
        rows.append(row | {"verdict": NO_SIGN} if name == "logging" else row)
    return rows


def covered(hit: Floats, aimed: float, allowed: tuple[float, float]) -> dict[str, object]:
    """Return the share of worlds whose interval covers, with its own (Clopper and Pearson's), and a verdict.

    Inside what is allowed, it covers; outside, it does not, unless so many would by chance (p of 0.05 or more).
    """
    n, k = hit.size, int(hit.sum())
    if not n:
        return {"coverage": np.nan, "coverage_low": np.nan, "coverage_high": np.nan, "verdict": ""}
    test = stats.binomtest(k, n, aimed)
    low, high = test.proportion_ci(LEVEL)
    inside = allowed[0] <= k / n <= allowed[1]
    verdict = COVERS if inside else OPEN if test.pvalue >= 0.05 else SHORT
    return {"coverage": k / n, "coverage_low": float(low), "coverage_high": float(high), "verdict": verdict}
