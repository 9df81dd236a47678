"""Measures that need a run's logs and not only its sums: what one item met, how the last days differ from the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simulator.world import RunResult

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


def pinned_item(result: RunResult) -> dict[str, float]:
    """How the pinned item fared: stars, seconds to delivery, and orders per impression in the last half of the run.

    It is the first of all that slates are made of: the one with the lowest number that was ever shown.
    """
    pinned = result.truth.loc[result.truth["event"] == "impression", "item"].min()
    truth = result.truth[result.truth["item"] == pinned]
    late = truth[truth["time"] >= float(result.truth["time"].max()) / 2]
    shown = int((late["event"] == "impression").sum())
    orders = int((late["event"] == "order").sum())
    return {
        "pinned_rating": float(truth.loc[truth["event"] == "rate", "value"].mean()),
        "pinned_seconds": float(truth.loc[truth["event"] == "done", "value"].mean()),
        "pinned_order_per_impression": orders / shown if shown else float("nan"),
    }


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
    "pinned_item": pinned_item,
    "liked_and_sold": liked_and_sold,
    "duplicates": duplicates,
}
