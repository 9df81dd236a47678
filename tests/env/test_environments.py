"""The environments keep Gymnasium's contract, and a vector is as many single ones."""

from __future__ import annotations

import copy
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import simulator.env
from simulator.env.wrappers import FlatObservation, QueryAction, RevealHiddenState, ScoreAction
from simulator.errors import InputError

IDS = ["Ecommerce", "News", "ShortVideo", "Audio", "FoodDelivery", "Jobs"]
SMALL = {"items": 200, "slate": 5}

simulator.env.register()


def single(name, **settings):
    return gymnasium.make(f"beholder/{name}-v1", **(SMALL | settings))


def vector(name, n, **settings):
    return gymnasium.make_vec(f"beholder/{name}-v1", num_envs=n, **(SMALL | settings))


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


@pytest.mark.parametrize("name", [*IDS, "Scenario"])
@pytest.mark.parametrize("episode", ["visit", "lifetime"])
@pytest.mark.parametrize("form", ["dict", "flat"])
def test_the_checkers_find_nothing_wrong(name, episode, form):
    given = {"scenario": "news"} if name == "Scenario" else {}
    env = single(name, episode=episode, render_mode="ansi", **given).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if form == "flat":
            env = FlatObservation(env)
            warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")  # any wrapper is
        check_env(env)
        sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
        sb3.check_env(env)


@pytest.mark.parametrize("wrapper", [FlatObservation, QueryAction, ScoreAction, RevealHiddenState])
def test_a_wrapped_environment_is_made_again_from_its_spec(wrapper):
    env = wrapper(single("ShortVideo"))
    again = gymnasium.make(env.spec)
    assert type(again) is wrapper
    assert same(env.reset(seed=4)[0], again.reset(seed=4)[0])


def test_any_scenario_file_has_an_environment(repository):
    path = repository / "scenarios" / "news.yaml"
    env = gymnasium.make("beholder/Scenario-v1", scenario=str(path), **SMALL)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    with pytest.raises(InputError, match="no scenario is given"):
        gymnasium.make("beholder/Scenario-v1")


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("episode", ["visit", "lifetime"])
def test_a_vector_is_as_many_single_environments(name, episode):
    n, steps, seed = 3, 25, 11
    settings = {"episode": episode, "limit": 9}
    many = vector(name, n, autoreset_mode="NextStep", **settings)
    ones = [single(name, **settings).unwrapped for _ in range(n)]
    observation, info = many.reset(seed=seed)
    for j, one in enumerate(ones):
        own, own_info = one.reset(seed=seed + j)
        assert same(own, {k: v[j] for k, v in observation.items()})
        assert same(own_info, {k: info[k][j] for k in own_info})
    over = [False] * n
    rng = np.random.default_rng(0)
    for _ in range(steps):
        actions = rng.integers(0, SMALL["items"], (n, SMALL["slate"]))
        observation, reward, terminated, truncated, info = many.step(actions)
        for j, one in enumerate(ones):
            if over[j]:
                own, own_info = one.reset()
                result = (0.0, False, False)
            else:
                own, *result, own_info = one.step(actions[j])
            over[j] = result[1] or result[2]
            assert same(own, {k: v[j] for k, v in observation.items()})
            assert same(own_info, {k: info[k][j] for k in own_info})
            assert tuple(result) == (reward[j], terminated[j], truncated[j])


def test_same_step_resets_show_the_last_and_the_first_observation():
    a, b = vector("ShortVideo", 2, autoreset_mode="SameStep"), vector("ShortVideo", 2, autoreset_mode="NextStep")
    a.reset(seed=3), b.reset(seed=3)
    actions = np.zeros((2, SMALL["slate"]), dtype=np.int64)
    ended = False
    for _ in range(60):
        left, *results, info = a.step(actions)
        right, *others, _ = b.step(actions)
        if np.any(results[1]):
            (j,) = np.flatnonzero(results[1])[:1]
            ended = True
            assert same(info["final_obs"][j], {k: v[j] for k, v in right.items()})
            following, *_ = b.step(actions)
            assert same({k: v[j] for k, v in left.items()}, {k: v[j] for k, v in following.items()})
            break
        assert same(left, right)
        assert same(results, others) or all(same(x, y) for x, y in zip(results, others, strict=True))
    assert ended


def test_without_autoreset_those_who_left_are_reset_by_hand():
    env = vector("ShortVideo", 4, autoreset_mode="Disabled")
    env.reset(seed=5)
    actions = np.zeros((4, SMALL["slate"]), dtype=np.int64)
    for _ in range(200):
        _, _, terminated, truncated, _ = env.step(actions)
        if (terminated | truncated).any():
            break
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(actions)
    before = {k: v.copy() for k, v in env.reset(options={"reset_mask": terminated | truncated})[0].items()}
    assert env.observation_space.contains(before)
    env.step(actions)


def test_a_pickled_environment_goes_on_alike():
    env = single("FoodDelivery", episode="lifetime").unwrapped
    env.reset(seed=2)
    rng = np.random.default_rng(1)
    actions = rng.integers(0, SMALL["items"], (30, SMALL["slate"]))
    for action in actions[:5]:
        if any(env.step(action)[2:4]):
            env.reset()
    twins = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    for action in actions[5:]:
        own = env.step(action)
        for twin in twins:
            assert all(same(x, y) for x, y in zip(own, twin.step(action), strict=True))
        if own[2] or own[3]:
            first = env.reset()
            for twin in twins:
                assert all(same(x, y) for x, y in zip(first, twin.reset(), strict=True))


def test_a_pickled_vector_goes_on_alike():
    env = vector("FoodDelivery", 8, episode="lifetime")
    env.reset(seed=2)
    actions = np.random.default_rng(1).integers(0, SMALL["items"], (40, 8, SMALL["slate"]))
    for action in actions[:20]:
        env.step(action)
    twin = pickle.loads(pickle.dumps(env))
    for action in actions[20:]:
        assert all(same(x, y) for x, y in zip(env.step(action), twin.step(action), strict=True))


def test_an_episode_is_a_function_of_its_seed():
    env = single("ShortVideo").unwrapped
    first, _ = env.reset(seed=9)
    again, _ = env.reset(seed=9)
    other, _ = env.reset(seed=10)
    assert same(first, again)
    assert not same(first, other)
    following, _ = env.reset()
    env.reset(seed=10)
    assert same(env.reset()[0], following)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"episode": "day"}, "episode = 'day'"),
        ({"items": "60"}, "items = '60'"),
        ({"slate": 0}, "slate = 0; a whole number of at least 1"),
        ({"horizon": "3 weeks"}, "horizon = '3 weeks'; a positive duration"),
        ({"horizon": [3]}, "a positive duration"),
        ({"margin": "x"}, "margin = 'x'; a number"),
        ({"observe_candidates": "no"}, "True or False"),
        ({"itmes": 3}, "got an unexpected keyword argument 'itmes'; did you mean items"),
        ({"scenario": "nwes"}, "unknown scenario 'nwes'"),
        ({"slate": 900}, "slate = 900"),
        ({"reward": "joy"}, "unknown reward 'joy'"),
        ({"reward": "retention"}, "one visit has none after it"),
        ({"shared": True}, "nobody to share with"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        single("ShortVideo", **settings)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError) == ("itmes" in settings)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (type(twin), str(twin)) == (type(caught.value), str(caught.value))


@pytest.mark.parametrize("settings", [{}, {"shared": True}])
def test_keywords_that_a_vector_does_not_have_are_type_errors(settings):
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'frameskip'; There are: scenario, .*"):
        vector("ShortVideo", 2, frameskip=1, **settings)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"num_envs": 0}, "num_envs = 0"),
        ({"render_mode": "human"}, "render_mode = 'human'; None or one of ansi, rgb_array"),
        ({"autoreset_mode": "Sometimes"}, "one of NextStep, SameStep, Disabled"),
        ({"background": 5}, "shared=True"),
        ({"shared": True, "num_envs": 0}, "num_envs = 0"),
        ({"shared": True, "render_mode": "ansi"}, "in a shared world"),
        ({"shared": True, "first_fit": "soon"}, "first_fit = 'soon'"),
        ({"shared": True, "log": "all"}, "log = 'all'; one of full, platform, metrics"),
    ],
)
def test_wrong_settings_of_vectors_are_refused_in_one_line(settings, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        vector("ShortVideo", settings.get("num_envs", 2),
               **{name: value for name, value in settings.items() if name != "num_envs"})  # fmt: skip
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        (np.zeros(5), "float64"),
        ([1, 2], r"shape \(2,\); 5 item numbers"),
        (3, "5 item numbers"),
        (None, "5 item numbers"),
        ([[1, 2], [3]], "different lengths"),
        ([-1, 2, 3, 4, 5], "names no item; 0 ... 199"),
        ([200, 2, 3, 4, 5], "names no item; 0 ... 199"),
    ],
)
def test_wrong_actions_are_refused_and_nothing_happens(action, complaint):
    env = single("ShortVideo").unwrapped
    env.reset(seed=1)
    with pytest.raises(InputError, match=complaint) as caught:
        env.step(action)
    assert isinstance(caught.value, ValueError)
    after, *_ = env.step([1, 2, 3, 4, 5])
    twin = single("ShortVideo").unwrapped
    twin.reset(seed=1)
    assert same(after, twin.step(np.array([[1, 2, 3, 4, 5]]))[0])


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"seed": 2**64}, "seed = 18446744073709551616"),
        ({"seed": "a"}, "seed = 'a'; a whole number"),
        ({"seed": [-4, 1, 2]}, "seed = -4"),
        ({"seed": [4, 1]}, "2 seeds"),
        ({"options": {"reset_masks": np.ones(3, bool)}}, "did you mean reset_mask"),
        ({"options": {"reset_mask": [1, 0, 0]}}, "bool"),
        ({"options": {"reset_mask": np.zeros(3, bool)}}, "True at least once"),
        ({"options": {"reset_mask": np.array([True, False, True])}}, "leaves out users who have not come yet"),
    ],
)
def test_wrong_resets_are_refused(asked, complaint):
    env = vector("ShortVideo", 3)
    with pytest.raises(InputError, match=complaint) as caught:
        env.reset(**asked)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros((3, SMALL["slate"]), dtype=np.int64))


def test_a_first_reset_may_name_everybody():
    env = vector("ShortVideo", 3)
    assert same(
        env.reset(seed=1, options={"reset_mask": np.ones(3, bool)})[0], vector("ShortVideo", 3).reset(seed=1)[0]
    )


def test_actions_of_a_vector_are_a_row_per_user():
    env = vector("ShortVideo", 3)
    env.reset(seed=0)
    with pytest.raises(InputError, match="3 times 5 item numbers"):
        env.step(np.zeros((5, 3), dtype=np.int64))


def test_a_closed_vector_has_no_threads_and_closes_again():
    env = vector("ShortVideo", 200, threads=2)
    before, _ = env.reset(seed=0)
    env.step(np.zeros((200, 5), dtype=np.int64))
    env.close()
    env.close()
    assert env.fleet._threads is None
    assert same(env.reset(seed=0)[0], before)
    with pytest.raises(InputError, match="names no item"):
        env.step(np.full((200, 5), 200))


@pytest.mark.parametrize(
    ("name", "episode"),
    [("ShortVideo", "visit"), ("FoodDelivery", "visit"), ("FoodDelivery", "lifetime"), ("Jobs", "lifetime")],
)  # food delivery announces other promises every hour
def test_threads_change_nothing(name, episode):
    n = 400
    ones, twos = vector(name, n, threads=1, episode=episode), vector(name, n, threads=2, episode=episode)
    left, _ = ones.reset(seed=1)
    right, _ = twos.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(8):
        assert same(left, right)
        actions = rng.integers(0, SMALL["items"], (n, SMALL["slate"]))
        left, *rest, _ = ones.step(actions)
        right, *others, _ = twos.step(actions)
        assert all(same(a, b) for a, b in zip(rest, others, strict=True))
