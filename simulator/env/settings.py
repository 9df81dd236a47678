"""The settings of an environment: what each may be, and what is left to the scenario."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from recommenders.contract.names import unknown_name
from simulator.errors import InputError
from simulator.scenario.durations import parse_duration

EPISODES = ("visit", "lifetime")
WHERE = "environment"
WORTH_A_THREAD = 128
_MOST_THREADS = 8


def whole_number(name: str, value: Any, least: int) -> int:
    """The number. Raises InputError where it is none, or below `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(WHERE, f"{name} = {value!r}", f"a whole number of at least {least}")
    return value


def seconds_of(name: str, value: Any) -> float:
    """A positive time in s, from a number or a duration. Raises InputError where it is neither."""
    found = value
    if isinstance(value, str):
        try:
            found = parse_duration(value)
        except ValueError:
            found = None
    if isinstance(found, bool) or not isinstance(found, int | float) or not (found > 0 and math.isfinite(found)):
        raise InputError(WHERE, f"{name} = {value!r}", "a positive duration: s, or such as '60d'")
    return float(found)


@dataclass(frozen=True)
class EnvSettings:
    """Everything that makes an environment, besides seeds of episodes.

    Attributes:
        scenario: name of a scenario, or path of a scenario file.
        episode: `visit` (one visit of a new user) or `lifetime` (all visits of a new user until churn or `horizon`).
        reward: name of a reward, or names with weights (see `simulator.env.rewards`).
        items: items of the catalog, which are the actions.
        slate: the most items of a slate; None takes what each surface of the scenario shows.
        horizon: end of a lifetime, s of simulated time from the world's start; None takes the scenario's own,
            for lifetimes at least 60 days.
        limit: requests after which an episode is truncated; None: 200 in a visit, 100,000 in a lifetime.
        catalog_seed: draws the catalog and what all users share. Users and luck come from the seed of `reset`.
        features: columns of item features that are made of the encoders' vectors.
        history: logged events that an observation carries.
        observe_candidates: whether an observation carries the items' features (a constant).
        repeat: `platform` (items lately sent are not sent again, as the scenario's platform has it) or `allow`.
        margin: share of what is paid that is earned.
        background: users besides the agent's, who share its world and are answered by the scenario's warm-up policy.
        shared: for vectors: sub-environments are users of one world.
        threads: threads of a vector; never changes a result. None: as many as there are cores for this process, up to 8
            (in a shared world: 1).
    """

    scenario: str = ""
    episode: str = "visit"
    reward: Any = None
    items: int = 1000
    slate: int | None = None
    horizon: float | None = None
    limit: int | None = None
    catalog_seed: int = 0
    features: int = 16
    history: int = 16
    observe_candidates: bool = True
    repeat: str = "platform"
    margin: float = 0.3
    background: int = 0
    shared: bool = False
    threads: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> EnvSettings:
        """Checked settings. Raises InputError for what is unknown or wrong."""
        known = [each.name for each in fields(cls)]
        for name in given:
            if name not in known:
                raise InputError(WHERE, *unknown_name("setting", name, known))
        values = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        if values.get("horizon") is not None:
            values["horizon"] = seconds_of("horizon", values["horizon"])
        found = cls(**values)
        found._check()
        return found

    def _check(self) -> None:
        if not isinstance(self.scenario, str) or not self.scenario:
            raise InputError(WHERE, "no scenario is given", "scenario=NAME or the path of a scenario file")
        for name, least in (("items", 2), ("features", 1), ("history", 1), ("background", 0),
                            ("catalog_seed", 0)):  # fmt: skip
            whole_number(name, getattr(self, name), least)
        for name in ("slate", "limit", "threads"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        for name in ("observe_candidates", "shared"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(WHERE, f"{name} = {getattr(self, name)!r}", "True or False")
        margin: Any = self.margin
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not math.isfinite(margin):
            raise InputError(WHERE, f"margin = {margin!r}", "a number")
        if self.episode not in EPISODES:
            raise InputError(WHERE, f"episode = {self.episode!r}", f"one of {', '.join(EPISODES)}")
        if self.repeat not in ("platform", "allow"):
            raise InputError(WHERE, f"repeat = {self.repeat!r}", "platform or allow")

    def threads_for(self, n: int) -> int:
        """Threads for n independent users; few are not worth more than one."""
        if n < WORTH_A_THREAD:
            return 1
        here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.threads or min(here, _MOST_THREADS)

    @property
    def most_requests(self) -> int:
        """Requests after which an episode is truncated."""
        return self.limit or (200 if self.episode == "visit" else 100_000)
