"""A shared vector is a world: the same answers leave the same log as in a run."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pandas as pd
import pytest

import simulator.env
from recommenders.contract import Recommender, Slates
from simulator import run
from simulator.errors import InputError

simulator.env.register()


class Spread(Recommender):
    """A policy of its own: items spread over the catalog by user and request."""

    name = "spread"
    learns = False

    def recommend(self, requests):
        places = np.arange(requests.slate_size)[None, :]
        first = (requests.user.astype(np.int64) * 7 + requests.request.astype(np.int64) * 13)[:, None]
        slates = requests.candidates[(first + places) % len(requests.candidates)].astype(np.int32)
        slates[:, requests.filled :] = -1
        return Slates(np.ascontiguousarray(slates))


def lived(name, users, agents, horizon, seed=4, items=80, **settings):
    env = gymnasium.make_vec(
        f"beholder/{name}-v1", num_envs=agents, shared=True, background=users - agents, horizon=horizon, items=items,
        log="full", repeat="allow", **settings,
    )  # fmt: skip
    env.reset(seed=seed)
    policy, earned, rounds = Spread(), np.zeros(agents), 0
    while True:
        actions = np.zeros(env.action_space.shape, dtype=np.int64)
        for user, requests in env.requests():
            slates = policy.recommend(requests).items
            actions[user[:, None], np.arange(slates.shape[1])] = np.maximum(slates, 0)
        observation, reward, terminated, truncated, _ = env.step(actions)
        earned += reward
        rounds += 1
        if (terminated | truncated).all():
            break
    assert env.observation_space.contains({k: np.asarray(v) for k, v in observation.items()})
    return env, earned, rounds


def ordered(log):
    keys = ["time", "user", "session", "request", "position", "event", "stage", "case"]
    return log.sort_values(keys, kind="stable").reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "scenario", "users", "items", "horizon"),
    [("ShortVideo", "shortvideo", 40, 80, "6h"), ("FoodDelivery", "fooddelivery", 120, 900, "2d")],
)
def test_the_whole_population_leaves_the_log_of_a_run(name, scenario, users, items, horizon):
    env, _, _ = lived(name, users, users, horizon, items=items)
    first_fit = env._first_fit
    inside = env.result()
    outside = run(scenario, Spread(), users=users, items=items, horizon=horizon, seed=4, first_fit=first_fit)
    assert inside.manifest["log"] == outside.manifest["log"]
    a, b = ordered(inside.truth), ordered(outside.truth)
    assert len(a) > 200
    pd.testing.assert_frame_equal(a, b)
    env.close()


def test_what_agents_earn_is_what_the_log_says():
    env, earned, rounds = lived("ShortVideo", 30, 10, "8h", reward="watch_time")
    log = env.result().truth
    plays = log[log["event"].isin(["skip", "complete"]) & (log["user"] < 10)]
    agents = plays[plays["policy_version"] > 0].groupby("user")["value"].sum().reindex(range(10), fill_value=0.0)
    assert rounds > 5
    assert agents.sum() > 0
    np.testing.assert_allclose(earned, agents, rtol=1e-4)
    assert (log.loc[log["user"] >= 10, "policy_version"] == 0).all()
    env.close()


def test_nobody_begins_anew_in_a_world_that_goes_on():
    with pytest.raises(InputError, match="in a shared world"):
        gymnasium.make_vec("beholder/ShortVideo-v1", num_envs=2, shared=True, autoreset_mode="NextStep")


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_world_that_goes_on_is_not_copied_and_one_that_stands_still_is(twin):
    env = gymnasium.make_vec("beholder/ShortVideo-v1", num_envs=2, shared=True, horizon="6h", items=60, slate=4)
    before, _ = twin(env).reset(seed=1)
    env.reset(seed=1)
    with pytest.raises(TypeError, match=r"cannot be copied or pickled; make it again with the same settings and seed"):
        twin(env)
    env.close()
    after, _ = twin(env).reset(seed=1)
    assert all(np.array_equal(before[name], after[name]) for name in before)
