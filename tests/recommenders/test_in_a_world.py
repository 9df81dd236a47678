"""Every registered recommender lives through a tiny world, is fitted there, and takes over."""

from __future__ import annotations

import pytest

import simulator
from recommenders.contract import RecommenderError
from recommenders.registry import accepted_parameters, available, find

# Small and quick, where a model would train for long; and what has no default.
SMALL = {"epochs": 2, "factors": 6, "iterations": 3, "hidden": 12, "draws": 4}
NEEDED = {
    "contentknn": {"modality": "cover"},
    "declared": {"column": "type"},
    "relevance": {"column": "type"},
    "pipeline": {"recall": "itemknn", "rerank": "puresvd(factors=4)", "depth": 20},
    "ensemble": {"members": "itemknn+ease"},
    "filtered": {"member": "userknn", "column": "duration", "at_least": 20},
    "exploring": {"member": "itemknn"},
    "exploringplaces": {"member": "itemknn"},
    "ab": {"treated": "itemknn", "control": "random"},
}
ADAPTERS = {
    "implicit": {"model": "AlternatingLeastSquares(factors=6)"},
    "lenskit": {"model": "ItemKNNScorer(max_nbrs=10)"},
    "cornac": {"model": "BPR(k=6)"},
}
CONTENT = {"ecommerce": "image", "news": "headline", "audio": "cover", "fooddelivery": "hero_image", "jobs": "title"}
SCENARIO = "shortvideo"
SCENARIOS = (SCENARIO, "ecommerce", "news", "audio", "fooddelivery", "jobs")
NAMES = [name for name in available() if name not in ("composed", "sb3")]  # which are files of their own


def live(name, scenario=SCENARIO, **settings):
    parameters = {key: SMALL[key] for key in accepted_parameters(find(name)) if key in SMALL}
    parameters |= NEEDED.get(name, {}) | ADAPTERS.get(name, {})
    if "modality" in parameters:
        parameters["modality"] = CONTENT.get(scenario, parameters["modality"])
    if name in ADAPTERS:
        pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[{name}]'")
    return simulator.run(
        scenario, name, users=60, items=120, horizon="50h", first_fit="24h", refit="24h",
        recommender_parameters=parameters, **settings,
    )  # fmt: skip


def check_it_took_over(result):
    assert result.manifest["recommender"]["versions"] >= 1
    assert (result.truth["policy_version"] > 0).any()


NEED_VALUES = ("coclustering", "globaleffects", "slopeone")
WITHOUT_VALUES = ("fooddelivery", "jobs")  # an order of food has none that rates it, an application none at all


def check_it_lives(name, scenario):
    if scenario in WITHOUT_VALUES and name in NEED_VALUES:
        with pytest.raises(RecommenderError, match="needs a value per pair"):
            live(name, scenario)
    else:
        check_it_took_over(live(name, scenario))


@pytest.mark.parametrize(("name", "scenario"), [(name, SCENARIOS[k % len(SCENARIOS)]) for k, name in enumerate(NAMES)])
def test_it_lives_through_one_of_the_worlds(name, scenario):
    check_it_lives(name, scenario)


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", NAMES)
def test_it_lives_through_every_world(name, scenario):
    check_it_lives(name, scenario)


@pytest.mark.parametrize("name", ["thompson", "exploring", "puresvd"])
def test_those_that_stand_for_their_kind_live_through_a_world_and_say_propensities(name):
    truth = live(name).truth
    shown = truth[(truth["event"] == "impression") & (truth["policy_version"] > 0)]
    assert len(shown)
    assert shown["propensity"].notna().all() == (name != "puresvd")


def test_batches_change_nothing(tmp_path):
    import pandas as pd

    pd.testing.assert_frame_equal(live("puresvd").truth, live("puresvd", batch=7).truth)


def test_a_model_of_a_missing_modality_is_one_clear_error():
    parameters = {"modality": "smell"}
    with pytest.raises(RecommenderError, match="no features of modality 'smell'; it has: "):
        simulator.run(SCENARIO, "vbpr", users=20, items=40, horizon="26h", recommender_parameters=parameters)
