"""Law 4: a plug-in sees the platform log, features and requests, each record from its arrival on, and nothing else."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator
from recommenders.contract import COLUMNS, Catalog, PlatformLog, Requests
from recommenders.contract.errors import RecommenderError
from simulator.engine.randomness import OBSERVATION
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import told_topic
from simulator.records.log_writer import ONLY_TRUTH
from simulator.scenario.events import EVENTS
from simulator.scenario.load import load_scenario
from tests.laws.harness import (
    as_uniform,
    assert_same_log,
    bench,
    decision,
    edited,
    from_table,
    in_order,
    luck_of,
    mixed,
    number,
)
from tests.laws.plugins import Spy

NAME = "shortvideo"
HORIZON = 10 * 3600.0
SEED = 8


@pytest.fixture(scope="module")
def patchy(tmp_path_factory) -> Path:
    """A scenario whose platform misses much, and hears of much else late, some of it after the end of the run."""
    folder = tmp_path_factory.mktemp("patchy")

    def seen(probability: float, median: float) -> dict[str, object]:
        lag = {"dist": "lognormal", "median": median, "sigma": 1.0, "unit": "min", "from": "estimate"}
        return {"observer": "platform", "probability": number(probability, "probability"), "lag": lag}

    soon = {"dist": "lognormal", "median": 4, "sigma": 1.0, "unit": "min", "from": "estimate"}
    # within one tick, so that a visit's row is at once the next visit's; and some come for the first time late
    edits: dict[str, object] = {"user.return_after": soon, "user.pace": None, "user.groups": {}}
    edits |= {
        "observation.skip": seen(0.6, 20),
        "observation.complete": seen(0.8, 90),
        "observation.impression": seen(0.9, 2),
    }
    return edited(folder, edits)


@pytest.fixture(scope="module")
def watched(patchy):
    """A run of the patchy scenario under a spy who makes all slates: result and spy."""
    spy = Spy(seed=1)
    settings = {"users": 150, "items": 200, "horizon": HORIZON, "first_fit": "6h", "seed": SEED, "serves": "all"}
    return simulator.run(patchy, spy, **settings), spy


# ---- the platform log is the truth log through its observation model ------------------------------------------------


def test_the_platform_log_has_no_column_of_the_truth(watched):
    result, _ = watched
    assert set(result.truth.columns) - set(result.platform.columns) == set(ONLY_TRUTH)
    assert set(result.platform.columns) == {column.name for column in COLUMNS} | {"parent_case"}


def test_the_platform_log_is_the_truth_log_as_recorded_by_the_end_and_nothing_else(watched):
    result, _ = watched
    recorded = result.truth[result.truth["logged_at"] <= HORIZON]
    assert len(result.platform) < 0.95 * len(result.truth)
    assert_same_log(result.platform, recorded[list(result.platform.columns)])


def test_what_is_recorded_and_when_is_the_observation_model_of_the_scenario(watched, patchy):
    """Probability and lag from the file, luck from (user, visit, request, position, event): every row recomputed."""
    result, _ = watched
    compiled = compile_scenario(load_scenario(patchy))
    truth = in_order(result.truth)
    codes = compiled.names.codes
    code = truth["event"].map(codes).to_numpy()
    position = truth["position"].fillna(0xFFFF).to_numpy()
    key = decision(luck_of(SEED, OBSERVATION, truth["user"], truth["session"]), truth["request"], position, code)
    expected = np.full(len(truth), np.nan)
    for event, rule in compiled.scenario.observation.items():
        rows = code == codes[event]
        if rule.observer == "none" or not rows.any():
            continue
        table = compiled.plan.quantiles[compiled.plan.observation["lag"][codes[event]]]
        lag = np.maximum(np.floor(from_table(table, mixed(key, 1)) * 1024.0), 1.0) / 1024.0
        arrives = truth["time"].to_numpy() + lag
        expected[rows] = np.where(as_uniform(key) < rule.probability.value, arrives, np.nan)[rows]
    np.testing.assert_array_equal(truth["logged_at"].to_numpy(), expected)
    skips = truth[truth["event"] == "skip"]
    share = skips["logged_at"].notna().mean()
    assert abs(share - 0.6) < 4.5 * np.sqrt(0.24 / len(skips))
    assert (expected > HORIZON).sum() > 10, "some records come too late"


def test_events_that_nobody_observes_are_in_no_platform_log(watched):
    result, _ = watched
    observation = bench(NAME).compiled.scenario.observation
    unseen = {event for event in EVENTS if event not in observation or observation[event].observer == "none"}
    assert {"tolerate", "unattended"} <= unseen
    happened = set(result.truth["event"].unique())
    assert unseen & happened
    assert not unseen & set(result.platform["event"].unique())


# ---- what a plug-in is given ----------------------------------------------------------------------------------------


def test_a_fit_is_given_exactly_what_has_arrived(watched):
    result, spy = watched
    times = result.manifest["recommender"]["fitted_at_seconds"]
    assert len(times) == len(spy.fitted) >= 1
    for time, log in zip(times, spy.fitted, strict=True):
        assert len(log) > 500
        assert (log.logged_at <= time).all()
        arrived = result.truth[result.truth["logged_at"] <= time]
        arrived = arrived.assign(code=arrived["event"].map(bench(NAME).compiled.names.codes).astype(int))
        order = ["logged_at", "user", "time", "code", "position"]
        arrived = arrived.sort_values(order, kind="stable")
        assert len(arrived) == len(log)
        for column in ("time", "logged_at", "user", "session", "request", "visible", "policy_version"):
            np.testing.assert_array_equal(getattr(log, column), arrived[column].to_numpy(), err_msg=column)
        np.testing.assert_array_equal(log.event, arrived["code"].to_numpy())
        np.testing.assert_array_equal(log.value, arrived["value"].to_numpy())
        items = arrived["item"].fillna(0xFFFFFFFF).to_numpy().astype(np.uint32)
        np.testing.assert_array_equal(log.item, items)


def test_some_of_what_had_happened_was_not_yet_known(watched):
    result, spy = watched
    time = result.manifest["recommender"]["fitted_at_seconds"][0]
    happened = result.truth[(result.truth["time"] < time) & result.truth["logged_at"].notna()]
    assert len(happened) > len(spy.fitted[0]) + 50


def test_updates_are_the_arrivals_since_the_last_one(watched):
    result, spy = watched
    first = result.manifest["recommender"]["fitted_at_seconds"][0]
    tick = bench(NAME).compiled.scenario.clock.tick.value
    assert len(spy.updates) > 5
    last = first
    for events in spy.updates:
        if len(events):
            assert (events.logged_at > last).all()
            assert (events.logged_at <= last + tick).all()
        last += tick
    told = sum(len(events) for events in spy.updates)
    assert told == ((result.truth["logged_at"] > first) & (result.truth["logged_at"] <= last)).sum()


def test_a_request_carries_its_own_visit_so_far(watched):
    result, spy = watched
    ended = result.truth[result.truth["event"].isin(["skip", "complete"])].sort_values("time")
    visits = dict(iter(ended.groupby(["user", "session"])))
    asked, carried = 0, 0
    for requests in spy.asked[::5]:
        for k in range(len(requests)):
            asked += 1
            part = visits.get((requests.user[k], requests.session[k]))
            n = int((requests.events_item[k] >= 0).sum())
            before = part[part["time"] <= requests.time[k]] if part is not None else ended[:0]
            assert n == min(len(before), requests.events_item.shape[1])
            if n:
                carried += 1
                assert (requests.events_item[k, :n] == before["item"].to_numpy()[-n:]).all()
                durations = spy.catalogs[0].columns["duration"][requests.events_item[k, :n]]
                share = np.minimum(before["value"].to_numpy()[-n:] / durations, 1.5)
                np.testing.assert_allclose(requests.events_value[k, :n], share, rtol=1e-5)
            assert np.isnan(requests.events_value[k, n:]).all()
    assert carried > 50
    assert asked > carried
    returns = result.truth.groupby("user")["session"].max()
    assert returns.max() > 10


def test_what_was_lately_sent_had_been_sent(watched):
    """To users who came after the warm-up the spy itself sent everything."""
    _, spy = watched
    sent: dict[int, set[int]] = {}
    compared = 0
    for requests, slates in zip(spy.asked, spy.answered, strict=True):
        for k in range(len(requests)):
            user = int(requests.user[k])
            if requests.session[k] == 0 and requests.request[k] == 1:
                sent[user] = set()
            if user not in sent:
                continue
            assert set(requests.recently_shown[k][requests.recently_shown[k] >= 0].tolist()) == sent[user]
            compared += len(sent[user]) > 0
            sent[user] |= set(slates.items[k][slates.items[k] >= 0].tolist())
    assert compared > 100


def test_candidates_are_published(watched):
    _, spy = watched
    for requests in spy.asked:
        published = spy.catalogs[0].columns["published_at"][requests.candidates]
        assert (published <= requests.time.min()).all()


def test_nothing_that_a_plug_in_is_given_has_a_place_for_the_truth():
    given = {field.name for kind in (Requests, PlatformLog, Catalog) for field in dataclasses.fields(kind)}
    state = {"taste", "satiation_trust", "goodwill", "tolerance", "patience", "vectors", "bias_appeal", "topic"}
    secret = {*ONLY_TRUTH, *state}
    assert not given & secret
    told = told_topic(bench(NAME).compiled.scenario)  # what a search knows of an item
    assert not set(_catalog().columns) & (secret - {told})


def _catalog() -> Catalog:
    from simulator.population.catalog import draw_catalog

    return draw_catalog(bench(NAME).compiled, 50, 3600.0, 0).public


def test_features_are_no_copy_of_the_truth():
    """What an encoder gives correlates with the contents, and no dimension of it is one of the truth."""
    from simulator.population.catalog import draw_catalog

    catalog = draw_catalog(bench(NAME).compiled, 400, 3600.0, 0)
    truth = catalog.items.vectors[:, : bench(NAME).compiled.latent_width]
    for vectors in (catalog.public.features[name] for name in catalog.public.features):
        for row in vectors.T:
            assert not any(np.allclose(row, column, atol=1e-3) for column in truth.T if column.std() > 0)


def test_oracles_are_no_plug_ins():
    """They need the truth to be made, and no registry has it to give: not by name, not by import path."""
    from recommenders import registry
    from simulator.platform.oracle import ORACLES, Oracle

    assert not set(ORACLES) & set(registry.available())
    for name in (*ORACLES, f"{Oracle.__module__}:{Oracle.__name__}"):
        with pytest.raises(RecommenderError):
            registry.create(name, {}, seed=0, label=None)


def test_the_contract_names_no_column_of_the_truth():
    """The types that cross the border are defined where the truth is unknown."""
    for kind in (Requests, PlatformLog, Catalog):
        assert kind.__module__.startswith("recommenders.")
    root = Path(__file__).resolve().parents[2] / "recommenders"
    for file in sorted(root.rglob("*.py")):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & set(ONLY_TRUTH), file.name


def test_a_spy_cannot_write_to_the_world(watched):
    """What a plug-in does to its requests stays with it: the arrays are copies, not the engine's own."""

    class Vandal(Spy):
        def recommend(self, requests: Requests):
            slates = super().recommend(requests)
            for name in ("user", "time", "recently_shown", "events_item", "key"):
                array = getattr(requests, name)
                if array.flags.writeable:
                    array[...] = 0
            return slates

    quiet = simulator.run(NAME, Spy(seed=1), users=60, items=100, horizon="8h", first_fit="6h")
    loud = simulator.run(NAME, Vandal(seed=1), users=60, items=100, horizon="8h", first_fit="6h")
    assert quiet.manifest["log"] == loud.manifest["log"]
    assert isinstance(quiet.truth, pd.DataFrame)
