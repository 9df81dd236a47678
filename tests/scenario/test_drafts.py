"""The other five life cycles, written down to see that the schema can say them, and what it refuses there."""

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.checks.provenance import provenance_summary
from simulator.scenario.life_cycle import entries
from simulator.scenario.load import available_scenarios, load_scenario

FOLDER = Path(__file__).parent / "drafts"
DRAFTS = sorted(path for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".sources"))


def _number(value: float, unit: str = "share") -> dict[str, Any]:
    return {"value": value, "unit": unit, "from": "estimate"}


def test_all_six_life_cycles_are_written_down():
    names = {*available_scenarios(), *(path.stem for path in DRAFTS)}
    assert {"ecommerce", "news", "shortvideo", "audio", "fooddelivery", "jobs"} <= names


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_drafts_hang_together(path):
    scenario = load_scenario(path)
    check_scenario(scenario)
    assert scenario.scenario == path.stem
    assert provenance_summary(scenario)["sourced"] > 0


def test_alerts_and_mails_open_visits():
    assert entries(load_scenario(FOLDER / "news.yaml")) == ["front", "river", "alert", "digest"]


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("news", {"outreach.alert.stage": "read"}, "outreach.alert.stage names read"),
    ("news", {"browse.front.suffices.modality": "body_text"}, "browse.front.suffices.modality names body_text"),
    ("news", {"declared_interests.facet": "quality"}, "declared_interests.facet names quality"),
    ("news", {"surfaces.home.editorial.slots": 31}, "surfaces.home.editorial.slots = 31"),
    ("audio", {"stages.episodes.children_of": "album"}, "stages.episodes.children_of names album"),
    ("audio", {"consume.listen_episode.pause": None}, "consume.listen_episode.pause is missing"),
    ("audio", {"stages.listen.wait": {"pause": {"delay": _number(1, "h"), "visit": "later"}}},
     "stages.listen.wait.pause: not an outcome in next"),
    ("audio", {"criteria.query.on": "genre"}, "criteria.query.on names genre"),
    ("ecommerce", {"stages.checkout.starts": {}}, "stages.delivery is never reached"),
    ("ecommerce", {"stages.checkout.starts.confirm": "exit"}, "stages.checkout.starts.confirm = exit"),
    ("ecommerce", {"stages.checkout.wait": {}}, "stages.checkout.wait.defer is missing"),
    ("ecommerce", {"respond.verdict.returns": None}, "respond.verdict.returns is missing"),
    ("ecommerce", {"respond.verdict.rating.scale": 4}, "respond.verdict.rating.thresholds = "),
    ("ecommerce", {"respond.verdict.rating.thresholds.0": _number(3, "utility")}, "respond.verdict.rating.thresholds"),
    ("ecommerce", {"fulfil.delivery.steps.0.uses": "shelf"}, "fulfil.delivery.steps.stock.uses names shelf"),
    ("ecommerce", {"commit.checkout.costs.price.attribute": "cost"}, "commit.checkout.costs.price.attribute names"),
    ("ecommerce", {"commit.checkout.costs.price.attribute": None}, "commit.checkout.costs.price; expected either"),
    ("ecommerce", {"commit.checkout.search_cost": _number(0.1, "utility")},
     "commit.checkout.threshold beside search_cost"),
    ("ecommerce", {"inspect.detail.threshold": None}, "inspect.detail.threshold is missing; expected either"),
    ("ecommerce", {"user.intents": {"buying": {"share": _number(0.5), "reluctance": {}}}},
     "user.intents: shares add up to 0.5"),
    ("ecommerce", {"user.intents": {"all": {"share": _number(1), "reluctance": {"delivery": _number(1, "utility")}}}},
     "user.intents.all.reluctance names delivery"),
    ("ecommerce", {"resources.stock.per": "sku"}, "resources.stock.per names sku"),
    ("fooddelivery", {"fulfil.delivery.steps.1.uses": "couriers"}, "fulfil.delivery.steps.prepare says not how long"),
    ("fooddelivery", {"fulfil.delivery.steps.5.step": "ride", "promises.eta.steps": ["ride"]},
     "fulfil.delivery.steps.ride is repeated"),
    ("fooddelivery", {"promises.eta.steps": ["cook"]}, "promises.eta.steps names cook"),
    ("fooddelivery", {"modalities.eta.promise": "time"}, "modalities.eta.promise names time"),
    ("fooddelivery", {"resources.kitchen.shifts.0.ends": _number(10, "h")}, "resources.kitchen.shifts.0; expected"),
    ("fooddelivery", {"fulfil.delivery.steps.4.slowed_by": {"snow": _number(2, "ratio")}},
     "fulfil.delivery.steps.ride.slowed_by names snow"),
    ("fooddelivery", {"criteria.latest.limit": None}, "criteria.latest.limit is missing"),
    ("jobs", {"fulfil.screening.steps.1.chosen_by": "boss"}, "fulfil.screening.steps.screen.chosen_by names boss"),
    ("jobs", {"choosers.employer.facet": "looks"}, "choosers.employer.facet names looks"),
    ("jobs", {"stages.screening.next.expired": "quit"}, "stages.screening.next.expired = quit"),
    ("jobs", {"user.groups.active.share": _number(0.5)}, "user.groups: shares add up to 1.25"),
    ("jobs", {"user.weekdays.profile": [1] * 24}, "user.weekdays.profile has 24 numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "line"), CASES)
def test_what_does_not_fit_together(spoiled, name, changes, line):
    scenario = spoiled(changes, name=FOLDER / f"{name}.yaml")
    with pytest.raises(InputError) as error:
        check_scenario(scenario)
    assert str(error.value).startswith(f"scenarios/{name}.yaml: {line}")


@pytest.mark.parametrize(
    ("name", "path", "value", "line"),
    [
        (
            "jobs",
            "resources.openings.kind",
            "opening",
            "resources.openings.kind = opening; expected one of queue, stock",
        ),
        ("fooddelivery", "resources.couriers.capacity.value", -1, "resources.couriers.capacity.value = -1"),
        ("fooddelivery", "places.speed.unit", "km", "places.speed.unit = km; expected km/s"),
        ("ecommerce", "consume.use.model", "exp", "consume.use.model = exp; expected one of hazard, experience"),
        ("news", "outreach.alert.opened.value", 1.5, "outreach.alert.opened.value = 1.5"),
    ],
)
def test_errors_name_keys_of_the_file_only(spoiled, name, path, value, line):
    with pytest.raises(InputError) as error:
        spoiled({path: value}, name=FOLDER / f"{name}.yaml")
    assert str(error.value).startswith(f"scenarios/{name}.yaml: {line}")
