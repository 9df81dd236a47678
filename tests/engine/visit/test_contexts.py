"""Contexts of visits: when they are, what they change, and who knows of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.randomness import DECISION
from simulator.engine.tables.tables import Draw
from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import as_uniform, assert_same_log, compiled_of, decision, edited, luck_of, number
from tests.laws.plugins import Spy

NAME = "audio"
SEED = 6
WORLD: dict[str, Any] = {"users": 250, "items": 150, "horizon": "3d", "first_fit": "12h", "refit": "12h", "seed": SEED}
RECORDED = {"observer": "platform", "probability": number(1, "probability"), "lag": number(1, "s")}


def always(share: float = 1.0, **changes: object) -> dict[str, Any]:
    """A context of so many visits at every hour."""
    return {"hours": {"profile": [share] * 24, "unit": "share", "from": "estimate"}, **changes}


def with_contexts(folder: Path, contexts: dict[str, Any], name: str = NAME, **edits: object) -> Path:
    """A scenario with these contexts in place of its own."""
    path = edited(folder, edits, name)
    content = json.loads(path.read_text())
    content["contexts"] = contexts
    content["observation"].pop("context", None)
    if contexts:
        content["observation"]["context"] = RECORDED
    path.write_text(json.dumps(content))
    return path


def lived(path: Path | str, **settings: object) -> pd.DataFrame:
    return simulator.run(str(path), "random", **(WORLD | settings)).truth


@cache
def usual() -> tuple[Spy, simulator.RunResult]:
    spy = Spy(seed=1)
    return spy, simulator.run(NAME, spy, **WORLD)


def begun(truth: pd.DataFrame) -> pd.DataFrame:
    """A row per visit that has a context: whose, when it began, and its number."""
    rows = truth[truth["event"] == "context"]
    return rows.set_index(["user", "session"])[["time", "value", "device", "logged_at"]]


# ---- when


def test_contexts_have_their_shares_of_the_visits_of_each_hour():
    _, result = usual()
    plan, scenario = compiled_of(NAME).plan, compiled_of(NAME).scenario
    contexts = begun(result.truth)
    leaves = result.truth[result.truth["event"] == "leave"]
    start = leaves["time"] - leaves["value"]
    visits = pd.Series(start.to_numpy(), index=pd.MultiIndex.from_frame(leaves[["user", "session"]]))
    hour = (((visits + plan.starts_at[0]) % 86400.0) // 3600.0).astype(int)
    found = contexts["value"].reindex(visits.index)
    shares = np.array([context.hours.profile for context in scenario.contexts.values()])
    for c in range(len(shares)):
        expected = shares[c][hour.to_numpy()]
        assert abs((found == c).sum() - expected.sum()) < 4.5 * np.sqrt((expected * (1 - expected)).sum())
        assert not (found == c)[expected == 0.0].any()
    # and every one of them is the visit's own coin
    draw = as_uniform(decision(luck_of(SEED, DECISION, leaves["user"], leaves["session"]), 0, 0, Draw.CONTEXT))
    below = draw[:, None] < np.cumsum(shares, axis=0).T[hour.to_numpy()]
    by_hand = np.where(below.any(axis=1), below.argmax(axis=1), np.nan)
    np.testing.assert_array_equal(found.to_numpy(), by_hand.astype(np.float32))


def test_days_of_the_week_multiply_the_hours(tmp_path):
    """A context of working days, and one of weekends; a run begins on a Monday."""
    days = {"profile": [1, 1, 1, 1, 1, 0, 0], "unit": "ratio", "from": "estimate"}
    ends = {"profile": [0, 0, 0, 0, 0, 1, 0.5], "unit": "ratio", "from": "estimate"}
    path = with_contexts(tmp_path, {"work": always(0.6, weekdays=days), "rest": always(1.0, weekdays=ends)})
    truth = lived(path, horizon="9d", users=120)
    leaves = truth[truth["event"] == "leave"]
    keys = pd.MultiIndex.from_frame(leaves[["user", "session"]])
    began = pd.Series((leaves["time"] - leaves["value"]).to_numpy(), index=keys)
    starts_at = compiled_of(NAME).plan.starts_at[0]
    day = (((began + starts_at) // 86400.0) % 7).astype(int)
    found = begun(truth)["value"].reindex(began.index)
    for of_days, context, share in ((day < 5, 0, 0.6), (day == 5, 1, 1.0), (day == 6, 1, 0.5)):
        n = of_days.sum()
        assert n > 30
        assert (found[of_days].dropna() == context).all()
        assert abs(found[of_days].notna().mean() - share) <= 4.5 * np.sqrt(share * (1 - share) / n)


def test_days_that_are_alike_change_nothing(tmp_path):
    alike = {"profile": [1] * 7, "unit": "ratio", "from": "estimate"}
    one = lived(with_contexts(tmp_path / "one", {"a": always(0.5, leaving=number(2, "ratio"), weekdays=alike)}))
    assert_same_log(one, lived(with_contexts(tmp_path / "other", {"a": always(0.5, leaving=number(2, "ratio"))})))


def test_a_visit_has_one_context_from_its_beginning():
    _, result = usual()
    rows = result.truth[result.truth["event"] == "context"]
    assert not rows.duplicated(["user", "session"]).any()
    first = result.truth.groupby(["user", "session"])["time"].min()
    assert (begun(result.truth)["time"] == first.reindex(begun(result.truth).index)).all()


# ---- what it changes


def test_a_context_that_changes_nothing_changes_nothing(tmp_path):
    without = lived(with_contexts(tmp_path / "none", {}))
    neutral = {key: number(1, "ratio") for key in ("leaving", "attention", "budget")}
    neutral["mutes"] = {"audio": number(0, "probability")}
    truth = lived(with_contexts(tmp_path / "idle", {"idle": always(0.6, **neutral)}))
    assert (truth["event"] == "context").any()
    assert_same_log(truth[truth["event"] != "context"], without)


def test_devices_are_those_of_the_context():
    _, result = usual()
    contexts = begun(result.truth)
    names = list(compiled_of(NAME).scenario.contexts)
    device = contexts["device"].astype(str)
    assert (device[contexts["value"] == names.index("sport")] == "phone").all()
    commute = device[contexts["value"] == names.index("commute")]
    assert len(commute) > 40
    assert abs((commute == "car").mean() - 0.45) < 4.5 * np.sqrt(0.25 / len(commute))


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_as_many_plays_are_unattended_as_the_context_says(tmp_path, share):
    truth = lived(with_contexts(tmp_path, {"elsewhere": always(unattended=number(share, "probability"))}))
    ends = truth["event"].isin(["skip", "complete"]).sum()
    found = (truth["event"] == "unattended").sum() / ends
    assert ends > 1000
    assert abs(found - share) < 0.04


def test_hazards_and_budgets_are_multiplied(tmp_path):
    """Plays that one context makes shorter and another longer, with the same luck."""
    kept = {}
    for name, ratio in (("hasty", 3.0), ("usual", 1.0), ("calm", 0.3)):
        truth = lived(with_contexts(tmp_path / name, {"own": always(leaving=number(ratio, "ratio"))}))
        kept[name] = (truth["event"] == "complete").sum() / truth["event"].isin(["skip", "complete", "pause"]).sum()
    assert kept["hasty"] < kept["usual"] - 0.05 < kept["calm"] - 0.1
    length = {}
    for name, ratio in (("short", 0.3), ("long", 2.0)):
        truth = lived(with_contexts(tmp_path / name, {"own": always(budget=number(ratio, "ratio"))}))
        length[name] = truth["value"][truth["event"] == "leave"].mean()
    assert length["short"] < 0.8 * length["long"]


def test_what_is_muted_is_shown_and_not_attended_to(tmp_path):
    names = compiled_of(NAME).names.modalities
    bit = 1 << names.index("cover")
    path = with_contexts(tmp_path, {"pocket": always(mutes={"cover": number(0.5, "probability")})})
    truth = lived(path)
    cards = truth[(truth["event"] == "impression") & (truth["surface"] == "shelves")]
    assert ((cards["visible"] & bit) > 0).all()
    attended = ((cards["attended"] & bit) > 0).groupby([cards["user"], cards["session"]])
    assert 0.3 < attended.any().mean() < 0.65
    draw = as_uniform(
        decision(luck_of(SEED, DECISION, cards["user"], cards["session"]), 0, names.index("cover"), Draw.MUTE)
    )
    assert not ((cards["attended"] & bit) > 0)[draw < 0.5].any()
    assert ((cards["attended"] & bit) > 0)[draw >= 0.5].mean() > 0.15


def test_little_attention_reads_little(tmp_path):
    read = {}
    for name, ratio in (("half", 0.25), ("whole", 1.0)):
        truth = lived(with_contexts(tmp_path / name, {"own": always(attention=number(ratio, "ratio"))}))
        cards = truth[(truth["event"] == "impression") & truth["belief"].notna()]
        read[name] = np.bitwise_count(cards["attended"].to_numpy()).mean()
    assert read["half"] < 0.6 * read["whole"]


# ---- who knows


def test_only_what_is_stated_is_in_requests_and_recorded():
    spy, result = usual()
    contexts = begun(result.truth)
    scenario = compiled_of(NAME).scenario
    stated = contexts[contexts["logged_at"].notna()]
    for c, context in enumerate(scenario.contexts.values()):
        share = context.stated.value if context.stated is not None else 0.0
        n = (contexts["value"] == c).sum()
        assert abs((stated["value"] == c).sum() - n * share) <= 4.5 * np.sqrt(n * share * (1 - share)) + 1e-9
    assert len(stated) > 10
    told = stated["value"]
    for batch in spy.asked:
        rows = pd.MultiIndex.from_arrays([batch.user, batch.session])
        expected = told.reindex(rows).fillna(-1).to_numpy()
        assert np.array_equal(batch.context, expected.astype(np.int8))
    assert sum((batch.context >= 0).sum() for batch in spy.asked) > 10


def test_where_nobody_has_a_context_nothing_is_told():
    spy = Spy(seed=1)
    simulator.run("shortvideo", spy, users=30, items=100, horizon="4h", first_fit="1h", refit="1h")
    assert all((batch.context == -1).all() for batch in spy.asked)


# ---- refusals


@pytest.mark.parametrize(
    ("contexts", "line"),
    [
        ({"a": always(0.6), "b": always(0.6)}, "contexts: shares of visits that begin in hour 0 add up to 1.2"),
        ({"a": always(devices={"phone": number(0.5, "share")})}, "contexts.a.devices: shares add up to 0.5"),
        ({"a": always(devices={"phon": number(1, "share")})}, "contexts.a.devices names phon"),
        ({"a": always(mutes={"covers": number(1, "probability")})}, "contexts.a.mutes names covers"),
        ({"a": {"hours": {"profile": [0.1] * 7, "unit": "share", "from": "estimate"}}}, "contexts.a.hours has 7"),
        ({"a": {"hours": {"profile": [1] * 24, "unit": "relative", "from": "estimate"}}}, "contexts.a.hours.unit"),
        (
            {"a": always(0.6, weekdays={"profile": [1, 1, 2, 1, 1, 1, 1], "unit": "ratio", "from": "estimate"})},
            "contexts: shares of visits that begin in hour 0 of weekday 3 add up to 1.2",
        ),
        (
            {"a": always(0.6, weekdays={"profile": [1] * 24, "unit": "ratio", "from": "estimate"})},
            "contexts.a.weekdays has 24 numbers; expected 7",
        ),
        ({"a": always(leaving=number(0, "ratio"))}, "contexts.a.leaving.value = 0; expected a positive number"),
        ({"a": always(stated=number(2, "probability"))}, "contexts.a.stated.value = 2"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, contexts, line):
    path = with_contexts(tmp_path, contexts)
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(path))
    assert line in str(error.value)


def test_an_event_that_nobody_observes_has_to_be_said(tmp_path):
    path = with_contexts(tmp_path, {"a": always()})
    content = json.loads(path.read_text())
    del content["observation"]["context"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"observation.context is missing"):
        check_scenario(load_scenario(path))
