"""The ids under which Gymnasium finds the environments: one per packaged scenario, and one for any scenario file."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.envs import registration as gymnasium_ids

from simulator.scenario.load import available_scenarios, title_of

NAMESPACE, VERSION = "beholder", 1
_SINGLE, _VECTOR = "simulator.env.single:BeholderEnv", "simulator.env.registration:make_vector"


def register() -> None:
    """Register all ids; those that are there already stay."""
    ids = {f"{_title(name)}-v{VERSION}": {"scenario": name} for name in available_scenarios()}
    for name, settings in {**ids, f"Scenario-v{VERSION}": {}}.items():
        known = f"{NAMESPACE}/{name}"
        if known not in gymnasium_ids.registry:
            gymnasium_ids.register(known, entry_point=_SINGLE, vector_entry_point=_VECTOR, kwargs=settings)


def _title(name: str) -> str:
    """Return a scenario's title in one word.

    >>> _title("jobs")
    'Jobs'
    """
    return "".join(word[:1].upper() + word[1:] for word in title_of(name).replace("-", "").split())


def make_vector(num_envs: int = 1, **given: Any) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    """Make what `gymnasium.make_vec` asks for: users in worlds of their own, or with `shared=True` users of one."""
    # Here: registering ids compiles nothing.
    from simulator.env.shared import SharedVectorEnv
    from simulator.env.vector import BeholderVectorEnv

    if given.get("shared"):
        return SharedVectorEnv(num_envs, **given)
    return BeholderVectorEnv(num_envs, **given)
