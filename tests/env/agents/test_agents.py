"""A trained agent answers a platform's requests, told of users what the environment told it."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import simulator.env
from recommenders.contract import COLUMNS, Label, PlatformLog, RecommenderError
from recommenders.contract.item_encoder import ItemEncoder
from recommenders.models.ranker import Batch
from recommenders.registry import create
from simulator import run
from simulator.env.wrappers import flat
from simulator.errors import InputError

sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install -e '.[rl]'")

SETTINGS = {"items": 80, "slate": 5}
LABEL = Label("like", ("like",))

simulator.env.register()


@pytest.fixture(scope="module", params=["query", "scores", "slate"])
def agent(request, tmp_path_factory):
    """An agent that is trained a little, with its file."""
    from simulator.env.agents.save import save_agent
    from simulator.env.wrappers import FlatObservation, QueryAction, ScoreAction

    env = FlatObservation(gymnasium.make("beholder/ShortVideo-v1", **SETTINGS))
    wrapped = {"query": QueryAction, "scores": ScoreAction, "slate": lambda same: same}[request.param](env)
    model = sb3.PPO("MlpPolicy", wrapped, n_steps=32, batch_size=32, n_epochs=1, seed=0, device="cpu")
    model.learn(64)
    path = tmp_path_factory.mktemp("agent") / "agent.zip"
    save_agent(model, wrapped, path)
    return model, path, request.param


def test_a_run_asks_it_and_a_second_one_gets_the_same_answers(agent):
    _, path, _ = agent
    settings = {"users": 30, "items": 80, "horizon": "8h", "first_fit": "2h", "seed": 0}
    logs = [
        run("shortvideo", "sb3", recommender_parameters={"path": str(path)}, batch=batch, **settings).manifest["log"]
        for batch in (3, 4096)
    ]
    assert logs[0] == logs[1]
    assert logs[0] != run("shortvideo", "random", **settings).manifest["log"]


def test_it_is_told_of_a_returning_user_what_the_environment_would_tell_it(agent):
    _, path, kind = agent
    if kind != "query":
        pytest.skip("what it is told does not depend on how it answers")
    env = gymnasium.make_vec("beholder/ShortVideo-v1", num_envs=30, shared=True, horizon="1d", log="full", **SETTINGS)
    observation, _ = env.reset(seed=0)
    rng, told = np.random.default_rng(0), []
    while True:
        seen = flat(observation, env.single_observation_space)
        for users, requests in env.requests():
            first = requests.request == 1
            told.append((requests.take(np.flatnonzero(first)), seen[users[first]]))
        observation, _, terminated, truncated, _ = env.step(rng.integers(0, 80, env.action_space.shape))
        if (terminated | truncated).all():
            break
    names, catalog = env.context.compiled.names, env.context.catalog.public
    log = as_log(env.result().platform, names)
    compared = 0
    for requests, seen in told:
        for k in range(len(requests)):
            one = requests.take(slice(k, k + 1))
            mine = log.user == one.user[0]
            arrived = log.logged_at <= one.time[0]
            if one.session[0] == 0 or (mine & (log.time < one.time[0]) & ~arrived).any():
                continue
            agent = create("sb3", {"path": str(path)}, label=LABEL)
            agent._encoder = ItemEncoder.of(catalog, 16)  # the same directions as this world's
            agent.fit(rows(log, np.flatnonzero(mine & arrived)), catalog)
            got = agent.observed(Batch(one, np.ones(1, bool), None))
            np.testing.assert_allclose(got[0], seen[k], atol=1e-3)
            compared += 1
    assert compared > 20
    env.close()


def as_log(frame, names):
    """A run's platform log as recommenders read it."""
    known = {"surface": names.surfaces, "device": names.devices, "stage": names.stages, "event": names.events}
    columns = {}
    for column in COLUMNS:
        values = frame[column.name]
        if column.coded:
            codes = {name: code for code, name in enumerate(known[column.name])}
            values = values.astype(object).map(lambda name, codes=codes: codes.get(name, 255))
        filled = values.astype(object).where(values.notna(), column.absent)
        columns[column.name] = filled.to_numpy().astype(column.dtype)
    return PlatformLog.from_columns(columns, known, 30, 80)


def rows(log, chosen):
    columns = {column.name: getattr(log, column.name)[chosen] for column in COLUMNS}
    return PlatformLog.from_columns(columns, log.names, log.n_users, log.n_items)


def test_an_agent_that_does_not_fit_is_refused(agent, tmp_path):
    _, path, kind = agent
    where = {"path": str(path)}
    small = {"users": 10, "horizon": "4h", "first_fit": "1h"}
    with pytest.raises(RecommenderError, match="was trained in shortvideo"):
        run("news", "sb3", recommender_parameters=where, items=80, **small)
    if kind == "scores":
        with pytest.raises(RecommenderError, match="scores 80 items"):
            run("shortvideo", "sb3", recommender_parameters=where, items=90, **small)
    with pytest.raises(RecommenderError, match="is no file"):
        create("sb3", {"path": str(tmp_path / "none.zip")})
    (tmp_path / "other.zip").write_bytes(b"no archive")
    with pytest.raises(RecommenderError, match="does not describe an agent"):
        create("sb3", {"path": str(tmp_path / "other.zip")})


def test_a_policy_that_sees_something_else_is_not_saved(tmp_path):
    from simulator.env.agents.save import save_agent

    model = sb3.PPO("MlpPolicy", gymnasium.make("CartPole-v1"), device="cpu")
    env = gymnasium.make("beholder/ShortVideo-v1", **SETTINGS)
    with pytest.raises(InputError, match="the model answers with"):
        save_agent(model, env, tmp_path / "agent.zip")
    with pytest.raises(InputError, match="no environment of this package"):
        save_agent(model, gymnasium.make("CartPole-v1"), tmp_path / "agent.zip")
    assert not list(tmp_path.iterdir())
