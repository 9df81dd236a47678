"""The vector for Stable-Baselines3 is that of as many of its own, and does what its tools ask of a vector."""

from __future__ import annotations

import csv
import pickle

import gymnasium
import numpy as np
import pytest

import simulator.env
from simulator.env.rewards import REWARDS
from simulator.env.wrappers import FlatObservation, QueryAction
from simulator.errors import InputError

sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install -e '.[rl]'")
vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
from simulator.env.agents.sb3_vector import Sb3Vector  # noqa: E402  # needs the library

simulator.env.register()
N, SMALL = 3, {"items": 50, "slate": 4, "limit": 5}


def made(n=N, **settings):
    return Sb3Vector(n, **{"scenario": "shortvideo", **SMALL, **settings})


def actions_of(env, seed=0):
    rng = np.random.default_rng(seed)
    while True:
        yield rng.uniform(-1, 1, (env.num_envs, *env.action_space.shape)).astype(np.float32)


def test_it_is_as_many_single_ones_of_the_library():
    def one():
        return QueryAction(FlatObservation(gymnasium.make("beholder/ShortVideo-v1", **SMALL)))

    ours, theirs = made(), vec_env.DummyVecEnv([one] * N)
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    ours.seed(7), theirs.seed(7)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ended = 0
    for _, actions in zip(range(30), actions_of(ours), strict=False):
        left, right = ours.step(actions), theirs.step(actions)
        for a, b in zip(left[:3], right[:3], strict=True):
            np.testing.assert_array_equal(a, b)
        for j in np.flatnonzero(left[2]):
            ended += 1
            np.testing.assert_array_equal(left[3][j]["terminal_observation"], right[3][j]["terminal_observation"])
            assert left[3][j]["TimeLimit.truncated"] == right[3][j]["TimeLimit.truncated"]
    assert ended > N


def test_a_seed_counts_once_and_none_goes_on():
    env, twin = made(), made()
    env.seed(4), twin.seed(4)
    first = env.reset()
    np.testing.assert_array_equal(first, twin.reset())
    env.seed(None)
    following = env.reset()
    np.testing.assert_array_equal(following, twin.reset())
    assert not np.array_equal(first, following)


def test_a_monitor_logs_named_rewards_of_every_episode(tmp_path):
    env = vec_env.VecMonitor(made(reward="watch_time"), str(tmp_path / "log"), info_keywords=REWARDS)
    env.seed(1)
    env.reset()
    found = []
    for _, actions in zip(range(20), actions_of(env), strict=False):
        *_, dones, infos = env.step(actions)
        found += [infos[j]["episode"] for j in np.flatnonzero(dones)]
    env.close()
    assert len(found) > N
    assert all(np.isclose(episode["r"], episode["watch_time"], rtol=1e-4) for episode in found)
    assert sum(episode["truth_satisfaction"] != 0 for episode in found) > 0
    with (tmp_path / "log.monitor.csv").open() as file:
        next(file)
        rows = list(csv.DictReader(file))
    assert [float(row["watch_time"]) for row in rows] == [episode["watch_time"] for episode in found]


@pytest.mark.parametrize("indices", [None, 1, [0, 2], np.array([2]), range(2)])
def test_indices_say_who_is_meant(indices):
    env = made(render_mode="ansi")
    env.reset()
    wanted = list(range(N)) if indices is None else np.ravel(indices).tolist()
    assert env.get_attr("render_mode", indices) == ["ansi"] * len(wanted)
    assert env.env_is_wrapped(gymnasium.Wrapper, indices) == [False] * len(wanted)
    masks = env.env_method("action_masks", indices=indices)
    np.testing.assert_array_equal(masks, env.inner.action_masks()[wanted])
    assert env.env_method("render", indices=indices) == [env.inner.render()[j] for j in wanted]
    with pytest.raises(IndexError):
        env.get_attr("render_mode", [N])


def test_spaces_of_a_user_are_those_of_one():
    env = made()
    assert env.get_attr("action_space") == [env.action_space] * N
    assert not env.has_attr("nothing")


def test_pictures_stand_side_by_side():
    env = made(n=8, render_mode="rgb_array", scenario="news")
    env.reset()
    pictures = env.inner.render()
    assert len({picture.shape for picture in pictures}) > 1
    tiled = env.render()
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    assert tiled.shape == (3 * height, 3 * width, 3)
    last = pictures[7]
    np.testing.assert_array_equal(tiled[2 * height :, width:][: last.shape[0], : last.shape[1]], last)


@pytest.mark.parametrize("options", [{"reset_mask": True}, [{}, {"speed": 2}, {}]])
def test_options_are_refused_and_not_dropped(options):
    env = made()
    env.set_options(options)
    with pytest.raises(InputError, match="of reset; no options"):
        env.reset()
    env.set_options({})
    env.reset()


@pytest.mark.parametrize("given", [{"autoreset_mode": "NextStep"}, {"observe_candidates": True}, {"shared": True}])
def test_what_the_library_cannot_have_is_refused_in_one_line(given):
    with pytest.raises(InputError, match=next(iter(given))):
        made(**given)


@pytest.mark.parametrize("call", [lambda env: env.set_attr("x", 1), lambda env: env.env_method("seed")])
def test_users_have_nothing_of_their_own(call):
    with pytest.raises(NotImplementedError, match="users of a vector"):
        call(made())


@pytest.mark.parametrize("wrap", ["VecMonitor", "VecNormalize", "VecCheckNan", "VecFrameStack"])
def test_the_librarys_wrappers_take_it_and_ppo_trains(wrap):
    asked = {"n_stack": 2} if wrap == "VecFrameStack" else {}
    env = getattr(vec_env, wrap)(made(), **asked)
    model = sb3.PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0, device="cpu").learn(48)
    assert model.num_timesteps == 48
    if wrap == "VecMonitor":
        assert len(model.ep_info_buffer) > 0


def test_a_pickled_one_goes_on_alike():
    env = made()
    env.seed(3)
    env.reset()
    actions = actions_of(env)
    env.step(next(actions))
    twin = pickle.loads(pickle.dumps(env))
    for _, action in zip(range(8), actions, strict=False):
        for a, b in zip(env.step(action)[:3], twin.step(action)[:3], strict=True):
            np.testing.assert_array_equal(a, b)
