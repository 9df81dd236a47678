"""Plays that are left to be continued in a later visit: one play, one end, from where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.config import RunConfig, complete, resolve
from simulator.errors import InputError, RunInterrupted
from simulator.plan.compiler import compile_scenario
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.laws.harness import edited, number

NAME = "audio"
WORLD: dict[str, Any] = {"users": 150, "items": 150, "horizon": "4d", "first_fit": "1d", "refit": "1d", "seed": 2}
ENDS = ["skip", "complete"]
KEY = ["user", "case"]


def wait(**delay: object) -> dict[str, Any]:
    given = delay or {"dist": "lognormal", "median": 5, "sigma": 0.8, "unit": "h"}
    return {"pause": {"delay": {**given, "from": "estimate"}, "visit": "later"}}


@cache
def busy(folder: Path) -> Path:
    """Audio in which most who stop what they know go on with it later, songs included."""
    edits = {
        "consume.listen.pause": number(0.8, "probability"),
        "consume.listen.pause_left": number(5, "s"),
        "consume.listen.seek": number(0.1, "probability"),
        "stages.listen.wait": wait(),
    }
    return edited(folder, edits, NAME)


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> pd.DataFrame:
    path = busy(tmp_path_factory.mktemp("busy"))
    return simulator.run(str(path), "random", **WORLD).truth.sort_values("time", kind="stable")


@pytest.fixture(scope="module")
def plays(truth) -> dict[str, pd.DataFrame]:
    of = {name: truth[(truth["event"] == name) & truth["case"].notna()] for name in ("pause", "resume")}
    return of | {
        "end": truth[truth["event"].isin(ENDS)],
        "begin": truth[truth["event"].isin(["impression", "open"]) & truth["case"].notna()],
    }


def test_there_are_many(plays):
    assert len(plays["pause"]) > 200
    assert len(plays["resume"]) > 100
    again = plays["pause"].groupby(KEY).size()
    assert (again > 1).any(), "some are paused more than once"


def test_a_play_begins_once_and_ends_once_or_is_open(plays, truth):
    begins, ends = plays["begin"].set_index(KEY), plays["end"].set_index(KEY)
    assert begins.index.is_unique
    assert ends.index.is_unique
    assert set(ends.index) <= set(begins.index)
    resumed = plays["resume"].set_index(KEY).index.unique()
    ended = resumed.intersection(ends.index)
    assert len(ended) > 50
    # what is open at the horizon is a user's last play, or one that waits to be continued
    last = truth.groupby("user")["time"].max()
    open_plays = begins.index.difference(ends.index)
    waiting = plays["pause"].groupby(KEY)["time"].max()
    for user, case in open_plays:
        assert (
            begins.loc[(user, case), "time"] == last[user]
            or (user, case) in waiting.index
            or (
                (user, case) in resumed
                and plays["resume"].set_index(KEY).loc[[(user, case)], "time"].max() == last[user]
            )
        )


def test_it_goes_on_where_it_stopped_in_a_later_visit(plays, truth):
    parts = truth[truth["event"].isin(["pause", "resume", *ENDS])].groupby(KEY)
    seen = 0
    for _, rows in parts:
        if "resume" not in rows["event"].to_numpy():
            continue
        events = rows["event"].tolist()
        assert events[::2][: len(events) // 2] == ["pause"] * (len(events) // 2)
        values, times, visits = rows["value"].to_numpy(), rows["time"].to_numpy(), rows["session"].to_numpy()
        for k in range(1, len(events), 2):
            assert events[k] == "resume"
            assert values[k] == values[k - 1], "where it stopped"
            assert visits[k] > visits[k - 1]
            if k + 1 < len(events):
                heard = times[k + 1] - times[k]
                assert values[k + 1] - values[k] == pytest.approx(heard, abs=0.01)
                assert visits[k + 1] == visits[k]
        assert rows["item"].nunique() == 1
        seen += 1
    assert seen > 100


def test_a_visit_ends_with_a_pause_and_begins_with_going_on(plays, truth):
    firsts = truth[~truth["event"].isin(["context"])].groupby(["user", "session"]).head(1)
    assert set(map(tuple, plays["resume"][["user", "session"]].to_numpy())) <= set(
        map(tuple, firsts[firsts["event"] == "resume"][["user", "session"]].to_numpy())
    )
    leaves = truth[truth["event"] == "leave"].set_index(["user", "session"])["time"]
    paused = plays["pause"].set_index(["user", "session"])["time"]
    assert paused.index.is_unique
    both = paused.index.intersection(leaves.index)
    assert (leaves[both] == paused[both]).all()


def test_nobody_has_two_things_put_off(plays):
    rows = pd.concat([plays["pause"], plays["resume"]]).sort_values("time", kind="stable")
    for _, own in rows.groupby("user"):
        waiting = (own["event"] == "pause").astype(int) - (own["event"] == "resume").astype(int)
        assert waiting.cumsum().isin([0, 1]).all()


def test_only_what_is_known_and_long_enough_is_put_off(plays, tmp_path):
    items = simulator.run(str(busy(tmp_path)), "random", **(WORLD | {"users": 1})).items["duration"].to_numpy()
    for name in ("pause",):
        rows = plays[name]
        assert (items[rows["item"].astype(int)] - rows["value"] >= 5.0 - 1e-3).all()
    first = plays["pause"].groupby(KEY).head(1)
    assert (first["value"] > 10.0).all()  # known after 5 + 5 s


def test_seconds_are_counted_once(truth, tmp_path):
    result = simulator.run(str(busy(tmp_path)), "random", **WORLD)
    rows = truth[truth["event"].isin(["pause", "resume", *ENDS])]
    sign = rows["event"].map({"pause": 1, "resume": -1, "skip": 1, "complete": 1})
    seconds = float((rows["value"] * sign).sum())
    # a play that goes on at the horizon was counted up to its pause
    resumed, over = rows[rows["event"] == "resume"], rows[rows["event"].isin([*ENDS, "pause"])]
    later = over.groupby(KEY)["time"].max().reindex(pd.MultiIndex.from_frame(resumed[KEY])).to_numpy()
    seconds += float(resumed["value"][later < resumed["time"].to_numpy()].sum())
    counted = result.metrics["watch_seconds_per_impression"] * result.metrics["impressions"]
    assert counted == pytest.approx(seconds, rel=1e-5)
    assert result.manifest["events"]["pause"] == (truth["event"] == "pause").sum()


def test_who_is_worth_more_is_heard_further(plays):
    """Continued plays are left by the hazard of those who know: who likes it more hears it out more often."""
    ends = plays["end"].set_index(KEY)
    resumed = ends.loc[ends.index.intersection(plays["resume"].set_index(KEY).index)]
    whole = resumed["utility"][resumed["event"] == "complete"]
    part = resumed["utility"][resumed["event"] == "skip"]
    assert len(part) > 8
    assert whole.mean() > part.mean()


def test_how_a_run_is_cut_up_or_stopped_changes_nothing(tmp_path):
    """What is put off and what a visit's context is survive windows, batches, threads and checkpoints."""
    path = busy(tmp_path)
    small = {"users": 60, "items": 80, "horizon": "2d", "first_fit": "12h", "refit": "12h", "seed": 7}
    whole = simulator.run(str(path), "itemknn", **small)
    assert whole.manifest["events"]["resume"] > 10
    cut = simulator.run(str(path), "itemknn", **small, window=3, batch=7, threads=2)
    assert cut.manifest["log"] == whole.manifest["log"]
    pairs = {
        "scenario": str(path),
        "recommender": "itemknn",
        **small,
        "checkpoint": "4h",
        "output": str(tmp_path / "run"),
    }
    config = complete(resolve([*pairs.items()]), load_scenario(path).defaults.model_dump())
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 45  # in the second day

    with pytest.raises(RunInterrupted):
        run_world(config, stop=stop)
    again = replace(RunConfig.from_yaml(tmp_path / "run/config.yaml"), resume=tmp_path / "run")
    assert run_world(again).manifest["log"] == whole.manifest["log"]


def test_without_pauses_there_are_none(tmp_path):
    path = edited(tmp_path, {"consume.listen.pause": number(0.0, "probability")}, NAME)
    truth = simulator.run(str(path), "random", **(WORLD | {"horizon": "1d", "first_fit": "12h"})).truth
    assert not truth["event"].isin(["pause", "resume"]).any()


def test_shares_reached_are_those_of_the_whole_play(plays, truth):
    shares = truth[truth["event"] == "finish_share"].set_index(KEY)["value"]
    ends = plays["end"].set_index(KEY)
    assert (shares.index.sort_values() == ends.index.sort_values()).all()
    assert shares.between(0.0, 1.0).all()
    assert (shares[ends.index[ends["event"] == "complete"]] >= 0.999).all()
    assert (shares[ends.index[ends["event"] == "skip"]] < 1.0).mean() > 0.95


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ({"stages.listen.wait": {}}, "stages.listen.wait.pause is missing; consume.listen.pause needs it"),
        ({"stages.listen.next": {"complete": "react", "skip": "react"}}, "stages.listen.next.pause is missing"),
        ({"stages.listen.next": {"complete": "react", "skip": "react", "pause": "exit"}},
         "stages.listen.next.pause = exit; listen itself, with wait.pause.visit = later"),
        ({"consume.listen.pause": None}, "consume.listen.pause is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_continued_is_refused(tmp_path, edits, line):
    path = edited(tmp_path, edits, NAME)
    content = json.loads(path.read_text())
    if content["consume"]["listen"]["pause"] is None:
        del content["consume"]["listen"]["pause"]
        path.write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        _compiled(path)
    assert line in str(error.value)


def _compiled(path: Path) -> None:
    scenario = load_scenario(path)
    check_scenario(scenario)
    compile_scenario(scenario)


def test_an_article_that_is_left_at_once_is_a_bounce():
    result = simulator.run("news", "random", users=150, items=200, horizon="2d", first_fit="12h", refit="12h", seed=1)
    truth = result.truth
    ends = truth[truth["event"].isin(["read_part", "read_whole"])].set_index(KEY)
    bounces = truth[truth["event"] == "bounce"].set_index(KEY)
    within = ends[(ends["event"] == "read_part") & (ends["value"] < 15.0)]
    assert 20 < len(within) < len(ends)
    assert set(bounces.index) == set(within.index)
    assert (bounces["value"] == ends.loc[bounces.index, "value"]).all()
    assert result.metrics["bounce_rate"] == pytest.approx(len(bounces) / len(ends))
    depth = truth[truth["event"] == "scroll_depth"].set_index(KEY)["value"]
    assert (depth.index.sort_values() == ends.index.sort_values()).all()
    assert result.metrics["mean_scroll_depth"] == pytest.approx(depth.mean(), abs=2e-3)
    # nobody scrolls what they do not attend to; jumping ahead counts
    idle = truth[truth["event"] == "unattended"].set_index(KEY).index
    assert (depth[idle] == 0.0).all()
    assert len(idle) > 5
    duration = pd.Series(result.items["duration"].to_numpy()[ends["item"].astype(int)], index=ends.index)
    sought = truth[truth["event"] == "seek"].set_index(KEY)["value"].reindex(ends.index).fillna(0.0)
    expected = ((ends["value"] + sought) / duration).clip(upper=1.0)
    expected[idle] = 0.0
    np.testing.assert_allclose(depth[ends.index], expected, atol=1e-4)
