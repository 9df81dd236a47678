"""Law 3: nothing precedes its cause; everything ends, or is open at the horizon."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings, strategies as st

import simulator
from simulator.engine.randomness import DECISION
from simulator.engine.tables.tables import Draw
from tests.laws.harness import as_uniform, assert_same_log, bench, decision, edited, luck_of, number

NAME = "shortvideo"
KEY = ["user", "case"]
ENDS = ["skip", "complete"]
ACTS = ["like", "comment", "share", "follow", "profile_visit", "hate"]


def check_life(truth: pd.DataFrame, horizon: float) -> None:
    """Every statement of the law about one truth log."""
    assert truth["logged_at"].isna().sum() + (truth["logged_at"] >= truth["time"]).sum() == len(truth)
    assert (truth["time"] >= 0.0).all()
    assert (truth["time"] < horizon).all(), "something happened after the end"
    plays = truth[truth["case"].notna()]
    by = plays.groupby(KEY)["time"]
    begins = plays[plays["event"].isin(["impression", "open"])].set_index(KEY).sort_index()
    ends = plays[plays["event"].isin(ENDS)].set_index(KEY).sort_index()
    assert begins.index.is_unique, "a play begins once"
    assert ends.index.is_unique, "a play has one terminal event"
    assert set(ends.index) <= set(begins.index)
    assert set(plays.set_index(KEY).index) == set(begins.index)
    # a play that is open at the horizon is its user's last
    still_open = begins.index.difference(ends.index)
    last = truth.groupby("user")["time"].max()
    for user, case in still_open:
        assert begins.loc[(user, case), "time"] == last[user]
    started = begins["time"]
    ended = ends["time"]
    assert (by.min() == started).all()
    assert (ended >= started.loc[ended.index]).all()
    watched = (ended - started.loc[ended.index]).to_numpy()
    np.testing.assert_allclose(watched, ends["value"].to_numpy(), atol=2e-3)
    acts = plays[plays["event"].isin(ACTS)]
    keys = pd.MultiIndex.from_frame(acts[KEY])
    assert set(keys) <= set(ends.index)
    assert (acts["time"].to_numpy() >= ended.reindex(keys).to_numpy()).all()
    # cases are numbered without a gap
    assert (begins.reset_index().groupby("user")["case"].agg(lambda c: sorted(c) == list(range(len(c))))).all()
    _check_visits(truth)


def _check_visits(truth: pd.DataFrame) -> None:
    """Visits are numbered in time and end once; nothing of a visit comes after its end, or before the last one's."""
    spans = truth.groupby(["user", "session"])["time"].agg(["min", "max"]).reset_index()
    leaves = truth[truth["event"] == "leave"].set_index(["user", "session"])["time"]
    assert leaves.index.is_unique
    following = spans.groupby("user")["min"].shift(-1)
    assert (following.isna() | (following > spans["max"])).all()
    keys = pd.MultiIndex.from_frame(spans[["user", "session"]])
    over = leaves.reindex(keys).to_numpy()
    assert (np.isnan(over) | (spans["max"].to_numpy() <= over)).all()
    unfinished = np.isnan(over)
    assert (unfinished <= following.isna().to_numpy()).all(), "only a user's last visit can be open"
    # what is chosen from a screen was on it
    opened = truth[truth["event"] == "open"]
    shown = (truth["event"] == "impression") & truth["case"].isna() | (truth["event"] == "profile_card")
    cards = truth[shown].set_index(["user", "session", "request", "position"])
    for row in opened.itertuples():
        card = cards.loc[(row.user, row.session, row.request, row.position)]
        assert card["item"] == row.item
        assert card["time"] <= row.time


@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])  # a world is small as it is; shrinking takes minutes
@given(
    users=st.integers(1, 60),
    items=st.integers(25, 80),
    seed=st.integers(0, 2**32),
    minutes=st.integers(10, 900),
    recommender=st.sampled_from(["random", "popularity", "itemknn", "belief-oracle"]),
)
def test_small_random_worlds(users, items, seed, minutes, recommender):
    result = simulator.run(NAME, recommender, users=users, items=items, horizon=minutes * 60.0, seed=seed)
    if result.manifest["log"]["truth"]["rows"]:
        check_life(result.truth, minutes * 60.0)


def test_a_larger_world():
    result = simulator.run(NAME, "itemknn", users=600, items=400, horizon="12h", first_fit="6h", seed=2)
    assert result.truth["event"].nunique() >= 15
    check_life(result.truth, 12 * 3600.0)
    begins = result.truth[result.truth["event"].isin(["impression", "open"]) & result.truth["case"].notna()]
    ends = result.truth[result.truth["event"].isin(ENDS)]
    assert 0 < len(begins) - len(ends) < 60, "some plays are open at the horizon"


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A scenario in which many steps take time: everybody browses, looks closer, and likes a lot."""
    folder = tmp_path_factory.mktemp("busy")
    edits = {
        "stages.feed.entry": number(0.0, "share"),
        "stages.discover.entry": number(0.99, "share"),
        "stages.search.entry": number(0.01, "share"),
        "browse.discover.outside_option": number(-2.0, "utility"),
        "respond.react.acts.like.base": number(0.6, "probability"),
        "respond.react.acts.comment.base": number(0.6, "probability"),
    }
    return edited(folder, edits)


def test_nothing_happens_after_the_horizon(busy):
    """Neither at the end of a run, nor (which is the same) is the next tick known at the end of this one."""
    result = simulator.run(busy, "random", users=2500, items=300, horizon="3h")
    late = result.truth[result.truth["time"] >= 3 * 3600.0]
    assert late.empty, f"{len(late)} events after the end:\n{late[['time', 'user', 'event']].head()}"


def test_a_longer_run_only_adds(tmp_path):
    """What happened by some time does not depend on how long the run goes on (fresh items apart, so there are none)."""
    path = edited(tmp_path, {"supply.fresh": number(0.0, "share"), "supply.past": None})
    short = simulator.run(path, "random", users=150, items=200, horizon="4h", seed=3).truth
    longer = simulator.run(path, "random", users=150, items=200, horizon="7h", first_fit="6h", seed=3).truth
    assert_same_log(short, longer[longer["time"] < 4 * 3600.0])


def test_counters_show_only_what_had_happened(busy, monkeypatch):
    """The likes that everybody sees from a tick on are those given before it."""
    from simulator.world import World

    published: list[tuple[float, int]] = []
    original = World._publish

    def spy(world: World, time: float) -> None:
        original(world, time)
        published.append((time, int(world.rounds.counters[:, 1].sum())))

    monkeypatch.setattr(World, "_publish", spy)
    truth = simulator.run(busy, "random", users=2500, items=300, horizon="3h").truth
    likes = np.sort(truth["time"][truth["event"] == "like"].to_numpy())
    assert len(likes) > 3000
    for time, count in published:
        assert count == np.searchsorted(likes, time), f"at {time:g} s"


def test_fresh_items_are_shown_from_their_tick_on_and_not_before():
    from simulator.population.catalog import draw_catalog

    catalog = draw_catalog(bench(NAME).compiled, 300, 24 * 3600.0, 4)
    truth = simulator.run(NAME, "random", users=150, items=300, horizon="24h", seed=4).truth
    tick = bench(NAME).compiled.scenario.clock.tick.value
    shown = truth[truth["event"] == "impression"].groupby("item")["time"].min()
    published = catalog.published_at[shown.index.to_numpy().astype(np.int64)]
    fresh = published > 0.0
    assert fresh.sum() > 10
    assert (shown.to_numpy()[fresh] >= np.ceil(published[fresh] / tick) * tick).all()


def test_an_exit_is_drawn_from_its_own_key():
    """Users who left for good never come back; whether they do so is drawn once per visit."""
    result = simulator.run(NAME, "random", users=400, items=200, horizon="24h", seed=6)
    assert result.metrics["churned_share"] > 0.0
    leaves = result.truth[result.truth["event"] == "leave"]
    draw = as_uniform(decision(luck_of(6, DECISION, leaves["user"], leaves["session"]), 0, 0, Draw.CHURN))
    base = bench(NAME).compiled.scenario.user.churn.value
    surely_gone = leaves[draw < base / 50.0]
    again = leaves.set_index("user")["session"].groupby("user").max()
    for row in surely_gone.itertuples():
        assert again[row.user] == row.session
