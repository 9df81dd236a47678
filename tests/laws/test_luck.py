"""Law 2: every random number is a pure function of its keys, so nothing else about a run can change its result."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

import simulator
from simulator.engine.randomness import CONTENT, DECISION, PERCEPTION
from simulator.engine.tables.tables import NORMAL, Draw
from simulator.records import log_writer as logs
from simulator.records.result import RunResult
from simulator.runtime import rounds
from tests.laws.harness import (
    as_uniform,
    assert_same_log,
    bench,
    decision,
    from_table,
    luck_of,
    mixed,
)

NAME = "shortvideo"
USERS, ITEMS, HORIZON, SEED = 160, 300, "9h", 11
WATCHING = 2  # key of what is drawn while a play runs, under the key of its visit


@cache
def life(recommender: str = "itemknn", **settings: object) -> RunResult:
    """A small world; a model is fitted at six hours and in charge for the rest."""
    return simulator.run(
        NAME, recommender, users=USERS, items=ITEMS, horizon=HORIZON, first_fit="6h", seed=SEED, **settings
    )


@pytest.fixture
def small_parts(monkeypatch):
    """Threads and buffers that a small world would not need are used all the same."""
    monkeypatch.setattr(rounds, "_WORTH_A_THREAD", 2)
    monkeypatch.setattr(logs, "BUFFER_ROWS", 700)


# ---- settings of performance ----------------------------------------------------------------------------------------


def test_the_small_world_is_lived_in_and_its_model_is_in_charge():
    result = life()
    assert result.manifest["recommender"]["fitted_at_seconds"] == [6 * 3600.0]
    assert (result.truth["policy_version"] == 1).sum() > 500
    assert (result.truth["policy_version"] == 0).sum() > 500


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    "changed",
    [
        {"window": 3},
        {"window": 7},
        {"batch": 1},
        {"batch": 64},
        {"threads": 2},
        {"threads": 3, "batch": 5, "window": 4},
    ],
)
def test_same_log_for_other_windows_batches_and_threads(changed):
    one, other = (
        life(),
        simulator.run(NAME, "itemknn", users=USERS, items=ITEMS, horizon=HORIZON, first_fit="6h", seed=SEED, **changed),
    )
    assert_same_log(one.truth, other.truth)
    assert_same_log(one.platform, other.platform)
    assert one.manifest["log"] == other.manifest["log"]
    np.testing.assert_equal(one.metrics, other.metrics)  # nan is nan


@pytest.mark.usefixtures("small_parts")
@settings(
    max_examples=6, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(window=st.integers(1, 12), batch=st.integers(1, 5000), threads=st.integers(1, 3), seed=st.integers(0, 2**63 - 1))
def test_same_log_for_any_settings(window, batch, threads, seed):
    world = {"users": 40, "items": 60, "horizon": "8h", "seed": seed}
    one = simulator.run(NAME, "itemknn", **world)
    other = simulator.run(NAME, "itemknn", **world, window=window, batch=batch, threads=threads)
    assert one.manifest["log"] == other.manifest["log"]
    assert one.metrics == pytest.approx(other.metrics, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize("recommender", ["itemknn", "random"])
@pytest.mark.parametrize("level", ["platform", "metrics"])
def test_what_is_written_changes_nothing(level, recommender):
    full, less = life(recommender), life(recommender, log=level)
    np.testing.assert_equal(full.metrics, less.metrics)
    assert full.manifest["events"] == less.manifest["events"]


def test_another_seed_is_another_world():
    one = life()
    other = simulator.run(NAME, "itemknn", users=USERS, items=ITEMS, horizon=HORIZON, first_fit="6h", seed=SEED + 1)
    assert one.manifest["log"]["truth"]["hash"] != other.manifest["log"]["truth"]["hash"]


# ---- two worlds that differ in one treatment ------------------------------------------------------------------------


def _begun(result: RunResult):
    plays = result.truth[result.truth["event"].isin(["impression", "open"]) & result.truth["case"].notna()]
    return plays.set_index(["user", "session", "request", "position"]).sort_index()


@pytest.fixture(scope="module")
def pair() -> tuple[RunResult, RunResult]:
    """The same seed under two policies, which act differently from the first fit on."""
    return life("itemknn"), life("popularity")


def test_the_two_worlds_really_differ(pair):
    one, other = (_begun(each) for each in pair)
    common = one.index.intersection(other.index)
    assert (one.loc[common, "item"] != other.loc[common, "item"]).sum() > 100


def test_users_tastes_items_and_first_arrivals_are_shared():
    from simulator.config import RunConfig
    from simulator.plan.compiler import compile_scenario
    from simulator.scenario.load import load_scenario
    from simulator.world import World, _plugin

    begun = []
    scenario = load_scenario(NAME)
    for recommender in ("itemknn", "popularity", "utility-oracle"):
        config = RunConfig(
            NAME,
            recommender,
            users=USERS,
            items=ITEMS,
            horizon=9 * 3600.0,
            first_fit=6 * 3600.0,
            seed=SEED,
            log="metrics",
        )
        world = World(config, compile_scenario(scenario), _plugin(config, scenario, None), None, 0.0)
        begun.append([*(a.copy() for a in world.users), *(a.copy() for a in world.setting.catalog.items)])
        world.close()
    assert np.unique(begun[0][0]["due"]).size > USERS // 2
    for other in begun[1:]:
        for a, b in zip(begun[0], other, strict=True):
            assert a.dtype == b.dtype
            for part in a.dtype.names or [...]:
                np.testing.assert_array_equal(a[part], b[part])


def test_first_visits_begin_at_the_same_time_on_the_same_device(pair):
    firsts = [each.truth[each.truth["session"] == 0].sort_values("time").groupby("user").first() for each in pair]
    common = firsts[0].index.intersection(firsts[1].index)
    assert len(common) > USERS // 3
    assert (firsts[0].loc[common, "time"] == firsts[1].loc[common, "time"]).all()


def test_a_visit_is_on_the_same_device_in_both_worlds(pair):
    devices = [
        each.truth.groupby(["user", "session"])["device"].agg(lambda d: "/".join(sorted(set(d)))) for each in pair
    ]
    common = devices[0].index.intersection(devices[1].index)
    assert len(common) > USERS // 3
    assert (devices[0].loc[common] == devices[1].loc[common]).all()
    assert devices[0].str.contains("/").sum() == 0


def test_an_item_is_worth_the_same_to_a_user_in_both_worlds(pair):
    worth = [
        each.truth.dropna(subset=["utility"]).groupby(["user", "item"])["utility"].agg(["min", "max"]) for each in pair
    ]
    assert all((each["min"] == each["max"]).all() for each in worth)
    common = worth[0].index.intersection(worth[1].index)
    assert 100 < len(common) < len(worth[0])
    assert (worth[0].loc[common] == worth[1].loc[common]).all().all()


def test_luck_at_a_common_key_is_equal_even_when_the_item_is_another(pair):
    """Who looks away depends on the key alone; at common keys both worlds draw the same, whatever is played there."""
    flags = []
    for each in pair:
        away = (
            each.truth[each.truth["event"] == "unattended"].set_index(["user", "session", "request", "position"]).index
        )
        started = _begun(each)
        ended = each.truth[each.truth["event"].isin(["skip", "complete"])]
        over = ended.set_index(["user", "session", "request", "position"]).index
        started = started[started.index.isin(over)]
        flags.append((started["item"], started.index.isin(away)))
    common = flags[0][0].index.intersection(flags[1][0].index)
    items = [part.loc[common].to_numpy() for part, _ in flags]
    away = [dict(zip(part.index, flag, strict=True)) for part, flag in flags]
    other_item = items[0] != items[1]
    assert other_item.sum() > 100
    both = np.array([[away[0][key], away[1][key]] for key in common])
    assert (both[:, 0] == both[:, 1]).all()
    assert both[other_item].any(axis=1).sum() > 3


# ---- draws, recomputed from their keys ------------------------------------------------------------------------------


def _ended(result: RunResult):
    return result.truth[result.truth["event"].isin(["skip", "complete"])]


@pytest.mark.parametrize("recommender", ["itemknn", "popularity", "belief-oracle"])
def test_plays_without_a_viewer_are_those_that_the_key_says(recommender):
    result = life(recommender)
    plan, names = bench(NAME).compiled.plan, bench(NAME).compiled.names
    plays = _ended(result)
    stage = plan.stages[names.stages.index(str(plays["stage"].iloc[0]))]
    visit = luck_of(SEED, DECISION, plays["user"], plays["session"])
    own = mixed(visit, WATCHING)
    position = plays["position"].astype(np.uint64)
    away = as_uniform(decision(own, plays["request"], position, Draw.UNATTENDED)) < stage["unattended"]
    key = ["user", "session", "request", "position"]
    logged = result.truth[result.truth["event"] == "unattended"].set_index(key)
    assert 30 < away.sum() < 0.1 * len(away)
    assert set(plays[away].set_index(key).index) == set(logged.index)
    seconds = from_table(
        plan.quantiles[stage["unattended_seconds"]], decision(own, plays["request"], position, Draw.UNATTENDED_SECONDS)
    )
    expected = np.maximum(np.floor(seconds * 1024.0), 1.0) / 1024.0
    assert (plays["value"].to_numpy()[away] == expected[away].astype(np.float32)).all()


def _left_by_shares(lives_through, duration, steps):
    """When the sum of the hazards that begin at shares of a play reaches what is lived through; (share, 1/s) a row."""
    left = np.full(len(lives_through), np.inf)
    for (share, hazard), (until, _) in zip(steps, [*steps[1:], (np.inf, 0.0)], strict=True):
        begins, ends = share * np.asarray(duration, dtype=float), until * np.asarray(duration, dtype=float)
        here = np.isinf(left) & (lives_through < hazard * (ends - begins))
        left = np.where(here, begins + lives_through / hazard, left)
        lives_through = lives_through - hazard * (ends - begins)
    return left


@pytest.mark.parametrize("recommender", ["itemknn", "popularity"])
def test_plays_left_at_sight_end_when_the_key_says(recommender):
    """HAZARD, LEAVE_BY_SHARE, JUDGED of (user, visit, request, slot): -log(1 - u) over the hazard, if unjudged."""
    result = life(recommender)
    of = bench(NAME, users=USERS, items=ITEMS)
    plan = of.compiled.plan
    from simulator.population.users import draw_users

    users = draw_users(of.compiled, of.items, USERS, SEED).state
    haste = plan.contexts["haste"][users["segment"], 0, 0]  # of groups: no context and no device has one of its own
    assert (plan.contexts["haste"] == plan.contexts["haste"][:, :1, :1]).all()
    patience = users["patience"].astype(np.float64)
    plays = _ended(result)
    stage = plan.stages[of.compiled.names.stages.index(str(plays["stage"].iloc[0]))]
    begun = _begun(result)["event"].astype(str)
    opened = plays.set_index(["user", "session", "request", "position"]).index.map(begun.to_dict()) == "open"
    own = mixed(luck_of(SEED, DECISION, plays["user"], plays["session"]), WATCHING)
    position = plays["position"].astype(np.uint64)

    def key(what: int):
        return decision(own, plays["request"], position, what)

    shown = result.items.iloc[plays["item"].to_numpy().astype(int)]
    hasty = (haste / patience)[plays["user"].to_numpy()] * plan.types["leaving"][shown["type"].to_numpy()]
    judged_after = from_table(plan.quantiles[stage["judged_after"]], key(Draw.JUDGED))
    by_sight = -np.log1p(-as_uniform(key(Draw.HAZARD))) / (float(stage["leave_at_sight"]) * hasty)
    steps = plan.leave_by_share[stage["first_share"] :][: stage["n_shares"]]
    by_share = _left_by_shares(-np.log1p(-as_uniform(key(Draw.LEAVE_BY_SHARE))) / hasty, shown["duration"], steps)
    left = np.minimum(by_sight, by_share)
    away = as_uniform(key(Draw.UNATTENDED)) < stage["unattended"]
    at_sight = (left < judged_after) & ~away & ~np.asarray(opened)
    assert at_sight.sum() > 100
    unjudged = plays["belief"].isna().to_numpy()
    assert np.array_equal(unjudged, at_sight | away)
    expected = np.maximum(np.floor(left * 1024.0), 1.0) / 1024.0
    seen = plays["value"].to_numpy()[at_sight]
    assert np.abs(seen - expected[at_sight]).max() <= 1.0 / 1024.0 + 1e-4  # the item may be shorter
    assert (seen == expected[at_sight].astype(np.float32)).mean() > 0.98


def test_the_part_that_no_model_can_learn_belongs_to_user_and_item(pair):
    """Utility less the matches of taste and truth is the keyed draw of (user, item), in both worlds."""
    from simulator.population.catalog import draw_catalog
    from simulator.population.users import draw_users

    compiled = bench(NAME).compiled
    plan = compiled.plan
    items = draw_catalog(compiled, ITEMS, 9 * 3600.0, SEED).items
    users = draw_users(compiled, items, USERS, SEED)
    for result in pair:
        rows = result.truth.dropna(subset=["utility", "item"]).drop_duplicates(["user", "item"])
        user, item = rows["user"].to_numpy().astype(np.int64), rows["item"].to_numpy().astype(np.int64)
        kind = items.state["type"][item].astype(np.int64)
        worth = plan.types["prior"][kind].copy()
        for f, facet in enumerate(plan.facets):
            part = slice(facet["offset"], facet["offset"] + facet["width"])
            x = (users.taste[user, part].astype(np.float64) * items.vectors[item, part]).sum(axis=1)
            worth += plan.weights[kind, f] * facet["scale"] * x / (1.0 + facet["saturation"] * np.abs(x))
        own = from_table(plan.quantiles[NORMAL], luck_of(SEED, PERCEPTION, user, item, 1 << 20))
        worth += plan.user_params["idiosyncratic"][0] * own
        assert len(rows) > 1000
        np.testing.assert_allclose(rows["utility"].to_numpy(), worth, atol=3e-5)


def test_items_are_keyed_by_their_number_not_by_their_count():
    """The first items of a larger catalog say what those of a smaller one say."""
    from simulator.engine.randomness import normals

    assert np.array_equal(normals(3, CONTENT, 50, 8), normals(3, CONTENT, 400, 8)[:50])
