"""The log of another run before time 0: what the platform takes from it, and from which runs it takes none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulator
from recommenders.contract import PlatformLog
from recommenders.models.popularity import Popularity
from simulator.config import RunConfig, resolve
from simulator.errors import InputError
from simulator.platform.policies import declared_label
from simulator.runtime.earlier_log import STRETCH
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.laws.harness import assert_same_log
from tests.refusals import refused
from tests.runtime.stopped import configured, resumed, scenario_file, stopped

WORLD: dict[str, Any] = {"users": 50, "items": 200, "seed": 3}
HOUR = 3600.0


class Reader(Popularity):
    """Keeps the logs that it is fitted on."""

    name = "reader"

    def fit(self, log, catalog):
        super().fit(log, catalog)
        self.logs = [*getattr(self, "logs", []), log]


def reader() -> Reader:
    return Reader(label=declared_label(load_scenario("shortvideo")))


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> simulator.RunResult:
    """A world of the same people in which the covers of one surface are hidden."""
    folder = tmp_path_factory.mktemp("before") / "run"
    changes = {"scenario.surfaces.discover.shows.browse": ["caption", "author", "likes"]}
    return simulator.run("shortvideo", "random", **WORLD, horizon="8h", output=folder, **changes)


@pytest.fixture(scope="module")
def after(before) -> tuple[simulator.RunResult, list[PlatformLog]]:
    """A world that begins with its log, and all logs of its fits."""
    who = reader()
    return simulator.run("shortvideo", who, **WORLD, horizon="4h", refit="2h", log_from=before.folder), who.logs


def test_the_platform_begins_with_what_the_other_recorded(before, after):
    result, (first, second) = after
    rows, told = before.platform, result.manifest["setting"]["log_from"]
    to_come = result.items["published_at"].to_numpy() > 0.0
    kept = rows[~rows["item"].isin(np.flatnonzero(to_come))]
    assert 0 < told["rows_on_items_to_come"] == len(rows) - len(kept)
    assert told["rows"] == len(first) == len(kept)
    assert told["rows_not_arrived"] == (before.truth["logged_at"] > 8 * HOUR).sum() > 0
    assert (told["recommender"], told["horizon_seconds"], told["learners"][0]) == ("random", 8 * HOUR, "reader")
    order = ["logged_at", "user", "time"]
    kept = kept.sort_values(order)
    np.testing.assert_allclose(np.sort(first.time), np.sort(kept["time"] - 8 * HOUR))
    np.testing.assert_array_equal(first.user, kept["user"])
    assert (first.logged_at <= 0.0).all()
    for name in ("event", "surface", "stage", "device"):
        counts = {text: int((getattr(first, name) == code).sum()) for code, text in enumerate(first.names[name])}
        assert {k: n for k, n in counts.items() if n} == {k: n for k, n in kept[name].value_counts().items() if n}
    assert (first.session < STRETCH).all()
    assert (first.policy_version == 65535).all()
    own = second.time[len(first) :]
    assert len(own) > 0
    assert (own >= 0.0).all()
    assert (second.session[len(first) :] >= STRETCH).all()
    assert result.truth["session"].min() == STRETCH
    assert result.manifest["recommender"]["fitted_at_seconds"] == [0.0, 2 * HOUR]


def test_what_users_live_through_differs_with_whom_the_log_was_learned_from(before, after, tmp_path):
    seen = simulator.run("shortvideo", "random", **WORLD, horizon="8h", output=tmp_path / "seen")
    assert seen.manifest["setting"]["likeness"] == before.manifest["setting"]["likeness"]
    result = simulator.run("shortvideo", reader(), **WORLD, horizon="4h", refit="2h", log_from=seen.folder)
    assert result.manifest["log"] != after[0].manifest["log"]


def test_a_refit_beyond_the_horizon_leaves_one_model(before):
    who = reader()
    result = simulator.run("shortvideo", who, **WORLD, horizon="3h", refit="30d", log_from=before.folder)
    assert result.manifest["recommender"]["fitted_at_seconds"] == [0.0]
    assert len(who.logs) == 1


def test_who_learns_nothing_answers_from_the_beginning_and_lives_the_same_whatever_the_log(before, tmp_path):
    seen = simulator.run("shortvideo", "random", **WORLD, horizon="2h", output=tmp_path / "seen", serves="all")
    settings = {**WORLD, "horizon": "2h", "serves": "all"}
    result = simulator.run("shortvideo", "random", **settings, log_from=before.folder)
    assert result.manifest["setting"]["log_from"]["learners"] == []
    assert set(result.platform["policy_version"].dropna()) == {1}
    again = simulator.run("shortvideo", "random", **settings, log_from=seen.folder)
    assert_same_log(result.truth, again.truth)
    assert len(result.truth) != len(seen.truth), "the luck is another than in the visits that were learned from"


def test_logs_of_several_runs_follow_each_other(before, tmp_path):
    chained = {**WORLD, "horizon": "2h"}
    second = simulator.run("shortvideo", "popularity", **chained, log_from=before.folder, output=tmp_path / "second")
    third = simulator.run("shortvideo", "popularity", **chained, log_from=second.folder)
    assert third.truth["session"].min() == 2 * STRETCH


def test_a_resumed_run_has_the_log_of_an_unbroken_one_and_notices_another_log(tmp_path, capsys):
    path = scenario_file(tmp_path)
    own = {"first_fit": None, "horizon": "4h", "users": 50}
    other = tmp_path / "other"
    run_world(replace(configured(path, other, users=50, recommender="random"), horizon=3 * HOUR))
    config = configured(path, tmp_path / "whole", **own, log_from=str(other))
    assert RunConfig.from_yaml(_written(config, tmp_path)) == config
    whole = run_world(config)
    run = stopped(replace(config, output=tmp_path / "run"), 7)
    manifest = (other / "manifest.json").read_bytes()
    (other / "manifest.json").write_bytes(manifest + b" ")
    assert f"log_from {other}: is not what {run} was begun with: manifest.json has changed" in refused(
        capsys, f"resume={run}"
    )
    (other / "manifest.json").write_bytes(manifest)
    again = resumed(run, config)
    assert again.manifest["log"] == whole.manifest["log"]
    assert again.manifest["setting"]["log_from"] == whole.manifest["setting"]["log_from"]
    assert_same_log(again.truth, whole.truth)


def _written(config: RunConfig, folder: Path) -> Path:
    path = folder / "written.yaml"
    path.write_text(config.to_yaml())
    return path


def test_a_real_log_comes_before_that_of_the_other_run(tmp_path):
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    draw = np.random.default_rng(1)
    user, item = np.repeat(np.arange(240), 12), draw.integers(0, 240, 2880)
    pq.write_table(pa.table({"user": user, "item": item}), catalog / "interactions.parquet")
    settings: dict[str, Any] = {"catalog": catalog, "seed": 2}
    other = simulator.run("shortvideo", "random", **settings, horizon="2h", output=tmp_path / "other")
    who = reader()
    result = simulator.run("shortvideo", who, **settings, horizon="1h", log_from=tmp_path / "other")
    log = who.logs[0]
    real = log.time < -2 * HOUR
    assert int((~real).sum()) == result.manifest["setting"]["log_from"]["rows"] == len(other.platform)
    assert real.sum() > 0
    (catalog / "items.parquet").unlink(missing_ok=True)
    pq.write_table(pa.table({"item": np.arange(240), "duration": np.full(240, 20.0)}), catalog / "items.parquet")
    with pytest.raises(InputError, match="has another catalog than"):
        simulator.run("shortvideo", "popularity", **settings, horizon="1h", log_from=tmp_path / "other")


# ---- what is refused


def _no_run(run: Path) -> None:
    (run / "config.yaml").unlink()


def _not_ended(run: Path) -> None:
    (run / "manifest.json").unlink()


def _cut_off(run: Path) -> None:
    path = next((run / "platform").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-200])


def _of_an_older_version(run: Path) -> None:
    (run / "manifest.json").write_text('{"scenario": {"name": "shortvideo"}}')


def _broken(run: Path) -> None:
    (run / "manifest.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_no_run, "is no run: it has no config.yaml"),
        (_not_ended, "has not ended; end it with python -m simulator resume="),
        (_cut_off, "bytes, and the run wrote"),
        (_of_an_older_version, "manifest.json: does not say what the run was and wrote"),
        (_broken, "manifest.json: cannot be read"),
    ],
)
def test_a_damaged_run_is_refused(damage, says, before, tmp_path, capsys):
    run = Path(shutil.copytree(before.folder, tmp_path / "other"))
    damage(run)
    assert says in _refused(capsys, tmp_path, log_from=run)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"seed": 4}, "has seed = 3, and this run 4; expected a run with this one's scenario, seed, users, items"),
        ({"users": 40}, "has users = 50, and this run 40"),
        ({"items": 150}, "has items = 200, and this run 150"),
        ({"scenario": "audio"}, "has scenario = shortvideo, and this run audio"),
        (
            {"scenario.facets.topic.agreement": 0.9},
            "has other tastes than this run, by what is changed",
        ),
        ({"log_from": "no/such/run"}, "expected the folder of a run that has ended; nothing is there"),
        ({"log_from": "x" * 300}, "expected the folder of a run that has ended; nothing is there"),
        ({"log_from": __file__}, "test_earlier_log.py: is no run: it has no config.yaml"),
        ({"first_fit": "1h"}, "first_fit beside log_from; leave it out"),
    ],
)
def test_other_people_are_refused(given, says, before, tmp_path, capsys):
    assert says in _refused(capsys, tmp_path, **{"log_from": before.folder, **given})


def _refused(capsys: pytest.CaptureFixture[str], folder: Path, **given: object) -> str:
    words = {"scenario": "shortvideo", "recommender": "popularity", **WORLD, "horizon": "2h", **given}
    output = folder / "run"
    line = refused(
        capsys, *(f"{name}={value}" for name, value in words.items()), f"output={output}",
        head=len(str(given["log_from"])) < 300 and Path(str(given["log_from"])).exists() and "first_fit" not in given,
    )  # fmt: skip
    assert not output.exists()
    return line


def test_a_run_without_a_platform_log_is_refused(tmp_path):
    simulator.run("shortvideo", "random", **WORLD, horizon="1h", log="metrics", output=tmp_path / "other")
    with pytest.raises(InputError, match=r"has no platform log: it ran with log=metrics; run it with log=platform"):
        simulator.run("shortvideo", "popularity", **WORLD, horizon="1h", log_from=tmp_path / "other")


def test_a_name_that_the_scenario_does_not_know_is_refused(before, tmp_path):
    run = Path(shutil.copytree(before.folder, tmp_path / "other"))
    edited = tmp_path / "edited"
    edited.mkdir()
    text = scenario_file(edited).read_text().replace("discover", "discovery")
    (edited / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match="unknown surface 'discover'; did you mean discovery"):
        simulator.run(edited / "mine.yaml", "popularity", **WORLD, horizon="1h", log_from=run)


def test_worlds_of_a_sweep_have_folders_of_their_own(before, tmp_path):
    from simulator.cli.sweep import place

    pairs = [("scenario", "shortvideo"), ("recommender", "itemknn")]
    configs = [resolve(pairs), resolve([*pairs, ("log_from", str(before.folder))])]
    assert len({config.output for config in place(configs, tmp_path)}) == 2
