"""A world's truth log, as the models read it: screens and places on them, ends of plays, visits and their gaps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.validity.likelihood import Floats

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario

REQUEST = ["user", "session", "request"]
SCREEN = [*REQUEST, "time"]
VISIT = ["user", "session"]
ENDS = ("skip", "complete")


@dataclass(frozen=True)
class Log:
    """Hold what the models are fitted to.

    Attributes:
        scenario: what the world was run with.
        truth: its truth log.
        items: public columns of its items, a row per item.
        users: how many there are.
        horizon: of the run, s.
    """

    scenario: Scenario
    truth: pd.DataFrame
    items: pd.DataFrame
    users: int
    horizon: float

    def at(self, events: Collection[str], stages: Collection[str] | None = None) -> pd.DataFrame:
        """Return the rows of these events, at these stages."""
        rows = self.truth[self.truth["event"].isin(events)]
        return rows if stages is None else rows[rows["stage"].isin(stages)]

    def cards(self, stages: Collection[str]) -> pd.DataFrame:
        """Return the impressions of cards at these stages, with `rank` (from 1) and `read`.

        A rank is one of the screen, whose cards come at one time, or, where attention falls over all of a list, one of
        the list: of its first slate alone, as no log says how many cards were above a later one. Who reads a card has a
        belief about it.
        """
        rows = self.at(["impression"], stages)
        if all(self.scenario.browse[name].decays_over == "list" for name in stages):
            first = rows.groupby([*VISIT, "stage"], observed=True)["request"].transform("min")
            rows = rows[rows["request"] == first]
            rank = rows["position"].to_numpy(dtype=np.float64) + 1.0
        else:
            first = rows.groupby(SCREEN, observed=True)["position"].transform("min")
            rank = (rows["position"] - first).to_numpy(dtype=np.float64) + 1.0
        return rows.assign(rank=rank, read=rows["belief"].notna())

    def ends(self, stages: Collection[str]) -> pd.DataFrame:
        """Return how the plays of these stages ended that somebody looked at, a row per play."""
        away = self.at(["unattended"])[["user", "case"]].drop_duplicates()
        rows = self.at(self.ends_of(stages), stages).merge(away, on=["user", "case"], how="left", indicator=True)
        return rows[rows["_merge"] == "left_only"].drop(columns="_merge")

    def ends_of(self, stages: Collection[str]) -> set[str]:
        """Return the events with which plays of these stages end."""
        return {self.scenario.stages[stage].events.get(end, end) for stage in stages for end in ENDS}

    @cached_property
    def visits(self) -> pd.DataFrame:
        """Return user, session, begin and end of each visit, s, in order; the end is NaN where it is still open."""
        first = self.truth[self.truth["session"].notna()].groupby(VISIT, observed=True)["time"].min().rename("begin")
        left = self.at(["leave"]).set_index(VISIT)
        found = first.reset_index().merge(
            pd.DataFrame({"end": left["time"], "length": left["value"]}), left_on=VISIT, right_index=True, how="left"
        )
        found["begin"] = (found["end"] - found["length"]).fillna(found["begin"])
        return found.sort_values(VISIT, kind="stable")[[*VISIT, "begin", "end"]]


def fed_stages(scenario: Scenario) -> list[str]:
    """Return the browse stages whose items play by themselves."""
    return [
        name for name, stage in scenario.stages.items() if stage.kind == "browse" and plays_by_itself(scenario, name)
    ]


def plays_by_itself(scenario: Scenario, stage: str) -> bool:
    """Return whether a stage is on a surface whose items play by themselves."""
    surface = scenario.stages[stage].surface
    return surface is not None and scenario.surfaces[surface].layout == "autoplay"


def column(rows: pd.DataFrame, name: str) -> Floats:
    """Return a column of numbers, NaN where there is none, shape (rows,)."""
    return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
