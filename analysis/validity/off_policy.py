"""Off-policy estimates from logged propensities, beside the value of running the policy inside the same world.

`Explored` answers most requests by the target policy and the others by a logging policy, at random. Both put items in
the later places alike; they differ in the first: the target draws it uniformly from the items with most positives so
far, the logging policy uniformly from all. What is estimated is the mean reward of a request answered by the target, in
the states of this world (those in which the target answers most requests): a request is one step, and what it does to
later states belongs to the states. The reward is whether the first item was taken (opened, or a positive where it plays
by itself). Its value in the world is the mean over the requests that the target did answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from scipy import special

from analysis.elasticity import decisions
from analysis.validity.log import REQUEST, Log, column, fed_stages
from recommenders.contract import NO_ITEM, Catalog, PlatformLog, Recommender, Reproducibility, Requests, Slates
from recommenders.models.hashing import chain, mix, root, uniform

if TYPE_CHECKING:
    from analysis.validity.likelihood import Floats

EXPLORED = 0.3
"""Share of requests that the logging policy answers."""
TOP = 0.2
"""Share of the catalog from which the target draws its first item."""
FEWEST = 100
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Value:
    """Hold an estimate with its 95 % interval (by users), and the value in the world with its own error."""

    estimate: float
    error: float
    truth: float
    truth_error: float

    @property
    def covers(self) -> bool:
        """Return whether the difference of both holds zero, by the errors of both."""
        return abs(self.estimate - self.truth) <= _Z * float(np.hypot(self.error, self.truth_error))


class Explored(Recommender):
    """The target policy with a share of exploration; it notes of each request who answered and with what chance."""

    name: ClassVar[str] = "explored"
    reproducibility: ClassVar[Reproducibility] = "exact"

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Take the items with most positives."""
        counts = np.bincount(self.positives(log, catalog).item, minlength=catalog.n_items)
        best = np.argsort(-counts, kind="stable")[: max(round(TOP * catalog.n_items), 1)]
        self.top = np.isin(np.arange(catalog.n_items), best)

    def recommend(self, requests: Requests) -> Slates:
        """Draw the first item by one of the two policies, and the others uniformly."""
        seed = root(self.seed, self.name)
        notes: list[tuple[int, int, int, bool, int, int, bool]] = getattr(self, "notes", [])
        self.notes = notes
        k = requests.slate_size
        items, propensity = np.full((len(requests), k), NO_ITEM, np.int32), np.full((len(requests), k), np.nan)
        for row in range(len(requests)):
            lately = requests.recent_items[requests.recent_start[row] : requests.recent_start[row + 1]]
            late = np.isin(requests.candidates, lately)
            free = requests.candidates[~late]
            key = mix(np.full(1, seed, np.uint64), requests.key[row : row + 1])
            draw = chain(int(key[0] >> np.uint64(1)), requests.candidates.astype(np.uint64))
            order = requests.candidates[np.lexsort((draw, late))]
            explored = bool(uniform(mix(key, np.full(1, 1, np.uint64)))[0] < EXPLORED)
            pool = free[self.top[free]]
            from_top = not explored and pool.size > 0
            if from_top:
                first = order[self.top[order] & ~np.isin(order, lately)][0]
                order = np.concatenate(([first], order[order != first]))
            filled = min(k, order.size)
            items[row, :filled] = order[:filled]
            propensity[row, :filled] = min(filled / max(free.size, 1), 1.0)
            if free.size:
                propensity[row, 0] = 1.0 / (pool.size if from_top else free.size)
                own = (int(requests.user[row]), int(requests.session[row]), int(requests.request[row]))
                notes.append((*own, explored, free.size, pool.size, bool(self.top[order[0]]) or not pool.size))
        return Slates(items, propensity.astype(np.float32))

    def state(self) -> dict[str, np.ndarray]:
        """Return what is fitted; the notes belong to one process."""
        return {"top": self.top}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up what was fitted."""
        self.top = state["top"]


def estimates(log: Log, policy: Explored) -> dict[str, Value] | str:
    """Return the value of the target by inverse propensities, plain (ips) and self-normalised (snips).

    Args:
        log: of a world in which `policy` answered; its platform's rows alone are read.
        policy: with its notes.

    Returns:
        By name; in words why there is none, where too few requests were explored.
    """
    notes = pd.DataFrame(
        getattr(policy, "notes", []), columns=[*REQUEST, "explored", "free", "pool", "of_top"]
    ).drop_duplicates(REQUEST, keep=False)  # fmt: skip
    rows = _requests(log).merge(notes, on=REQUEST)
    explored = rows["explored"].to_numpy(dtype=bool)
    if explored.sum() < FEWEST or (~explored).sum() < FEWEST:
        return f"{int(explored.sum())} requests were explored, {int((~explored).sum())} answered by the target"
    reward, user = column(rows, "reward"), column(rows, "user")
    # Where nothing of the target's own is left, it draws from all as the other does.
    pool = np.where(column(rows, "pool") == 0, column(rows, "free"), column(rows, "pool"))
    in_top = rows["of_top"].to_numpy(dtype=bool)
    logged = column(rows, "propensity")[explored]
    weight = in_top[explored] / pool[explored] / logged
    truth, truth_error = _mean(reward[~explored], np.ones(int((~explored).sum())), user[~explored])
    n = float(explored.sum())
    plain, plain_error = _mean(weight * reward[explored], np.ones(int(n)), user[explored])
    own, own_error = _mean(weight * reward[explored], weight, user[explored])
    return {
        "ips": Value(plain, plain_error, truth, truth_error),
        "snips": Value(own, own_error, truth, truth_error),
        "logging": Value(*_mean(reward[explored], np.ones(int(n)), user[explored]), truth, truth_error),
    }


def _requests(log: Log) -> pd.DataFrame:
    """Return a row per request that the fitted policy answered: its first item, its propensity, and the reward."""
    rows = log.truth[log.truth["logged_at"].notna() & log.truth["item"].notna()]
    shown = rows[(rows["event"] == "impression") & (rows["policy_version"] > 0) & (rows["position"] == 0)]
    shown = shown.sort_values("time", kind="stable").drop_duplicates(REQUEST)
    label = log.scenario.platform.labels[log.scenario.platform.label]
    others = rows[rows["event"] != "impression"]
    chosen = pd.concat([others[others["case"].isna()], others[others["event"] == "open"]])
    played = decisions(rows, label, log.items)
    keys = [*REQUEST, "item"]
    found = shown.merge(chosen[keys].drop_duplicates().assign(chosen=1.0), on=keys, how="left")
    found = found.merge(played[keys].drop_duplicates().assign(played=1.0), on=keys, how="left")
    alone = found["case"].notna() if fed_stages(log.scenario) else pd.Series(False, index=found.index)
    reward = np.where(alone, found["played"].fillna(0.0), found["chosen"].fillna(0.0))
    return found.assign(reward=reward)


def _mean(y: Floats, weight: Floats, user: Floats) -> tuple[float, float]:
    """Return the weighted mean, sum of y over sum of weights, and its error by users (linearised)."""
    total = float(weight.sum())
    if total <= 0:
        return float("nan"), float("nan")
    value = float(y.sum()) / total
    _, owner = np.unique(user, return_inverse=True)
    by_user = np.bincount(owner, weights=y - value * weight)
    n = by_user.size
    return value, float(np.sqrt((by_user**2).sum() * n / max(n - 1, 1)) / total)
