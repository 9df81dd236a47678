"""Kernels that write users' declarations, which are made outside of the life cycle's stages, as rows of the logs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.jit.structs import group
from simulator.engine.primitives import decision_key
from simulator.engine.randomness import DECISION, DECLARED, mix, root, uniform
from simulator.engine.tables.tables import NO_CASE, Array, Draw, Plan
from simulator.engine.visit.records import NAN, arrival

_NOWHERE = 255  # no surface, no stage
_RECORD_KEY = np.uint64(0xFFFFFFFF)  # below (user, occasion), beside what `interests` draws
_ABSENT = np.uint32(NO_CASE)


@kernel
def device_of(seed: int, user: int, visit: int, devices: npt.NDArray[np.float64]) -> int:
    """Return the device of a user's visit: the draw that `attendance.arrive` makes."""
    key = mix(mix(root(seed, DECISION), np.uint64(user)), np.uint64(visit))
    draw = uniform(decision_key(key, 0, 0, Draw.DEVICE))
    device = 0
    while device < devices.shape[0] - 1 and draw >= devices[device]:
        device += 1
    return device


@group
class Declarations(NamedTuple):
    """Hold what n users declare on one occasion."""

    users: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    visits: npt.NDArray[np.uint32]  # visits that each has begun
    codes: npt.NDArray[np.int32]  # (n, S), -1 none
    segments: npt.NDArray[np.uint16]  # (n,): of the users


@kernel
def declare(seed: int, occasion: int, event: int, declared: Declarations, plan: Plan, records: Array) -> int:
    """Write a row for each code that a user names; returns how many.

    A row's `value` is the code and its `position` the place among the user's; its `session` is the visit that the user
    began last. There is no item, surface or stage.
    """
    users, times, visits, codes = declared.users, declared.times, declared.visits, declared.codes
    devices, observation, quantiles = plan.context_devices, plan.observation, plan.quantiles
    n = 0
    start = root(seed, DECLARED)
    for i in range(users.shape[0]):
        user = users[i]
        own = mix(mix(mix(start, np.uint64(user)), np.uint64(occasion)), _RECORD_KEY)
        visit = max(np.int64(visits[i]) - 1, 0)
        device = device_of(seed, user, visit, devices[declared.segments[i], 0])
        for k in range(codes.shape[1]):
            if codes[i, k] < 0:
                continue
            row = records[n]
            row.time = times[i]
            row.logged_at = arrival(times[i], event, mix(own, np.uint64(k)), observation, quantiles)
            row.user, row.session, row.request = user, visit, 0
            row.item, row.case, row.parent_case = _ABSENT, _ABSENT, _ABSENT
            row.value = codes[i, k]
            row.propensity, row.belief, row.belief_sd, row.utility, row.satisfaction = NAN, NAN, NAN, NAN, NAN
            row.visible, row.attended = 0, 0
            row.position, row.policy_version = k, 0
            row.surface, row.device, row.stage, row.event = _NOWHERE, device, _NOWHERE, event
            n += 1
    return n
