"""Worlds of experiments write their items' features, so that they can be judged offline with models of content."""

from __future__ import annotations

import numpy as np

from analysis.grid import experiment
from analysis.offline import finished_run
from analysis.offline_vs_online import judge_offline
from recommenders.__main__ import main
from simulator import run


def test_a_world_is_judged_with_a_model_of_content(tmp_path, capsys):
    names = ["popularity", "contentknn(modality=cover)"]
    settings = {"users": 60, "items": 80, "horizon": "1d", "first_fit": "6h", "refit": "6h"}
    lived = experiment("shortvideo", names, [0], settings, 1, tmp_path / "lived")
    found = judge_offline(lived, names, "popularity", "random", 1)
    assert found.failed == {}
    assert set(found.offline["recommender"]) == set(names)
    world = tmp_path / "lived" / "popularity-s0"
    features = finished_run(world).catalog(None).features
    assert features["cover"].shape[0] == 80
    words = [f"data={world}", "events=complete", "recommender=contentknn", "recommender.modality=cover"]
    assert main(["evaluate", *words]) == 0, capsys.readouterr().err


def test_a_run_writes_them_where_it_is_asked_to(tmp_path):
    options = {"scenario": "shortvideo", "recommender": "random", "users": 20, "items": 40, "horizon": "30min"}
    run(**options, output=tmp_path / "plain")
    assert not (tmp_path / "plain" / "features").exists()
    run(**options, output=tmp_path / "with", features="yes")
    assert np.load(tmp_path / "with" / "features" / "cover.npy").shape[0] == 40
