"""What a repetition is worth, in the truth of a world, in what users believe, and to the oracles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.tables.tables import PARENTS_REMEMBERED, Users
from simulator.env.batch.user_pool import put_users
from simulator.platform.oracle import Oracle
from simulator.population.users import bytes_per_user, draw_users
from tests.laws.by_hand import siblings_by_hand
from tests.laws.harness import CLOCK, bench, compiled_of, edited, number, step, threshold
from tests.recommenders.little import ask
from tests.worlds import TinyWorld

NAME = "news"
WORLD: dict[str, Any] = {
    "users": 60, "items": 60, "horizon": "3d", "first_fit": "12h", "refit": "12h", "recommender": "random", "seed": 2,
}  # fmt: skip
CONSUMED = ("read_part", "read_whole")


def stories(folder: Path, worth: float = -1.2, children: float = 6, **edits: object) -> Path:
    """News in which an article does not age, with stories of so many articles."""
    own = {
        "modalities.age.weight": number(0, "utility"),
        "parents.story.children": number(children, "articles"),
        "parents.story.repetition.worth": number(worth, "utility"),
        "user.churn": number(0, "probability"),
    }
    for stage in ("front", "river", "alert", "digest", "rail"):
        own[f"browse.{stage}.suffices.probability"] = number(0, "probability")
    return edited(folder, own | edits, NAME)


def lived(path: Path, **settings: object) -> pd.DataFrame:
    result = simulator.run(str(path), **(WORLD | settings))
    truth = result.truth[result.truth["item"].notna()].sort_values("time", kind="stable")
    return truth.assign(story=result.items["story"].to_numpy()[truth["item"].astype(int)])


def later_showings(truth: pd.DataFrame) -> pd.DataFrame:
    """Cards shown to a user again: what they were worth then, and how many siblings were had before and in between."""
    rows = []
    for _, own in truth.groupby("user"):
        shown = own[own["event"] == "impression"]
        had = own[own["event"].isin(CONSUMED)]
        for _, cards in shown.groupby("item"):
            siblings = had[had["story"] == cards["story"].iloc[0]]["time"].to_numpy()
            times, worth = cards["time"].to_numpy(), cards["utility"].to_numpy()
            before = np.searchsorted(siblings, times, side="right")  # a page is back as soon as a play ends
            rows += [
                (worth[k + 1] - worth[k], before[k], before[k + 1] - before[k]) for k in range(len(cards) - 1)
            ]  # fmt: skip
    return pd.DataFrame(rows, columns=["change", "before", "between"])


def test_an_item_is_worth_less_once_a_sibling_was_had_and_recovers(tmp_path):
    cards = later_showings(lived(stories(tmp_path)))
    untouched = cards[(cards["before"] == 0) & (cards["between"] == 0)]
    after = cards[(cards["before"] == 0) & (cards["between"] > 0)]
    healing = cards[(cards["before"] > 0) & (cards["between"] == 0)]
    assert min(len(untouched), len(after), len(healing)) > 30
    assert (untouched["change"] == 0).all()
    assert (after["change"] <= 0).all()
    assert (after["change"] < 0).mean() > 0.9  # a play that nobody watched is no experience
    assert after["change"].min() > -1.2
    assert (healing["change"] >= 0).all()


def test_a_sequel_is_worth_more(tmp_path):
    cards = later_showings(lived(stories(tmp_path, worth=0.9)))
    after = cards[(cards["before"] == 0) & (cards["between"] > 0)]
    assert (after["change"] >= 0).all()
    assert after["change"].max() > 0.3


def test_a_story_of_one_article_can_only_repeat_itself(tmp_path):
    cards = later_showings(lived(stories(tmp_path, children=1)))
    assert (cards[cards["before"] + cards["between"] == 0]["change"] == 0).all()
    assert (cards[(cards["before"] == 0) & (cards["between"] > 0)]["change"] < 0).any()


def test_beliefs_have_it_where_users_can_see_whose_an_item_is():
    of = bench(NAME)
    stage = of.compiled.names.stages.index("front")
    rows = threshold(of, stage, 0)
    blank = of.users._replace(parent_history=np.zeros_like(of.users.parent_history))
    cards = {}
    for key, users in (("had", of.users), ("blank", blank)):
        after = step(type(of)(of.compiled, users, of.items, of.seed), rows)
        seen = after.records[(after.records["event"] == 0) & ~np.isnan(after.records["belief"])]
        cards[key] = {(int(r["user"]), int(r["item"])): r for r in seen}
    told = sum(1 << of.compiled.names.modalities.index(name) for name in ("headline", "teaser", "body"))
    moved = 0
    for pair in cards["had"].keys() & cards["blank"].keys():
        one, other = cards["had"][pair], cards["blank"][pair]
        assert one["attended"] == other["attended"]
        worth = siblings_by_hand(of, *pair, int(one["attended"]), CLOCK)
        assert one["belief"] - other["belief"] == pytest.approx(worth, abs=1e-5)
        truth = siblings_by_hand(of, *pair, told, CLOCK)  # the truth has it, seen or not
        assert one["utility"] - other["utility"] == pytest.approx(truth, abs=1e-5)
        assert worth == (truth if int(one["attended"]) & told else 0.0)
        moved += worth != 0.0
    assert moved > 50


def test_a_headline_that_was_enough_is_a_part_of_its_story():
    of = bench(NAME)
    of = type(of)(
        of.compiled, of.users._replace(parent_history=np.zeros_like(of.users.parent_history)), of.items, of.seed
    )
    after = step(of, threshold(of, of.compiled.names.stages.index("front"), 0))
    enough = after.records[after.records["event"] == of.compiled.names.codes["informed"]]
    assert len(enough) > 50
    told = {(int(row["user"]), int(of.items.parent[row["item"]])) for row in enough}
    had = after.users.parent_history
    users, places = np.nonzero(had["amount"])
    assert {(int(u), int(had[u, k]["parent"])) for u, k in zip(users, places, strict=True)} == told
    assert had["amount"][users, places] == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["utility-oracle", "belief-oracle"])
def test_the_oracles_know_duplicates(name):
    of = bench(NAME)
    n = len(of.items.state)
    blank = of.users._replace(parent_history=np.zeros_like(of.users.parent_history))
    had = blank.parent_history.copy()
    users = np.arange(40)
    had["parent"][:, 0], had["amount"][:, 0], had["at"][:, 0] = of.items.parent[0], 5.0, CLOCK
    stage = of.compiled.names.stages.index("front")
    requests = replace(ask(n, users=users, slate_size=n), time=np.full(40, CLOCK), stage=np.full(40, stage, np.uint8))
    ranks = {}
    for key, all_users in (("blank", blank), ("had", blank._replace(parent_history=had))):
        order = Oracle(name, of.compiled, all_users, of.items, of.seed).recommend(requests).items
        ranks[key] = np.argsort(order, axis=1)
    siblings = of.items.parent == of.items.parent[0]
    assert 0 < siblings.sum() < n
    assert (ranks["had"][:, siblings] >= ranks["blank"][:, siblings]).all()
    assert (ranks["had"][:, siblings] > ranks["blank"][:, siblings]).mean() > 0.9
    others = [np.argsort(each[:, ~siblings], axis=1) for each in ranks.values()]
    assert np.array_equal(*others)


def test_nothing_is_remembered_where_no_repetition_is_worth_anything():
    for name in ("shortvideo", "ecommerce", "jobs"):
        compiled = compiled_of(name)
        assert bench(name).users.parent_history.shape[1] == 0, name
        assert (compiled.plan.types["kind"] == -1).all()
    users = bench("shortvideo").users
    assert bytes_per_user(users._replace(pace=users.pace[:, :0])) <= 408  # how often each comes is no memory
    assert bench(NAME).users.parent_history.shape[1] == PARENTS_REMEMBERED


def test_a_new_episode_begins_with_a_blank_memory():
    of = bench(NAME)
    fresh = draw_users(of.compiled, of.items, 5, 9)
    used = Users(*(array.copy() for array in of.users))
    assert (used.parent_history["amount"][:5] > 0).any()
    put_users(np.arange(5), np.arange(5), fresh, used)
    assert (used.parent_history["amount"][:5] == 0).all()
    assert (used.parent_history["amount"][5:] == of.users.parent_history["amount"][5:]).all()


def test_what_a_case_brings_is_remembered(tmp_path):
    again = {"worth": number(-0.5, "utility"), "first": number(0.5, "share"), "half_life": number(30, "d")}
    parents = {"range": {"children": number(4, "items"), "repetition": again | {"revealed_by": []}}}
    world = TinyWorld(
        [{"step": "ride", "delay": {"dist": "constant", "value": 60, "unit": "s", "from": "estimate"}}], {},
        edits={"parents": parents, "stages.delivery.next.done": "use"}, ends=False,
    )  # fmt: skip
    world.decide([1.0, 2.0, 3.0], [0, 0, 1], [0, 1, 9])
    world.run(1e9)
    had = world.users.parent_history
    assert set(had[0]["parent"][had[0]["amount"] > 0]) == {0}
    assert set(had[1]["parent"][had[1]["amount"] > 0]) == {2}
