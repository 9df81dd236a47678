"""Other forms of actions and observations; rewards; pictures."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import simulator.env
from simulator.engine.tables.tables import EVENT
from simulator.env.batch.encode import fold
from simulator.env.buffers import terms_of
from simulator.env.rewards import REWARDS
from simulator.env.wrappers import (
    FlatObservation,
    FlatVectorObservation,
    ItemAction,
    QueryAction,
    QueryVectorAction,
    RevealHiddenState,
    ScoreAction,
    flat,
)

simulator.env.register()
SMALL = {"items": 60, "slate": 5}


def single(name, **given):
    return gymnasium.make(f"beholder/{name}-v1", **(SMALL | given)).unwrapped


@pytest.mark.parametrize("name", ["ShortVideo", "Ecommerce", "Jobs"])
def test_flat_observations_are_inside_their_space(name):
    env = FlatObservation(single(name))
    observation, _ = env.reset(seed=1)
    for _ in range(20):
        assert observation.dtype == np.float32
        assert env.observation_space.contains(observation)
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            observation, _ = env.reset()
    many = FlatVectorObservation(gymnasium.make_vec(f"beholder/{name}-v1", num_envs=3, **SMALL))
    assert many.observation_space.contains(many.reset(seed=1)[0])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_flat_vector_is_flat_in_every_mode_and_to_the_end(mode):
    plain, wrapped = (
        gymnasium.make_vec("beholder/ShortVideo-v1", num_envs=3, limit=2, autoreset_mode=mode, **SMALL) for _ in "ab"
    )
    many = FlatVectorObservation(wrapped)
    space = plain.single_observation_space
    np.testing.assert_array_equal(many.reset(seed=1)[0], flat(plain.reset(seed=1)[0], space))
    ended = 0
    for _ in range(4):
        actions = np.tile(np.arange(5), (3, 1))
        left, *_, terminated, truncated, info = many.step(actions)
        right, *_, expected = plain.step(actions)
        np.testing.assert_array_equal(left, flat(right, space))
        assert ("final_obs" in info) == ("final_obs" in expected)
        over = terminated | truncated
        for j, last in enumerate(expected.get("final_obs", ())):
            assert (info["final_obs"][j] is None) == (not over[j])
            if over[j]:
                ended += 1
                np.testing.assert_array_equal(info["final_obs"][j], flat(last, space))
                assert many.single_observation_space.contains(info["final_obs"][j])
        if mode == "Disabled" and over.any():
            asked = {"options": {"reset_mask": over}}
            np.testing.assert_array_equal(many.reset(**asked)[0], flat(plain.reset(**asked)[0], space))
    assert (ended > 0) == (mode == "SameStep")


def test_one_item_is_a_slate_of_one():
    env, plain = ItemAction(single("News", slate=1)), single("News", slate=1)
    assert env.action_space == gymnasium.spaces.Discrete(60)
    env.reset(seed=2), plain.reset(seed=2)
    assert env.step(np.int64(7))[4]["slate"] == plain.step([7])[4]["slate"]
    with pytest.raises(ValueError, match="ItemAction: slate = 5; slate=1"):
        ItemAction(single("News"))


def test_a_query_is_answered_by_the_nearest_items_that_can_be_had():
    env = QueryAction(single("ShortVideo"))
    observation, _ = env.reset(seed=0)
    features = observation["candidates"].reshape(60, -1)
    query = features[17] / 10.0
    scores = features @ query
    scores[observation["available"] == 0] = -np.inf
    *_, info = env.step(query.astype(np.float32))
    assert info["slate"].tolist() == np.argsort(-scores, kind="stable")[:5].tolist()
    observation, *_ = env.step(query.astype(np.float32))
    assert (observation["available"][info["slate"]] == 0).all()


def test_scores_and_queries_of_a_vector_are_those_of_single_ones():
    many = QueryVectorAction(gymnasium.make_vec("beholder/News-v1", num_envs=2, **SMALL))
    many.reset(seed=3)
    ones = [QueryAction(single("News")) for _ in range(2)]
    query = np.linspace(-1, 1, many.single_action_space.shape[0]).astype(np.float32)
    for j, one in enumerate(ones):
        one.reset(seed=3 + j)
    *_, info = many.step(np.stack([query, -query]))
    for j, one in enumerate(ones):
        *_, own = one.step(query if j == 0 else -query)
        assert own["slate"].tolist() == info["slate"][j].tolist()


def test_masks_are_for_every_place_and_an_item_is_never_shown_twice():
    env = single("ShortVideo")
    observation, _ = env.reset(seed=2)
    masks = env.action_masks().reshape(5, 60)
    assert (masks == observation["available"].astype(bool)).all()
    *_, info = env.step(np.full(5, 59))
    free = np.flatnonzero(observation["available"])
    expected = np.concatenate([free[free >= 59], free])[:5]
    assert info["slate"].tolist() == expected.tolist()


def test_hidden_state_is_shown_only_by_its_wrapper():
    env = RevealHiddenState(single("ShortVideo", reward="truth_satisfaction"))
    observation, _ = env.reset(seed=4)
    assert env.observation_space.contains(observation)
    inner = env.unwrapped.observation_space.spaces
    assert not [name for name in inner if name.startswith("hidden")]

    # whoever knows the worth of items satisfies more than whoever shows the worst of them
    def satisfied(sign):
        scores = ScoreAction(RevealHiddenState(single("ShortVideo", reward="truth_satisfaction", items=400)))
        total, steps = 0.0, 0
        for seed in range(12):
            seen, _ = scores.reset(seed=seed)
            over = False
            while not over:
                worth = seen["hidden_worth"]
                seen, reward, terminated, truncated, _ = scores.step(sign * worth / np.abs(worth).max())
                total, steps, over = total + reward, steps + 1, terminated or truncated
        return total / steps

    assert satisfied(1.0) > satisfied(-1.0) + 3.0


def test_rewards_are_the_weighted_sum_of_their_parts():
    weights = {"watch_time": 0.1, "clicks": 2.0, "reported_satisfaction": -1.0}
    env = single("ShortVideo", reward=weights)
    env.reset(seed=6)
    total = np.zeros(len(REWARDS))
    for _ in range(40):
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        expected = sum(weight * info["rewards"][REWARDS.index(name)] for name, weight in weights.items())
        assert reward == pytest.approx(expected, rel=1e-5, abs=1e-5)
        total += info["rewards"]
        if terminated or truncated:
            env.reset()
    assert total[REWARDS.index("watch_time")] > 0


def test_what_is_sent_back_or_fails_takes_its_margin_back_once():
    env = single("Ecommerce", episode="lifetime", reward="margin", margin=0.25)
    env.reset(seed=0)
    context, fleet = env.context, env.fleet
    names, terms = context.compiled.names, terms_of(context, context.horizon, 1)

    def earned(stage, event, case, value=np.nan, logged=1.0):
        fleet.observation.earned[:] = 0
        row = np.zeros(1, dtype=EVENT)
        row["logged_at"], row["case"], row["value"], row["item"], row["satisfaction"] = logged, case, value, 3, np.nan
        row["stage"], row["event"] = names.stages.index(stage), names.codes[event]
        fold(row, 1, terms, context.items.state, fleet.observation, fleet.memory)
        return dict(zip(REWARDS, fleet.observation.earned[0].tolist(), strict=True))

    assert earned("checkout", "order", 0, 80.0)["margin"] == pytest.approx(20.0)
    assert earned("checkout", "order", 1, 40.0)["orders"] == 1.0
    assert earned("send_back", "refunded", 0)["margin"] == pytest.approx(-20.0)
    assert earned("send_back", "refunded", 0)["margin"] == 0.0
    assert earned("delivery", "cancelled", 1)["margin"] == pytest.approx(-10.0)
    assert earned("checkout", "order", 2, 80.0, logged=np.nan)["margin"] == 0.0  # nobody recorded it
    assert earned("verdict", "rate", 0, 5.0)["reported_satisfaction"] == pytest.approx(1.0)
    assert earned("verdict", "rate", 0, 1.0)["reported_satisfaction"] == pytest.approx(-1.0)


def test_orders_are_judged_after_the_visit_that_they_came_from():
    env = single("FoodDelivery", episode="lifetime", reward="truth_satisfaction", slate=30, items=1300)
    codes = {name: code for code, name in enumerate(env.events)}
    ordered, judged = 0, 0.0
    rng = np.random.default_rng(0)
    for seed in range(50):
        env.reset(seed=seed)
        over = False
        while not over:
            _, _, terminated, truncated, info = env.step(rng.permutation(1300)[:30])
            over = terminated or truncated
            ordered += int(info["events"][codes["order"]])
            judged += abs(info["rewards"][REWARDS.index("truth_satisfaction")])
            assert info["events"][codes["delivered"]] <= ordered
    assert ordered > 10
    assert judged > 0


@pytest.mark.parametrize("name", ["ShortVideo", "Ecommerce", "FoodDelivery"])
def test_the_screen_is_drawn_with_what_it_hides(name):
    text = single(name, items=200, render_mode="ansi")
    text.reset(seed=1)
    text.step(text.action_space.sample())
    drawing = text.render()
    assert "✗" in drawing
    picture = single(name, items=200, render_mode="rgb_array")
    picture.reset(seed=1)
    assert picture.render().ndim == 3
    picture.step(picture.action_space.sample())
    assert picture.render().dtype == np.uint8
