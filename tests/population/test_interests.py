"""What users declare to be interested in, when, and what the platform makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import simulator
from recommenders.contract import Recommender, Slates
from simulator.config import RunConfig, complete, resolve
from simulator.errors import InputError, RunInterrupted
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.interests import Interests, affinities, cluster_means, topical
from simulator.population.users import draw_users
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario, scenario_from
from simulator.scenario.strict_yaml import load_yaml
from simulator.world import run_world
from tests.laws.harness import edited

NAME = "news"
WORLD: dict[str, Any] = {"users": 120, "items": 400, "seed": 3, "horizon": "30h", "first_fit": "6h", "refit": "12h"}


def number(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "from": "estimate"}


SURVEY = {
    "first": number(8, "h"),
    "every": number(9, "h"),
    "answers": number(0.7, "probability"),
    "after": {"dist": "lognormal", "median": 3, "sigma": 1, "unit": "h", "from": "estimate"},
}


def asking(folder: Path | None = None, survey: dict[str, Any] | None = None, **own: Any) -> Any:
    """News with other questions: a scenario, or its path in `folder`."""
    original = load_scenario(NAME)
    content = load_yaml(str(original.path), NAME)
    content["declared_interests"] |= own
    content["declared_interests"].pop("follow")  # what is followed has a test of its own
    content["declared_interests"]["survey"] = survey
    if survey is None:
        del content["declared_interests"]["survey"]
    if folder is None:
        scenario = scenario_from(content, NAME, original.sources)
        check_scenario(scenario)
        return scenario
    folder.mkdir(exist_ok=True)
    (folder / "asking.yaml").write_text(json.dumps(content))
    (folder / "asking.sources.yaml").write_text(json.dumps(original.sources))
    return folder / "asking.yaml"


def drawn(scenario: Any, users: int = 300, seed: int = 1) -> tuple[Interests, np.ndarray]:
    """The interests of a new world, and how well each cluster matches each user."""
    compiled = compile_scenario(scenario)
    items = draw_catalog(compiled, 500, 86400.0, seed).items
    all_users = draw_users(compiled, items, users, seed)
    taste = topical(compiled, all_users.taste)
    return Interests(compiled, all_users, items, taste, seed), affinities(cluster_means(compiled, items), taste)


def test_who_is_always_right_names_the_clusters_that_match_best():
    interests, match = drawn(asking(users=number(1, "share"), right=number(1, "probability")))
    assert np.array_equal(interests.stated, np.argsort(-match, axis=1)[:, :3])


def test_who_is_never_right_names_any_cluster_equally():
    interests, match = drawn(asking(users=number(1, "share"), right=number(0, "probability")), users=4000)
    counts = np.bincount(interests.stated.ravel(), minlength=match.shape[1])
    assert np.abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1), right=st.floats(0, 1), clusters=st.integers(1, 24), seed=st.integers(0, 2**40))
def test_declarations_are_distinct_clusters_of_a_share_of_users(share, right, clusters, seed):
    asked = {"users": number(share, "share"), "right": number(right, "probability")}
    interests, _ = drawn(asking(clusters=number(clusters, "clusters"), **asked), 400, seed)
    stated = interests.stated
    assert stated.shape == (400, clusters)
    told = stated[:, 0] >= 0
    assert (stated[~told] == -1).all()
    assert told.mean() == pytest.approx(share, abs=0.12)
    for row in stated[told]:
        assert len(set(row)) == clusters
        assert row.min() >= 0
        assert row.max() < 24


def test_what_a_user_declares_does_not_depend_on_how_many_there_are():
    scenario = asking()
    few, many = drawn(scenario, 100)[0], drawn(scenario, 250)[0]
    # the spread to which matches are scaled is that of the same users, so tastes are the same
    assert np.array_equal(few.stated, many.stated[:100])


def arrivals() -> np.ndarray:
    """When the users of `WORLD` come for the first time, s."""
    compiled = compile_scenario(load_scenario(NAME))
    items = draw_catalog(compiled, WORLD["items"], 30 * 3600.0, WORLD["seed"]).items
    return draw_users(compiled, items, WORLD["users"], WORLD["seed"]).state["due"]


class Keeper(Recommender):
    """Random slates; keeps what users had stated at every request."""

    name = "keeper"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.stated: dict[tuple[int, int, int], np.ndarray] = {}
        self.times: dict[tuple[int, int, int], float] = {}

    def recommend(self, requests):
        items = np.stack([np.roll(requests.candidates, int(key % 97))[: requests.slate_size] for key in requests.key])
        for row in range(len(requests)):
            key = (int(requests.user[row]), int(requests.session[row]), int(requests.request[row]))
            self.stated[key], self.times[key] = requests.stated[row].copy(), float(requests.time[row])
        return Slates(items)


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A world with surveys, whose platform is a Keeper from its first tick on."""
    path, keeper = asking(tmp_path_factory.mktemp("asking"), SURVEY), Keeper()
    world = WORLD | {"first_fit": load_scenario(NAME).clock.tick.value}
    return keeper, simulator.run(path, keeper, **world)


def test_requests_carry_the_latest_declaration_that_the_log_has(lived):
    keeper, result = lived
    tick = load_scenario(NAME).clock.tick.value
    said = result.truth[result.truth["event"] == "declare"]
    assert said["item"].isna().all()
    assert said.groupby(["user", "time"])["position"].apply(list).map(lambda p: p == [0, 1, 2]).all()
    seen_change = 0
    joined = arrivals()
    for key, stated in keeper.stated.items():
        mine = said[said["user"] == key[0]]
        # from the next tick on; what was said on joining, before everything else
        first = mine["time"].min() if len(mine) and mine["time"].min() <= joined[key[0]] else np.inf
        known = mine[(mine["time"] // tick < keeper.times[key] // tick) | (mine["time"] == first)]
        if not len(known):
            assert (stated == -1).all()
            continue
        latest = known[known["time"] == known["time"].max()].sort_values("position")["value"]
        assert stated.tolist() == latest.tolist()
        seen_change += known["time"].nunique() > 1
    assert seen_change > 30


def test_followed_topics_are_stated_from_the_next_tick_on_and_none_is_lost(tmp_path):
    path = edited(tmp_path, {"respond.react.acts.follow_topic.base": number(0.5, "probability")}, NAME)
    keeper = Keeper()
    result = simulator.run(path, keeper, **WORLD | {"first_fit": load_scenario(NAME).clock.tick.value})
    tick, said = load_scenario(NAME).clock.tick.value, round(load_scenario(NAME).declared_interests.clusters.value)
    topics = result.items["topic"].to_numpy()
    follows = result.truth[result.truth["event"] == "follow_topic"].sort_values("time", kind="stable")
    assert len(follows) > 30
    assert follows["logged_at"].notna().all()
    changed = 0
    for key, stated in keeper.stated.items():
        mine = follows[(follows["user"] == key[0]) & (follows["time"] // tick < keeper.times[key] // tick)]
        kept: list[int] = []
        for topic in topics[mine["item"].to_numpy(dtype=int)]:
            if topic not in kept:
                kept = [*kept, int(topic)][-4:]
        assert [topic for topic in stated[said:] if topic >= 0] == kept
        changed += len(kept) > 0
    assert changed > 30


def test_a_follow_that_is_no_act_is_one_clear_line(tmp_path):
    path = edited(tmp_path, {"declared_interests.follow": "folow_topic"}, NAME)
    with pytest.raises(InputError, match=r"declared_interests\.follow names folow_topic.*follow_topic"):
        check_scenario(load_scenario(path))


def test_users_are_asked_when_they_join_and_in_surveys(lived):
    _, result = lived
    truth = result.truth
    said = truth[truth["event"] == "declare"].drop_duplicates(["user", "time"])
    joined = arrivals()[said["user"].to_numpy(dtype=int)]
    assert (said["time"] >= joined).all()
    on_joining = (said["time"] == joined).to_numpy()
    assert 0.3 < on_joining.sum() / WORLD["users"] < 0.7
    assert (said[~on_joining]["time"] > 8 * 3600.0).all()
    assert (~on_joining).sum() > 80
    gone = set(truth["user"]) - set(said["user"])
    assert len(gone) > 5  # nobody has to answer


def test_performance_settings_change_nothing(tmp_path):
    path = asking(tmp_path, SURVEY)
    settings = {"recommender.column": "topic"}
    runs = [
        simulator.run(path, "declared", **WORLD, **settings, **changed)
        for changed in ({}, {"window": 3, "batch": 7, "threads": 2})
    ]
    assert runs[0].manifest["log"] == runs[1].manifest["log"]


def test_a_resumed_run_ends_with_the_same_log(tmp_path):
    path = asking(tmp_path, SURVEY)
    pairs = {"scenario": str(path), "recommender": "declared", "recommender.column": "topic", **WORLD}
    whole = run_world(complete(resolve([*pairs.items()]), load_scenario(path).defaults.model_dump()))
    config = resolve([*pairs.items(), ("checkpoint", "2h"), ("output", str(tmp_path / "run"))])
    config = complete(config, load_scenario(path).defaults.model_dump())
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked in (63, 100)  # while answers are on their way

    for _ in range(2):
        with pytest.raises(RunInterrupted):
            run_world(config, stop=stop)
        config = replace(RunConfig.from_yaml(tmp_path / "run/config.yaml"), resume=tmp_path / "run")
    assert run_world(config).manifest["log"] == whole.manifest["log"]


def test_the_declared_are_shown_what_they_declared(tmp_path):
    path = asking(tmp_path, None, users=number(1, "share"))
    result = simulator.run(path, "declared", **WORLD, serves="all", **{"recommender.column": "topic"})
    truth = result.truth
    catalog = draw_catalog(compile_scenario(load_scenario(path)), 400, 30 * 3600.0, 3)
    said = truth[truth["event"] == "declare"].groupby("user")["value"].apply(set)
    shown = truth[
        (truth["event"] == "impression") & (truth["position"] == 0) & ~truth["stage"].isin(["front", "alert"])
    ]
    shown = shown.assign(topic=catalog.items.state["topic"][shown["item"].to_numpy(dtype=int)])
    hit = np.array([topic in said[user] for user, topic in zip(shown["user"], shown["topic"], strict=True)])
    after = (shown["policy_version"] > 0).to_numpy()
    assert after.sum() > 20
    assert hit[after].mean() > 0.7  # a visit that scrolls on has seen all that there is of three topics
    assert hit[~after].mean() < 0.4


def test_other_facets_than_that_of_the_topics_are_refused():
    content = load_yaml(str(load_scenario(NAME).path), NAME)
    content["facets"]["slant"] |= {"clusters": 4, "cohesion": number(0.5, "share")}
    content["declared_interests"]["facet"] = "slant"
    with pytest.raises(InputError, match=r"declared_interests\.facet = slant: this version cannot run it yet"):
        compile_scenario(scenario_from(content, NAME, load_scenario(NAME).sources))
