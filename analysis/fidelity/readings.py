"""Readings of a run's logs: what targets measure that no sum of a run says. In SI; NaN where there is nothing to read.

What each means is said by its model in `simulator.scenario.schema.readings`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.elasticity import decisions
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation import offline
from simulator.scenario.schema import readings as said

if TYPE_CHECKING:
    from simulator.scenario.schema.platform import Label

VISIT, CASE = ["user", "session"], ["user", "case"]
ALONG = {"case": CASE, "item": ["user", "item"]}


@dataclass(frozen=True)
class Log:
    """Hold what readings are taken from.

    Attributes:
        truth: the truth log, a row per event.
        items: what recommenders may know of the items, a row per item in order of number.
        types: names behind the codes of items' types.
        modalities: names behind the bits of what was visible.
        horizon: of the run, s.
        late: of cases of which something was promised and that came: user, case, and whether it came late.
        platform: the platform log, where positives are to be judged.
        label: what counts as a positive.
        users: how many there are.
    """

    truth: pd.DataFrame
    items: pd.DataFrame
    types: Sequence[str]
    horizon: float
    late: pd.DataFrame | None = None
    platform: pd.DataFrame | None = None
    label: Label | None = None
    users: int = 0
    modalities: Sequence[str] = ()

    def rows(self, events: Sequence[str], reading: said.OfLog) -> pd.DataFrame:
        """Return the rows of these events, of the devices and types of items that a reading is of."""
        found = self.truth[self.truth["event"].isin(events)]
        if reading.devices:
            found = found[found["device"].isin(reading.devices)]
        if reading.types:
            found = found[found["item"].notna()]
            codes = [self.types.index(name) for name in reading.types]
            found = found[np.isin(self.of_items("type", found), codes)]
        return found

    def of_items(self, column: str, rows: pd.DataFrame) -> np.ndarray:
        """Return a column of the items of these rows, shape (rows,)."""
        values: np.ndarray = self.items[column].to_numpy()[rows["item"].to_numpy(dtype=np.int64)]
        return values


def read(log: Log, reading: Any) -> float:
    """Take a reading of a log, in SI; NaN where there is nothing to read."""
    return float(READERS[type(reading)](log, reading))


def share(log: Log, reading: said.ShareReading) -> float:
    """Return the share of rows of `of` that are of `events`, soon enough and in visits of the right length."""
    rows = log.rows(reading.of, reading)
    if reading.per_visit is not None:
        least, most = reading.per_visit
        rows = rows[rows.groupby(VISIT)["time"].transform("size").between(least, most)]
    hit = rows["event"].isin(reading.events)
    if reading.within is not None:
        hit &= rows["value"] <= reading.within
    return float(hit.mean())


def rate(log: Log, reading: said.RateReading) -> float:
    """Return rows of `events` per second of the values of `of`, 1/s."""
    seconds = float(log.rows(reading.of, reading)["value"].sum())
    return len(log.rows(reading.events, reading)) / seconds if seconds > 0 else np.nan


def visits_with(log: Log, reading: said.VisitsReading) -> float:
    """Return the share of visits, of these devices, with a row of `events`."""
    whole = log.truth[log.truth["device"].isin(reading.devices)] if reading.devices else log.truth
    visits = len(whole[VISIT].drop_duplicates())
    return len(log.rows(reading.events, reading)[VISIT].drop_duplicates()) / visits if visits else np.nan


def followed(log: Log, reading: said.FollowedReading) -> float:
    """Return the share of rows of `events` that one of `by` followed, or none did, or how many there are per such."""
    first = _old(log, log.rows(reading.events, reading), reading.after)
    keys = ALONG[reading.along]
    then = log.truth[log.truth["event"].isin(reading.by)].dropna(subset=keys)
    last = then.groupby(keys)["time"].max().rename("last").reset_index()
    came = float((first[[*keys, "time"]].merge(last, on=keys, how="left")["last"] >= first["time"].to_numpy()).mean())
    if reading.gives == "per":
        return 1.0 / came if came > 0 else np.nan
    return 1.0 - came if reading.gives == "none" else came


def mean_value(log: Log, reading: said.MeanReading) -> float:
    """Return the mean value of rows, of all cases or of those alone that came late or in time."""
    rows = log.rows(reading.events, reading)
    if reading.late is not None:
        assert log.late is not None, "whoever takes this reading looks who came late"
        rows = rows.merge(log.late[log.late["late"] == reading.late], on=CASE)
    return float(rows["value"].mean())


def delay(log: Log, reading: said.DelayReading) -> float:
    """Return the time from rows of `begins` to the first of `ends`, s; what has not ended is left out."""
    keys = ALONG[reading.along]
    begun = _old(log, log.rows(reading.begins, reading), reading.after)[[*keys, "time"]].dropna(subset=keys)
    ends = log.truth[log.truth["event"].isin(reading.ends)][[*keys, "time"]].dropna(subset=keys)
    both = begun.drop_duplicates(keys).merge(ends, on=keys, suffixes=("", "_end"))
    both = both[both["time_end"] >= both["time"]].sort_values("time_end").drop_duplicates(keys)
    seconds = both["time_end"] - both["time"]
    return float(seconds.mean() if reading.quantile is None else seconds.quantile(reading.quantile))


def time_share(log: Log, reading: said.TimeShareReading) -> float:
    """Return which share of the time of all cases together, of those that have it all, lies between two events."""
    wanted = [*reading.of, reading.begins, reading.ends]
    rows = log.rows(wanted, reading).dropna(subset=CASE)
    rows = rows.assign(event=rows["event"].astype(str))
    times = rows.groupby([*CASE, "event"])["time"].min().unstack().reindex(columns=list(dict.fromkeys(wanted))).dropna()
    whole = float((times[reading.of[1]] - times[reading.of[0]]).sum())
    return float((times[reading.ends] - times[reading.begins]).sum()) / whole if whole > 0 else np.nan


def lift(log: Log, reading: said.LiftReading) -> float:
    """Return how much more often rows of `of` lead to `events` for items that have the modality than for others."""
    shown = log.rows(reading.of, reading).dropna(subset="item")
    bit = np.uint32(1 << list(log.modalities).index(reading.modality))
    having = shown.loc[(shown["visible"].to_numpy() & bit) != 0, "item"].unique()
    chosen = log.rows(reading.events, reading).dropna(subset="item")
    n = [(rows["item"].isin(having).sum(), (~rows["item"].isin(having)).sum()) for rows in (chosen, shown)]
    (with_it, without), (seen_with, seen_without) = n
    return (with_it / seen_with) / (without / seen_without) if seen_with and without else np.nan


def age(log: Log, reading: said.AgeReading) -> float:
    """Return a quantile of the time since their publication at which items had these rows, s."""
    rows = log.rows(reading.events, reading)
    rows = rows[rows["item"].notna()]
    published = log.of_items("published_at", rows)
    ages = rows["time"] - published
    if reading.until is not None:
        ages = ages[(published > 0) & (published <= log.horizon - reading.until) & (ages <= reading.until)]
    return float(ages.quantile(reading.quantile))


def played(log: Log, reading: said.PlayedReading) -> float:
    """Return a quantile of time played over duration, or the share above a ratio."""
    rows = log.rows(reading.events, reading)
    if reading.given:
        acts = log.truth[log.truth["event"].isin(reading.given)].dropna(subset=CASE)
        rows = rows.merge(acts[CASE].drop_duplicates(), on=CASE)
    ratio = rows["value"] / log.of_items("duration", rows)
    return float(ratio.quantile(reading.quantile) if reading.above is None else (ratio > reading.above).mean())


def items(log: Log, reading: said.ItemsReading) -> float:
    """Return a quantile of a public number of the items."""
    return float(log.items[reading.attribute].quantile(reading.quantile))


def learnability(log: Log, reading: said.LearnabilityReading) -> float:
    """Return density of the platform log's positives, or how far item-kNN beats popularity on them."""
    assert log.platform is not None
    assert log.label is not None, "whoever takes this reading has the platform's log"
    chosen = decisions(log.platform[log.platform["item"].notna()], log.label, log.items)
    n = len(log.items)
    user, item = (chosen[name].to_numpy(dtype=np.uint32) for name in ("user", "item"))
    positives = distinct_pairs(user, item, chosen["time"].to_numpy(dtype=np.float64), n)
    if reading.gives == "density":
        return len(positives) / (log.users * n) if log.users * n else np.nan
    return offline.learnability(positives, log.users, n, seed=0)["ratio"]


def _old(log: Log, rows: pd.DataFrame, after: float | None) -> pd.DataFrame:
    """Return the rows that are old enough at the end for what follows them to have come."""
    return rows if after is None else rows[rows["time"] <= log.horizon - after]


READERS: dict[type, Callable[[Log, Any], float]] = {
    said.ShareReading: share, said.RateReading: rate, said.VisitsReading: visits_with, said.FollowedReading: followed,
    said.MeanReading: mean_value, said.DelayReading: delay, said.TimeShareReading: time_share, said.LiftReading: lift,
    said.AgeReading: age, said.PlayedReading: played, said.ItemsReading: items,
    said.LearnabilityReading: learnability,
}  # fmt: skip
