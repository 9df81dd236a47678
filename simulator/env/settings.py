"""The settings of an environment: what each may be, and what is left to the scenario."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommenders.contract.settings import Reader, Settings, checked, number, one_of, setting, whole_number
from simulator.config import read_duration
from simulator.env.errors import WHERE, EnvInputError, check_keywords

WORTH_A_THREAD = 128
_MOST_THREADS = 8


def checked_argument(name: str, value: Any, read: Reader) -> Any:
    """Return what the reader makes of an argument beside the settings. Raises InputError where it is wrong."""
    try:
        return read(value)
    except ValueError as right:
        raise _wrong(name, value, str(right)) from None


def _wrong(name: str, value: Any, right: str) -> EnvInputError:
    return EnvInputError(WHERE, f"{name} = {value!r}", right)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("True or False")
    return value


@dataclass(frozen=True)
class EnvSettings(Settings):
    """Everything that makes an environment, besides seeds of episodes."""

    scenario: str = setting("", "name of a scenario, or path of a scenario file")
    episode: str = setting(
        "visit", "visit, or lifetime: visits of a user until churn", read=one_of("visit", "lifetime")
    )
    reward: Any = setting(None, "name of a reward, or names with weights (see simulator.env.rewards)")
    items: int = setting(1000, "items of the catalog, which are the actions", read=whole_number(2))
    slate: int | None = setting(None, "the most items of a slate (None: what a surface shows)", read=whole_number(1))
    # None takes the scenario's own, for lifetimes at least 60 days.
    horizon: float | None = setting(None, "end of a lifetime, s from the world's start", read=read_duration)
    # None: 200 in a visit, 100,000 in a lifetime.
    limit: int | None = setting(None, "requests after which an episode is truncated", read=whole_number(1))
    # Users and luck come from the seed of `reset`.
    catalog_seed: int = setting(0, "draws the catalog and what all users share", read=whole_number(0))
    features: int = setting(16, "columns of item features, made of the encoders' vectors", read=whole_number(1))
    history: int = setting(16, "logged events that an observation carries", read=whole_number(1))
    observe_candidates: bool = setting(True, "whether an observation carries the items' features", read=_flag)
    # The platform does not send again what it sent lately.
    repeat: str = setting("platform", "platform, or allow any item again", read=one_of("platform", "allow"))
    margin: float = setting(0.3, "share of what is paid that is earned", read=number)
    # They share the agent's world and are answered by the scenario's warm-up policy.
    background: int = setting(0, "users besides the agent's", read=whole_number(0))
    shared: bool = setting(False, "for vectors: sub-environments are users of one world", read=_flag)
    # None: as many as there are cores for this process, up to 8 (in a shared world: 1).
    threads: int | None = setting(None, "threads of a vector; never changes a result", read=whole_number(1))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> EnvSettings:
        """Return checked settings. Raises EnvInputError; for an unknown keyword it is a TypeError, too."""
        known = cls.described()
        check_keywords(given, known)
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        found = cls(**checked(known, plain, _wrong))
        if not found.scenario:
            raise EnvInputError(WHERE, "no scenario is given", "scenario=NAME or the path of a scenario file")
        return found

    def threads_for(self, n: int) -> int:
        """Return how many threads to use for n independent users; few are not worth more than one."""
        if n < WORTH_A_THREAD:
            return 1
        here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.threads or min(here, _MOST_THREADS)

    @property
    def most_requests(self) -> int:
        """Return the number of requests after which an episode is truncated."""
        return self.limit or (200 if self.episode == "visit" else 100_000)
