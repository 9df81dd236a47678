"""What the tests of Gymnasium and of Stable-Baselines3 ask of environments and vectors, asked of every one of ours."""

from __future__ import annotations

import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import vector as wrappers

import simulator.env
from simulator.env.wrappers import FlatVectorObservation

simulator.env.register()
pytestmark = pytest.mark.long

NAMES = ["Ecommerce", "News", "ShortVideo", "Audio", "FoodDelivery", "Jobs"]
EPISODES = ["visit", "lifetime"]
MODES = ["NextStep", "SameStep", "Disabled"]
N, STEPS, SMALL = 4, 30, {"items": 160, "slate": 4, "limit": 6}
every = pytest.mark.parametrize("name", NAMES)
both = pytest.mark.parametrize("episode", EPISODES)
modes = pytest.mark.parametrize("mode", MODES)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray) and a.dtype == object:
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if a is None or b is None:
        return a is b
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


def vector(name, mode, **settings):
    return gymnasium.make_vec(f"beholder/{name}-v1", num_envs=N, autoreset_mode=mode, **(SMALL | settings))


def lived(env, steps=STEPS, seed=3):
    """Every answer of a vector, its episodes begun again by hand where nobody does."""
    found = [env.reset(seed=seed)]
    env.action_space.seed(seed)
    for _ in range(steps):
        found.append(env.step(env.action_space.sample()))
        over = found[-1][2] | found[-1][3]
        if env.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.DISABLED and over.any():
            found.append(env.reset(options={"reset_mask": over}))
    return found


@every
@both
@pytest.mark.parametrize("render_mode", [None, "ansi", "rgb_array"])
def test_the_checkers_pass_in_every_way_of_drawing(name, episode, render_mode):
    env = gymnasium.make(f"beholder/{name}-v1", episode=episode, render_mode=render_mode, **SMALL).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env)
        pytest.importorskip("stable_baselines3.common.env_checker").check_env(env)


@every
@both
@modes
def test_a_vector_answers_in_the_forms_that_it_declares(name, episode, mode):
    env = vector(name, mode, episode=episode)
    assert env.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode(mode)
    assert env.observation_space == gymnasium.vector.utils.batch_space(env.single_observation_space, N)
    assert env.action_space == gymnasium.vector.utils.batch_space(env.single_action_space, N)
    ended = 0
    for answer in lived(env):
        observation, info = answer[0], answer[-1]
        assert env.observation_space.contains(observation)
        assert {key for key in info if not key.startswith("_")} == {key[1:] for key in info if key.startswith("_")}
        assert all(mask.shape == (N,) and mask.dtype == np.bool_ for key, mask in info.items() if key.startswith("_"))
        if len(answer) == 2:
            continue
        _, reward, terminated, truncated, _ = answer
        assert (reward.shape, reward.dtype) == ((N,), np.float64)
        assert (terminated.dtype, truncated.dtype) == (np.bool_, np.bool_)
        over = terminated | truncated
        ended += int(over.sum())
        if mode == "SameStep" and over.any():
            assert (info["_final_obs"] == over).all()
            assert (info["_final_info"] == over).all()
            assert all(env.single_observation_space.contains(info["final_obs"][j]) for j in np.flatnonzero(over))
            assert all((info["final_info"][f"_{key}"] == over).all() for key in ("events", "rewards", "slate"))
        else:
            assert "final_obs" not in info
    assert ended > N


@every
@both
@modes
def test_equal_seeds_are_equal_lives_and_what_was_handed_out_stays(name, episode, mode):
    first = lived(vector(name, mode, episode=episode))
    kept = pickle.loads(pickle.dumps(first))
    again = lived(vector(name, mode, episode=episode))
    assert all(same(a, b) for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))
    assert all(same(a, b) for x, y in zip(first, kept, strict=True) for a, b in zip(x, y, strict=True))
    other = lived(vector(name, mode, episode=episode), seed=4)
    assert not same(first[0][0], other[0][0])


@every
def test_a_vector_is_gymnasiums_vector_of_single_ones(name):
    ours = vector(name, "NextStep")
    theirs = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=N, vectorization_mode="sync", **SMALL)
    for left, right in zip(lived(ours), lived(theirs), strict=True):
        assert all(same(a, b) for a, b in zip(left[:-1], right[:-1], strict=True))
        assert all(same(left[-1][key], right[-1][key]) for key in right[-1])


@every
def test_a_closed_vector_closes_again_and_goes_on(name):
    env = vector(name, "NextStep")
    first = lived(env)
    env.close()
    env.close()
    assert all(same(a, b) for x, y in zip(first, lived(env), strict=True) for a, b in zip(x, y, strict=True))


@modes
@pytest.mark.parametrize("wrapper", ["RecordEpisodeStatistics", "NormalizeReward", "ClipReward", "DictInfoToList"])
def test_gymnasiums_wrappers_take_a_flat_vector(mode, wrapper):
    env = FlatVectorObservation(vector("ShortVideo", mode))
    asked = {"min_reward": -1.0, "max_reward": 1.0} if wrapper == "ClipReward" else {}
    found = lived(getattr(wrappers, wrapper)(env, **asked), steps=12)
    assert all(env.observation_space.contains(answer[0]) for answer in found)
    if wrapper == "RecordEpisodeStatistics":
        lengths = [length for *_, info in found for length in info.get("episode", {}).get("l", ()) if length]
        assert max(lengths) == SMALL["limit"]
