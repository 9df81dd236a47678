"""Places that popularity filled: counted in slates, written to results and manifests, warned of above 1 %."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from recommenders.__main__ import main
from recommenders.contract import Catalog, Places
from recommenders.contract.places import fallback, fallback_warning
from recommenders.models.ranker import Ranker
from recommenders.registry import create
from simulator.__main__ import main as simulator_main
from tests.recommenders.little import LIKE, ask, log_of_likes


class Half(Ranker):
    """Scores the first half of the items, for everybody."""

    name = "half"
    needs = "nothing"

    def learn(self, data):
        return {}

    def score(self, batch):
        n = self.history.n_items
        return np.tile(np.where(np.arange(n) < n // 2, 1, np.nan).astype(np.float32), (len(batch.requests), 1))


def test_only_places_without_a_score_count():
    half = Half(label=LIKE)
    half.fit(log_of_likes([(0, 1), (1, 2)], 2, 10), Catalog(10, {}))
    half.recommend(ask(10, users=(0,), slate_size=4))  # four of items 0 to 4 without item 1, which the user has had
    assert half.places() == Places(4, 0, 0)
    half.recommend(ask(10, users=(0, 5), slate_size=6))
    assert half.places() == Places(16, 2 + 1, 1)


def test_a_composition_counts_what_its_members_do():
    pipeline = create("exploring", {"member": "bpr(factors=4)", "epsilon": 0.5}, label=LIKE)
    pipeline.fit(log_of_likes([(0, 1), (1, 2)], 2, 10), Catalog(10, {}))
    pipeline.recommend(ask(10, users=(5,), slate_size=4))
    assert pipeline.places() == Places(4, 4, 4)


@pytest.mark.parametrize(("filled", "warned"), [(0, False), (10, False), (11, True), (1000, True)])
def test_one_in_a_hundred_is_borne(filled, warned):
    assert (fallback_warning("x", fallback(Places(1000, filled, 0))) is not None) == warned
    assert fallback_warning("x", fallback(Places())) is None


def test_an_evaluation_says_it(tmp_path, capsys):
    users, items = (each.ravel() for each in np.meshgrid(np.arange(30), np.arange(20)))
    keep = np.random.default_rng(0).uniform(size=users.size) < 0.4
    data = tmp_path / "data"
    data.mkdir()
    table = pd.DataFrame({"user_id": users[keep], "item_id": items[keep]})
    table.to_parquet(data / "interactions.parquet", index=False)
    name = f"{__name__}:Half"
    out = tmp_path / "out"
    assert main(["evaluate", f"data={data}", f"recommender={name},ease", f"output={out}"]) == 0
    said = capsys.readouterr().err
    found = {each.name: json.loads((each / "results.json").read_text())["fallback"]["test"] for each in out.iterdir()}
    half, ease = found[name.replace(":", "-")], found["ease"]
    assert 0.2 < half["share"] < 1
    assert f"warning: {name} gave no score for {half['share']:.1%} of the places" in said
    assert ease["share"] < 0.01
    assert "warning: ease" not in said


def test_a_run_says_it(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["scenario=shortvideo", "recommender=bpr", "users=20", "items=40", "horizon=1d", "first_fit=6h", "seed=0"]
    assert simulator_main([*words, f"output={out}"]) == 0
    found = json.loads((out / "manifest.json").read_text())["recommender"]["fallback"]
    assert found["places"] > 0
    assert found["share"] == found["by_popularity"] / found["places"] > 0.01  # users of whom it knows nothing yet
    assert f"warning: bpr gave no score for {found['share']:.1%} of the places" in capsys.readouterr().err
