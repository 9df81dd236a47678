"""Measures that need a run's logs and not only its sums: what one item met, how the last days differ from the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simulator.result import RunResult

STORY = "story"
ENDS_OF_READING = ("read_part", "read_whole", "informed")


def over_time(result: RunResult) -> dict[str, float]:
    """Opens per impression in the first and in the last quarter of the run, and how much later differs from first."""
    truth = result.truth
    horizon = float(truth["time"].max())
    found = {}
    for name, rows in (
        ("first", truth[truth["time"] < horizon / 4]),
        ("last", truth[truth["time"] >= 3 * horizon / 4]),
    ):
        events = rows["event"].value_counts()
        found[f"open_per_impression_{name}"] = float(events.get("open", 0)) / max(float(events.get("impression", 0)), 1)
    return {
        **found,
        "open_per_impression_change": found["open_per_impression_last"] - found["open_per_impression_first"],
    }


def crowded(result: RunResult) -> dict[str, float]:
    """How what is shown first fared as its crowd grew: stars, seconds to delivery, and orders per impression, in the
    first and in the last third of the time since the first fit, and how much later differs from first.

    Where most slates begin with one item (or parent in place of items), it is that one; else every item is shown first
    to few, and all of them together say how an ordinary one fares.
    """
    since = result.truth.loc[result.truth["policy_version"] > 0, "time"].min()
    truth = result.truth[result.truth["time"] >= since]
    third = (float(truth["time"].max()) - since) / 3
    first_places = truth.loc[(truth["event"] == "impression") & (truth["position"] == 0), "item"].value_counts()
    if first_places.iloc[0] > first_places.sum() / 2:
        truth = truth[truth["item"] == first_places.index[0]]
    found: dict[str, float] = {}
    early, late = truth[truth["time"] < since + third], truth[truth["time"] >= since + 2 * third]
    for name, rows in (("first", early), ("last", late)):
        events = rows["event"].value_counts()
        impressions = int(events.get("impression", 0))
        found[f"crowded_rating_{name}"] = float(rows.loc[rows["event"] == "rate", "value"].mean())
        found[f"crowded_seconds_{name}"] = float(rows.loc[rows["event"] == "done", "value"].mean())
        found[f"crowded_order_{name}"] = int(events.get("order", 0)) / impressions if impressions else float("nan")
    for what in ("rating", "seconds", "order"):
        found[f"crowded_{what}_change"] = found[f"crowded_{what}_last"] - found[f"crowded_{what}_first"]
    return found


ANSWERS = ("shortlisted", "rejected", "hired")
PATIENCE = 40 * 86400.0
SEEKERS = 250


def first_seekers(result: RunResult) -> dict[str, float]:
    """What became of the applications of the first 250 seekers, who are the same persons however many others there are:
    shares of those that are 40 days old at the end which were shortlisted, led to a job, and were answered by nothing.
    """
    truth = result.truth[result.truth["user"] < SEEKERS]
    end = float(result.truth["time"].max())
    own = ["user", "case"]
    old = truth[(truth["event"] == "apply") & (truth["time"] < end - PATIENCE)][own]

    def share(*events: str) -> float:
        came = truth[truth["event"].isin(events)][own].drop_duplicates()
        return len(old.merge(came, on=own)) / len(old) if len(old) else float("nan")

    return {
        "seekers_shortlisted": share("shortlisted"),
        "seekers_hired": share("hired"),
        "seekers_unheard": 1.0 - share(*ANSWERS),
    }


def sales(result: RunResult) -> dict[str, float]:
    """Orders per impression."""
    events = result.manifest["events"]
    return {"order_per_impression": events.get("order", 0) / max(events.get("impression", 0), 1)}


def liked_and_sold(result: RunResult) -> dict[str, float]:
    """Spearman's correlation over items of what they are worth to those who saw them with their orders per impression
    and with their orders, as the platform's log has them."""
    from scipy.stats import spearmanr

    shown = result.truth[result.truth["event"] == "impression"]
    worth = shown.groupby("item")["utility"].mean()
    kept = result.platform
    done = kept[kept["event"] == "done"].groupby("item").size().reindex(worth.index, fill_value=0)
    impressions = kept[kept["event"] == "impression"].groupby("item").size().reindex(worth.index, fill_value=0)
    rate = np.where(impressions > 0, done / np.maximum(impressions, 1), np.nan)
    seen = ~np.isnan(rate)
    return {
        "liked_and_sold": float(spearmanr(worth, done).statistic),
        "liked_and_sold_per_impression": float(spearmanr(worth[seen], rate[seen]).statistic),
    }


def duplicates(result: RunResult) -> dict[str, float]:
    """Share of first plays of an article whose user had another of the same story, or its headline, before."""
    truth = result.truth[result.truth["item"].notna()].sort_values("time", kind="stable")
    had = truth[truth["event"].isin(ENDS_OF_READING)].drop_duplicates(["user", "item"])
    story = result.items[STORY].to_numpy()[had["item"].astype(int)]
    again = had.assign(story=story).duplicated(["user", "story"])
    read = had["event"] != ENDS_OF_READING[-1]
    return {"duplicate_share": float(again[read].mean())}


READINGS: dict[str, Callable[[RunResult], dict[str, float]]] = {
    "over_time": over_time,
    "crowded": crowded,
    "first_seekers": first_seekers,
    "sales": sales,
    "liked_and_sold": liked_and_sold,
    "duplicates": duplicates,
}

WITHOUT_LOGS = frozenset({"sales"})
"""Readings of a run's counts alone, which need no log."""
