"""Segments of users, and the shares that groups tilt: every group differs, and all together stay what was said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.plan.groups import factor, segments, shares_by_segment, tilted
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number

NAME = "ecommerce"


def group(share: float, **own: Any) -> dict[str, Any]:
    return {"share": number(share, "share"), **own}


def ratio(value: float) -> dict[str, Any]:
    return number(value, "ratio")


def with_groups(folder: Path, groups: dict[str, Any], name: str = NAME, **edits: object) -> Path:
    """A scenario with these groups of users."""
    path = edited(folder, edits, name)
    content = json.loads(path.read_text())
    content["user"]["groups"] = groups
    path.write_text(json.dumps(content))
    return path


def compiled(path: Path | str) -> Compiled:
    scenario = load_scenario(path)
    check_scenario(scenario)
    return compile_scenario(scenario)


AGES = {"young": group(0.3, of="age", leaving=ratio(2.0)), "old": group(0.7, of="age", leaving=ratio(0.5))}
REGIONS = {"north": group(0.4, of="region", leaving=ratio(3.0)), "south": group(0.6, of="region")}


def test_a_segment_is_a_group_of_each_partition_and_factors_multiply(tmp_path):
    user = load_scenario(with_groups(tmp_path, AGES | REGIONS)).user
    assert [factor(each, "leaving") for each in segments(user)] == [6.0, 2.0, 1.5, 0.5]
    assert [factor(each, "budget") for each in segments(user)] == [1.0] * 4


def test_without_groups_there_is_one_segment(tmp_path):
    user = load_scenario(with_groups(tmp_path, {})).user
    assert segments(user) == [()]
    assert shares_by_segment(user, "devices", ["a", "b"], [0.3, 0.7]).tolist() == [[0.3, 0.7]]


ODDS = st.floats(0.1, 10.0)


@given(st.lists(ODDS, min_size=6, max_size=6), st.floats(0.05, 0.95), st.floats(0.05, 0.6))
def test_groups_differ_and_all_visits_stay_as_they_were(odds, weight, first):
    shares, weights = np.array([first, 0.3, 0.7 - first]), np.array([weight, 1.0 - weight])
    ratios = np.array(odds).reshape(2, 3)
    found = tilted(shares, ratios, weights)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights @ found, shares, atol=1e-9)
    # odds between groups, of any two columns, are those that were given
    crossed = found[0] / found[1] / (ratios[0] / ratios[1])
    np.testing.assert_allclose(crossed, crossed[0], rtol=1e-6)


def test_what_nobody_has_no_group_has():
    found = tilted(np.array([0.0, 1.0]), np.array([[5.0, 1.0], [1.0, 1.0]]), np.array([0.5, 0.5]))
    assert found.tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_who_comes_more_often_has_more_of_the_visits(tmp_path):
    groups = {
        "often": group(0.5, pace=ratio(3.0), devices={"phone": ratio(4.0)}),
        "seldom": group(0.5, pace=ratio(1.0)),
    }
    own = compiled(with_groups(tmp_path, groups))
    phone, share = own.plan.context_devices[:, 0, 0], own.scenario.devices["phone"].share.value
    assert 0.75 * phone[0] + 0.25 * phone[1] == pytest.approx(share, abs=1e-9)
    odds = phone / (1.0 - phone)
    assert odds[0] / odds[1] == pytest.approx(4.0)


def test_intents_of_groups_keep_the_shares_of_all_visits(tmp_path):
    groups = {"new": group(0.25, intents={"buying": ratio(0.5)}), "known": group(0.75, intents={"buying": ratio(2.0)})}
    found = compiled(with_groups(tmp_path, groups)).plan.intents
    usual = compiled(with_groups(tmp_path / "usual", {})).plan.intents
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(0.25 * found[0] + 0.75 * found[1], usual[0], atol=1e-9)
    assert (found[0, :, 0] < usual[0, :, 0]).all()
    assert (usual[0, :, 0] < found[1, :, 0]).all()


def test_devices_contexts_and_groups_multiply(tmp_path):
    groups = {"all": group(1.0, leaving=ratio(2.0), budget=ratio(3.0), attention=ratio(0.5), churn=ratio(7.0))}
    path = with_groups(tmp_path, groups, "audio")
    content = json.loads(path.read_text())
    content["devices"]["phone"] |= {"leaving": ratio(5.0), "attention": ratio(0.25)}
    path.write_text(json.dumps(content))
    usual = compiled(with_groups(tmp_path / "usual", {}, "audio")).plan.contexts
    found = compiled(path).plan.contexts
    phone = list(content["devices"]).index("phone")
    for key, own, of_device in (
        ("haste", 2.0, 5.0), ("budget", 3.0, 1.0), ("mindful", 0.5, 0.25), ("churn", 7.0, 1.0)
    ):  # fmt: skip
        by_device = np.where(np.arange(usual.shape[2]) == phone, of_device, 1.0)
        np.testing.assert_allclose(found[key], own * by_device * usual[key])
    assert (found["elsewhere"] == usual["elsewhere"]).all()


@pytest.mark.parametrize(
    ("groups", "line"),
    [
        ({"a": group(0.5), "b": group(0.4)}, "user.groups: shares add up to 0.9"),
        ({"a": group(1.0), "b": group(0.4, of="age")}, "user.groups: shares of age add up to 0.4"),
        ({"a": group(1.0, devices={"phon": ratio(2)})}, "user.groups.a.devices names phon, which does not exist; did"),
        ({"a": group(1.0, intents={"buy": ratio(2)})}, "user.groups.a.intents names buy"),
        ({"a": group(1.0, pace=ratio(0))}, "user.groups.a.pace.value = 0; expected a positive number"),
        ({"a": group(1.0, leaving=number(1, "share"))}, "user.groups.a.leaving.unit"),
        ({f"a{k}": group(1.0, of=f"w{k}") for k in range(17)}, "user.groups differ in 17 ways; expected at most 16"),
        ({f"a{k}": group(0.2, of=f"w{k // 5}") for k in range(60)}, "combinations; expected at most 4096"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, groups, line):
    path = with_groups(tmp_path, groups)
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(path))
    assert line in str(error.value)
