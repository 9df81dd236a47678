"""Public sets as logs: each in the events of the scenarios, as far as it has them.

A set is known by its files. It tells those targets of which it has all events; what it cannot tell (a sample of orders
says nothing of visits) is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.calibrate.logs import FromLog, figures
from analysis.calibrate.worlds import on_truth
from analysis.fidelity.readings import Log, read
from simulator.errors import InputError
from simulator.scenario.schema.readings import (
    AgeReading,
    ItemsReading,
    LearnabilityReading,
    MeanReading,
    MeasureReading,
    Reading,
    events_of,
)
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import Target, role_of
from simulator.scenario.schema.units import parse_unit


@dataclass(frozen=True)
class Known:
    """Hold a public set.

    Attributes:
        files: that it is known by.
        needs: events that a scenario has to have for the set to be of its kind.
        load: reads it; its rows have user, session, time, event, item, case and value, as far as there are such.
        measures: measures of a manifest that its rows tell, by name: the events of a ratio, or `late`.
        tells: events of which it has all that happened, so that readings of them are right.
    """

    files: tuple[str, ...]
    load: Callable[[Path], Log]
    tells: tuple[str, ...]
    ratios: Mapping[str, tuple[str, str]]


def of_set(folder: Path, scenario: Scenario, names: Sequence[str], held_out: float) -> FromLog:
    """Read the figures of a scenario's targets from a public set.

    Raises:
        InputError: no set is known by these files; one of them lacks a column; a target that is named cannot be read,
            or none that may steer.
    """
    there = {path.name for path in folder.iterdir()}
    kind = next((name for name, each in SETS.items() if there.issuperset(each.files)), None)
    if kind is None:
        right = "; ".join(f"{name}: {', '.join(each.files)}" for name, each in SETS.items())
        raise InputError(str(folder), "is neither a run nor a set that is known by its files", f"expected {right}")
    known = SETS[kind]
    unread = {name: why for name, target in scenario.targets.items() if (why := _unread(known, name, target))}
    for name in names:
        if name in unread:
            raise InputError(str(folder), f"does not tell {name}: {unread[name]}", "leave it out of targets=")
    wanted = [
        each
        for each in scenario.targets
        if each not in unread and (not names or each in names or role_of(each) == "check")
    ]
    try:
        log = known.load(folder)
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            str(folder), f"cannot be read as {kind} ({str(error).splitlines()[0]})", "expected its files"
        ) from error

    def reader(part: Log) -> dict[str, float]:
        return {name: _read(known, part, name, scenario.targets[name]) for name in wanted}

    found = figures(log, reader, scenario, held_out, f"{folder} ({kind})")
    return FromLog(f"{folder} ({kind})", *found, unread, {}, on_truth)


def _unread(known: Known, name: str, target: Target) -> str:
    """Return why a set does not tell a target; empty where it does."""
    reading: Reading = target.measure
    if isinstance(reading, MeasureReading):
        measure = reading.name or name
        return (
            ""
            if measure in known.ratios or (measure == "late_share" and "late" in known.tells)
            else f"it has no {measure}"
        )
    if isinstance(reading, LearnabilityReading | ItemsReading | AgeReading):
        return "it is a sample, of which that would be an artefact"
    if getattr(reading, "types", None) or getattr(reading, "devices", None):
        return "it does not tell types of items or devices"
    if isinstance(reading, MeanReading) and reading.late is not None and "late" not in known.tells:
        return "it does not tell what came late"
    missing = [event for _, events in events_of(reading) for event in events if event not in known.tells]
    return f"it has no event {missing[0]}" if missing else ""


def _read(known: Known, log: Log, name: str, target: Target) -> float:
    if isinstance(target.measure, MeasureReading):
        measure = target.measure.name or name
        if measure == "late_share":
            assert log.late is not None, "whoever tells what is late has it"
            return float(log.late["late"].mean())
        above, below = known.ratios[measure]
        events = log.truth["event"].value_counts()
        n = float(events.get(below, 0))
        return float(events.get(above, 0)) / n if n else np.nan
    return read(log, target.measure) / parse_unit(target.unit).factor


def _log(rows: pd.DataFrame, items: pd.DataFrame, late: pd.DataFrame | None = None) -> Log:
    rows = rows.sort_values("time", kind="stable").reset_index(drop=True)
    users = int(rows["user"].max()) + 1
    return Log(rows, items, (), float(rows["time"].max()), late, users=users)


def _numbers(values: pd.Series) -> np.ndarray:
    """Return whole numbers from 0 in place of any ids."""
    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def _seconds(times: pd.Series) -> np.ndarray:
    """Return seconds since the first of these times; NaN where there is none."""
    return np.asarray((times - times.min()).dt.total_seconds(), dtype=np.float64)


def olist(folder: Path) -> Log:
    """Read Olist's orders: order, delivered, and rate with its stars, a case each, and which came late."""
    orders = pd.read_parquet(folder / "orders.parquet").dropna(subset=["order_delivered_customer_date"])
    stars = (
        pd.read_parquet(folder / "reviews.parquet").drop_duplicates("order_id").set_index("order_id")["review_score"]
    )
    begin = orders["order_purchase_timestamp"].min()
    own = pd.DataFrame(
        {"user": _numbers(orders["customer_id"]), "session": 0, "case": np.arange(len(orders)), "item": pd.NA}
    )
    value = stars.reindex(orders["order_id"]).to_numpy(dtype=np.float64)

    def rows(event: str, column: str) -> pd.DataFrame:
        seconds = ((orders[column] - begin) / pd.Timedelta(seconds=1)).to_numpy()
        return own.assign(time=seconds, event=event, value=value if event == "rate" else np.nan)

    came, promised = orders["order_delivered_customer_date"], orders["order_estimated_delivery_date"]
    parts = [rows("order", "order_purchase_timestamp"), rows("delivered", "order_delivered_customer_date")]
    parts.append(rows("rate", "order_delivered_customer_date").dropna(subset=["value"]))
    # A promise names a day: what comes on it comes in time.
    late = own[["user", "case"]].assign(late=(came.dt.normalize() > promised.dt.normalize()).to_numpy())
    return _log(pd.concat(parts), pd.DataFrame(), late)


def mind(folder: Path) -> Log:
    """Read MIND's impression lists: impression and open by news article, a visit per list."""
    lists = pd.read_parquet(folder / "behaviors.parquet")
    shown = lists["impressions"].str.split(" ").explode()
    news, _, clicked = (shown.str.rpartition("-")[k] for k in range(3))
    at = shown.index
    rows = pd.DataFrame({
        "user": _numbers(lists["user_id"])[at], "session": np.arange(len(lists))[at],
        "time": _seconds(lists["time"])[at], "event": "impression", "item": _numbers(news),
        "case": pd.NA, "value": np.nan,
    })  # fmt: skip
    opened = rows[(clicked == "1").to_numpy()].assign(event="open")
    return _log(pd.concat([rows, opened]), pd.DataFrame())


def kuairand(folder: Path) -> Log:
    """Read KuaiRand's plays with likes and hates: a case per play, its end (skip or complete) and its act."""
    plays = pd.read_parquet(folder / "interactions.parquet")
    plays = plays[plays["duration_ms"] > 0].reset_index(drop=True)
    watched, duration = plays["play_time_ms"] / 1000.0, plays["duration_ms"] / 1000.0
    own = pd.DataFrame({
        "user": _numbers(plays["user_id"]), "session": 0, "case": np.arange(len(plays)), "item": np.arange(len(plays)),
        "time": (plays["time_ms"] - plays["time_ms"].min()) / 1000.0, "value": watched,
    })  # fmt: skip
    ends = own.assign(event=np.where(watched >= duration, "complete", "skip"))
    acts = own.assign(event=np.where(plays["label"] == 1, "like", "hate"), value=np.nan)
    return _log(pd.concat([ends, acts]), pd.DataFrame({"duration": duration}))


def grubhub(folder: Path) -> Log:
    """Read Grubhub's days: order, accepted at once, and ready, a case per order; nobody is named, so each is a user."""
    orders = pd.read_parquet(folder / "orders.parquet")
    n = np.arange(len(orders))
    own = pd.DataFrame({"user": n, "session": 0, "case": n, "item": pd.NA, "value": np.nan})
    placed, ready = (60.0 * orders[column].to_numpy(dtype=np.float64) for column in ("placement_time", "ready_time"))
    parts = [own.assign(event=event, time=placed) for event in ("order", "accepted")]
    return _log(pd.concat([*parts, own.assign(event="ready", time=ready)]), pd.DataFrame())


SETS = {
    "Olist": Known(
        ("orders.parquet", "reviews.parquet", "order_items.parquet"), olist, ("order", "delivered", "rate", "late"), {}
    ),
    "MIND": Known(
        ("behaviors.parquet", "news.parquet"), mind, ("impression", "open"),
        {"open_per_impression": ("open", "impression")},
    ),
    "Grubhub": Known(("orders.parquet", "couriers.parquet", "restaurants.parquet"), grubhub, ("accepted", "ready"), {}),
    "KuaiRand": Known(("interactions.parquet",), kuairand, ("skip", "complete", "like", "hate"), {}),
}  # fmt: skip
