"""Logged data for offline learning: exact propensities, true potential outcomes, and files that others read."""

from __future__ import annotations

import copy

import gymnasium
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulator.env
from simulator.env.offline.collect import collect, softmax, uniform
from simulator.env.offline.export import to_minari, to_open_bandit
from simulator.errors import InputError

SMALL = {"scenario": "shortvideo", "items": 60, "slate": 3}

simulator.env.register()


@pytest.fixture(scope="module")
def logged():
    return collect(uniform, episodes=6, seed=3, potential=True, **SMALL)


def test_propensities_are_those_of_drawing_without_replacement():
    rng = np.random.default_rng(0)
    observation = {"available": np.array([1, 0, 1, 1], np.int8)}
    scores = np.array([2.0, 9.0, 1.0, 0.0])
    weight = np.exp(scores[[0, 2, 3]] / 0.5)
    policy = softmax(lambda seen: scores, 0.5)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        slate, odds = policy(observation, 2, rng)
        first, second = (int(np.flatnonzero(slate[k] == [0, 2, 3])[0]) for k in (0, 1))
        assert odds[0] == pytest.approx(weight[first] / weight.sum(), rel=1e-5)
        assert odds[1] == pytest.approx(weight[second] / (weight.sum() - weight[first]), rel=1e-5)
        counts[tuple(slate)] = counts.get(tuple(slate), 0) + 1
    both = weight[0] / weight.sum() * weight[1] / (weight[1] + weight[2])
    assert counts[(0, 2)] / 6000 == pytest.approx(both, abs=0.02)
    slate, odds = policy({"available": np.array([0, 1, 0, 0], np.int8)}, 2, rng)
    assert slate[0] == 1
    assert odds[0] == 1
    assert np.isnan(odds[1])


@pytest.mark.parametrize("temperature", [1e-320, 1e-300, 1e-9, 1e-3, 1.0, 1e300])
def test_whatever_is_shown_had_a_chance(temperature):
    """A nearly greedy policy too: the items after the first have weights that no float holds beside the best one's."""
    scores = np.array([3.0, 3.0, 1e4, -1e4, 0.0, 7.0])
    policy = softmax(lambda seen: scores, temperature)
    for seed in range(20):
        slate, odds = policy({"available": np.ones(6, np.int8)}, 6, np.random.default_rng(seed))
        assert sorted(slate) == [0, 1, 2, 3, 4, 5]
        assert ((odds > 0) & (odds <= 1)).all()
        if temperature < 1:
            assert scores[slate].tolist() == sorted(scores, reverse=True)
            assert odds.tolist() == [1.0, 1.0, 0.5, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(wrong):
    policy = softmax(lambda seen: np.array([1.0, wrong]), 1.0)
    with pytest.raises(InputError, match="a score is NaN or infinite; a finite score of every item"):
        policy({"available": np.ones(2, np.int8)}, 1, np.random.default_rng(0))


def test_what_an_item_would_have_earned_is_what_it_earns(logged):
    env = gymnasium.make("beholder/Scenario-v1", history=64, observe_candidates=False, **SMALL).unwrapped
    checked = 0
    for episode in logged.episodes:
        env.reset(seed=episode.seed)
        for step, slate in enumerate(episode.actions):
            shown = episode.shown[step, 0]
            assert episode.potential[step, shown] == pytest.approx(episode.rewards[step], rel=1e-5, abs=1e-5)
            there = np.flatnonzero(env.fleet.observation.available[0])
            assert np.isnan(np.delete(episode.potential[step], there)).all()
            other = int(there[(7 * step) % len(there)])
            if other not in slate:
                instead = copy.deepcopy(env)
                earned = instead.step(np.array([other, *slate[1:]]))[1]
                assert episode.potential[step, other] == pytest.approx(earned, rel=1e-5, abs=1e-5)
                checked += 1
            env.step(slate)
    assert checked > 20


def test_an_item_is_clicked_where_the_log_speaks_for_it(logged):
    env = gymnasium.make("beholder/Scenario-v1", history=64, observe_candidates=False, **SMALL).unwrapped
    names, clicks = env.events, 0
    remembered = (env.context.tables.marks & 1).any(axis=0)[: len(names)]
    praise = {"open", "like", "comment", "share", "follow", "profile_visit"}
    for episode in logged.episodes:
        env.reset(seed=episode.seed)
        for step, slate in enumerate(episode.actions):
            observation, _, _, _, info = env.step(slate)
            fresh = int(info["events"][remembered].sum())
            good = {
                int(item)
                for item, event, value in list(zip(
                    *(observation[f"history_{what}"] for what in ("item", "event", "value")), strict=True
                ))[64 - fresh :]
                if names[event] in praise or (names[event] in ("skip", "complete") and value >= 0.4)
            }  # fmt: skip
            assert set(episode.shown[step][episode.clicked[step] == 1].tolist()) == good & set(
                episode.shown[step].tolist()
            )
            clicks += int(episode.clicked[step].sum())
    shown = sum(int((episode.shown >= 0).sum()) for episode in logged.episodes)
    assert 0 < clicks < shown


def test_the_files_have_the_columns_that_are_documented(logged, tmp_path):
    to_open_bandit(logged, tmp_path / "logged")
    schema = pq.read_schema(tmp_path / "logged" / "logged.parquet")
    expected = {
        "episode": pa.int32(), "step": pa.int32(), "timestamp": pa.float64(), "item_id": pa.int32(),
        "position": pa.int16(), "click": pa.uint8(), "propensity_score": pa.float32(), "reward": pa.float32(),
    }  # fmt: skip
    assert {name: schema.field(name).type for name in schema.names[:8]} == expected
    assert schema.names[8:] == [f"user_feature_{d}" for d in range(logged.episodes[0].observations.shape[1])]
    rows = pq.read_table(tmp_path / "logged" / "logged.parquet").to_pandas()
    assert len(rows) == sum(int((episode.shown >= 0).sum()) for episode in logged.episodes)
    assert rows["propensity_score"].between(1 / 60, 1).all()
    assert pq.read_table(tmp_path / "logged" / "item_context.parquet").num_rows == 60
    other = pq.read_table(tmp_path / "logged" / "potential.parquet").to_pandas()
    both = rows[rows["position"] == 1].merge(other, on=["episode", "step", "item_id"])
    assert len(both) == (rows["position"] == 1).sum()
    np.testing.assert_allclose(both["reward_x"], both["reward_y"], rtol=1e-5, atol=1e-4)
    with pytest.raises(InputError, match="exists"):
        to_open_bandit(logged, tmp_path / "logged")


def test_minari_reads_what_was_written(logged, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari", reason="Minari is not installed: pip install -e '.[offline]'")
    pytest.importorskip("PIL", reason="Minari needs Pillow: pip install -e '.[offline]'")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="author"):
        to_minari(logged, "beholder/uniform-v0")
    dataset = minari.load_dataset("beholder/uniform-v0")
    assert dataset.total_episodes == len(logged)
    for read, episode in zip(dataset.iterate_episodes(), logged.episodes, strict=True):
        np.testing.assert_array_equal(read.observations, episode.observations)
        np.testing.assert_array_equal(read.actions, episode.actions)
        np.testing.assert_allclose(read.rewards, episode.rewards)
        assert read.terminations[-1] == episode.terminated
        np.testing.assert_array_equal(read.infos["propensity"][1:], episode.propensity)


def test_wrong_requests_are_refused():
    with pytest.raises(InputError, match="potential outcomes of episode = lifetime"):
        collect(uniform, episodes=1, potential=True, episode="lifetime", **SMALL)
    with pytest.raises(InputError, match="episodes = 0"):
        collect(uniform, episodes=0, **SMALL)
    with pytest.raises(InputError, match="temperature = 0"):
        softmax(lambda seen: np.zeros(60), 0)
    with pytest.raises(InputError, match="cannot be had"):
        collect(lambda seen, places, draw: (np.zeros(places, np.int64), np.ones(places, np.float32)), 1, **SMALL)
