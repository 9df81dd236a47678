"""The laws that do not ask what a scenario is about, over all that can be run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simulator
from simulator.config import RunConfig, complete, resolve
from simulator.errors import RunInterrupted
from simulator.plan.fulfilment import CASE_OUTCOMES
from simulator.scenario.durations import parse_duration
from simulator.scenario.life_cycle import beside_visits
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.laws import small_worlds
from tests.laws.harness import runnable
from tests.laws.small_worlds import WORLDS

SCENARIOS = sorted(runnable())


def world(name: str, recommender: str = "itemknn", **settings: object) -> simulator.RunResult:
    return simulator.run(name, recommender, **small_worlds.settings(name, **settings))


@pytest.fixture(scope="module", params=SCENARIOS)
def lived(request: pytest.FixtureRequest) -> tuple[str, simulator.RunResult]:
    return request.param, world(request.param)


def test_there_is_a_small_world_of_every_scenario():
    assert sorted(WORLDS) == SCENARIOS


def test_performance_settings_change_nothing(lived):
    name, result = lived
    assert result.manifest["log"]["truth"]["rows"] > 200
    assert world(name, window=3, batch=7, threads=2).manifest["log"] == result.manifest["log"]


def test_a_run_that_is_stopped_again_and_again_ends_with_the_same_log(lived, tmp_path):
    name, result = lived
    tick = load_scenario(name).clock.tick.value
    pairs = {"scenario": name, "recommender": "itemknn", **small_worlds.settings(name)}
    config = resolve([*pairs.items(), ("checkpoint", 8 * tick), ("output", str(tmp_path / "run"))])
    config = complete(config, load_scenario(name).defaults.model_dump())
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked in (5, 23)

    for _ in range(2):
        with pytest.raises(RunInterrupted):
            run_world(config, stop=stop)
        config = replace(RunConfig.from_yaml(tmp_path / "run/config.yaml"), resume=tmp_path / "run")
    assert run_world(config).manifest["log"] == result.manifest["log"]


def test_two_recommenders_meet_the_same_users(lived):
    name, result = lived
    other = world(name, "random")
    firsts = [each.truth.sort_values("time").groupby("user")["time"].first() for each in (result, other)]
    both = firsts[0].index.intersection(firsts[1].index)
    assert len(both) > 10
    # who comes for the first time does so at the same time, and reads or plays a first thing
    early = firsts[0][both] < parse_duration(WORLDS[name]["first_fit"])
    assert np.array_equal(firsts[0][both][early], firsts[1][both][early])


def test_every_case_ends_once_or_is_open_and_nothing_precedes_its_cause(lived):
    name, result = lived
    scenario = load_scenario(name)
    truth = result.truth
    assert (truth["time"] >= 0).all()
    arrived = truth["logged_at"].notna()
    assert (truth["logged_at"][arrived] >= truth["time"][arrived]).all()
    beside = beside_visits(scenario)
    if not beside:
        return
    first = next(stage.starts["confirm"] for stage in scenario.stages.values() if stage.starts)
    order = next(s.events["confirm"] for s in scenario.stages.values() if s.starts)
    begun = truth[truth["event"] == order].set_index(["user", "case"])["time"]
    assert begun.index.is_unique
    assert len(begun) > 3
    later = truth[truth["stage"].isin(beside)]
    assert (
        later["time"].to_numpy() >= begun.loc[list(zip(later["user"], later["case"], strict=True))].to_numpy()
    ).all()
    events = scenario.stages[first].events
    ends = [events.get(outcome, outcome) for outcome in CASE_OUTCOMES["fulfil"]]
    ended = later[(later["stage"] == first) & later["event"].isin(ends)]
    assert not ended.duplicated(["user", "case"]).any()
    open_cases = len(begun) - len(ended)
    assert 0 <= open_cases == len(begun) - ended.groupby(["user", "case"]).ngroups
