"""What a device adds to what is demanded: where demands are fixed, and where they are what searching on is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest

import simulator
from simulator.errors import InputError
from simulator.population.catalog import draw_catalog
from simulator.population.reservations import with_reservations
from simulator.population.users import draw_users
from tests.laws.harness import edited, number
from tests.plan.test_groups import compiled


def reluctant(folder, name, device, stages):
    """A scenario where a device makes its users reluctant."""
    path = edited(folder, {}, name)
    content = json.loads(path.read_text())
    for each in content["devices"].values():
        each.pop("reluctance", None)
    content["devices"][device]["reluctance"] = {stage: number(value, "utility") for stage, value in stages.items()}
    path.write_text(json.dumps(content))
    return path


def demands(path):
    own = compiled(path)
    items = draw_catalog(own, 200, 86400.0, 1).items
    users = draw_users(own, items, 100, 1)
    return own.names, with_reservations(own, users, items, 1).plan.demands


@pytest.mark.parametrize(("name", "stage"), [("shortvideo", "preview"), ("ecommerce", "checkout"), ("jobs", None)])
def test_a_device_adds_its_reluctance_at_the_stage_and_nowhere_else(tmp_path, name, stage):
    names, usual = demands(reluctant(tmp_path / "usual", name, "phone", {}))
    stage = stage or next(each for each in names.stages if usual[names.stages.index(each)].any())
    _, found = demands(reluctant(tmp_path, name, "phone", {stage: 0.7}))
    expected = usual.copy()
    expected[names.stages.index(stage), names.devices.index("phone")] += 0.7
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_who_is_never_willing_on_a_device_orders_on_the_other(tmp_path):
    path = reluctant(tmp_path, "ecommerce", "phone", {"checkout": 60.0})
    content = json.loads(path.read_text())
    content["commit"]["checkout"]["defer"]["probability"]["value"] = 0
    content["user"] |= {"intents": {}, "groups": {}}
    path.write_text(json.dumps(content))
    truth = simulator.run(str(path), "random", users=300, items=150, horizon="8d", first_fit="7d", seed=5).truth
    devices = truth[truth["event"] == "order"]["device"].astype(str)
    assert len(devices) > 10
    assert set(devices) == {"pc"}
    assert (truth[truth["event"] == "add_to_cart"]["device"].astype(str) == "phone").sum() > 10


def test_a_stage_where_nothing_is_decided_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"devices\.phone\.reluctance names delivery"):
        compiled(reluctant(tmp_path, "ecommerce", "phone", {"delivery": 1.0}))
