"""A scenario outside of the six, written as a file only: it is checked and run like the others."""

from __future__ import annotations

from pathlib import Path

import pytest

import simulator
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario

HOTEL = Path(__file__).parent / "seventh/hotel.yaml"
WORLD = {"users": 150, "items": 60, "horizon": "40d", "first_fit": "10d", "seed": 2}


@pytest.fixture(scope="module")
def lived() -> simulator.RunResult:
    return simulator.run(HOTEL, "itemknn", **WORLD)  # type: ignore[arg-type]


def test_it_passes_the_checks():
    check_scenario(load_scenario(HOTEL))


def test_trips_go_from_booking_to_check_out(lived):
    truth = lived.truth
    times = {
        event: truth[truth["event"] == event].set_index(["user", "case"])["time"] for event in ("book", "checked_out")
    }
    assert len(times["checked_out"]) > 3
    assert (times["checked_out"] > times["book"].loc[times["checked_out"].index] + 86400.0).all()
    assert lived.metrics["cases"] == len(times["book"])


def test_nobody_sees_the_stay_and_partners_report_late(lived):
    assert "experience" in set(lived.truth["event"])
    assert "experience" not in set(lived.platform["event"])
    reported = lived.platform[lived.platform["event"] == "checked_in"]
    assert (reported["logged_at"] - reported["time"]).median() > 3600.0


def test_settings_of_performance_change_nothing(lived):
    again = simulator.run(HOTEL, "itemknn", **WORLD, window=2, batch=5)  # type: ignore[arg-type]
    assert again.manifest["log"] == lived.manifest["log"]
