"""Modules whose whole purpose is an extra are not looked through for examples where that extra is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("stable_baselines3") else ["simulator/env/agents/sb3_vector.py"]
