#!/usr/bin/env bash
# TorchRL's own check of specs fails for GymEnv(id, num_envs=n) where an observation is Discrete, with and without a Dict.
#
# Seen with TorchRL 0.14.1 and Gymnasium 1.4.0: for a vector TorchRL adds the key `final`, what was observed at the end of an
# episode, and fills it with zeros for environments that go on. A Discrete observation becomes a OneHot spec, and zeros are
# no one-hot vector, so check_env_specs refuses TorchRL's own data, already while the environment is made. One environment passes, as does a vector of Boxes, and a
# vector made with categorical_action_encoding=True, which makes observations codes too: 0 is a code.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet torchrl==0.14.1 gymnasium==1.4.0
cat >toy.py <<'P'
import gymnasium
from gymnasium import spaces
from torchrl.envs import GymEnv
from torchrl.envs.utils import check_env_specs


class Toy(gymnasium.Env):
    def __init__(self, kind="box", **unknown):
        if unknown:
            raise TypeError(f"unexpected keyword argument '{next(iter(unknown))}'")
        self.observation_space = spaces.Discrete(3) if kind == "discrete" else spaces.Box(-1, 1, (3,))
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}


gymnasium.register("Toy-v0", Toy)


def passes(**how):
    try:
        env = GymEnv("Toy-v0", **how)  # of a vector it checks the specs itself
        check_env_specs(env)
    except AssertionError as error:
        assert "final" in str(error)
        return False
    env.close()
    return True


if __name__ == "__main__":
    assert passes(kind="discrete")
    assert passes(kind="box", num_envs=2)
    assert passes(kind="discrete", num_envs=2, categorical_action_encoding=True)
    assert not passes(kind="discrete", num_envs=2), "the check passes: out of date"
P
venv/bin/python -W ignore toy.py
