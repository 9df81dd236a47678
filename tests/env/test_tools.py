"""Tools that others wrote take the environments as they are: each pair is tried where the tool is installed.

`docs/reinforcement-learning.md` has the table of them, with the versions that were tried. Ray holds a Gymnasium of its
own, d3rlpy another: each of these has an environment (`python -m venv`) of its own, as the docs say.
"""

from __future__ import annotations

import builtins
import keyword

import gymnasium
import numpy as np
import pytest

import simulator.env
from simulator.env.offline.collect import collect, uniform
from simulator.env.offline.export import to_minari
from simulator.env.wrappers import (
    FlatObservation,
    FlatVectorObservation,
    ItemAction,
    QueryAction,
    QueryVectorAction,
)

simulator.env.register()
SMALL = {"items": 50, "slate": 4, "limit": 20}
ID = "beholder/ShortVideo-v1"


def slates(**settings):
    return gymnasium.make(ID, **(SMALL | settings))


def flat(**settings):
    return FlatObservation(slates(**settings))


def queries(**settings):
    return QueryAction(flat(**settings))


def one_item(**settings):
    return ItemAction(flat(slate=1, **settings))


FORMS = {"slates": slates, "flat": flat, "queries": queries, "one item": one_item}
every_form = pytest.mark.parametrize("form", FORMS)


def installed(module):
    return pytest.importorskip(module, reason=f"{module.partition('.')[0]} is not installed")


# ---- names


def test_no_observation_has_a_name_that_a_tool_keeps_for_itself():
    torch = pytest.importorskip("torch")
    names = set(slates().observation_space.spaces)
    # parameters of torchrl's Composite and tensordict's TensorDict; keys that torchrl and Ray add of their own
    kept = {"device", "shape", "batch_size", "dtype", "data", "data_cls", "names", "step_mdp_static", "source", "next",
            "reward", "done", "action", "pixels", "obs", "state_in", "state_out", "seq_lens"}  # fmt: skip
    assert not names & (kept | set(dir(dict)) | set(dir(builtins)) | set(keyword.kwlist))
    assert not [name for name in names if hasattr(torch.nn.ModuleDict(), name) or hasattr(np.ndarray, name)]
    assert all(name.isidentifier() for name in names)


# ---- Gymnasium's own


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_gymnasium_makes_vectors_of_single_ones(mode):
    many = gymnasium.make_vec(ID, num_envs=2, vectorization_mode=mode, **SMALL)
    native = gymnasium.make_vec(ID, num_envs=2, **SMALL)
    left, right = many.reset(seed=3)[0], native.reset(seed=3)[0]
    for _ in range(4):
        assert all(np.array_equal(left[name], right[name]) for name in right)
        actions = many.action_space.sample()
        left, right = many.step(actions)[0], native.step(actions)[0]
    many.close()


# ---- TorchRL


def _torchrl(how):
    envs = installed("torchrl.envs")
    if how == "by id":
        return envs.GymEnv(ID, **SMALL)
    if how == "lifetimes by id":
        return envs.GymEnv("simulator.env:beholder/FoodDelivery-v1", episode="lifetime", items=160, slate=4, limit=6)
    return envs.GymWrapper(FORMS[how]())


@pytest.mark.parametrize("how", ["by id", "lifetimes by id", *FORMS])
def test_torchrl_makes_checks_and_rolls_out(how):
    from_torchrl = installed("torchrl.envs.utils")
    env = _torchrl(how)
    from_torchrl.check_env_specs(env)
    rolled = env.rollout(5)
    assert 0 < len(rolled) <= 5
    assert rolled["next", "reward"].shape[-1] == 1


@pytest.mark.parametrize("wrapper", [lambda env: env, FlatVectorObservation, QueryVectorAction])
def test_torchrl_takes_a_vector_that_it_resets_itself(wrapper):
    envs, utils = installed("torchrl.envs"), installed("torchrl.envs.utils")
    env = envs.GymWrapper(
        wrapper(gymnasium.make_vec(ID, num_envs=3, autoreset_mode="Disabled", **SMALL | {"limit": 3}))
    )
    utils.check_env_specs(env)
    assert env.rollout(8, break_when_any_done=False).batch_size == (3, 8)


# ---- RLlib


@pytest.fixture(scope="module")
def ray():
    ray = installed("ray")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


@every_form
def test_rllib_trains_ppo(ray, form):
    ppo = installed("ray.rllib.algorithms.ppo")
    connectors = installed("ray.rllib.connectors.env_to_module")
    ray.tune.register_env("ours", lambda given: FORMS[form](**given))
    # RLlib has no encoder for a Dict: a connector makes it one vector.
    asked = {"env_to_module_connector": lambda *_, **__: connectors.FlattenObservations()} if form == "slates" else {}
    config = (
        ppo.PPOConfig()
        .environment("ours", env_config={"limit": 8})
        .env_runners(num_env_runners=0, rollout_fragment_length=16, **asked)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=32, minibatch_size=16, num_epochs=1)
    )
    algorithm = config.build_algo()
    found = algorithm.train()
    algorithm.stop()
    assert found["env_runners"]["num_env_steps_sampled"] >= 32
    assert np.isfinite(found["env_runners"]["episode_return_mean"])


# ---- Tianshou


@pytest.mark.parametrize("cls", ["DummyVectorEnv", "SubprocVectorEnv"])
def test_tianshou_keeps_observations_of_its_vectors(cls):
    envs, data = installed("tianshou.env"), installed("tianshou.data")
    many = getattr(envs, cls)([slates, slates])
    many.seed([4, 5])  # by a reset, so that the next one brings the second users of these seeds
    first, _ = many.reset()
    after, reward, terminated, truncated, info = many.step(np.tile(np.arange(4), (2, 1)))
    many.close()
    buffer = data.VectorReplayBuffer(8, 2)
    buffer.add(data.Batch(
        obs=data.Batch(list(first)), act=np.zeros((2, 4)), rew=reward, terminated=terminated, truncated=truncated,
        obs_next=data.Batch(list(after)), info=data.Batch(list(info)),
    ))  # fmt: skip
    kept = buffer[np.array([0, 4])].obs
    ones = [slates(), slates()]
    assert [one.reset(seed=seed) for one, seed in zip(ones, (4, 5), strict=True)]
    expected = [one.reset()[0] for one in ones]
    for name in first[0]:
        np.testing.assert_array_equal(kept[name], [each[name] for each in expected])


@pytest.mark.parametrize("name", ["DQN", "PPO"])
def test_tianshou_trains(name):
    algorithm, data, envs = (installed(f"tianshou.{part}") for part in ("algorithm", "data", "env"))
    adam = installed("tianshou.algorithm.optim").AdamOptimizerFactory(lr=1e-3)
    net, tools = installed("tianshou.utils.net.common").Net, installed("tianshou.utils.torch_utils")
    env = one_item()
    width, n = env.observation_space.shape, int(env.action_space.n)
    if name == "DQN":
        policy = installed("tianshou.algorithm.modelfree.dqn").DiscreteQLearningPolicy(
            model=net(state_shape=width, action_shape=n, hidden_sizes=[8]), action_space=env.action_space
        )
        learner, asked = algorithm.DQN(policy=policy, optim=adam), {"sample_size": 8}
    else:
        heads, body = installed("tianshou.utils.net.discrete"), net(state_shape=width, hidden_sizes=[8])
        policy = installed("tianshou.algorithm.modelfree.reinforce").ProbabilisticActorPolicy(
            actor=heads.DiscreteActor(preprocess_net=body, action_shape=n), action_space=env.action_space,
            dist_fn=installed("torch").distributions.Categorical, action_scaling=False,
        )  # fmt: skip
        critic = heads.DiscreteCritic(preprocess_net=body)
        learner, asked = algorithm.PPO(policy=policy, critic=critic, optim=adam), {"batch_size": 8, "repeat": 1}
    buffer = data.VectorReplayBuffer(64, 2)
    collector = data.Collector(learner, envs.DummyVectorEnv([one_item, one_item]), buffer)
    collector.reset()
    assert collector.collect(n_step=20).n_collected_steps == 20
    with tools.torch_train_mode(learner.policy), tools.policy_within_training_step(learner.policy):
        losses = learner.update(buffer, **asked).get_loss_stats_dict()
    assert np.isfinite(losses["loss"])


# ---- Stable-Baselines3


@pytest.mark.parametrize(
    ("library", "algorithm", "policy", "form", "settings"),
    [
        ("stable_baselines3", "PPO", "MultiInputPolicy", "slates", {"n_steps": 16, "batch_size": 16, "n_epochs": 1}),
        ("stable_baselines3", "SAC", "MlpPolicy", "queries", {"learning_starts": 8, "batch_size": 8}),
        ("stable_baselines3", "DQN", "MlpPolicy", "one item", {"learning_starts": 8, "batch_size": 8}),
        ("sb3_contrib", "MaskablePPO", "MultiInputPolicy", "slates", {"n_steps": 16, "batch_size": 16, "n_epochs": 1}),
        ("sb3_contrib", "MaskablePPO", "MlpPolicy", "one item", {"n_steps": 16, "batch_size": 16, "n_epochs": 1}),
        ("sb3_contrib", "RecurrentPPO", "MlpLstmPolicy", "queries", {"n_steps": 16, "batch_size": 16, "n_epochs": 1}),
    ],
)
def test_stable_baselines3_trains(library, algorithm, policy, form, settings):
    model = getattr(installed(library), algorithm)(policy, FORMS[form](), seed=0, device="cpu", **settings)
    assert model.learn(20).num_timesteps >= 20


# ---- offline


@pytest.fixture(scope="module")
def logged():
    return collect(
        uniform, episodes=12, seed=5, scenario="shortvideo", items=40, slate=1, limit=6, reward={"clicks": 2}
    )


@pytest.fixture
def minari(tmp_path, monkeypatch):
    pytest.importorskip("PIL", reason="Minari needs Pillow: pip install -e '.[offline]'")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return pytest.importorskip("minari", reason="Minari is not installed: pip install -e '.[offline]'")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("actions", ["slate", "item"])
def test_minari_recovers_the_environment(logged, minari, actions):
    to_minari(logged, "beholder/short-v0", actions=actions)
    dataset = minari.load_dataset("beholder/short-v0")
    env = dataset.recover_environment()
    assert (env.observation_space, env.action_space) == (dataset.observation_space, dataset.action_space)
    for read, episode in zip(dataset.iterate_episodes(), logged.episodes, strict=True):
        observation, _ = env.reset(seed=episode.seed)
        np.testing.assert_array_equal(observation, read.observations[0])
        for step, action in enumerate(read.actions):
            observation, reward, terminated, truncated, _ = env.step(action)
            np.testing.assert_array_equal(observation, read.observations[step + 1])
            expected = (read.rewards[step], read.terminations[step], read.truncations[step])
            assert (reward, terminated, truncated) == expected


@pytest.mark.filterwarnings("ignore")
def test_d3rlpy_learns_from_the_data_and_is_judged_in_the_environment(logged, minari):
    d3rlpy = installed("d3rlpy")
    to_minari(logged, "beholder/items-v0", actions="item")
    data, _ = d3rlpy.datasets.get_minari("beholder/items-v0")
    assert data.size() == len(logged)
    assert data.dataset_info.action_space == d3rlpy.ActionSpace.DISCRETE
    learner = d3rlpy.algos.DiscreteCQLConfig(batch_size=8).create(device="cpu")
    nowhere = d3rlpy.logging.NoopAdapterFactory()
    learner.fit(data, n_steps=4, n_steps_per_epoch=4, show_progress=False, logger_adapter=nowhere)
    env = minari.load_dataset("beholder/items-v0").recover_environment()
    assert np.isfinite(d3rlpy.metrics.EnvironmentEvaluator(env, n_trials=2)(learner, data))
