"""Law 6 over every scenario: killed at a random moment between two checkpoints, resumed, the same log."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

import simulator
from simulator.engine.tables.case_tables import Count
from simulator.engine.tables.tables import Status
from simulator.records.checkpoint import last_checkpoint, read_checkpoint
from simulator.scenario.durations import parse_duration
from simulator.scenario.load import load_scenario
from tests.laws.harness import runnable
from tests.laws.small_worlds import settings
from tests.processes import assert_same, await_checkpoint, kill, started

UNHURRIED = "tests.laws.plugins:Unhurried"
FAST = "ecommerce"
"""The scenario of the short test: orders under way for days, so that some are open at whatever moment."""
CHECKPOINTS = 16
ATTEMPTS = 8
MANY = 1500  # users, so that somebody is there at whatever moment, where visits are short


def _world(name: str, **more: object) -> dict[str, object]:
    """The small world, with about `CHECKPOINTS` checkpoints."""
    small = settings(name, **more)
    tick = load_scenario(name).clock.tick.value
    period = max(int(parse_duration(small["horizon"]) / CHECKPOINTS / tick), 1) * tick
    return {**small, "checkpoint": period}


def _killed_and_resumed(name: str, folder: Path, **more: object) -> int:
    """Returns how many visits and cases were under way in the checkpoint that the run was continued from."""
    world = _world(name, **more)
    whole = simulator.run(name, "itemknn", output=folder / "whole", **world)  # type: ignore[arg-type]
    last = last_checkpoint(folder / "whole")
    assert last is not None
    assert last > 10
    moment = random.Random(time.time_ns())
    run = folder / "run"
    index = moment.randrange(4, last - 3)
    process = started([f"{key}={value}" for key, value in
                       {"scenario": name, "recommender": UNHURRIED, "output": run, **world}.items()])  # fmt: skip
    await_checkpoint(run, index, process)
    time.sleep(moment.random() * 0.1)
    kill(process)
    assert not (run / "manifest.json").exists()
    reached = last_checkpoint(run)
    assert reached is not None
    assert index <= reached < last
    arrays = read_checkpoint(run, reached)
    counts = arrays.get("cases/counts")
    under_way = int((arrays["visits/state"]["status"] == Status.ACTIVE).sum())
    if counts is not None:
        under_way += int(counts[Count.POSTED] - counts[Count.ENDED])
    simulator.resume(run)
    assert_same(run, whole)
    return under_way


def test_a_scenario_with_orders_is_killed_and_ends_with_the_same_log(tmp_path):
    assert _killed_and_resumed(FAST, tmp_path) > 0


@pytest.mark.long
@pytest.mark.parametrize("name", runnable())
def test_every_scenario_is_killed_and_ends_with_the_same_log(name, tmp_path):
    under_way = 0
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        under_way += _killed_and_resumed(name, folder, users=MANY)
        if attempt >= 2 and under_way > 0:  # at night nobody may be there
            break
    assert under_way > 0
