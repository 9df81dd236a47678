"""What users remember of items that they had."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator
from simulator.env.users import put_users
from simulator.errors import InputError
from simulator.kernel import kernel
from simulator.kernels.layout import ITEMS_KNOWN, KNOWN, TYPE, Kind, People
from simulator.kernels.primitives import exponential_table
from simulator.kernels.recall import keep_in_mind, recalled
from simulator.plan import compile_scenario
from simulator.population import draw_people
from simulator.scenario.load import load_scenario
from tests.laws.harness import CLOCK, bench, edited, number, step, threshold
from tests.laws.plugins import Spy

NAME = "audio"
POWERS = exponential_table()


@kernel
def _recalled(mean, variance, known, user, item, time, kinds, powers):
    return recalled(mean, variance, known, user, item, time, kinds[0], powers)


@kernel
def _keep(known, user, item, worth, time):
    keep_in_mind(known, user, item, worth, time)


def kinds(precision: float = 4.0, half_life: float = 1e5) -> np.ndarray:
    rows = np.zeros(1, dtype=TYPE)
    rows["known"], rows["forgetting"] = precision, half_life
    return rows


@given(st.floats(-3, 3), st.floats(0.05, 2.0), st.floats(-3, 3), st.floats(0.0, 1e6), st.floats(0.1, 20.0))
def test_a_memory_is_a_cue_that_fades(mean, variance, worth, age, precision):
    known = np.zeros((1, ITEMS_KNOWN), dtype=KNOWN)
    _keep(known, 0, 7, worth, 10.0)
    got = _recalled(mean, variance, known, 0, 7, 10.0 + age, kinds(precision), POWERS)
    p = precision * 0.5 ** (age / 1e5)
    total = p + 1.0 / variance
    assert got[0] == pytest.approx((p * np.float32(worth) + mean / variance) / total, abs=1e-6)
    assert got[1] == pytest.approx(1.0 / total, abs=1e-7)
    assert _recalled(mean, variance, known, 0, 8, 10.0 + age, kinds(precision), POWERS) == (mean, variance)


def test_the_last_items_are_remembered_and_each_once():
    known = np.zeros((1, ITEMS_KNOWN), dtype=KNOWN)
    order = [k % 40 for k in range(100)]
    for k, item in enumerate(order):
        _keep(known, 0, item, float(k), 1.0 + k)
    last = list(dict.fromkeys(reversed(order)))[:ITEMS_KNOWN]
    assert sorted(known[0]["item"].tolist()) == sorted(last)
    assert known[0]["worth"].min() == 100 - ITEMS_KNOWN


def test_a_play_that_was_heard_to_be_known_is_remembered_at_its_worth():
    of = bench(NAME)
    stage = of.compiled.names.stages.index("listen")
    rows = threshold(of, stage, 0)
    rows.state["picked"] = 0  # whose worth is computed when the play begins
    after = step(of, rows)
    music = of.goods.facts["type"][rows.state["item"]] == of.compiled.names.types.index("music")
    ended = (after.rows["known"] == 1) & (after.rows["unattended"] == 0) & music
    assert 20 < ended.sum() < len(ended)
    for user in range(len(ended)):
        item = rows.state["item"][user]
        new = after.people.known[user][after.people.known[user]["item"] == item]
        old = of.people.known[user][of.people.known[user]["item"] == item]
        if ended[user]:
            # the play is dated at its end, and numbers (here: what siblings are worth) are no part of it
            assert new["at"][0] > CLOCK
            assert new["worth"][0] == pytest.approx(float(after.rows["utility"][user]), abs=1e-5)
        else:
            assert np.array_equal(new, old)
    assert of.compiled.plan.stages["kind"][stage] == Kind.CONSUME


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
    assert bench("shortvideo").people.known.shape[1] == bench("news").people.known.shape[1] == 0
    assert bench(NAME).people.known.shape[1] == ITEMS_KNOWN


def test_a_new_episode_knows_nothing():
    of = bench(NAME)
    fresh = draw_people(of.compiled, of.goods, 5, 9)
    used = People(*(array.copy() for array in of.people))
    put_users(np.arange(5), np.arange(5), fresh, used)
    assert (used.known["at"][:5] == 0).all()
    assert (used.known["at"][5:] == of.people.known["at"][5:]).all()


def test_cases_are_not_remembered_yet(tmp_path):
    path = edited(tmp_path, {}, "fooddelivery")
    content = json.loads(path.read_text())
    kind = next(iter(content["item_types"]))
    content["item_types"][kind]["remembered"] = {"precision": number(4, "1/utility^2"), "half_life": number(9, "d")}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"item_types\.{kind}\.remembered: this version cannot run it yet"):
        compile_scenario(load_scenario(path))


@pytest.mark.parametrize("seen", ["allow", "last"])
def test_a_scenario_says_whether_what_was_had_may_be_recommended_again(tmp_path, seen):
    path = edited(tmp_path, {"platform.seen": seen}, NAME)
    spy = Spy(seed=1)
    world = {"users": 60, "items": 80, "horizon": "3d", "first_fit": "1d", "refit": "1d", "seed": 3}
    simulator.run(str(path), spy, **world)
    assert {batch.seen for batch in spy.asked} == {seen}
    truth = simulator.run(str(path), "itemknn", **world).truth.sort_values("time", kind="stable")
    plays = truth[truth["event"].isin(["impression", "open"]) & truth["case"].notna()]
    again = plays.duplicated(["user", "item"])[plays["time"] > 86400.0].mean()
    assert again > 0.4 if seen == "allow" else again < 0.4
