"""Who serves which stage: the recommender of a run, or a policy of the platform's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import simulator
from recommenders.contract import Recommender, RecommenderError
from recommenders.models.popularity import Popularity
from simulator.errors import InputError
from simulator.platform.policies import declared_label
from simulator.records.parts import KEPT, read_parts
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.life_cycle import asking_stages
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.laws.plugins import Spy
from tests.runtime.stopped import configured, resumed, scenario_file, stopped

NAME = "shortvideo"
WORLD = {"users": 80, "items": 120, "horizon": "9h", "first_fit": "3h", "refit": "2h", "seed": 3}
POLICIES, SERVES = "scenario.platform.policies", "scenario.platform.serves"
NEITHER: dict[str, object] = {POLICIES: {}, SERVES: None}
SHARE = {"value": 0.3, "unit": "share", "from": "estimate"}
STAGES = ["feed", "discover", "search"]
OWN = {"search": {"recommender": "popularity"}, "discover": {"recommender": "random"}}
ASKED: list[tuple[str, float]] = []


class Heard(Popularity):
    """A policy that says what it was asked and when it was fitted."""

    name = "heard"
    takes_lists = True

    def fit(self, log, catalog):
        ASKED.append(("fit", float(log.logged_at.max(initial=0.0))))
        super().fit(log, catalog)

    def recommend(self, requests):
        ASKED.extend(("asked", float(stage)) for stage in np.unique(requests.stage))
        return super().recommend(requests)


def lived(recommender: str | Recommender = "itemknn", **more: object):
    """A run in which nobody but the recommender serves, unless more is said."""
    others = {key: value for key, value in NEITHER.items() if not (key == SERVES and "serves" in more)}
    return simulator.run(NAME, recommender, **{**WORLD, **others, **more})


def impressions(result, version: int | None = None):
    rows = result.truth[result.truth["event"] == "impression"]
    return rows if version is None else rows[rows["policy_version"] >= version]


def test_what_no_policy_takes_is_the_recommenders():
    """Asked for its own stages alone; the others' slates are of their policies, and the manifest says so."""
    spy = Spy(seed=0)
    result = lived(spy, **{POLICIES: OWN})
    assert {int(stage) for requests in spy.asked for stage in requests.stage} == {0}
    assert result.manifest["recommender"]["serves"] == ["feed"]
    told = result.manifest["policies"]
    assert list(told) == ["discover", "search"]
    assert told["search"] == {"recommender": "popularity", "explore": 0.0, "from_version": 1, "fallback": None}
    assert told["discover"]["from_version"] == 0
    rows = impressions(result)
    early, late = rows[rows["policy_version"] == 0], rows[rows["policy_version"] > 0]
    assert early[early["stage"] == "search"]["propensity"].notna().all()  # of the warm-up, until it is fitted
    assert late[late["stage"] == "search"]["propensity"].isna().all()
    assert rows[rows["stage"] == "discover"]["propensity"].notna().all()
    assert sorted(rows["policy_version"].unique()) == [0, 1, 2, 3]


def test_policies_are_fitted_when_the_recommender_is_and_stages_share_one():
    ASKED.clear()
    mine = {"recommender": f"{__name__}:Heard"}
    result = lived("random", **{POLICIES: {"search": mine, "discover": mine}})
    assert result.manifest["recommender"]["fitted_at_seconds"] == [3600.0 * hour for hour in (3, 5, 7)]
    assert [what for what, _ in ASKED].count("fit") == 3
    assert {number for what, number in ASKED if what == "asked"} == {1.0, 2.0}
    assert ASKED[0][0] == "fit"
    assert ASKED[0][1] <= 3 * 3600.0


def test_whose_name_a_slate_bears_changes_nothing():
    """Law: stages that a policy serves as the recommender would have leave the same log."""
    plain = lived("popularity")
    same = lived("popularity", **{POLICIES: {"search": {"recommender": "popularity"}}})
    assert same.manifest["log"] == plain.manifest["log"]
    asked_back = lived("popularity", **{POLICIES: OWN, "serves": "all"})
    assert asked_back.manifest["log"] == plain.manifest["log"]
    assert asked_back.manifest["policies"] == {}
    assert lived("popularity", **{POLICIES: OWN}).manifest["log"] != plain.manifest["log"]


def test_explored_places_bear_exact_propensities():
    explored = {**OWN, "discover": {"recommender": "popularity", "explore": SHARE}}
    rows = impressions(lived(**{POLICIES: explored}, items=1500), 1)
    odds = rows[rows["stage"] == "discover"]["propensity"]
    assert odds.notna().all()
    own, other = odds[odds > 0.5], odds[odds <= 0.5]
    assert len(other) / len(odds) == pytest.approx(0.3, abs=0.1)
    assert own.between(0.7, 0.85).all()
    assert other.between(0.0, 0.15).all()


@pytest.mark.parametrize(("serves", "served"), [("search,feed", ["feed", "search"]), (["discover"], ["discover"])])
def test_serves_goes_before_policies(serves, served):
    everywhere = {stage: {"recommender": "popularity"} for stage in STAGES}
    spy = Spy(seed=0)
    result = lived(spy, **{POLICIES: everywhere, "serves": serves})
    assert result.manifest["recommender"]["serves"] == served
    assert {STAGES[stage] for requests in spy.asked for stage in requests.stage} == set(served)


def test_a_stopped_run_goes_on_with_its_policies(tmp_path):
    scenario = scenario_file(tmp_path)
    explored = {stage: {"recommender": "itemknn", "explore": SHARE} for stage in ("discover", "search")}
    config = configured(scenario, tmp_path / "run", **{**NEITHER, POLICIES: explored})
    whole = run_world(replace(config, output=None))
    found = resumed(stopped(config), config)
    assert found.manifest["log"] == whole.manifest["log"]
    assert found.manifest["policies"]["search"]["fallback"]["places"] > 0
    other = replace(
        config,
        scenario_changes={
            **config.scenario_changes,
            "platform.policies": {**explored, "search": {"recommender": "random"}},
        },
    )
    again = stopped(replace(config, output=tmp_path / "again"))
    with pytest.raises(InputError, match=r"scenario\.platform\.policies = "):
        resumed(again, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({POLICIES: {"serch": {"recommender": "random"}}}, r"platform\.policies names serch.*did you mean search"),
        ({POLICIES: {"page": {"recommender": "random"}}}, r"platform\.policies names page"),  # nobody is asked there
        ({"serves": "fed"}, r"platform\.serves names fed.*did you mean feed"),
        ({"serves": "feed,all"}, r"platform\.serves names all"),
        ({"serves": "feed,feed"}, "feed is repeated"),
        ({"serves": ""}, "serves"),
        ({"serves": "feed"}, r"platform\.serves leaves out discover; name it there.*platform\.policies\.discover"),
        ({POLICIES: dict.fromkeys(STAGES, OWN["search"])}, r"every stage has one.*platform\.serves: one of"),
        ({POLICIES: {"search": {"recommender": "random", "explore": {**SHARE, "value": 2}}}}, "explore"),
        ({POLICIES: {"search": {"recommender": "itemkn"}}}, r"'itemkn' is not known; did you mean 'itemknn'"),
        ({POLICIES: {"search": {"recommender": "itemknn(neighbours=3)"}}}, "did you mean 'neighbors'"),
        ({POLICIES: {"search": {"recommender": "itemknn(neighbors=3"}}}, r"policies\.search.*does not close"),
        ({POLICIES: {"search": {"recommender": "relevance(column=colour)"}}}, r"relevance\.column"),
        ({POLICIES: {"search": {"recommender": "utility-oracle"}}}, "'utility-oracle' is not known"),
    ],
)
def test_who_serves_nobody_is_refused(changes, message, tmp_path):
    with pytest.raises((InputError, RecommenderError), match=message):
        lived(output=tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_a_check_makes_the_policies():
    from simulator.cli.listing import check_text_of

    scenario = load_scenario(
        NAME, {"platform.serves": None, "platform.policies": {"search": {"recommender": "itemkn"}}}
    )
    check_scenario(scenario)
    with pytest.raises(RecommenderError, match="did you mean 'itemknn'"):
        check_text_of(scenario, NAME)


def test_menus_and_queues_ask_for_nothing():
    assert asking_stages(load_scenario(NAME)) == STAGES
    assert asking_stages(load_scenario("audio")) == ["home", "search", "radio", "mix"]


@pytest.mark.parametrize(("scenario", "horizon"), [("shortvideo", "9h"), ("ecommerce", "30h"), ("news", "9h")])
def test_a_run_without_logs_records_positives_alone_and_ends_the_same(scenario, horizon, tmp_path):
    world = {"users": 60, "items": 100, "horizon": horizon, "first_fit": "3h", "refit": "2h", "seed": 3}
    whole = simulator.run(scenario, "itemknn", **world)
    assert whole.manifest["policies"]
    label = declared_label(load_scenario(scenario))
    folder = tmp_path / "run"
    quiet = simulator.run(scenario, "itemknn", **world, log="metrics", output=folder, checkpoint="4h")
    assert quiet.manifest["events"] == whole.manifest["events"]
    np.testing.assert_equal(quiet.metrics, whole.metrics)
    assert quiet.manifest["log"] == {}
    kept = pd.concat([pd.read_parquet(path) for path in read_parts(folder, KEPT)])
    assert set(kept["event"].unique()) <= set(label.events)
    assert len(kept) == whole.platform["event"].isin(label.events).sum()
