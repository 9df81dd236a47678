"""One scenario judged both ways: recommenders ranked offline on the platform's log, and by what users lived through.

For every seed, the worlds of all recommenders are lived; the platform log of one of them (the logging recommender) is
then what all of them are judged on offline, by a split protocol, as a researcher would who has nothing but that log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arms import read_arm
from analysis.offline import SPLITS_OF_LOGS, finished_run, label_of, read_platform_log
from analysis.statistics import Interval, t_interval
from analysis.tables import Experiment
from analysis.verdicts.directions import better
from analysis.verdicts.ranges import within
from analysis.verdicts.winner import Winner, winner
from recommenders.contract import RecommenderError
from recommenders.contract.names import unknown_name
from recommenders.evaluation.dataset import Dataset
from recommenders.evaluation.protocol import evaluate
from recommenders.evaluation.splits import SPLITS
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name

OFFLINE = ("recall@20", "ndcg@20")
COLUMNS = ("recommender", "seed", "measure", "value")


@dataclass(frozen=True)
class BothWays:
    """One scenario, both ways.

    Attributes:
        lived: the experiment: measures of every recommender's worlds.
        offline: recommender, seed, measure (of `OFFLINE`), value: on the log of the logging recommender's world.
        logging: whose log that is.
        split: how it was split.
        label: what counted as a positive.
        failed: recommender to the reason why it could not be judged offline.
    """

    lived: Experiment
    offline: pd.DataFrame
    logging: str
    split: str
    label: str
    failed: dict[str, str]

    def correlations(self, lived: str, offline: str = OFFLINE[0]) -> pd.DataFrame:
        """Return Kendall's tau-b and Spearman's rho of the two rankings, a row per seed: seed, kendall, spearman, n."""
        from scipy.stats import kendalltau, spearmanr

        there = self.lived.worlds(lived)
        offline_values = self.offline[self.offline["measure"] == offline].pivot(
            index="seed", columns="recommender", values="value"
        )
        rows = []
        for seed in there.index.intersection(offline_values.index):
            both = pd.DataFrame({"lived": there.loc[seed], "offline": offline_values.loc[seed]}).dropna()
            enough = len(both) > 2 and bool((both.nunique() > 1).all())  # equal values have no order
            rows.append({
                "seed": seed, "n": len(both),
                "kendall": float(kendalltau(both["lived"], both["offline"]).statistic) if enough else np.nan,
                "spearman": float(spearmanr(both["lived"], both["offline"]).statistic) if enough else np.nan,
            })  # fmt: skip
        return pd.DataFrame(rows, columns=["seed", "kendall", "spearman", "n"])

    def agreement(self, lived: str) -> tuple[float, Interval]:
        """Return the mean of Kendall's tau over seeds, with its interval."""
        values = self.correlations(lived)["kendall"].dropna().to_numpy()
        return (float(values.mean()) if values.size else float("nan")), within("kendall", t_interval(values))

    def best_offline(self, offline: str = OFFLINE[0]) -> Winner:
        """Return who is surely the best offline, or among whom that is undecided."""
        rows = self.offline[self.offline["measure"] == offline]
        table = rows.pivot(index="seed", columns="recommender", values="value")
        return winner(table[[name for name in self.lived.recommenders if name in table]])

    def best_lived(self, lived: str) -> Winner | None:
        """Return the same by what users lived through; None where a measure is not better either way."""
        direction = better(lived)
        return None if direction is None else winner(self.lived.worlds(lived), direction)


def judge_offline(
    lived: Experiment,
    recommenders: Sequence[str],
    logging: str,
    split: str,
    workers: int,
    report: Callable[[int, int], None] | None = None,
) -> BothWays:
    """Judge recommenders offline on the logs of an experiment's worlds.

    Args:
        lived: an experiment whose worlds lie in its folder, with their platform logs.
        recommenders: names, parameters in brackets.
        logging: the one of them whose logs are judged on.
        split: one of `analysis.offline.SPLITS_OF_LOGS`.
        workers: logs at a time.
        report: called with the logs that are done and all of them.

    Raises:
        InputError: there is no such split, or the logging recommender has no worlds.
    """
    check_known("split", "split", [split], SPLITS_OF_LOGS)
    if logging not in lived.recommenders or lived.folder is None:
        raise InputError("logging", *unknown_name("recommender", logging, lived.recommenders))
    seeds = [int(seed) for seed in lived.frame["seed"].unique()]
    folders = [lived.folder / f"{safe_name(logging)}-s{seed}" for seed in seeds]
    rows: list[dict[str, object]] = []
    failed: dict[str, str] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_judge, folder, tuple(recommenders), split, seed) for folder, seed in
                zip(folders, seeds, strict=True)]  # fmt: skip
        for done, (job, seed) in enumerate(zip(jobs, seeds, strict=True), 1):
            found, wrong = job.result()
            failed |= wrong
            rows += [{"recommender": name, "seed": seed, "measure": measure, "value": value}
                     for name, values in found.items() for measure, value in values.items()]  # fmt: skip
            if report is not None:
                report(done, len(jobs))
    label = label_of(finished_run(folders[0]).scenario).name
    return BothWays(lived, pd.DataFrame(rows, columns=list(COLUMNS)), logging, split, label, failed)


def _judge(
    folder: Path, recommenders: tuple[str, ...], split: str, seed: int
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Return offline measures of each recommender on one log, and why some have none."""
    run = finished_run(folder)
    label = label_of(run.scenario)
    log = read_platform_log(folder, run.n_users, run.n_items, label.events)
    positives = log.positives(label, run.catalog(label.or_item))
    users, items = np.arange(run.n_users), np.arange(run.n_items)
    data = Dataset(folder.name, positives, False, True, None, run.n_users, run.catalog(None), users, items, label.name)
    if not len(positives):
        return {}, dict.fromkeys(recommenders, "the log holds no positive")
    parts = SPLITS[split](data, seed)
    found: dict[str, dict[str, float]] = {}
    failed: dict[str, str] = {}
    for text in recommenders:
        arm = read_arm(text)
        try:
            judged = evaluate(data, parts, arm.recommender, arm.parameters, cutoffs=(20,), seed=seed).test
        except RecommenderError as error:
            failed[text] = str(error)
            continue
        if not len(judged.users):
            failed[text] = "no user of that log has both a training and a held-out positive"
            continue
        found[text] = {measure: judged.means[measure] for measure in OFFLINE}
    return found, failed
