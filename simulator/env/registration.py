"""The ids under which Gymnasium finds the environments: one per packaged scenario, and one for any scenario file."""

from __future__ import annotations

from gymnasium.envs import registration as gymnasium_ids

from simulator.scenario.load import available_scenarios, title_of

NAMESPACE, VERSION = "beholder", 1
_SINGLE, _VECTOR = "simulator.env.single:BeholderEnv", "simulator.env.making:make_vector"


def register() -> None:
    """Register all ids; those that are there already stay."""
    ids = {f"{_title(name)}-v{VERSION}": {"scenario": name} for name in available_scenarios()}
    for name, settings in {**ids, f"Scenario-v{VERSION}": {}}.items():
        known = f"{NAMESPACE}/{name}"
        if known not in gymnasium_ids.registry:
            gymnasium_ids.register(known, entry_point=_SINGLE, vector_entry_point=_VECTOR, kwargs=settings)


def _title(name: str) -> str:
    """A scenario's title in one word.

    >>> _title("jobs")
    'Jobs'
    """
    return "".join(word[:1].upper() + word[1:] for word in title_of(name).replace("-", "").split())
