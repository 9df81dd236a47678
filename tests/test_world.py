"""One world from its beginning to its horizon: what comes out, what is kept, what is compiled."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

import simulator
from simulator.config import RunConfig, complete, resolve
from simulator.errors import InputError, RunInterrupted
from simulator.runtime.progress import Progress
from simulator.scenario.load import load_scenario
from simulator.world import World, run_world
from tests.laws.harness import edited, number
from tests.laws.plugins import Spy

ROOT = Path(__file__).resolve().parents[1]
NAME = "shortvideo"


def config(**settings: object) -> RunConfig:
    pairs = [("scenario", NAME), *settings.items()]
    return complete(resolve(pairs), load_scenario(NAME).defaults.model_dump())


def test_a_run_leaves_measures_a_manifest_and_two_logs(tmp_path):
    result = simulator.run(NAME, "itemknn", users=60, items=120, horizon="8h", first_fit="6h", output=tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert list(result.metrics) == load_scenario(NAME).measures
    assert metrics["plays"] == result.metrics["plays"] > 100
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["log"]["truth"]["rows"] == len(result.truth)
    assert manifest["events"] == result.truth["event"].value_counts().loc[lambda n: n > 0].to_dict()
    assert manifest["wall_seconds"] > 0
    assert manifest["peak_memory_bytes"] > 1e6
    assert manifest["seed"] == 0
    again = RunConfig.from_yaml(tmp_path / "run" / "config.yaml")
    assert (again.users, again.items, again.horizon, again.recommender) == (60, 120, 8 * 3600.0, "itemknn")


def test_a_world_that_has_ended_is_let_go_of_at_once(monkeypatch):
    """Nothing that lives as long as the run is looked for by the collector, so circles of objects would keep it."""
    kept = []
    finish = World.finish

    def finished(world):
        kept.extend(weakref.ref(part) for part in (world, world.rounds, world.platform, world.log, world.log.memory))
        return finish(world)

    monkeypatch.setattr(World, "finish", finished)
    for _ in range(2):  # what is compiled in the first keeps it for a while
        kept.clear()
        gc.disable()
        try:
            simulator.run(NAME, "itemknn", users=50, items=80, horizon="8h", first_fit="6h")
            left = [type(part()).__name__ for part in kept if part() is not None]
        finally:
            gc.enable()
    assert len(kept) == 5
    assert left == []


def test_the_configuration_in_the_folder_repeats_the_run(tmp_path):
    first = simulator.run(
        NAME, "itemknn", users=50, items=80, horizon="8h", first_fit="6h", seed=9, output=tmp_path / "run"
    )
    again = run_world(replace(RunConfig.from_yaml(tmp_path / "run" / "config.yaml"), output=None))
    assert again.manifest["log"] == first.manifest["log"]


def test_an_object_and_its_name_are_the_same_recommender():
    from recommenders.models.neighbors import ItemKNN
    from simulator.platform.policies import declared_label

    by_name = simulator.run(NAME, "itemknn", users=50, items=80, horizon="8h", first_fit="6h")
    mine = ItemKNN(seed=0, label=declared_label(load_scenario(NAME)))
    assert (
        simulator.run(NAME, mine, users=50, items=80, horizon="8h", first_fit="6h").manifest["log"]
        == by_name.manifest["log"]
    )


def test_models_are_fitted_when_the_scenario_says_and_versions_count_them(tmp_path):
    path = edited(tmp_path, {"platform.first_fit": "2h", "platform.refit": "90min"})
    spy = Spy(seed=0)
    result = simulator.run(path, spy, users=80, items=100, horizon="7h")
    times = [2 * 3600.0 + k * 5400.0 for k in range(4)]
    assert result.manifest["recommender"]["fitted_at_seconds"] == times
    impressions = result.truth[result.truth["event"] == "impression"]
    by = impressions.groupby("policy_version")["time"].agg(["min"])
    assert by.index.tolist() == [0, 1, 2, 3, 4]
    assert (by["min"].to_numpy()[1:] >= times).all()
    # in charge from its first fit on, and not before
    assert len(spy.asked) > 0
    assert min(float(requests.time.min()) for requests in spy.asked) >= times[0]


@pytest.mark.parametrize(
    "recommender", ["random", "popularity", "itemknn", "contentknn", "belief-oracle", "utility-oracle"]
)
def test_every_recommender_lives_through_a_world(recommender):
    parameters = {"modality": "cover"} if recommender == "contentknn" else {}
    result = simulator.run(
        NAME, recommender, users=40, items=80, horizon="9h", first_fit="6h", recommender_parameters=parameters
    )
    assert result.metrics["plays"] > 50
    assert (result.truth["policy_version"] > 0).any()


def test_slates_show_no_item_twice_and_nothing_lately_shown_while_others_are_left():
    truth = simulator.run(NAME, "itemknn", users=60, items=400, horizon="10h", first_fit="6h").truth
    shown = truth[truth["event"] == "impression"]
    assert not shown.duplicated(["user", "session", "request", "position"]).any()
    assert not shown.duplicated(["user", "session", "request", "item"]).any()
    recent = load_scenario(NAME).platform.recent
    assert recent > 200
    # a search finds few items, and has to show them again
    ordered = shown[shown["stage"] != "search"].sort_values(["user", "time", "position"])
    for _, items in ordered.groupby("user")["item"]:
        values = items.to_numpy()
        early = values[:200]
        assert len(set(early)) == len(early)


def test_progress_is_reported_after_every_tick_and_at_fits():
    heard: list[Progress] = []
    simulator.run(NAME, "itemknn", users=40, items=80, horizon="7h", first_fit="6h", report=heard.append)
    assert heard[-1].simulated == heard[-1].horizon == 7 * 3600.0
    assert [p.simulated for p in heard] == sorted(p.simulated for p in heard)
    assert [p.simulated for p in heard if "fitting" in p.note] == [6 * 3600.0]
    assert sum(not p.note for p in heard) == 28
    assert heard[-1].events > 500


def test_a_horizon_between_two_ticks():
    result = simulator.run(NAME, "random", users=200, items=80, horizon=5 * 3600.0 + 1000.0)
    assert result.truth["time"].max() < 5 * 3600.0 + 1000.0
    assert result.truth["time"].max() > 5 * 3600.0 + 700.0


@pytest.mark.parametrize(
    ("edits", "settings", "message"),
    [
        ({"platform.first_fit": "50min"}, {}, "platform.first_fit: 3000 s is no multiple of the tick"),
        ({"platform.refit": "7min"}, {}, "platform.refit: 420 s is no multiple of the tick"),
        ({}, {"checkpoint": "20min"}, "checkpoint: 1200 s is no multiple of the tick"),
        ({"clock.tick": number(0.0003, "s")}, {}, "no multiple|a multiple of 1/1024 s"),
        ({"platform.warm_up": "popularity"}, {}, "warm_up = popularity learns from a log and there is none yet"),
    ],
)
def test_times_and_policies_that_cannot_be(edits, settings, message, tmp_path):
    path = edited(tmp_path, edits)
    with pytest.raises(InputError, match=message):
        simulator.run(path, "random", users=10, items=20, horizon="1h", **settings)


def test_a_run_that_is_stopped_can_be_told_from_one_that_failed(tmp_path):
    ticks = iter(range(100))
    with pytest.raises(RunInterrupted, match=r"at 1\.25 h of simulated time"):
        run_world(
            config(recommender="random", users=20, items=40, horizon="6h", output=str(tmp_path / "r")),
            stop=lambda: next(ticks) == 4,
        )
    assert not (tmp_path / "r" / "manifest.json").exists()


# ---- what is compiled -----------------------------------------------------------------------------------------------

SMALL = ["scenario=" + NAME, "users=20", "items=40", "horizon=7h", "first_fit=6h"]


def _lived(cache: Path, output: Path) -> set[tuple[str, int]]:
    """Compiled kernels in the cache after a run in a process of its own, each with the time of its writing."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    subprocess.run(
        [sys.executable, "-m", "simulator", *SMALL, f"output={output}"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    return {(path.name, path.stat().st_mtime_ns) for path in cache.rglob("*.nbc")}


@pytest.mark.long
def test_a_second_process_compiles_nothing(tmp_path):
    cache = tmp_path / "kernels"
    first = _lived(cache, tmp_path / "a")
    assert len(first) > 3
    assert _lived(cache, tmp_path / "b") == first


def test_kernels_of_this_source_are_used_again_within_a_process():
    from simulator.engine.visit.advance import advance

    simulator.run(NAME, "random", users=20, items=40, horizon="7h")
    before = (sum(advance.stats.cache_hits.values()), sum(advance.stats.cache_misses.values()), len(advance.signatures))
    simulator.run(NAME, "itemknn", users=30, items=50, horizon="8h", first_fit="6h", threads=2, log="metrics")
    after = (sum(advance.stats.cache_hits.values()), sum(advance.stats.cache_misses.values()), len(advance.signatures))
    assert before == after, "one compiled version serves every run"
    assert after[2] >= 1  # others are of scenarios with other parts


@pytest.mark.long
def test_the_life_of_a_visit_counts_no_references(tmp_path):
    """Reference counts in the innermost loop cost several times what the loop does."""
    program = (
        "import os; os.cpu_count = lambda: 1  # all is compiled in this process\n"
        "import simulator\n"
        "from simulator.engine.visit.batch_steps import batched_steps\n"
        "from simulator.engine.visit.advance import advance\n"
        f"simulator.run({NAME!r}, 'random', users=20, items=40, horizon='7h', first_fit='6h')\n"
        "for part in (advance, batched_steps):\n"
        "    code = part.inspect_llvm(part.signatures[0])\n"
        "    assert 'define' in code\n"
        "    print(code.count('NRT_incref'), code.count('NRT_decref'))\n"
    )
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }  # a fresh compilation: one from the cache has no LLVM code
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "0"] * 2
