"""Bad input: one clear line and exit code 2, no traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.__main__ import main
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number
from tests.refusals import contents, refused

ROOT = Path(__file__).resolve().parents[2]
NAME = "shortvideo"
SMALL = ["users=20", "items=40", "horizon=8h", "first_fit=6h"]
FOREIGN = "tests.laws.plugins:Foreign"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Runs without output= must not write into the repository."""
    monkeypatch.chdir(tmp_path)


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["scenario=shortvidoe"], ["unknown scenario 'shortvidoe'", "shortvideo"]),
        (["scenario=" + NAME, "recommender=itemkn"], ["itemkn", "itemknn"]),
        (["scenario=" + NAME, "recommender=no.such.module:Mine"], ["no.such.module"]),
        (["scenario=" + NAME, "usrs=5"], ["usrs", "did you mean users?"]),
        (["scenario=" + NAME, "users=5", "users=6"], ["users", "twice"]),
        (["scenario=" + NAME, "users=0"], ["users = 0", "at least 1"]),
        (["scenario=" + NAME, "users=-3"], ["users = -3", "at least 1"]),
        (["scenario=" + NAME, "items=0"], ["items = 0", "at least 1"]),
        (["scenario=" + NAME, "users=many"], ["users = many", "whole number"]),
        (["scenario=" + NAME, "horizon=-2d"], ["horizon = -2d", "positive duration"]),
        (["scenario=" + NAME, "horizon=0"], ["horizon = 0", "positive duration"]),
        (["scenario=" + NAME, "checkpoint=-1h"], ["checkpoint = -1h", "positive duration"]),
        (["scenario=" + NAME, "checkpoint=10min"], ["checkpoint", "multiple of 900 s"]),
        (["scenario=" + NAME, "seed=-1"], ["seed = -1"]),
        (["scenario=" + NAME, "log=everything"], ["log = everything", "full, platform, metrics"]),
        (["scenario=" + NAME, "recommender=itemknn", "recommender.neighbours=5"], ["neighbours"]),
        (["scenario=" + NAME, "catalog=nowhere"], ["catalog = nowhere", "nothing is there"]),
        (["scenario=./missing.yaml"], ["missing.yaml"]),
        (["resume=nowhere"], ["nowhere", "no run to resume"]),
        ([], ["no scenario is given"]),
    ],
    ids=lambda value: " ".join(value)[:60] or "nothing",
)
def test_what_is_typed_wrong(words, parts, capsys):
    small = [word for word in SMALL if word.partition("=")[0] not in {w.partition("=")[0] for w in words} and words]
    if "resume=nowhere" in words:
        small = []
    code = main([*words, *small])
    said = capsys.readouterr()
    lines = [line for line in said.err.strip().splitlines() if line.startswith("error: ")]
    assert code == 2, said.err
    assert len(lines) == 1
    assert "Traceback" not in said.err
    for part in parts:
        assert part in lines[0]
    assert not Path("runs").exists(), "a run that cannot begin leaves no folder"


def test_it_holds_for_a_process_as_well(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "simulator", f"scenario={NAME}", "users=0"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


# ---- scenario files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edits", "parts"),
    [
        ({"browse.discover.skim": number(1.2, "probability")}, ["browse.discover.skim", "1.2"]),
        ({"consume.watch.tolerate": number(-0.1, "probability")}, ["consume.watch.tolerate", "-0.1"]),
        ({"consume.watch.start_delay": number(-1.0, "s")}, ["consume.watch.start_delay", "-1"]),
        ({"platform.refit": "-6h"}, ["platform.refit", "-6h"]),
        (
            {
                "stages.feed.entry": number(0.0, "share"),
                "stages.discover.entry": number(1.0, "share"),
                "stages.search.entry": number(0.0, "share"),
                "stages.search.next": {"select": "watch", "exhausted": "search", "leave": "exit"},
                "stages.page.next": {"select": "watch", "exhausted": "discover", "leave": "discover"},
                "stages.react.next": {"continue": "discover", "detour": "page", "leave": "exit"},
            },
            ["stages.feed", "never reached"],
        ),
        ({"stages.feed.next": {"select": "watch", "exhausted": "feed"}}, ["stages.feed", "leave"]),
        ({"stages.feed.next": {"select": "wach", "exhausted": "feed", "leave": "exit"}}, ["wach", "watch"]),
        ({"stages.feed.entry": number(0.5, "share")}, ["entry", "add up to"]),
        ({"platform.label": "long_viev"}, ["long_viev", "long_view"]),
        ({"measures": ["plays", "hapiness"]}, ["hapiness"]),
    ],
)
def test_a_scenario_that_does_not_hang_together(edits, parts, tmp_path, capsys):
    path = edited(tmp_path, edits)
    line = refused(capsys, f"scenario={path}", *SMALL, head=main_says_head(edits))
    for part in parts:
        assert part in line
    assert not Path("runs").exists()


def main_says_head(edits: dict[str, object]) -> bool:
    """What only shows when the scenario is compiled shows after the line that says what is being run."""
    return not any(key.startswith(("browse.discover.skim", "consume.watch", "platform.refit")) for key in edits)


@pytest.mark.parametrize(
    ("find", "replace", "parts"),
    [
        ("\norientation: content\n", "\norientation: content\norientation: content\n", ["orientation", "repeated"]),
        ("\norientation: content\n", "\norientation: content\norientaton: content\n", ["orientaton", "orientation"]),
        ("\norientation: content\n", "\norientation: [content\n", ["edited.yaml"]),
    ],
    ids=["repeated key", "unknown key", "no YAML"],
)
def test_a_scenario_file_that_cannot_be_read(find, replace, parts, tmp_path, capsys):
    original = Path(str(load_scenario(NAME).path))
    text = original.read_text()
    assert find in text
    (tmp_path / "edited.yaml").write_text(text.replace(find, replace))
    shutil.copy(original.with_name(f"{original.stem}.sources.yaml"), tmp_path / "edited.sources.yaml")
    line = refused(capsys, f"scenario={tmp_path / 'edited.yaml'}", *SMALL)
    for part in parts:
        assert part in line


# ---- catalogs -------------------------------------------------------------------------------------------------------


def parquet(path: Path, **columns: object) -> None:
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def catalog(tmp_path) -> Path:
    """A small real catalog in order: items, two feature files, a log."""
    folder = tmp_path / "catalog"
    (folder / "features").mkdir(parents=True)
    generator = np.random.default_rng(0)
    parquet(folder / "items.parquet", item=np.arange(60), duration=generator.uniform(5, 60, 60))
    np.save(folder / "features" / "cover.npy", generator.normal(size=(60, 8)).astype(np.float32))
    np.save(folder / "features" / "audio.npy", generator.normal(size=(60, 6)).astype(np.float32))
    parquet(folder / "interactions.parquet", user=generator.integers(0, 40, 900), item=generator.integers(0, 60, 900))
    return folder


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _features(folder: Path, **change: object) -> None:
    matrix = np.load(folder / "features" / "cover.npy")
    if "rows" in change:
        matrix = matrix[: change["rows"]]
    if "nan" in change:
        matrix[3, 2] = np.nan
    np.save(folder / "features" / "cover.npy", matrix)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


BROKEN = {
    "corrupt parquet of items": (lambda f: _cut(f / "items.parquet"), ["items.parquet"]),
    "corrupt parquet of the log": (lambda f: _cut(f / "interactions.parquet"), ["interactions.parquet"]),
    "features with other row counts": (lambda f: _features(f, rows=50), ["cover.npy", "50", "60"]),
    "features with NaN": (lambda f: _features(f, nan=True), ["cover.npy", "NaN"]),
    "corrupt features": (lambda f: _cut(f / "features" / "audio.npy"), ["audio.npy"]),
    "absent items": (
        lambda f: parquet(f / "interactions.parquet", user=[1, 2], item=[5, 777]),
        ["interactions.parquet", "777"],
    ),
    "no column of users": (
        lambda f: parquet(f / "interactions.parquet", who=[1, 2], item=[5, 7]),
        ["interactions.parquet", "user"],
    ),
    "an empty log": (
        lambda f: parquet(f / "interactions.parquet", user=pa.array([], pa.int64()), item=pa.array([], pa.int64())),
        ["interactions.parquet"],
    ),
    "an empty folder": (_empty, ["holds no catalog"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_catalog_that_is_broken(case, catalog, capsys):
    breaks, parts = BROKEN[case]
    breaks(catalog)
    before = contents(catalog)
    line = refused(capsys, f"scenario={NAME}", "horizon=2h", f"catalog={catalog}", head=True)
    for part in parts:
        assert part in line
    assert contents(catalog) == before
    assert not any(Path("runs").glob("*")) if Path("runs").exists() else True


# ---- what only shows while a world runs ------------------------------------------------------------------------------


def test_a_parameter_that_a_recommender_refuses(tmp_path, capsys):
    words = [
        f"scenario={NAME}",
        "recommender=itemknn",
        "recommender.neighbors=-5",
        *SMALL,
        f"output={tmp_path / 'run'}",
    ]
    assert "recommender itemknn.neighbors: is -5; expected at least 1" in refused(capsys, *words, head=True)
    assert not (tmp_path / "run").exists()
    sweep = ["-m", *words[:-1], "seed=0,1", f"output={tmp_path / 'sweep'}"]
    assert "recommender itemknn.neighbors: is -5" in refused(capsys, *sweep)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["recommender=vbpr", "recommender.modality=cover+smell"], "no features of modality 'smell'; it has: audio"),
        (["recommender=contentknn", "recommender.modality=smell"], "no features of modality 'smell'; it has: audio"),
        (["recommender=linucb", "recommender.modality=smell"], "no features of modality 'smell'"),
        (["recommender=declared", "recommender.column=mood"], "the catalog has no 'mood'; it has: "),
        (["recommender=filtered", "recommender.member=random", "recommender.column=mood"], "the catalog has no 'mood'"),
        (
            ["recommender=exploring", "recommender.member=contentknn(modality=smell)"],
            "no features of modality 'smell'",
        ),
    ],
)
def test_a_recommender_whose_needs_the_catalog_does_not_meet(words, part, tmp_path, capsys):
    """Known before anything is written, not at the first fit."""
    assert part in refused(capsys, f"scenario={NAME}", *SMALL, *words, f"output={tmp_path / 'run'}", head=True)
    assert not (tmp_path / "run").exists()


def test_a_recommender_that_breaks_the_contract(tmp_path, capsys):
    line = refused(
        capsys, f"scenario={NAME}", f"recommender={FOREIGN}", *SMALL, f"output={tmp_path / 'run'}", head=True
    )
    assert "recommender foreign" in line
    assert "items are 0 ... 39" in line


def test_a_catalog_in_which_nothing_is_published_yet(tmp_path, capsys):
    """One item, and every item fresh: at the beginning there is nothing to show."""
    path = edited(tmp_path, {"supply.fresh": number(1e9, "share")})
    words = [f"scenario={path}", *SMALL]
    code = main(words)
    said = capsys.readouterr()
    assert code == 2, said.err
    assert said.err.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in said.err
