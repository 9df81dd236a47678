"""The arrays of an environment that kernels read and fill: its terms, observations, sums of a step, and memories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommenders.agents.user_features import CONTEXT
from simulator.engine.jit.structs import group
from simulator.engine.tables.tables import Array
from simulator.env.context import EnvContext
from simulator.env.rewards import REWARDS
from simulator.scenario.events import MOST_EVENTS

PAID = 64
"""Orders whose payment is remembered."""

FACTS = np.dtype(
    [
        ("tick", np.float64),  # s
        ("horizon", np.float64),  # s
        ("end", np.float64),  # of episodes, s; later than anything where only the user ends them
        ("starts_at", np.float64),  # s after a Monday's midnight
        ("margin", np.float64),  # share of a payment
        ("seed", np.int64),
        ("places", np.int64),  # of a slate
        ("recent", np.int64),  # items lately sent that are not offered again
        ("limit", np.int64),  # requests of an episode
        ("room", np.int64),  # rows of records that one visit may write, see `simulator.engine.visit.advance.advance`
        ("batched_steps", np.int64),  # where their machine code lies, see there too
    ],
    align=True,
)


@group
class StepTables(NamedTuple):
    """What holds for all users of an environment, as long as it lives."""

    facts: Array  # FACTS (1,)
    opens: npt.NDArray[np.float64]  # (items,): from when on each can be shown, s
    closes: npt.NDArray[np.float64]  # (items,): until when
    edges: npt.NDArray[np.float64]  # the rising times at which items come or go, then inf
    weights: npt.NDArray[np.float32]  # (rewards,)
    worth: npt.NDArray[np.float32]  # this and the next two: see `simulator.env.rewards.RewardTables`
    marks: npt.NDArray[np.uint8]
    signal: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]  # (items, F)


@group
class Observation(NamedTuple):
    """What is observed of n users, and the sums of their last step."""

    context: npt.NDArray[np.float32]  # (n, CONTEXT)
    surface: npt.NDArray[np.int64]  # (n,)
    device_type: npt.NDArray[np.int64]
    stage: npt.NDArray[np.int64]
    history_item: npt.NDArray[np.int32]  # (n, H): latest last, -1 none
    history_event: npt.NDArray[np.int32]
    history_value: npt.NDArray[np.float32]
    interest: npt.NDArray[np.float32]  # (n, 2 F)
    available: npt.NDArray[np.int8]  # (n, items)
    # sums of the step
    counts: npt.NDArray[np.int32]  # (n, events): records of each event
    values: npt.NDArray[np.float32]  # (n, events): their values, added up
    earned: npt.NDArray[np.float32]  # (n, rewards)
    time: npt.NDArray[np.float64]  # (n,): s
    reward: npt.NDArray[np.float64]
    ended: npt.NDArray[np.int8]  # 0 goes on, 1 terminated, 2 truncated


@group
class Memory(NamedTuple):
    """What the environment keeps of n users from step to step."""

    liked: npt.NDArray[np.float32]  # (n, 2, F): decayed sums of the features of what was liked, and of what was not
    weight: npt.NDArray[np.float32]  # (n, 2)
    sent: npt.NDArray[np.int32]  # (n, R): ring of the items lately sent
    n_sent: npt.NDArray[np.int64]  # (n,)
    changes: npt.NDArray[np.float64]  # (n,): from this tick on, other items are there
    paid: npt.NDArray[np.float32]  # (n, PAID)
    visit: npt.NDArray[np.int64]  # (n,): number of the visit at the last step
    steps: npt.NDArray[np.int64]  # (n,): requests answered in this episode
    shown: npt.NDArray[np.int32]  # (n, slate): the slate that was answered last, -1 none


def terms_of(context: EnvContext, end: float, limit: int, room: int = 0, batched_steps: int = 0) -> StepTables:
    """Return the terms of a scene; arguments as in `FACTS`. Without the last two, no kernel advances visits by them."""
    times = np.concatenate([context.opens, context.closes])
    facts = np.zeros(1, dtype=FACTS)
    facts[0] = (
        context.tick, context.horizon, end, context.plan.starts_at[0], context.settings.margin, context.seed,
        context.slate, context.recent, limit, room, batched_steps,
    )  # fmt: skip
    return StepTables(
        facts=facts,
        opens=context.opens,
        closes=context.closes,
        edges=np.append(np.unique(times[np.isfinite(times)]), np.inf),
        weights=context.weights,
        worth=context.tables.worth,
        marks=context.tables.marks,
        signal=context.tables.signal,
        features=context.features,
    )


def observation_buffers(context: EnvContext, n: int) -> Observation:
    """Return empty buffers for n users."""
    history, width = context.settings.history, context.features.shape[1]
    return Observation(
        context=np.zeros((n, CONTEXT), np.float32),
        surface=np.zeros(n, np.int64),
        device_type=np.zeros(n, np.int64),
        stage=np.zeros(n, np.int64),
        history_item=np.full((n, history), -1, np.int32),
        history_event=np.full((n, history), -1, np.int32),
        history_value=np.zeros((n, history), np.float32),
        interest=np.zeros((n, 2 * width), np.float32),
        available=np.zeros((n, context.catalog.n_items), np.int8),
        counts=np.zeros((n, len(context.compiled.names.events)), np.int32),
        values=np.zeros((n, len(context.compiled.names.events)), np.float32),
        earned=np.zeros((n, len(REWARDS)), np.float32),
        time=np.zeros(n),
        reward=np.zeros(n),
        ended=np.zeros(n, np.int8),
    )


def memory_buffers(context: EnvContext, n: int) -> Memory:
    """Return empty memories for n users."""
    assert len(context.compiled.names.events) <= MOST_EVENTS
    width = context.features.shape[1]
    return Memory(
        liked=np.zeros((n, 2, width), np.float32),
        weight=np.zeros((n, 2), np.float32),
        sent=np.full((n, max(context.recent, 1)), -1, np.int32),
        n_sent=np.zeros(n, np.int64),
        changes=np.zeros(n),
        paid=np.zeros((n, PAID), np.float32),
        visit=np.zeros(n, np.int64),
        steps=np.zeros(n, np.int64),
        shown=np.full((n, context.slate), -1, np.int32),
    )
