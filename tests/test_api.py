"""The Python face hands the engine the same configurations as the command line does."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

import simulator
from simulator.config import RunConfig
from simulator.errors import InputError

SCENARIO = "shortvideo"


class Mine:
    """Stands for a recommender that somebody made in a notebook."""


@pytest.fixture
def calls(monkeypatch):
    """What `run_world` is called with."""
    seen: list[tuple[RunConfig, object]] = []
    module = types.ModuleType("simulator.world")
    module.run_world = lambda config, recommender, report: seen.append((config, recommender))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simulator.world", module)
    return seen


def test_a_name_with_parameters(calls):
    simulator.run(SCENARIO, "itemknn", users=500, horizon="12h", recommender_parameters={"neighbors": 50})
    config, recommender = calls[0]
    assert recommender is None
    assert (config.recommender, config.recommender_parameters) == ("itemknn", {"neighbors": 50})
    assert (config.users, config.items, config.horizon, config.output) == (500, 6000, 43200.0, None)


def test_an_object_is_handed_on_and_its_class_is_written_down(calls):
    mine = Mine()
    simulator.run(scenario=SCENARIO, recommender=mine)
    config, recommender = calls[0]
    assert recommender is mine
    assert config.recommender == f"{Mine.__module__}:Mine"


def test_wrong_settings_are_named():
    with pytest.raises(InputError, match=r"simulator\.run: unknown setting 'usrs'; did you mean users\?"):
        simulator.run(SCENARIO, usrs=5)
    with pytest.raises(InputError, match=r"simulator\.run: users = 0"):
        simulator.run(SCENARIO, users=0)
    with pytest.raises(InputError, match="unknown setting 'recommender_parameters'"):
        simulator.run(SCENARIO, recommender_parameters=5)


def test_resume(calls, tmp_path):
    before = RunConfig(
        scenario=SCENARIO, recommender="random", users=7, items=9, horizon=60.0, output=Path("elsewhere")
    )
    (tmp_path / "config.yaml").write_text(before.to_yaml())
    simulator.resume(tmp_path, threads=2)
    config, recommender = calls[0]
    assert recommender is None
    assert (config.users, config.resume, config.output, config.threads) == (7, tmp_path, tmp_path, 2)
    with pytest.raises(InputError, match="users cannot be given"):
        simulator.resume(tmp_path, users=2)
    with pytest.raises(InputError, match="is no run to resume"):
        simulator.resume(tmp_path / "absent")
