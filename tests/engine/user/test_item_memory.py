"""What users remember of items that they had."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import simulator
from simulator.engine.jit.compile import kernel
from simulator.engine.tables.empty import NOBODY, NOTHING
from simulator.engine.tables.tables import (
    FOLLOWED,
    ITEM,
    ITEM_MEMORY,
    ITEMS_REMEMBERED,
    TOPICS_FOLLOWED,
    TYPE,
    Numbers,
    StageKind,
    Users,
    numbers_of,
)
from simulator.engine.user.item_memory import keep_in_mind, recalled
from simulator.env.batch.user_pool import put_users
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.population.users import draw_users
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import CLOCK, bench, edited, number, step, threshold
from tests.laws.plugins import Spy

NAME = "audio"
PLAN = compile_scenario(load_scenario(NAME)).plan


@kernel
def _recalled(mean, variance, user, item, attended, time, numbers):
    return recalled(mean, variance, user, item, attended, time, numbers)


@kernel
def _keep(known, user, item, worth, time, rate=1.0):
    keep_in_mind(known, user, item, worth, rate, time)


def kinds(precision: float = 4.0, half_life: float = 1e5) -> np.ndarray:
    rows = np.zeros(1, dtype=TYPE)
    rows["known"], rows["forgetting"], rows["known_by"] = precision, half_life, 2
    return rows


def numbers(known: np.ndarray, precision: float) -> Numbers:
    """Return the tables of one user who remembers `known`, and of ten items of one type."""
    users = NOBODY._replace(item_memory=known)
    items = NOTHING._replace(state=np.zeros(10, dtype=ITEM))
    return numbers_of(PLAN._replace(types=kinds(precision)), users, items)


@given(st.floats(-3, 3), st.floats(0.05, 2.0), st.floats(-3, 3), st.floats(0.0, 1e6), st.floats(0.1, 20.0))
def test_a_memory_is_a_cue_that_fades(mean, variance, worth, age, precision):
    known = np.zeros((1, ITEMS_REMEMBERED), dtype=ITEM_MEMORY)
    _keep(known, 0, 7, worth, 10.0)
    tables = numbers(known, precision)
    got = _recalled(mean, variance, 0, 7, 2, 10.0 + age, tables)
    p = precision * 0.5 ** (age / 1e5)
    total = p + 1.0 / variance
    assert got[0] == pytest.approx((p * np.float32(worth) + mean / variance) / total, abs=1e-6)
    assert got[1] == pytest.approx(1.0 / total, abs=1e-7)
    assert _recalled(mean, variance, 0, 8, 2, 10.0 + age, tables) == (mean, variance)
    assert _recalled(mean, variance, 0, 7, 1, 10.0 + age, tables) == (
        mean,
        variance,
    )  # not attended to


def test_the_last_items_are_remembered_and_each_once():
    known = np.zeros((1, ITEMS_REMEMBERED), dtype=ITEM_MEMORY)
    order = [k % 40 for k in range(100)]
    for k, item in enumerate(order):
        _keep(known, 0, item, float(k), 1.0 + k)
    last = list(dict.fromkeys(reversed(order)))[:ITEMS_REMEMBERED]
    assert sorted(known[0]["item"].tolist()) == sorted(last)
    assert known[0]["worth"].min() == 100 - ITEMS_REMEMBERED


def test_a_play_that_was_heard_to_be_known_is_remembered_at_its_worth():
    of = bench(NAME)
    stage = of.compiled.names.stages.index("listen")
    rows = threshold(of, stage, 0)
    rows.state["picked"] = 0  # whose worth is computed when the play begins
    after = step(of, rows)
    music = of.items.state["type"][rows.state["item"]] == of.compiled.names.types.index("music")
    ended = (after.rows["known"] == 1) & (after.rows["unattended"] == 0) & music
    assert 20 < ended.sum() < len(ended)
    for user in range(len(ended)):
        item = rows.state["item"][user]
        new = after.users.item_memory[user][after.users.item_memory[user]["item"] == item]
        old = of.users.item_memory[user][of.users.item_memory[user]["item"] == item]
        if ended[user]:
            # the play is dated at its end, and numbers (here: what siblings are worth) are no part of it
            assert new["at"][0] > CLOCK
            assert new["worth"][0] == pytest.approx(float(after.rows["utility"][user]), abs=1e-5)
        else:
            assert np.array_equal(new, old)
    assert of.compiled.plan.stages["kind"][stage] == StageKind.CONSUME


def test_songs_that_were_liked_are_chosen_again_where_they_are_known(tmp_path):
    settings = {"users": 250, "items": 60, "horizon": "6d", "first_fit": "1d", "refit": "1d", "seed": 3}
    chosen = {}
    for name, precision in (("forgetful", 0.0), ("knowing", 8.0)):
        changes = {
            "item_types.music.remembered.precision": number(precision, "1/utility^2"),
            "stages.home.entry": number(0.7, "share"),
            "stages.radio.entry": number(0.05, "share"),
        }
        path = edited(tmp_path / name, changes, NAME)
        truth = simulator.run(str(path), "random", **settings).truth.sort_values("time", kind="stable")
        plays = truth[truth["event"].isin(["open", "complete"])]
        again = plays.duplicated(["user", "item"]) & (plays["event"] == "open")  # heard out before, or opened
        assert again.sum() > 100
        chosen[name] = float(plays["utility"][again].mean())
    assert chosen["knowing"] > chosen["forgetful"] + 0.1


def test_nobody_remembers_where_no_type_is_remembered():
    assert bench("shortvideo").users.item_memory.shape[1] == bench("jobs").users.item_memory.shape[1] == 0
    assert bench(NAME).users.item_memory.shape[1] == ITEMS_REMEMBERED


# ---- of creators ----------------------------------------------------------------------------------------------------


def test_what_is_kept_of_a_creator_moves_by_its_rate_with_each_experience():
    known = np.zeros((1, ITEMS_REMEMBERED), dtype=ITEM_MEMORY)
    expected = 0.0
    for k, worth in enumerate([1.0, -2.0, 0.5, 3.0]):
        _keep(known, 0, 5, worth, 1.0 + k, 0.3)
        expected = worth if k == 0 else expected + 0.3 * (worth - expected)
    kept = known[0][known[0]["item"] == 5]
    assert len(kept) == 1
    assert kept["worth"][0] == pytest.approx(expected, abs=1e-6)
    assert kept["at"][0] == 4.0


def _meeting(worth: float, told: bool) -> tuple[Any, Any]:
    """Cards of news before users who have met every publisher's articles at this worth; who reads the source or not."""
    of = bench("news")
    source, stage = of.compiled.names.modalities.index("source"), of.compiled.names.stages.index("front")
    users = of.users._replace(item_memory=of.users.item_memory.copy())
    users.item_memory["worth"], users.item_memory["at"] = worth, CLOCK - 100.0
    modalities = of.compiled.plan.modalities.copy()
    modalities["salience"][source], modalities["reading"][source] = float(told), 0.0
    of = replace(of, users=users).with_plan(modalities=modalities)
    return step(of, threshold(of, stage, 0)).records, of.items.state["creator"]


def test_trust_in_a_publisher_moves_beliefs_about_all_its_articles_where_the_source_was_read():
    records = {worth: _meeting(worth, True)[0] for worth in (-1.0, 1.0)}
    keyed = [
        dict(zip(zip(own["user"], own["item"], strict=True), own["belief"], strict=True)) for own in records.values()
    ]
    both = [each for each in keyed[0].keys() & keyed[1].keys() if not np.isnan(keyed[0][each])]
    assert len(both) > 200
    shifts = np.array([keyed[1][each] - keyed[0][each] for each in both])
    assert (shifts > 0.1).mean() > 0.9, "a publisher that was good is believed to be good"
    assert (shifts > -1e-6).all()


def test_trust_has_no_path_where_the_source_was_not_read():
    low, high = (_meeting(worth, False)[0] for worth in (-1.0, 1.0))
    assert len(low) > 200
    assert np.array_equal(low["belief"], high["belief"], equal_nan=True)


def test_an_article_that_was_read_is_remembered_of_its_publisher():
    of = bench("news")
    stage = of.compiled.names.stages.index("read")
    rows = threshold(of, stage, 0)
    after = step(of, rows)
    met = (after.rows["known"] == 1) & (after.rows["unattended"] == 0)
    assert 20 < met.sum() < len(met)
    for user in range(len(met)):
        subject = (1 << 31) + of.items.state["creator"][rows.state["item"][user]]
        changed = after.users.item_memory[user] != of.users.item_memory[user]
        assert changed.sum() == met[user]
        assert (after.users.item_memory[user]["item"][changed] == subject).all()


def test_a_memory_by_a_modality_that_does_not_exist_is_one_clear_line(tmp_path):
    path = edited(tmp_path, {"item_types.sport.remembered.revealed_by": ["sorce"]}, "news")
    with pytest.raises(InputError, match=r"item_types\.\w+\.remembered\.revealed_by names sorce.*source"):
        check_scenario(load_scenario(path))


def test_a_new_episode_knows_nothing():
    of = bench(NAME)
    fresh = draw_users(of.compiled, of.items, 5, 9)
    used = Users(*(array.copy() for array in of.users))
    put_users(np.arange(5), np.arange(5), fresh, used)
    assert (used.item_memory["at"][:5] == 0).all()
    assert (used.item_memory["at"][5:] == of.users.item_memory["at"][5:]).all()


def test_a_new_episode_follows_no_topic():
    of = bench("news")
    fresh = draw_users(of.compiled, of.items, 5, 9)
    used = Users(*(array.copy() for array in of.users))
    used.followed[:] = 3
    put_users(np.arange(5), np.arange(5), fresh, used)
    assert used.followed.shape[1] == FOLLOWED + TOPICS_FOLLOWED
    assert (used.followed[:5, FOLLOWED:] == 0).all()
    assert (used.followed[5:] == 3).all()


def test_cases_are_not_remembered_yet(tmp_path):
    path = edited(tmp_path, {}, "fooddelivery")
    content = json.loads(path.read_text())
    kind = next(iter(content["item_types"]))
    content["item_types"][kind]["remembered"] = {"precision": number(4, "1/utility^2"), "half_life": number(9, "d")}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"item_types\.{kind}\.remembered: this version cannot run it yet"):
        compile_scenario(load_scenario(path))


def test_a_scenario_says_whether_what_was_had_may_be_recommended_again(tmp_path):
    again = {}
    for seen in ("allow", "last"):
        path = edited(tmp_path / seen, {"platform.seen": seen}, NAME)
        spy = Spy(seed=1)
        world: dict[str, Any] = {
            "users": 60,
            "items": 200,
            "horizon": "3d",
            "first_fit": "1d",
            "refit": "1d",
            "seed": 3,
        }
        simulator.run(str(path), spy, **world, serves="all")
        assert {batch.seen for batch in spy.asked} == {seen}
        truth = simulator.run(str(path), "itemknn", **world, serves="all").truth.sort_values("time", kind="stable")
        plays = truth[truth["event"].isin(["impression", "open"]) & truth["case"].notna()]
        again[seen] = float(plays.duplicated(["user", "item"])[plays["time"] > 86400.0].mean())
    # a few have had everything that a search finds, and so nothing but what they had
    assert again["last"] < again["allow"] - 0.15
