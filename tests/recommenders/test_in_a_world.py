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
    "pipeline": {"recall": "itemknn", "rerank": "puresvd(factors=4)", "depth": 20},
    "ensemble": {"members": "itemknn+ease"},
    "filtered": {"member": "userknn", "column": "duration", "at_least": 20},
    "exploring": {"member": "itemknn"},
}
SCENARIO = "shortvideo"
NAMES = [name for name in available() if name != "composed"]


def live(name, **settings):
    parameters = {key: SMALL[key] for key in accepted_parameters(find(name)) if key in SMALL}
    parameters |= NEEDED.get(name, {})
    return simulator.run(
        SCENARIO, name, users=40, items=80, horizon="26h", recommender_parameters=parameters, **settings
    )


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_it_lives_through_a_world(name):
    result = live(name)
    assert result.manifest["recommender"]["versions"] >= 1
    assert (result.truth["policy_version"] > 0).any()


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
