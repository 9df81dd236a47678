"""Law 1, first half: what is not visible has no path to the decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.engine.tables.tables import StageKind, Tally
from simulator.scenario.life_cycle import beside_visits
from tests.laws.changes import all_moved, number_moved
from tests.laws.harness import After, Bench, bench, bits, compiled_of, edited, number, runnable, step, threshold
from tests.laws.screens import CASES, FEEDS, HIDDEN, NO_TIME, READ, RESPOND, label, of_kind

SHOWN_NUMBERS = [case for case in HIDDEN if case.shows_number]


def test_the_cases_cover_every_kind_of_stage_hidden_and_read():
    assert len(HIDDEN) >= 200
    assert len(READ) >= 150
    assert all(of_kind(kind) for kind in (StageKind.BROWSE, StageKind.INSPECT, StageKind.COMMIT, StageKind.CONSUME))
    assert FEEDS
    assert RESPOND
    assert {case.kind for case in SHOWN_NUMBERS} >= {
        StageKind.BROWSE,
        StageKind.COMMIT,
    }  # pages show every number there is


def test_every_stage_surface_and_device_of_every_scenario_is_among_the_cases():
    for name in runnable():
        compiled = compiled_of(name)
        visited = set(compiled.names.stages) - beside_visits(compiled.scenario)
        found = {(compiled.names.stages[c.stage], c.device, c.modality) for c in CASES if c.name == name}
        assert found == {
            (stage, device, modality)
            for stage in visited
            for device in range(len(compiled.names.devices))
            for modality in range(len(compiled.names.modalities))
        }


@pytest.mark.parametrize("case", HIDDEN, ids=label)
def test_a_hidden_modality_leaves_every_decision_bit_identical(case):
    of = bench(case.name)
    rows = threshold(of, case.stage, case.device)
    before = step(of, rows)
    assert len(before.rows) > 0
    for by in (-2.0, 2.0):
        assert step(of.with_items(all_moved(of, case.modality, by)), rows).bits() == before.bits()


def _decided(of: Bench, after: After) -> bytes:
    """What was decided, without what the item is worth in truth: a hidden price is paid all the same."""
    rows, records, messages = after.rows.copy(), after.records.copy(), after.messages.copy()
    menu = after.menu.copy()
    users = after.users._replace(state=after.users.state.copy())
    for name in ("utility", "best", "total"):
        rows[name] = 0
    for name in (
        "utility",
        "value",
        "satisfaction",
    ):  # a value here is money, or the worth of a headline that was enough
        records[name] = 0
    for name in ("utility", "paid"):
        messages[name] = 0
    users.state["goodwill"], menu["utility"] = 0, 0
    tallies = after.tallies.copy()
    tallies[[Tally.REGRET, Tally.UTILITY, Tally.SATISFACTION]] = 0
    tallies[Tally.VALUE :] = 0
    return replace(after, rows=rows, records=records, messages=messages, users=users, tallies=tallies, menu=menu).bits()


@pytest.mark.parametrize("case", SHOWN_NUMBERS, ids=label)
def test_a_hidden_number_leaves_every_decision_bit_identical(case):
    """A price that is not shown is worth what it is worth, and moves nobody before it is met."""
    of = bench(case.name)
    rows = threshold(of, case.stage, case.device)
    before = step(of, rows)
    for by in (-2.0, 2.0):
        moved = of.with_items(number_moved(of, case.modality, by))
        after = step(moved, rows)
        assert _decided(of, after) == _decided(of, before)
        of_parents = {
            each for kind in of.compiled.shown_parents for each in of.compiled.scenario.parents[kind].modalities
        }
        elsewhere = of.compiled.plan.stages["children_of"][case.stage] >= 0 and case.modality_name in of_parents
        unseen = case.plays_by_itself or case.never_opened
        if case.kind in (StageKind.BROWSE, StageKind.COMMIT) and not unseen and not elsewhere:
            assert after.bits() != before.bits(), "the truth has not moved: this shows nothing"


@pytest.mark.parametrize("case", NO_TIME, ids=label)
def test_what_nobody_has_time_for_is_as_good_as_hidden(case):
    of = bench(case.name)
    rows = threshold(of, case.stage, case.device)
    before = step(of, rows)
    assert not (before.rows["attended"] >> case.modality & 1).any()
    assert step(of.with_items(all_moved(of, case.modality, 2.0)), rows).bits() == before.bits()


@pytest.mark.parametrize("case", FEEDS, ids=label)
def test_a_feed_that_plays_by_itself_judges_nothing_beforehand(case):
    of = bench(case.name)
    rows = threshold(of, case.stage, case.device)
    after = step(of, rows)
    assert (after.rows["item"] == rows.slate["item"][:, 0]).all()
    assert not after.rows["attended"].any()
    assert not after.rows["picked"].any()
    assert step(of.with_items(all_moved(of, case.modality, 2.0)), rows).bits() == after.bits()


@pytest.mark.parametrize("case", RESPOND, ids=label)
def test_a_response_follows_the_experience_and_reads_nothing_again(case):
    """Acts and staying depend on what was lived through; only trust may look at what a modality had promised."""
    of = bench(case.name)
    rows = threshold(of, case.stage, case.device)
    changed = all_moved(of, case.modality, 2.0)
    before, after = step(of, rows), step(of.with_items(changed), rows)
    acts = [of.compiled.names.codes[act] for act in of.compiled.names.acts]
    assert sum(before.tallies[Tally.EVENT + act] for act in acts) > 0
    assert bits(before.records) == bits(after.records)
    assert bits(before.rows) == bits(after.rows)
    assert (before.tallies == after.tallies).all()


# ---- features -------------------------------------------------------------------------------------------------------


def test_a_feature_never_changes_a_response_to_a_slate(monkeypatch):
    """Two encoders of the same contents, a recommender that looks at neither: the same log."""
    import simulator
    from simulator.population import catalog

    settings = {"users": 120, "items": 200, "horizon": "8h"}
    name = "shortvideo"
    plain = simulator.run(name, "random", **settings)
    original = catalog.drawn_features
    made = []

    def other(compiled, vectors, seed, *more):
        features = original(compiled, vectors, seed + 1, *more)
        made.append({name: features[name] for name in features})
        return features

    monkeypatch.setattr(catalog, "drawn_features", other)
    changed = simulator.run(name, "random", **settings)
    assert made
    assert len(made[0]) >= 3
    assert changed.manifest["log"] == plain.manifest["log"]
    assert plain.manifest["log"]["truth"]["rows"] > 1000


def test_features_made_and_overwritten_leave_the_truth_alone():
    name = "shortvideo"
    config_of = bench(name)
    from simulator.population.catalog import draw_catalog

    drawn = draw_catalog(config_of.compiled, 200, 86400.0, 5)
    before = [part.tobytes() for part in drawn.items]
    for feature in drawn.public.features:
        vectors = drawn.public.features[feature]
        if vectors.flags.writeable:
            vectors[:] = 0.0
    for column in drawn.public.columns.values():
        assert not any(np.shares_memory(column, part) for part in drawn.items)
    assert [part.tobytes() for part in drawn.items] == before


def test_what_a_screen_shows_is_what_its_masks_say(tmp_path):
    """A modality taken off the screen in the file is hidden in the tables, and its change then changes no card."""
    path = edited(
        tmp_path, {"surfaces.discover.shows.browse": ["caption"], "browse.discover.read": number(1.0, "probability")}
    )
    of = bench(str(path))
    stage = of.compiled.names.stages.index("discover")
    cover = of.compiled.names.modalities.index("cover")
    assert not of.visible(stage, 0) >> cover & 1
    rows = threshold(of, stage, 0)
    assert step(of.with_items(all_moved(of, cover, 2.0)), rows).bits() == step(of, rows).bits()
