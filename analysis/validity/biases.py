"""Naive readings of a platform log against the truth: how far each is off, signed so that the known bias is above 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.elasticity import decisions
from analysis.statistics import mean
from analysis.validity.log import REQUEST, Log, column
from analysis.validity.models import cards_of, plays_of

if TYPE_CHECKING:
    from analysis.validity.likelihood import Floats

POSITION, EXPOSURE, RATERS, RATERS_MEAN = "position", "exposure", "raters", "raters_mean"
SAYS = {
    POSITION: "clicks fall with the rank, taken as attractiveness: more than among cards that were read",
    EXPOSURE: "popularity by clicks goes with impressions: more than worth does",
    RATERS: "who says something lived through more, good or bad, than all who could have",
    RATERS_MEAN: "mean satisfaction of who says something less that of all (no direction is declared)",
}
DIRECTED = (POSITION, EXPOSURE, RATERS)
"""Biases whose direction is known beforehand."""
_CARD = [*REQUEST, "item"]


def biases(log: Log) -> dict[str, float]:
    """Return how far the naive readings of a world's platform log are off; NaN where there is nothing to read."""
    own, all_of_it = said(log)
    return {
        POSITION: position(log),
        EXPOSURE: exposure(log),
        RATERS: mean(np.abs(own - mean(all_of_it))) - mean(np.abs(all_of_it - mean(all_of_it))),
        RATERS_MEAN: mean(own) - mean(all_of_it),
    }


def position(log: Log) -> float:
    """Return how much steeper clicks fall by the log of the rank than among cards that were read, in mean clicks.

    Whoever takes the rate of clicks for attractiveness takes a place far down for a worse item. Among the cards that
    were read nothing but the item is left.
    """
    stages = cards_of(log.scenario)
    if not stages:
        return float("nan")
    cards = log.cards(stages)
    cards = cards[cards["logged_at"].notna()]
    others = log.truth[(log.truth["event"] != "impression") & log.truth["logged_at"].notna()]
    picked = others[_CARD].dropna().drop_duplicates().assign(clicked=1.0)
    both = cards.merge(picked, on=_CARD, how="left")
    rank, clicked = np.log(column(both, "rank")), both["clicked"].fillna(0.0).to_numpy(dtype=np.float64)
    read = both["read"].to_numpy(dtype=bool)
    return _slope(rank[read], clicked[read]) - _slope(rank, clicked)


def exposure(log: Log) -> float:
    """Return by how much impressions go more with counts of clicks and positives than with worth to who met the item.

    Both are rank correlations over the items that were shown; were popularity by counts a reading of worth, they would
    be alike.
    """
    shown = log.truth[log.truth["event"] == "impression"]
    by_item = shown.groupby("item", observed=True)["utility"].agg(["mean", "size"])
    kept = log.truth[log.truth["logged_at"].notna() & log.truth["item"].notna()]
    label = log.scenario.platform.labels[log.scenario.platform.label]
    clicks = pd.concat([kept[kept["event"] == "open"], decisions(kept, label, log.items)])
    counts = clicks.groupby("item", observed=True).size().reindex(by_item.index, fill_value=0).to_numpy()
    if by_item.shape[0] < 3 or np.unique(counts).size < 2 or by_item["size"].nunique() < 2:
        return float("nan")
    naive = float(stats.spearmanr(by_item["size"], counts).statistic)
    return naive - float(stats.spearmanr(by_item["size"], by_item["mean"]).statistic)


def said(log: Log) -> tuple[Floats, Floats]:
    """Return the satisfaction of those who rated, or liked where nothing is rated, and of all who could have."""
    rated = {
        block.rating.event: name for name, block in log.scenario.respond.items() if block.rating is not None
    }  # fmt: skip
    if rated:
        event, stage = next(iter(rated.items()))
        uses = [name for name, each in log.scenario.stages.items() if stage in each.next.values()]
        all_of_it = log.truth[log.truth["stage"].isin([*uses, stage]) & log.truth["satisfaction"].notna()]
        return column(log.at([event]), "satisfaction"), column(_once(all_of_it), "satisfaction")
    plays = plays_of(log.scenario)
    acts = [
        name for stage in plays.values() for name, act in log.scenario.respond[stage].acts.items() if act.positive
    ]  # fmt: skip
    everybody = log.ends(list(plays))
    everybody = everybody[everybody["satisfaction"].notna()]
    return column(_once(log.at(acts)), "satisfaction"), column(everybody, "satisfaction")


def _once(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates(["user", "case"])


def _slope(x: Floats, y: Floats) -> float:
    """Return the slope of y over its mean, by least squares."""
    if x.size < 3 or x.std() == 0 or y.mean() == 0:
        return float("nan")
    return float(np.cov(x, y)[0, 1] / x.var(ddof=1) / y.mean())
