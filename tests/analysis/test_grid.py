"""The paired runner with a stand-in for the engine: what is run, what is reused, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from analysis import grid, world
from analysis.arms import Arm, read_arm
from analysis.grid import experiment
from simulator.cli.sweep import SweepError
from simulator.errors import InputError

SCENARIO = "shortvideo"
# Stands in for the engine: plays = 100 x seed + length of the recommender's name; every start leaves a line in `begun`.
WORLD = """
import json, pathlib, sys
given = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(given["output"])
with (folder.parent.parent / "begun").open("a") as file:
    print(folder.name, file=file)
folder.mkdir(exist_ok=True)
(folder / "config.yaml").write_text("".join(f"{k}: {v}\\n" for k, v in given.items() if k != "output"))
if (folder.parent.parent / f"unlucky-{folder.name}").exists():
    sys.exit("error: unlucky")
plays = int(given["seed"]) * 100 + len(given["recommender"])
(folder / "metrics.json").write_text(json.dumps({"plays": plays, "regret": None}))
(folder / "manifest.json").write_text("{}")
"""
COMMAND = (sys.executable, "-c", WORLD)


def run(folder: Path, recommenders=("random", "itemknn"), seeds=(0, 1), **settings: object):
    return experiment(SCENARIO, recommenders, seeds, {"users": 50, **settings}, 2, folder / "all", command=COMMAND)


def begun(folder: Path) -> list[str]:
    """Worlds that were started since the last call."""
    path = folder / "begun"
    names = sorted(path.read_text().split()) if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def test_every_recommender_meets_every_seed(tmp_path):
    found = run(tmp_path)
    assert begun(tmp_path) == ["itemknn-s0", "itemknn-s1", "random-s0", "random-s1"]
    assert found.recommenders == ["random", "itemknn"]
    assert found.measures == ["plays", "regret"]
    assert found.worlds("plays").to_dict() == {"random": {0: 6, 1: 106}, "itemknn": {0: 7, 1: 107}}
    assert found.worlds("regret").isna().all(axis=None)
    assert list(found.frame.columns) == ["scenario", "recommender", "seed", "measure", "value"]
    assert set(found.frame["scenario"]) == {SCENARIO}
    assert "users: 50" in (tmp_path / "all" / "random-s0" / "config.yaml").read_text()


def test_finished_worlds_are_reused_and_the_grid_can_grow(tmp_path):
    first = run(tmp_path)
    begun(tmp_path)
    again = run(tmp_path, threads=2)  # changes no result
    assert begun(tmp_path) == []
    assert again.frame.equals(first.frame)
    more = run(tmp_path, ("random", "popularity"), (0, 1, 2))
    assert begun(tmp_path) == ["popularity-s0", "popularity-s1", "popularity-s2", "random-s2"]
    assert more.recommenders == ["random", "popularity"]


def test_what_failed_is_run_again_and_nothing_else(tmp_path):
    unlucky = tmp_path / "unlucky-itemknn-s1"
    unlucky.touch()
    with pytest.raises(SweepError, match="1 of 4 runs failed"):
        run(tmp_path)
    begun(tmp_path)
    unlucky.unlink()
    assert len(run(tmp_path).frame) == 8
    assert begun(tmp_path) == ["itemknn-s1"]


def test_a_world_killed_in_its_first_moment_is_begun_again(tmp_path):
    run(tmp_path)
    begun(tmp_path)
    folder = tmp_path / "all" / "random-s0"
    for path in folder.iterdir():
        path.unlink()
    (folder / ".config.yaml.1-0.partial").touch()
    run(tmp_path)
    assert begun(tmp_path) == ["random-s0"]


def test_other_settings_do_not_mix(tmp_path):
    run(tmp_path)
    with pytest.raises(InputError, match=r"random-s0: was run with users = 50, and 60 is asked for"):
        run(tmp_path, users=60)
    with pytest.raises(InputError, match="horizon"):
        run(tmp_path, horizon="3h")


def test_another_engine_or_scenario_does_not_mix(tmp_path):
    run(tmp_path)
    path = tmp_path / "all" / grid.IDENTITY
    before = json.loads(path.read_text())
    path.write_text(json.dumps(before | {"engine": "0" * 16}))
    with pytest.raises(InputError, match="the engine changed since these worlds were run"):
        run(tmp_path)
    path.write_text("{")
    with pytest.raises(InputError, match="is broken"):
        run(tmp_path)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds something, but no experiment\.json"):
        run(tmp_path)
    assert begun(tmp_path) == []
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["thesis.tex"]


def test_parameters_make_arms_of_their_own(tmp_path):
    found = run(tmp_path, ("itemknn", "itemknn(neighbors=5)", Arm("wide", "itemknn", {"neighbors": 500})), (3,))
    assert found.recommenders == ["itemknn", "itemknn(neighbors=5)", "wide"]
    config = (tmp_path / "all" / "itemknn-neighbors-5-s3" / "config.yaml").read_text()
    assert "recommender.neighbors: 5" in config
    with pytest.raises(InputError, match="would share a folder"):
        run(tmp_path, ("itemknn(neighbors=5)", Arm("itemknn-neighbors-5", "itemknn")))


@pytest.mark.parametrize(
    ("recommenders", "seeds", "settings", "message"),
    [
        (("random", "random"), (0,), {}, "recommenders random, random; expected each once"),
        (("random",), (), {}, r"seeds \(none\)"),
        (("rndom",), (0,), {}, "did you mean random"),
        (("random",), (0,), {"seed": 1}, "seed is no setting that all worlds share"),
        (("random",), (0,), {"recommender.neighbors": 1}, "parameters of a recommender go in brackets"),
        (("random",), (0,), {"usrs": 1}, "unknown setting 'usrs'"),
        (("random",), (-1,), {}, "seed = -1"),
    ],
)
def test_wrong_experiments_are_refused_before_anything_is_made(tmp_path, recommenders, seeds, settings, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, recommenders, seeds, **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["itemknn(neighbors=1,5)", "itemknn(neighbors=)", "itemknn(neighbors=1,neighbors=2)"])
def test_wrong_parameters_are_refused(text):
    with pytest.raises(InputError, match="itemknn"):
        read_arm(text)


def test_a_composed_recommender_is_a_name():
    assert read_arm("pipeline(itemknn,rerank)") == Arm("pipeline(itemknn,rerank)", "pipeline(itemknn,rerank)")


def test_a_world_is_continued_where_it_was_stopped(tmp_path):
    words = ["scenario=hotel", f"output={tmp_path / 'a'}", "seed=3", "threads=2", "window=1", "batch=4096"]
    assert world.arguments(words) == words
    (tmp_path / "a").mkdir()
    assert world.arguments(words) == words
    (tmp_path / "a" / "config.yaml").touch()
    assert world.arguments(words) == [f"resume={tmp_path / 'a'}", "threads=2", "window=1", "batch=4096"]
    odd = f'output="{tmp_path / "b c"}"'
    (tmp_path / "b c").mkdir()
    (tmp_path / "b c" / "config.yaml").touch()
    assert world.arguments([odd]) == [odd.replace("output", "resume")]
