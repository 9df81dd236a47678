"""A world on a real folder: what is written of it keeps the folder's own names, and unlikely units are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import run
from simulator.errors import InputError
from simulator.grounding.folder import read_folder
from simulator.grounding.setting import _check_durations


@pytest.fixture
def features(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    (folder / "features").mkdir(parents=True)
    np.save(folder / "features" / "cover.npy", np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32))
    pd.DataFrame({"item_id": [f"{k:03d}" for k in range(40)], "duration": 12_000}).to_csv(
        folder / "items.csv", index=False
    )
    return folder


def test_the_names_of_real_items_are_written(features: Path, tmp_path: Path):
    run(
        scenario="shortvideo",
        catalog=features,
        recommender="random",
        users=20,
        horizon="30min",
        output=tmp_path / "run",
    )
    written = pd.read_parquet(tmp_path / "run" / "source_items.parquet")
    assert written["id"].tolist() == [f"{k:03d}" for k in range(40)]
    assert not (tmp_path / "run" / "source_users.parquet").exists(), "there are no real users without interactions"


def test_durations_of_hours_where_seconds_are_usual_are_milliseconds(features: Path):
    usual = np.array([3, 600], np.float32)
    with pytest.raises(InputError, match=r"median is 12,000 s, the scenario's are 3 to 600 s; likely they are in ms"):
        _check_durations(read_folder(features), usual)
    for unit in ("ms", "s"):
        (features / "mapping.yaml").write_text(f"units: {{duration: {unit}}}\n")
        _check_durations(read_folder(features), usual)


def test_a_first_fit_beside_real_interactions_is_refused(features: Path, tmp_path: Path):
    pd.DataFrame({"user_id": np.arange(80) % 10, "item_id": [f"{k % 40:03d}" for k in range(80)]}).to_csv(
        features / "interactions.csv", index=False
    )
    with pytest.raises(
        InputError, match=r"first_fit: first_fit beside .*catalog, which has interactions; leave it out"
    ):
        run(scenario="shortvideo", catalog=features, horizon="30min", first_fit="15min", output=tmp_path / "run")
    assert not (tmp_path / "run").exists()
