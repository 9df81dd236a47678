"""What stays with a user from one item to the next: satiation per topic, and how it fades."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import exponential
from simulator.engine.stack_arrays import float_buffer
from simulator.engine.tables.tables import Array, Numbers

STALE = 1.0 / 64.0
"""Factor below which a stored satiation is brought up to date."""


@internal
def settle(
    u: Array, user: int, time: float, factor: float, satiation_trust: npt.NDArray[np.float32], first: int
) -> None:
    """Bring a user's stored satiation (columns `first` and up of `satiation_trust`) up to date."""
    for t in range(first, satiation_trust.shape[1]):
        satiation_trust[user, t] *= np.float32(factor)
    u.satiated_at = time


@inlined
def faded_all(
    padded_width: int,
    m: int,
    user: npt.NDArray[np.int64],
    clock: npt.NDArray[np.float64],
    numbers: Numbers,
    out: npt.NDArray[np.float64],
) -> None:
    """Set `out` to what `faded` says of each of `m` users at their clocks, side by side."""
    users, satiation_trust, user_params, exp_log_tables = (
        numbers.users,
        numbers.satiation_trust,
        numbers.user_params[0],
        numbers.exp_log_tables,
    )
    satiated_at = float_buffer()
    for k in range(padded_width):
        satiated_at[k] = users[user[k]].satiated_at
    for k in range(padded_width):
        out[k] = exponential((satiated_at[k] - clock[k]) / user_params.satiation_recovery, exp_log_tables)
    for k in range(m):
        if out[k] < STALE:
            settle(users[user[k]], user[k], clock[k], out[k], satiation_trust, user_params.first_topic)
            out[k] = 1.0


@inlined
def faded(
    u: Array,
    user: int,
    time: float,
    satiation_trust: npt.NDArray[np.float32],
    first: int,
    user_params: Array,
    exp_log_tables: npt.NDArray[np.float64],
) -> float:
    """Return the factor that brings a user's stored satiation to `time`: it fades by exp(-dt / recovery).

    One factor serves all topics, so that time passing costs one exponential and not one per topic; the stored row is
    brought up to date only when the factor has become small.
    """
    factor = exponential((u.satiated_at - time) / user_params.satiation_recovery, exp_log_tables)
    if factor < STALE:
        settle(u, user, time, factor, satiation_trust, first)
        factor = 1.0
    return factor
