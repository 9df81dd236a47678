"""A tiny run of a scenario file of its own, whole and stopped on its way, to be copied, damaged and resumed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.config import RunConfig, complete, resolve
from simulator.errors import RunInterrupted
from simulator.records.result import RunResult
from simulator.scenario.load import load_scenario
from simulator.world import run_world

NAME = "shortvideo"
TICKS = 22  # of 15 minutes, until it is stopped: after checkpoint 5, which leaves a part that no other one closed
SETTINGS: Mapping[str, object] = {
    "recommender": "itemknn", "users": 60, "items": 80, "horizon": "8h", "first_fit": "2h", "refit": "2h",
    "checkpoint": "1h", "seed": 5,
}  # fmt: skip


def scenario_file(folder: Path) -> Path:
    """Put a scenario of the user's own into a folder."""
    path = load_scenario(NAME).path
    shutil.copy(path.with_name(f"{NAME}.sources.yaml"), folder / "mine.sources.yaml")
    return Path(shutil.copy(path, folder / "mine.yaml"))


def configured(scenario: Path, output: Path, **more: object) -> RunConfig:
    """Return the configuration of the tiny run, with other settings where they are given."""
    pairs = [("scenario", str(scenario)), ("output", str(output)), *{**SETTINGS, **more}.items()]
    return complete(resolve(pairs), load_scenario(NAME).defaults.model_dump())


def stopped(config: RunConfig, ticks: int = TICKS) -> Path:
    """Begin a run and stop it after so many ticks; its folder."""
    left = iter(range(ticks))
    with pytest.raises(RunInterrupted):
        run_world(config, stop=lambda: next(left) == ticks - 1)
    assert config.output is not None
    return config.output


def resumed(run: Path, config: RunConfig) -> RunResult:
    """Resume it to its end."""
    return run_world(replace(config, output=run, resume=run))
