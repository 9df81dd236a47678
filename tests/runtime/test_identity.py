"""What a run is: whoever resumes it brings the recommender and the catalog that it was begun with."""

from __future__ import annotations

import importlib
import shutil
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommenders.models.neighbors import ItemKNN
from simulator.errors import InputError, RunInterrupted
from simulator.platform.policies import declared_label
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.refusals import contents, refused
from tests.runtime.stopped import configured, resumed, scenario_file, stopped

PLUGIN = """
import numpy as np
from recommenders.models.popularity import Popularity


class Mine(Popularity):
    name = "mine"

    def state(self):
        return {**super().state(), "more": MORE}

    def restore(self, state):
        super().restore(state)
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Writes a module `mine` into a folder that is looked at first, and forgets what was imported of it before."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(more: str) -> str:
        (tmp_path / "mine.py").write_text(PLUGIN.replace("MORE", more))
        sys.modules.pop("mine", None)
        importlib.invalidate_caches()
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        return "mine:Mine"

    yield write
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("member", [False, True], ids=["itself", "as a member"])
def test_an_edited_recommender_is_refused(member, plugin, tmp_path, capsys):
    given = {"recommender": plugin("np.arange(3)")}
    if member:
        given = {"recommender": "pipeline", "recommender.recall": "popularity", "recommender.rerank": "mine:Mine"}
    config = configured(scenario_file(tmp_path), tmp_path / "run", **given)
    run = stopped(config, 10)
    plugin("np.arange(4)")
    head = "rerank: " if member else ""
    assert f"is not what {run} was begun with: {head}source of mine has changed" in refused(capsys, f"resume={run}")
    plugin("np.arange(3)")
    resumed(run, config)


def test_an_object_has_the_parameters_of_the_one_that_the_run_began_with(tmp_path):
    config = configured(scenario_file(tmp_path), tmp_path / "run", recommender="recommenders.models.neighbors:ItemKNN")

    def made(neighbors: int) -> ItemKNN:
        return ItemKNN(neighbors=neighbors, label=declared_label(load_scenario("shortvideo")))

    left = iter(range(6))
    with pytest.raises(RunInterrupted):
        run_world(config, made(7), stop=lambda: next(left) == 5)
    again = replace(config, resume=config.output)
    for other in (made(8), None):  # None: made by its name, with the parameters of config.yaml, which are none
        with pytest.raises(InputError, match=r"recommender .*is not what .*: neighbors has changed"):
            run_world(again, other)
    assert run_world(again, made(7)).manifest["identity"]["recommender"]["neighbors"] == "7"


def test_an_edited_catalog_is_refused(tmp_path, capsys):
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    durations = np.linspace(5, 60, 80)
    pq.write_table(pa.table({"item": np.arange(80), "duration": durations}), catalog / "items.parquet")
    config = configured(
        scenario_file(tmp_path), tmp_path / "run", recommender="random", catalog=str(catalog), items=None
    )
    run = stopped(replace(config, users=60, horizon=8 * 3600.0), 6)
    before = contents(run)
    kept = (catalog / "items.parquet").read_bytes()
    pq.write_table(pa.table({"item": np.arange(80), "duration": durations[::-1]}), catalog / "items.parquet")
    (catalog / "notes.csv").touch()
    (catalog / ".hidden").touch()
    line = refused(capsys, f"resume={run}")
    assert f"catalog {catalog}: is not what {run} was begun with: items.parquet has changed, notes.csv is new" in line
    assert contents(run) == before
    (catalog / "items.parquet").write_bytes(kept)
    (catalog / "notes.csv").unlink()
    resumed(run, replace(config, users=60, horizon=8 * 3600.0))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("np.array([{}, None])", "state()['more'] is an array of object"),
        ("np.zeros(2, dtype=[('a', object)])", "state()['more'] is an array of [('a', 'O')]"),
        ("{'a': 1}", "state()['more'] is a dict; expected plain numpy arrays"),
        ("[1, 2]", "state()['more'] is a list"),
        ("3.0", "state()['more'] is a float"),
        ("np.ones(1), 3: np.zeros(1)", "state() has the key 3"),
    ],
)
@pytest.mark.parametrize("member", [False, True], ids=["itself", "as a member"])
def test_a_state_that_only_pickle_could_store_is_refused_at_the_first_checkpoint(
    member, more, says, plugin, tmp_path, capsys
):
    name = plugin(more)
    words = [f"recommender={name}"]
    if member:
        words = ["recommender=pipeline", "recommender.recall=popularity", f"recommender.rerank={name}"]
    run = tmp_path / "run"
    line = refused(
        capsys, f"scenario={scenario_file(tmp_path)}", *words, "users=30", "items=40", "horizon=6h", "first_fit=1h",
        "checkpoint=2h", f"output={run}", head=True,
    )  # fmt: skip
    assert f"recommender mine: {says}" in line
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["checkpoint-00000.npz"]
    assert not list(run.rglob("*.partial"))
