"""Law 6: nothing is lost. A run killed at any moment resumes and ends with the log of an unbroken one."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.errors import RunInterrupted
from simulator.records.checkpoint import last_checkpoint, read_checkpoint
from simulator.records.result import RunResult
from tests.laws.harness import assert_same_log
from tests.processes import PATIENCE, assert_same, await_checkpoint, kill, started

NAME = "shortvideo"
USERS, ITEMS, HOURS, SEED = 150, 200, 20, 4
WORLD = {"users": USERS, "items": ITEMS, "horizon": f"{HOURS}h", "seed": SEED, "checkpoint": "1h", "first_fit": "6h"}
UNHURRIED = "tests.laws.plugins:Unhurried"
MORTAL = "tests.laws.plugins:Mortal"


def command(output: Path, recommender: str, **more: object) -> list[str]:
    """Arguments of a run of the small world."""
    pairs = {"scenario": NAME, "recommender": recommender, "output": output, **WORLD, **more}
    return [f"{key}={value}" for key, value in pairs.items()]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> RunResult:
    """The run that nobody disturbs, with the same recommender (which is slow only where a test wants it)."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    result = simulator.run(NAME, "itemknn", output=folder, **WORLD)
    assert result.manifest["recommender"]["fitted_at_seconds"] == [6 * 3600.0, 12 * 3600.0, 18 * 3600.0]
    return result


def plays_open(run: Path) -> int:
    """How many plays are open in the last checkpoint."""
    index = last_checkpoint(run)
    assert index is not None
    return int((read_checkpoint(run, index)["visits/state"]["playing"] == 1).sum())


def test_an_unbroken_run_is_the_same_with_other_checkpoints(unbroken, tmp_path):
    again = simulator.run(NAME, "itemknn", output=tmp_path / "run", **{**WORLD, "checkpoint": "5h"})
    assert again.manifest["log"] == unbroken.manifest["log"]
    assert_same_log(again.truth, unbroken.truth)


def test_killed_at_a_random_moment(unbroken, tmp_path):
    run = tmp_path / "run"
    moment = random.Random(time.time_ns())
    index = moment.randrange(2, HOURS - 3)
    process = started(command(run, UNHURRIED))
    await_checkpoint(run, index, process)
    time.sleep(moment.random() * 0.05)
    kill(process)
    assert not (run / "manifest.json").exists()
    simulator.resume(run)
    assert_same(run, unbroken)


@pytest.mark.long
def test_killed_at_five_random_moments_between_first_and_last_checkpoint(unbroken, tmp_path):
    moment = random.Random(time.time_ns())
    with_plays_open = 0
    for number, index in enumerate(moment.sample(range(1, HOURS - 2), 5)):
        run = tmp_path / f"run-{number}"
        process = started(command(run, UNHURRIED))
        await_checkpoint(run, index, process)
        time.sleep(moment.random() * 0.2)
        kill(process)
        with_plays_open += plays_open(run) > 0
        simulator.resume(run)
        assert_same(run, unbroken)
    assert with_plays_open > 0


@pytest.mark.long
def test_killed_again_and_again(unbroken, tmp_path):
    """One run, five deaths, and other settings of performance each time."""
    run = tmp_path / "run"
    moment = random.Random(time.time_ns())
    process = started(command(run, UNHURRIED))
    for death in range(5):
        await_checkpoint(run, 2 + 3 * death, process)
        time.sleep(moment.random() * 0.1)
        kill(process)
        process = started([f"resume={run}", f"window={death + 1}", f"batch={7 * (death + 1)}"])
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert_same(run, unbroken)


@pytest.mark.parametrize(("place", "times"), [("checkpoint", 8), ("before", 8), ("after", 7), ("part", 15)])
def test_killed_while_a_checkpoint_is_written(place, times, unbroken, tmp_path):
    run = tmp_path / "run"
    process = started([place, str(times), *command(run, "itemknn")], module="tests.laws.driver")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, errors
    left = sorted(path.name for path in run.rglob(".*.partial"))
    closed = [int(path.stem.removeprefix("part-")) for path in run.glob("truth/part-*.parquet")]
    if place in ("checkpoint", "part"):
        assert left, "nothing was half-written: the kill came at another moment"
    if place == "before":
        assert max(closed) > last_checkpoint(run)
    if place == "after":
        assert len(list((run / "checkpoints").glob("checkpoint-*.npz"))) == 2
    simulator.resume(run)
    assert_same(run, unbroken)


def test_killed_while_a_model_is_fitted(unbroken, tmp_path):
    run, marker = tmp_path / "run", tmp_path / "died"
    process = started(command(run, MORTAL, **{"recommender.marker": marker}))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, errors
    assert marker.exists()
    simulator.resume(run)
    assert_same(run, unbroken)


def test_a_checkpoint_at_the_time_of_a_fit_holds_the_fitted_model(unbroken, tmp_path):
    """Killed right after such a checkpoint, the run does not fit again: a fitted model is data."""
    run = tmp_path / "run"
    process = started(["before", "13", *command(run, "itemknn")], module="tests.laws.driver")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, errors
    assert read_checkpoint(run, last_checkpoint(run))["time"][0] == 12 * 3600.0
    notes = []
    simulator.resume(run, report=lambda progress: notes.append((progress.simulated, progress.note)))
    fits = [time for time, note in notes if "fitting" in note]
    assert fits == [18 * 3600.0]
    assert_same(run, unbroken)


def test_killed_with_plays_open(unbroken, tmp_path):
    run = tmp_path / "run"
    process = started(["before", "15", *command(run, "itemknn")], module="tests.laws.driver")
    process.communicate(timeout=PATIENCE)
    assert plays_open(run) > 0, "no play was open: choose another moment"
    simulator.resume(run, window=3, threads=2, batch=10)
    assert_same(run, unbroken)


def test_killed_before_its_first_checkpoint_it_begins_again(unbroken, tmp_path):
    run = tmp_path / "run"
    process = started(["before", "1", *command(run, "itemknn")], module="tests.laws.driver")
    process.communicate(timeout=PATIENCE)
    assert last_checkpoint(run) == 0
    simulator.resume(run)
    assert_same(run, unbroken)


@pytest.mark.parametrize("level", ["platform", "metrics"])
def test_a_resumed_run_learns_from_the_same_log_whatever_is_written(level, unbroken, tmp_path):
    """Where no log is wanted, what a recommender learns from is kept all the same."""
    run = tmp_path / "run"
    process = started(["before", "10", *command(run, "itemknn", log=level)], module="tests.laws.driver")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, errors
    result = simulator.resume(run)
    np.testing.assert_equal(result.metrics, unbroken.metrics)
    assert result.manifest["events"] == unbroken.manifest["events"]
    assert result.manifest["log"] == ({} if level == "metrics" else unbroken.manifest["log"])


def test_ctrl_c_says_how_to_resume(unbroken, tmp_path):
    run = tmp_path / "run"
    process = started(command(run, UNHURRIED))
    await_checkpoint(run, 3, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert f"resume with: python -m simulator resume={run}" in errors
    again = started([f"resume={run}"])
    said, errors = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, errors
    assert "impressions" in said
    assert_same(run, unbroken)


def test_stopped_after_every_tick_there_is(unbroken, tmp_path):
    """In process: a run stopped and resumed many times over, at ticks that are no checkpoint times."""
    from dataclasses import replace

    from simulator.config import complete, resolve
    from simulator.scenario.load import load_scenario
    from simulator.world import run_world

    run = tmp_path / "run"
    pairs = [("scenario", NAME), ("recommender", "itemknn"), ("output", str(run)), *WORLD.items()]
    config = complete(resolve(pairs), load_scenario(NAME).defaults.model_dump())
    stops = 0
    while True:
        ticks = iter(range(11))
        try:
            run_world(config, stop=lambda ticks=ticks: next(ticks) == 10)
            break
        except RunInterrupted:
            stops += 1
            config = replace(config, resume=run)
    assert stops == 7
    assert_same(run, unbroken)
