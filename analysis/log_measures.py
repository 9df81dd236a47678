"""Measures that need a run's logs and not only its sums: what one item met, how the last days differ from the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from simulator.scenario.durations import DAY

if TYPE_CHECKING:
    from simulator.records.result import RunResult

STORY = "story"
ENDS_OF_READING = ("read_part", "read_whole", "informed")


def over_time(result: RunResult) -> dict[str, float]:
    """Return opens per impression in the first and last quarter of the run, and how much they differ."""
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
    """Measure how the item (or the parent in place of items) that is most often shown first fared since the first fit.

    Stars, seconds to delivery, and orders per time that it was shown first. These count in the second half alone: what
    is said of it has to get about.
    """
    since = result.truth.loc[result.truth["policy_version"] > 0, "time"].min()
    truth = result.truth[result.truth["time"] >= since]
    firsts = (truth["event"] == "impression") & (truth["position"] == 0)
    truth = truth[truth["item"] == truth.loc[firsts, "item"].value_counts().index[0]]
    later = truth[(truth["time"] >= (since + result.truth["time"].max()) / 2) & (truth["position"] == 0)]
    events = later["event"].value_counts()
    return {
        "crowded_rating": float(truth.loc[truth["event"] == "rate", "value"].mean()),
        "crowded_seconds": float(truth.loc[truth["event"] == "done", "value"].mean()),
        "crowded_orders": float(events.get("order", 0)) / max(float(events.get("impression", 0)), 1.0),
    }


ANSWERS = ("shortlisted", "rejected", "hired")
PATIENCE = 40 * DAY
SEEKERS = 250


def first_seekers(result: RunResult) -> dict[str, float]:
    """Follow the applications of the first 250 seekers, who are the same persons however many others there are:
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
    """Return orders per impression."""
    events = result.manifest["events"]
    return {"order_per_impression": events.get("order", 0) / max(events.get("impression", 0), 1)}


def liked_and_sold(result: RunResult) -> dict[str, float]:
    """Return Spearman's correlation over items of their worth to those who saw them with orders per impression.

    And with their orders, as the platform's log has them.
    """
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
    """Return the share of first plays of an article whose user had another of the story, or its headline, before."""
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
