"""Many random steps: nothing raises, every observation lies in its space, memory stays flat."""

from __future__ import annotations

import pytest

import simulator.env
from benchmarks.soak import EPISODES, IDS, STEPS, soak

simulator.env.register()
_SLACK = 24e6
"""Bytes that a process may take after the first half of a million steps: allocators give back in pieces."""


@pytest.mark.parametrize("episode", EPISODES)
@pytest.mark.parametrize("name", ["News", "FoodDelivery"])
def test_random_steps_stay_inside(name, episode):
    found = soak(name, episode, steps=6_000, users=200, items=400, limit=50)
    assert found.steps == 6_000
    assert found.episodes > 0


@pytest.mark.long
@pytest.mark.parametrize("episode", EPISODES)
@pytest.mark.parametrize("name", IDS)
def test_a_million_random_steps_stay_inside_and_memory_stays_flat(name, episode):
    found = soak(name, episode, steps=STEPS)
    assert found.steps >= STEPS
    assert found.memory[2] < found.memory[1] + _SLACK
