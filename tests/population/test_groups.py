"""Who is in which group, and what that changes from the first day on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator
from simulator.engine.randomness import PERSON, numbered, uniforms
from simulator.plan.groups import segments
from simulator.population.attributes import members
from simulator.population.catalog import centres, draw_catalog
from simulator.population.users import draw_tastes, draw_users
from tests.engine.visit.test_contexts import always, with_contexts
from tests.laws.harness import assert_same_log, number
from tests.plan.test_groups import compiled, group, ratio, with_groups

SEED = 4
WORLD: dict[str, Any] = {"users": 200, "items": 100, "horizon": "4d", "first_fit": "3d", "seed": SEED}
_FIRST_GROUP = 300


def drawn(path: Path | str, n: int = 4000) -> Any:
    own = compiled(path)
    return own, draw_users(own, draw_catalog(own, 300, 86400.0, SEED).items, n, SEED)


def test_every_partition_divides_users_by_luck_of_its_own(tmp_path):
    groups = {
        "a": group(0.2, of="x"), "b": group(0.8, of="x"),
        "c": group(0.5, of="y"), "d": group(0.3, of="y"), "e": group(0.2, of="y"),
    }  # fmt: skip
    own, users = drawn(with_groups(tmp_path, groups))
    member = members(own.scenario.user, len(users.state), SEED)
    for p, shares in enumerate(([0.2, 0.8], [0.5, 0.3, 0.2])):
        by_hand = np.searchsorted(np.cumsum(shares), uniforms(SEED, PERSON, len(member), _FIRST_GROUP + p), "right")
        assert np.array_equal(member[:, p], by_hand)
    assert len(segments(own.scenario.user)) == 6
    assert np.array_equal(users.state["segment"], 3 * member[:, 0] + member[:, 1])
    assert abs(np.corrcoef(member.T)[0, 1]) < 4.5 / np.sqrt(len(member))


@pytest.mark.parametrize("name", ["ecommerce", "audio"])
def test_groups_scale_patience_and_pace_of_their_members_alone(tmp_path, name):
    groups = {"a": group(0.4, patience=ratio(2.0), pace=ratio(0.5)), "b": group(0.6)}
    _, usual = drawn(with_groups(tmp_path / "usual", {}, name))
    _, users = drawn(with_groups(tmp_path, groups, name))
    first = users.state["segment"] == 0
    assert 0.35 < first.mean() < 0.45
    np.testing.assert_array_equal(users.state["patience"], usual.state["patience"] * np.where(first, 2.0, 1.0))
    np.testing.assert_allclose(users.pace[:, 0], usual.pace[:, 0] * np.where(first, 0.5, 1.0), rtol=1e-6)
    assert (users.state["due"] == usual.state["due"])[~first].all()
    assert (users.state["due"] > usual.state["due"])[first].mean() > 0.99
    assert np.array_equal(users.taste, usual.taste)


def test_a_pace_of_groups_needs_none_of_users(tmp_path):
    groups = {"a": group(0.5, pace=ratio(2.0)), "b": group(0.5, pace=ratio(0.5))}
    _, users = drawn(with_groups(tmp_path, groups, "ecommerce", **{"user.pace": None}))
    assert set(users.pace[:, 0].tolist()) == {2.0, 0.5}


def test_groups_have_topics_of_their_own(tmp_path):
    """Members of a group lean to other topics than all others do, and all of them to the same ones."""
    groups = {"a": group(0.5, own_topics=number(1, "share")), "b": group(0.5)}
    own, users = drawn(with_groups(tmp_path, groups), n=8000)
    plain = with_groups(tmp_path / "usual", {})
    _, usual = drawn(plain, n=8000)
    shape = own.facets[0]
    part = slice(shape.offset, shape.offset + shape.dimensions)
    others = users.state["segment"] == 1
    rows = numbered(len(others))
    by_group, by_all = (draw_tastes(each, rows, SEED) for each in (own, compiled(plain)))
    assert np.array_equal(by_group[others], by_all[others])  # before they are scaled, all by one factor
    assert not np.array_equal(by_group[~others], by_all[~others])
    places = centres(own, SEED, 0)
    likings = [users.taste[each][:, part].mean(axis=0) @ places.T for each in (~others, others)]
    usual_liking = usual.taste[~others][:, part].mean(axis=0) @ places.T
    assert np.corrcoef(usual_liking, likings[1])[0, 1] > 0.95  # of the same popularity of topics
    assert np.corrcoef(likings[0], likings[1])[0, 1] < 0.8


def lived(path: Path | str, **settings: Any) -> Any:
    return simulator.run(str(path), "random", **(WORLD | settings)).truth


def test_groups_that_change_nothing_change_nothing(tmp_path):
    neutral = {key: ratio(1) for key in ("pace", "patience", "leaving", "attention", "budget", "churn")}
    neutral |= {"devices": {"phone": ratio(1)}, "own_topics": number(0, "share")}
    groups = {"a": group(0.5, **neutral), "b": group(0.5, of="x", **neutral), "c": group(0.5, of="x")}
    groups["d"] = group(0.5)
    assert_same_log(lived(with_groups(tmp_path, groups, "audio")), lived(with_groups(tmp_path / "usual", {}, "audio")))


def test_visits_are_on_the_devices_of_their_users(tmp_path):
    groups = {"a": group(0.5, devices={"phone": ratio(8.0)}), "b": group(0.5, devices={"phone": ratio(0.125)})}
    path = with_groups(tmp_path, groups)
    own, users = drawn(path, WORLD["users"])
    truth = lived(path, horizon="30d", first_fit="29d")
    visits = truth[truth["event"] == "leave"]
    segment = users.state["segment"][visits["user"].to_numpy()]
    for g in (0, 1):
        on_phone = (visits["device"].astype(str) == "phone")[segment == g]
        expected = own.plan.context_devices[g, 0, 0]
        assert len(on_phone) > 100
        assert abs(on_phone.mean() - expected) < 4.5 * np.sqrt(expected * (1 - expected) / len(on_phone))


def test_who_leaves_for_good(tmp_path):
    groups = {"a": group(0.5, churn=ratio(40.0)), "b": group(0.5, churn=number(0.001, "ratio"))}
    path = with_groups(tmp_path, groups, "audio")
    _, users = drawn(path, WORLD["users"])
    truth = lived(path)
    last = truth[truth["event"] == "leave"].groupby("user")["session"].max() + 1
    segment = users.state["segment"][last.index.to_numpy()]
    assert last[segment == 0].mean() < 0.75 * last[segment == 1].mean()


def test_all_users_in_one_group_are_as_on_a_device_and_in_a_context(tmp_path):
    """One number three ways: of a group of all, of every device, or of a context that every visit has."""
    changes = {"leaving": ratio(1.5), "attention": ratio(0.6), "budget": ratio(0.7)}
    none = {"contexts": {}, "name": "audio"}
    path = with_contexts(tmp_path / "group", **none)
    content = json.loads(path.read_text())
    content["user"]["groups"] = {"all": group(1.0, **changes)}
    path.write_text(json.dumps(content))
    of_groups = lived(path)
    path = with_contexts(tmp_path / "device", **none)
    content = json.loads(path.read_text())
    for device in content["devices"].values():
        device |= changes
    path.write_text(json.dumps(content))
    assert_same_log(of_groups, lived(path))
    of_contexts = lived(with_contexts(tmp_path / "context", {"all": always(**changes)}, "audio"))
    assert_same_log(of_groups, of_contexts[of_contexts["event"] != "context"])
