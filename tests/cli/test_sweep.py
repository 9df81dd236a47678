"""A sweep: worlds in processes of their own, one table, and what becomes of failures."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from simulator import __main__ as entry
from simulator.cli import sweep
from simulator.config import RunConfig
from simulator.errors import InputError
from tests.fake_world import FakeWorld, stand_in

SCENARIO = "shortvideo"
WORLD = """
import json, os, pathlib, sys, time
given = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(given["output"])
folder.mkdir()
if given["seed"] == "13":
    print("error: unlucky", file=sys.stderr)
    sys.exit(2)
if given["seed"] == "14":
    os.kill(os.getpid(), 9)
if given["seed"] == "15":
    sys.exit(0)
if given["seed"] == "99":
    print("started", flush=True)
    time.sleep(60)
time.sleep(0.3 if given["seed"] == "0" else 0)
metrics = {"plays": int(given["seed"]) * 10, "threads": float(os.environ["OMP_NUM_THREADS"]), "regret": None}
(folder / "metrics.json").write_text(json.dumps(metrics))
"""
COMMAND = (sys.executable, "-c", WORLD)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeWorld:
    return stand_in(monkeypatch, tmp_path)


def _configs(parent: Path, *seeds: int) -> list[RunConfig]:
    base = [
        RunConfig(scenario="hotel", recommender="random", users=5, items=5, horizon=60.0, seed=seed) for seed in seeds
    ]
    return sweep.place(base, parent)


def test_a_sweep_returns_records_in_order(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    done: list[int] = []
    configs = _configs(tmp_path, 0, 1, 2)
    records = sweep.sweep(configs, 2, lambda count, total, record: done.append(record.config.seed), command=COMMAND)
    assert [record.config.seed for record in records] == [0, 1, 2]
    assert [record.metrics["plays"] for record in records] == [0.0, 10.0, 20.0]
    assert all(
        record.metrics["threads"] == 1 and record.metrics["regret"] != record.metrics["regret"] for record in records
    )
    assert sorted(done) == [0, 1, 2]
    assert done[-1] != 1  # the slow first world did not hold up the second


def test_a_sweep_runs_all_and_then_names_the_failures(tmp_path):
    with pytest.raises(sweep.SweepError) as caught:
        sweep.sweep(_configs(tmp_path, 13, 14, 15, 1), 2, command=COMMAND)
    errors = [record.error for record in caught.value.records]
    assert errors[0] == "unlucky (exit code 2)"
    assert errors[1] == "it said nothing (ended by signal 9)"
    assert errors[2] is not None
    assert "was not written" in errors[2]
    assert errors[3] is None
    text = str(caught.value)
    assert text.startswith("3 of 4 runs failed")
    assert "scenario=hotel recommender=random users=5 items=5 horizon=1min seed=13: unlucky" in text


def test_a_stopped_sweep_asks_its_worlds_and_starts_no_other(tmp_path):
    begun = time.monotonic()
    with pytest.raises(sweep.SweepError) as caught:
        sweep.sweep(_configs(tmp_path, 99, 1), 1, stop=lambda: time.monotonic() > begun + 0.5, command=COMMAND)
    assert time.monotonic() - begun < 30
    assert caught.value.stopped
    assert [record.error for record in caught.value.records] == ["it said nothing (ended by signal 15)", "not started"]


def test_a_sweep_refuses_what_cannot_work(tmp_path):
    configs = _configs(tmp_path, 1, 2)
    with pytest.raises(InputError, match="nothing to run"):
        sweep.sweep([], 1)
    with pytest.raises(InputError, match="workers = 0"):
        sweep.sweep(configs, 0)
    with pytest.raises(InputError, match="two runs have the output"):
        sweep.sweep([configs[0], configs[0]], 1)
    with pytest.raises(InputError, match="has no output"):
        sweep.sweep([RunConfig(scenario="hotel")], 1)


def test_places_are_distinct_and_named_after_what_differs(tmp_path):
    base = RunConfig(scenario="./my/hotel.yaml", recommender="my.models:Mine")
    parameters = [{"rate": 0.1}, {"rate": "a b"}, {"rate": "a/b"}]
    placed = sweep.place([RunConfig(base.scenario, base.recommender, each) for each in parameters], tmp_path)
    names = [config.output.name for config in placed if config.output is not None]
    assert names == ["hotel-Mine-s0-rate0.1", "hotel-Mine-s0-ratea-b", "hotel-Mine-s0-ratea-b-2"]


def test_the_command_line_prints_one_table_for_a_sweep(world, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "COMMAND", COMMAND)
    assert (
        entry.main(
            ["-m", f"scenario={SCENARIO}", "recommender=random,itemknn", "seed=range(1,3)", "workers=2", "output=all"]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["recommender", "seed", "plays", "threads", "regret"]
    assert [line.split()[:3] for line in lines[2:6]] == [
        ["random", "1", "10"],
        ["random", "2", "20"],
        ["itemknn", "1", "10"],
        ["itemknn", "2", "20"],
    ]
    assert sorted(path.name for path in Path("all").iterdir()) == [
        "measures.csv",
        "shortvideo-itemknn-s1",
        "shortvideo-itemknn-s2",
        "shortvideo-random-s1",
        "shortvideo-random-s2",
    ]


def test_a_sweep_with_a_failure_still_prints_the_rest(world, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "COMMAND", COMMAND)
    assert entry.main(["-m", f"scenario={SCENARIO}", "seed=1,13", "output=all"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[2].split()[:2] == ["1", "10"]
    assert "1 of 2 runs failed" in printed.err
    assert "seed=13: unlucky" in printed.err


def test_a_sweep_does_not_write_into_a_folder_that_exists(world, capsys):
    Path("all").mkdir()
    assert entry.main(["-m", f"scenario={SCENARIO}", "seed=1,2", "output=all"]) == 2
    assert "all: this output exists already" in capsys.readouterr().err
