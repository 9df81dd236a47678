"""benchmarks/roster.py: cells are run once, those of a model take what its first chose, and the table tells all."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.roster import main

PLAN = {
    "split": "random",
    "search": {"itemknn": 2},
    "settings": {"epochs": 2, "factors": 4},
    "models": {"itemknn": {}, "vbpr": {"rate": 0.01}},
    "arms": {"full": {}, "none": {"drop": "all", "drop_mode": "remove"}},
    "seeds": {"full": 1, "none": 1},
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A plan, a little data set with features, and the output of a run."""
    folder = tmp_path_factory.mktemp("roster")
    random = np.random.default_rng(0)
    users = random.integers(0, 40, 600)
    table = pd.DataFrame({"user_id": users, "item_id": random.integers(0, 30, 600)}).drop_duplicates()
    (folder / "data").mkdir()
    table.to_parquet(folder / "data/interactions.parquet")
    np.savez(folder / "data/image_feat.npz", feat=random.normal(size=(30, 5)).astype(np.float32))
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    words = ["run", str(folder / "plan.yaml"), str(folder / "data"), str(folder / "out")]
    assert main(words) == 0
    return folder, words


def test_cells_are_run_with_the_settings_of_the_plan(places):
    folder, _ = places
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["itemknn-full-0", "vbpr-full-0", "vbpr-none-0"]
    none = json.loads((folder / "out/vbpr-none-0/results.json").read_text())
    assert none["recommender"]["parameters"]["drop"] == "all"
    assert (none["training"]["epochs"], none["recommender"]["parameters"]["factors"]) == (2, 4)
    assert len(json.loads((folder / "out/itemknn-full-0/results.json").read_text())["search"]) == 2


def test_finished_cells_are_not_run_again(places, capsys):
    folder, words = places
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*/results.json")}
    assert main(words) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_table_has_a_row_per_model_and_arm(places, capsys):
    words = places[1]
    assert main(["table", words[1], words[3]]) == 0
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## full", "## none"]
    assert text.count("`vbpr`") == 2
    assert "0 of the plan were not run" in text


def test_wrong_words_say_how_it_is_called(capsys):
    assert main(["run", "plan.yaml"]) == 2
    assert "python -m benchmarks.roster run" in capsys.readouterr().err
