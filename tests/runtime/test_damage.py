"""A run that was damaged, edited or mixed up with another is refused in one line, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.__main__ import main
from simulator.records.checkpoint import last_checkpoint
from simulator.runtime import identity
from tests.processes import assert_same
from tests.refusals import contents, refused
from tests.runtime.stopped import configured, resumed, scenario_file, stopped

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the scenario and three runs of it: `whole`, `run` that was stopped, `other` of another seed."""
    folder = tmp_path_factory.mktemp("home")
    scenario = scenario_file(folder)
    stopped(configured(scenario, folder / "run"))
    stopped(configured(scenario, folder / "other", seed=6))
    return folder


@pytest.fixture(scope="module")
def whole(home):
    return resumed(Path(shutil.copytree(home / "run", home / "whole")), configured(home / "mine.yaml", home / "whole"))


@pytest.fixture
def run(home, tmp_path):
    """A copy of the stopped run, and a scenario of its own to edit."""
    return Path(shutil.copytree(home / "run", tmp_path / "run"))


def newest(run: Path) -> Path:
    return run / "checkpoints" / f"checkpoint-{last_checkpoint(run):05d}.npz"


def flip(path: Path) -> None:
    """Flip one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path: Path, left: float = 0.6) -> None:
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * left)])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def into_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("mine")


def foreign(name: str) -> Damage:
    """Put the other run's file in the place of this run's."""
    return lambda run: shutil.copy(run.parent / "other" / name, run / name)


def edit(old: str, new: str) -> Damage:
    def edited(run: Path) -> None:
        text = (run / "config.yaml").read_text()
        assert old in text
        (run / "config.yaml").write_text(text.replace(old, new))

    return edited


PART, PLATFORM_PART, CHECKPOINT = "truth/part-00002.parquet", "platform/part-00003.parquet", "checkpoint-00006.npz"
DAMAGES: dict[str, tuple[Damage, list[str]]] = {
    **{
        f"{kind.__name__} {name}": (lambda run, kind=kind, name=name: kind(run / name), [f"run/{name}: ", says])
        for name in (PART, PLATFORM_PART)
        for kind, says in (
            (Path.unlink, "is missing; the run wrote "), (flip, "has other content than the"), (cut, " bytes, and the"),
            (empty, "has 0 bytes"), (into_folder, "is missing"),
        )
    },
    **{f"foreign {name}": (foreign(name), [f"run/{name}: ", "the run wrote"]) for name in (PART, PLATFORM_PART)},
    "a log is a file": (lambda run: into_file(run / "truth"), ["run/truth: ", "is a file"]),
    "a log is gone": (lambda run: shutil.rmtree(run / "platform"), ["platform/part-00001.parquet: is missing"]),
    "a part too many": (
        lambda run: shutil.copy(run / PART, run / "truth" / "part-2.parquet"), ["part-2.parquet: is none of the parts"]
    ),
    "a part without a number": (lambda run: (run / "truth/part-x.parquet").touch(), ["part-x.parquet: is none of"]),
    "checkpoint flipped": (lambda run: flip(newest(run)), [CHECKPOINT, "is not as the run wrote it"]),
    "checkpoint cut": (lambda run: cut(newest(run)), [CHECKPOINT, "is not as the run wrote it"]),
    "checkpoint cut short of its hash": (lambda run: cut(newest(run), 0.9999), [CHECKPOINT, "is not as the run wrote"]),
    "checkpoint empty": (lambda run: empty(newest(run)), [CHECKPOINT, "is not as the run wrote it"]),
    "checkpoint gone": (lambda run: newest(run).unlink(), ["has no checkpoint"]),
    "checkpoint a folder": (lambda run: into_folder(newest(run)), [CHECKPOINT, "cannot be read (", "directory"]),
    "checkpoint renamed": (
        lambda run: newest(run).rename(run / "checkpoints/checkpoint-00009.npz"), ["00009.npz: holds checkpoint 6"]
    ),
    "checkpoints a file": (lambda run: into_file(run / "checkpoints"), ["run/checkpoints: is a file"]),
    "checkpoint foreign": (
        foreign(f"checkpoints/{CHECKPOINT}"), ["config.yaml: ", f"seed = 5, and {CHECKPOINT} says 6"]
    ),
    "config gone": (lambda run: (run / "config.yaml").unlink(), ["is no run to resume"]),
    "config empty": (lambda run: empty(run / "config.yaml"), ["config.yaml: holds nothing"]),
    "config no text": (lambda run: (run / "config.yaml").write_bytes(b"\xff\xfe\x00a"), ["config.yaml: ", "not UTF-8"]),
    "config no table": (lambda run: (run / "config.yaml").write_text("- a\n"), ["config.yaml: holds a list"]),
    "config a folder": (lambda run: into_folder(run / "config.yaml"), ["is no run to resume"]),
    "config cut": (lambda run: cut(run / "config.yaml"), ["config.yaml"]),
    "config foreign": (foreign("config.yaml"), ["config.yaml: ", f"seed = 6, and {CHECKPOINT} says 5"]),
    "settings edited": (
        edit("users: 60", "users: 61"), ["config.yaml: ", f"users = 61, and {CHECKPOINT} says 60"]
    ),
    "horizon edited": (edit("horizon: 8h", "horizon: 9h"), ["horizon = 9h, and", "says 8h"]),
    "log edited": (edit("log: full", "log: metrics"), ["log = metrics, and", "says full"]),
    "recommender edited": (edit("itemknn", "userknn"), ["recommender = userknn, and", "says itemknn"]),
    "a setting more": (edit("seed: 5", "seed: 5\nrecommender.neighbors: 3"), ["recommender.neighbors = 3"]),
    "a setting less": (edit("items: 80\n", ""), ["items = not given, and", "says 80"]),
    "a change of the scenario": (edit("seed: 5", "seed: 5\nscenario.user.churn: 0.9"), ["scenario.user.churn = 0.9"]),
    "manifest empty": (lambda run: empty(run / "manifest.json"), ["manifest.json: cannot be read"]),
    "manifest no table": (lambda run: (run / "manifest.json").write_text("[]"), ["manifest.json: is no table"]),
    "manifest of nothing": (lambda run: (run / "manifest.json").write_text("{}"), ["manifest.json: does not say"]),
    "manifest a folder": (lambda run: (run / "manifest.json").mkdir(), ["manifest.json: cannot be read", "directory"]),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_run_is_named_and_left_as_it_is(what, home, run, capsys):
    shutil.copytree(home / "other", run.parent / "other")
    damage, parts = DAMAGES[what]
    damage(run)
    before = contents(run)
    line = refused(capsys, f"resume={run}")
    for part in parts:
        assert part in line
    assert contents(run) == before


@pytest.mark.parametrize("name", ["x" * 300, "other.yaml"])
def test_what_is_no_folder_of_a_run(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("other.yaml").touch()
    assert "is no run to resume" in refused(capsys, f"resume={name}")


def test_an_edited_scenario_is_refused(tmp_path, capsys):
    scenario = scenario_file(tmp_path)
    for ticks in (2, 6):  # before the first checkpoint, and after
        run = stopped(configured(scenario, tmp_path / f"run-{ticks}"), ticks)
        text = scenario.read_text()
        assert "churn: {value: 0.006" in text
        scenario.write_text(text.replace("churn: {value: 0.006", "churn: {value: 0.9"))
        line = refused(capsys, f"resume={run}")
        assert f"scenario {scenario}: is not what {run} was begun with" in line
        scenario.write_text(f"# a comment changes nothing\n{text}")
        resumed(run, configured(scenario, run))
        scenario.write_text(text)


def test_another_engine_does_not_continue_a_run(run, capsys, monkeypatch):
    monkeypatch.setattr(identity, "source_hash", lambda: "0" * 16)
    assert "another version of the engine" in refused(capsys, f"resume={run}")


# ---- what is dropped, and what is made again


def test_what_was_written_after_the_checkpoint_is_dropped(home, run, whole):
    for kind in ("truth", "platform"):
        shutil.copy(run / kind / "part-00006.parquet", run / kind / "part-00007.parquet")
    (run / "truth" / ".part-00008.parquet.partial").write_text("half")
    (run / "items.parquet").unlink()
    resumed(run, configured(home / "mine.yaml", run))
    assert_same(run, whole)
    assert (run / "items.parquet").read_bytes() == (whole.folder / "items.parquet").read_bytes()


# ---- a run that has ended


def test_a_finished_run_is_left_alone(whole, capsys):
    before = contents(whole.folder)
    assert main([f"resume={whole.folder}", "threads=2"]) == 0
    assert capsys.readouterr() == (f"{whole.folder}: finished; nothing to do\n", "")
    again = simulator.resume(whole.folder)
    np.testing.assert_equal(again.metrics, whole.metrics)
    assert again.manifest["log"] == whole.manifest["log"]
    pd.testing.assert_frame_equal(again.items, whole.items)
    pd.testing.assert_frame_equal(again.truth, whole.truth)
    assert contents(whole.folder) == before


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda run: (run / PART).unlink(), f"{PART}: is missing"),
        (lambda run: flip(run / PLATFORM_PART), f"{PLATFORM_PART}: has other content"),
        (lambda run: shutil.copy(run / PART, run / "truth/part-00099.parquet"), "part-00099.parquet: is none of"),
        (lambda run: cut(run / "manifest.json"), "manifest.json: cannot be read"),
        (lambda run: empty(run / "metrics.json"), "metrics.json: cannot be read"),
        (lambda run: cut(run / "items.parquet"), "items.parquet: cannot be read"),
        (edit("seed: 5", "seed: 7"), "seed = 7, and manifest.json says 5"),
    ],
)
def test_a_finished_run_that_was_damaged_is_not_said_to_be_whole(damage, part, whole, tmp_path, capsys):
    run = Path(shutil.copytree(whole.folder, tmp_path / "run"))
    damage(run)
    before = contents(run)
    assert part in refused(capsys, f"resume={run}")
    assert contents(run) == before


def test_an_end_that_was_damaged_is_lived_again(home, whole, tmp_path):
    run = Path(shutil.copytree(whole.folder, tmp_path / "run"))
    (run / "manifest.json").unlink()
    resumed(run, configured(home / "mine.yaml", run))
    assert_same(run, whole)
