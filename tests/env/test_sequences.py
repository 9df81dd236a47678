"""Whatever is done, in whatever order, a vector is as many single environments, and all it shows lies in its spaces."""

from __future__ import annotations

import copy

import gymnasium
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import simulator.env

simulator.env.register()

N, ITEMS, SLATE = 3, 40, 4
KINDS = {
    "visits": ("News", {"limit": 4, "reward": {"clicks": 1.0, "truth_satisfaction": 0.5}}),
    "lifetimes with orders": ("FoodDelivery", {"items": 160, "episode": "lifetime", "limit": 6, "reward": "margin"}),
}
_SEEDS = st.integers(0, 2**40)
_ACTS = st.one_of(
    st.tuples(st.just("step"), _SEEDS),
    st.tuples(st.just("step"), _SEEDS),
    st.tuples(st.just("reset"), st.none() | _SEEDS),
    st.tuples(st.just("reset with seeds"), st.lists(st.none() | _SEEDS, min_size=N, max_size=N)),
    st.tuples(st.just("reset some"), st.lists(st.booleans(), min_size=N, max_size=N).filter(any)),
    st.tuples(st.just("copy"), st.none()),
)
_MADE: dict = {}


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


def made(kind, mode):
    if (kind, mode) not in _MADE:
        name, given_ = KINDS[kind]
        own = {"items": ITEMS, "slate": SLATE, **given_}
        many = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=N, autoreset_mode=mode, **own)
        _MADE[kind, mode] = many, [gymnasium.make(f"beholder/{name}-v1", **own).unwrapped for _ in range(N)]
    return _MADE[kind, mode]


class LifetimeTables:
    """A vector, and what it has to equal."""

    def __init__(self, kind, mode, seed):
        self.kind, self.mode = kind, mode
        self.many, self.ones = made(kind, mode)
        self.over = [False] * N
        self.agree(self.many.reset(seed=seed), [one.reset(seed=seed + j) for j, one in enumerate(self.ones)])

    def agree(self, found, expected, rows=range(N)):
        observations, infos = found
        assert self.many.observation_space.contains(observations)
        for j, (observation, info) in zip(rows, expected, strict=True):
            assert self.many.single_observation_space.contains(observation)
            assert same(observation, {k: v[j] for k, v in observations.items()})
            assert same(info, {k: infos[k][j] for k in info})
        masks = self.many.action_masks()
        assert all((masks[j] == self.ones[j].action_masks()).all() for j in rows)

    def reset(self, seed):
        expected = [one.reset(seed=None if seed is None else seed + j) for j, one in enumerate(self.ones)]
        self.agree(self.many.reset(seed=seed), expected)
        self.over = [False] * N

    def reset_with_seeds(self, seeds):
        expected = [one.reset(seed=seed) for one, seed in zip(self.ones, seeds, strict=True)]
        self.agree(self.many.reset(seed=seeds), expected)
        self.over = [False] * N

    def reset_some(self, mask):
        rows = np.flatnonzero(mask)
        expected = [self.ones[j].reset() for j in rows]
        found = self.many.reset(options={"reset_mask": np.array(mask)})
        self.agree(found, expected, rows)
        info = {name: value for name, value in found[1].items() if not name.startswith("_")}
        for name, told in info.items():  # of the others nothing is told: what happened in their last step was
            assert (found[1][f"_{name}"] == mask).all()
            assert (told[~np.array(mask)] == (-1 if name == "slate" else 0)).all()
        for j in rows:
            self.over[j] = False

    def copy(self, _):
        self.many, self.ones = copy.deepcopy(self.many), [copy.deepcopy(one) for one in self.ones]
        _MADE[self.kind, self.mode] = self.many, self.ones

    def step(self, seed):
        actions = np.random.default_rng(seed).choice(self.many.fleet.context.askable, (N, SLATE))
        if self.mode == "Disabled" and any(self.over):
            with pytest.raises(gymnasium.error.ResetNeeded):
                self.many.step(actions)
            return
        observations, rewards, terminated, truncated, infos = self.many.step(actions)
        expected, was = [], self.over
        self.over = [False] * N
        for j, one in enumerate(self.ones):
            result = (0.0, False, False)
            if was[j]:
                seen, info = one.reset()
            else:
                seen, *result, info = one.step(actions[j])
                self.over[j] = result[1] or result[2]
                if self.mode == "SameStep" and self.over[j]:
                    assert same(infos["final_obs"][j], seen)
                    assert same(info, {k: infos["final_info"][k][j] for k in info})
                    seen, info = one.reset()
                    self.over[j] = False
            assert np.isfinite(rewards[j])
            assert tuple(result) == (rewards[j], terminated[j], truncated[j])
            expected.append((seen, info))
        self.agree((observations, infos), expected)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=_SEEDS, acts=st.lists(_ACTS, max_size=20))
def test_a_vector_is_as_many_single_environments_whatever_is_done(kind, mode, seed, acts):
    pair = LifetimeTables(kind, mode, seed)
    for what, value in acts:
        getattr(pair, what.replace(" ", "_"))(value)
