"""The shipped scenario as a table that a test may spoil."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario.load import load_scenario, scenario_from
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.strict_yaml import load_yaml

SHIPPED = "shortvideo"


def at(content: Any, path: str) -> Any:
    """The value at a dotted path."""
    for key in path.split("."):
        content = content[int(key) if isinstance(content, list) else key]
    return content


@cache
def _read(name: str | Path) -> tuple[Scenario, str]:
    """A scenario and its content as JSON, which takes apart the tables that aliases make one."""
    scenario = load_scenario(name)
    assert scenario.path is not None
    return scenario, json.dumps(load_yaml(scenario.path))


@pytest.fixture
def spoiled() -> Callable[..., Scenario]:
    """A scenario after changes: ``spoiled({"user.budget.median": -2}, delete=("clock",))``."""

    def make(
        changes: dict[str, Any] | None = None, delete: tuple[str, ...] = (), name: str | Path = SHIPPED
    ) -> Scenario:
        original, text = _read(name)
        content = json.loads(text)
        for path, value in (changes or {}).items():
            *parents, last = path.split(".")
            table = at(content, ".".join(parents)) if parents else content
            table[int(last) if isinstance(table, list) else last] = value
        for path in delete:
            *parents, last = path.split(".")
            del (at(content, ".".join(parents)) if parents else content)[last]
        return scenario_from(content, f"scenarios/{original.scenario}.yaml", original.sources)

    return make
