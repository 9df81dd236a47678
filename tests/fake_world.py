"""A world that lives nothing and remembers what it was asked to run: for tests of what is around it."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.config import RunConfig
from simulator.runtime.progress import Progress


@dataclass
class FakeResult:
    metrics: dict[str, float]
    folder: Path | None
    manifest: dict[str, Any]


@dataclass
class FakeWorld:
    """Stands in for `simulator.world`: remembers what it was asked to run."""

    configs: list[RunConfig] = field(default_factory=list)
    raises: Exception | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # of the setting, in the manifest

    def run_world(
        self, config: RunConfig, recommender: object = None, report: Any = None, stop: Any = None
    ) -> FakeResult:
        self.configs.append(config)
        if self.raises is not None:
            raise self.raises
        report(Progress(1.0, 2.0, 10, 0.5))
        manifest = {"recommender": {"name": "random", "fallback": None}, "setting": self.facts}
        return FakeResult({"plays": 1200.0, "skip_rate": 0.25, "regret": float("nan")}, config.output, manifest)


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeWorld:
    """Put a fake world in the place of real ones, and go to a folder where something may be written."""
    fake = FakeWorld()
    module = types.ModuleType("simulator.world")
    module.run_world = fake.run_world  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simulator.world", module)
    monkeypatch.chdir(folder)
    return fake
