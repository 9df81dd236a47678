"""Rewards by name: what an event is worth to whom, as tables over (stage, event) that one pass over records applies.

| name | what is added up | known to the platform |
|---|---|---|
| clicks | items that were opened | yes |
| watch_time | seconds watched, listened or read | yes |
| orders | confirmed decisions: orders, applications | yes |
| margin | `margin` x what was paid, taken back when the order is refused, cancelled or returned | yes |
| retention | visits after the first | yes |
| reported_satisfaction | acts that praise (+1) or complain (-1), and ratings from -1 to 1 | yes |
| truth_satisfaction | what users felt, whether they said so or not, in units of utility | no: truth |

An event of a visit counts when it happens, if the platform ever gets a record of it. An event of a case (an order on
its way) counts when its record arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import StageKind
from simulator.env.errors import WHERE, EnvInputError
from simulator.errors import check_known
from simulator.plan.compiler import Compiled
from simulator.scenario.events import CODE, MOST_EVENTS
from simulator.scenario.life_cycle import beside_visits

REWARDS = ("clicks", "watch_time", "orders", "margin", "retention", "reported_satisfaction", "truth_satisfaction")
CLICKS, WATCH_TIME, ORDERS, MARGIN, RETENTION, REPORTED, TRUTH = range(len(REWARDS))
ONCE, PER_VALUE, PER_SATISFACTION = range(3)
NO_STAGES = 256

_OPEN = CODE["open"]
ITEM_EVENT, CONFIRMS, TAKES_BACK, PAYS = 1, 2, 4, 8
"""Bits of a mark: a word of the history, an order whose payment is remembered, one whose payment is taken back."""


class RewardTables:
    """What every (stage, event) is worth.

    Attributes:
        worth: float32 (256, events, rewards, 3): per event, per unit of its value, per unit of satisfaction.
        marks: uint8 (256, events), bits.
        signal: float32 (256, events): what an event says about a liking; NaN: the share that was consumed, less 0.4.
    """

    def __init__(self, compiled: Compiled, margin: float) -> None:
        self.worth = np.zeros((NO_STAGES, MOST_EVENTS, len(REWARDS), 3), dtype=np.float32)
        self.marks = np.zeros((NO_STAGES, MOST_EVENTS), dtype=np.uint8)
        self.signal = np.zeros((NO_STAGES, MOST_EVENTS), dtype=np.float32)
        self._margin = margin
        plan, names = compiled.plan, compiled.names
        beside = beside_visits(compiled.scenario)
        self.signal[:, _OPEN] = 0.3
        self.marks[:, _OPEN] |= ITEM_EVENT
        self.worth[:, _OPEN, CLICKS, ONCE] = 1.0
        for s, name in enumerate(names.stages):
            if name in beside:
                continue
            kind, events = int(plan.stages["kind"][s]), [int(e) for e in plan.events[s]]
            if kind == StageKind.BROWSE and events[0] >= 0:
                self._one(s, events[0], CLICKS, 1.0, 0.3)
            elif kind == StageKind.INSPECT and events[0] >= 0:
                self._sign(s, events[0], 0.5)
            elif kind == StageKind.COMMIT:
                self._commits(s, events[0])
            elif kind == StageKind.CONSUME:
                for event in events[:2]:
                    self.worth[s, event, WATCH_TIME, PER_VALUE] = 1.0
                    self.worth[s, event, TRUTH, PER_SATISFACTION] = 1.0
                    self._sign(s, event, np.nan)
        for act in plan.acts:
            sign = float(np.sign(act["slope"]))
            for s in range(len(names.stages)):
                if plan.stages["kind"][s] == StageKind.RESPOND:
                    self._one(s, int(act["event"]), REPORTED, sign, sign)
        for s, enough in enumerate(plan.suffices):
            if enough["event"] >= 0:
                self.worth[s, int(enough["event"]), TRUTH, PER_SATISFACTION] = 1.0
        if compiled.world is not None:
            self._cases(compiled)
        self.marks[(self.worth != 0.0).any(axis=(2, 3))] |= PAYS

    def _sign(self, stage: int, event: int, signal: float) -> None:
        self.signal[stage, event] = signal
        self.marks[stage, event] |= ITEM_EVENT

    def _one(self, stage: int, event: int, reward: int, worth: float, signal: float) -> None:
        self.worth[stage, event, reward, ONCE] = worth
        self._sign(stage, event, signal)

    def _commits(self, stage: int, event: int) -> None:
        if event < 0:
            return
        self._one(stage, event, ORDERS, 1.0, 1.0)
        self.worth[stage, event, MARGIN, PER_VALUE] = self._margin
        self.marks[stage, event] |= CONFIRMS

    def _cases(self, compiled: Compiled) -> None:
        world, names = compiled.world, compiled.names
        assert world is not None
        first = {name for stage in compiled.scenario.stages.values() for name in stage.starts.values()}
        for s, name in enumerate(names.stages):
            if name not in beside_visits(compiled.scenario):
                continue
            row = world.stages[s]
            if row["kind"] == StageKind.FULFIL:
                # an order that fails is paid back; what is sent back is, once it has come
                for outcome in (1, 2, 3) if name in first else (0,):
                    if world.events[s, outcome] >= 0:
                        self.marks[s, int(world.events[s, outcome])] |= TAKES_BACK
            elif row["kind"] == StageKind.RESPOND:
                for act in world.acts[int(row["first_act"]) : int(row["first_act"] + row["n_acts"])]:
                    sign = float(np.sign(act["slope"]))
                    self._one(s, int(act["event"]), REPORTED, sign, sign)
                if row["rating_event"] >= 0:
                    event, stars = int(row["rating_event"]), int(row["n_thresholds"]) + 1
                    self._one(s, event, REPORTED, -(stars + 1.0) / (stars - 1.0), 0.5)
                    self.worth[s, event, REPORTED, PER_VALUE] = 2.0 / (stars - 1.0)


def weights(reward: str | Mapping[str, float] | None, compiled: Compiled, episode: str) -> npt.NDArray[np.float32]:
    """Return the weights of `REWARDS`, float32. None: orders where there are any, else watch_time.

    Raises:
        InputError: a name is unknown, a weight is no number, or retention is asked of one visit.
    """
    if reward is None:
        reward = "orders" if (compiled.plan.stages["kind"] == StageKind.COMMIT).any() else "watch_time"
    named = {reward: 1.0} if isinstance(reward, str) else reward
    if not isinstance(named, Mapping) or not named:
        raise EnvInputError(WHERE, f"reward = {reward!r}", "a name, or names with weights")
    found = np.zeros(len(REWARDS), dtype=np.float32)
    for name, weight in named.items():
        check_known(WHERE, "reward", [name], REWARDS)
        value: Any = weight
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise EnvInputError(WHERE, f"reward.{name} = {value!r}", "a number")
        found[REWARDS.index(name)] = value
    if found[RETENTION] and episode == "visit":
        raise EnvInputError(WHERE, "reward.retention: one visit has none after it", "episode=lifetime")
    return found
