"""Law 1: what is not visible has no path to the decision; what is visible and attended has, in the way derived."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.events import CODE
from simulator.kernels.layout import Kind, Layout, Status, Tally
from simulator.stage_tables import beside_visits
from tests.laws.harness import (
    After,
    Bench,
    all_moved,
    appeal_moved,
    belief_by_hand,
    bench,
    bias_moved,
    bits,
    compiled_of,
    content_moved,
    edited,
    number,
    runnable,
    step,
    threshold,
)

SKIP = 1


def _cases() -> list[tuple[str, int, int, int]]:
    """Every scenario x stage (and so surface) x device x modality; what a case walks through, nobody looks at."""
    found = []
    for name in runnable():
        names, beside = compiled_of(name).names, beside_visits(compiled_of(name).scenario)
        found += [
            (name, stage, device, modality)
            for stage in range(len(names.stages))
            if names.stages[stage] not in beside
            for device in range(len(names.devices))
            for modality in range(len(names.modalities))
        ]
    return found


def _label(case: tuple[str, int, int, int]) -> str:
    name, stage, device, modality = case
    names = compiled_of(name).names
    return f"{name}-{names.stages[stage]}-{names.devices[device]}-{names.modalities[modality]}"


def _kind(case: tuple[str, int, int, int]) -> Kind:
    return Kind(compiled_of(case[0]).plan.stages["kind"][case[1]])


def _plays_by_itself(case: tuple[str, int, int, int]) -> bool:
    return _kind(case) == Kind.BROWSE and compiled_of(case[0]).plan.stages["layout"][case[1]] == Layout.AUTOPLAY


def _visible(case: tuple[str, int, int, int]) -> bool:
    name, stage, device, modality = case
    return bool(compiled_of(name).plan.screens[stage, device, 0] >> modality & 1)


CASES = _cases()
HIDDEN = [case for case in CASES if not _visible(case)]
FEEDS = [case for case in CASES if _plays_by_itself(case)]
DERIVED = ("shortvideo",)
"""Scenarios whose beliefs the tests derive themselves: from contents and read-outs alone, and read alike by all."""
RESPOND = [case for case in CASES if _kind(case) == Kind.RESPOND and case[0] in DERIVED]
SEEN = [case for case in CASES if _visible(case) and case not in FEEDS and _kind(case) != Kind.RESPOND]
READ = [case for case in SEEN if case[0] in DERIVED]
"""Something is read there: not in a feed that plays by itself, and not where users only respond."""


def _of_kind(kind: Kind) -> list[tuple[str, int, int, int]]:
    return [case for case in READ if _kind(case) == kind]


def test_the_cases_cover_every_kind_of_stage_hidden_and_read():
    assert len(HIDDEN) >= 20
    assert len(READ) >= 20
    assert all(_of_kind(kind) for kind in (Kind.BROWSE, Kind.INSPECT, Kind.CONSUME))
    assert FEEDS
    assert RESPOND


# ---- hidden ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", HIDDEN, ids=_label)
def test_a_hidden_modality_leaves_every_decision_bit_identical(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    before = step(of, rows)
    for by in (-2.0, 2.0):
        assert step(of.with_goods(all_moved(of, modality, by)), rows).bits() == before.bits()


@pytest.mark.parametrize("case", FEEDS, ids=_label)
def test_a_feed_that_plays_by_itself_judges_nothing_beforehand(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    after = step(of, rows)
    assert (after.rows["item"] == rows.slate["item"][:, 0]).all()
    assert step(of.with_goods(all_moved(of, modality, 2.0)), rows).bits() == after.bits()


@pytest.mark.parametrize("case", RESPOND, ids=_label)
def test_a_response_follows_the_experience_and_reads_nothing_again(case):
    """Acts and staying depend on what was lived through; only trust may look at what a modality had promised."""
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    before, after = step(of, rows), step(of.with_goods(all_moved(of, modality, 2.0)), rows)
    assert before.tallies[Tally.EVENT + CODE["like"]] > 0
    assert bits(before.records) == bits(after.records)
    assert bits(before.rows) == bits(after.rows)
    assert (before.tallies == after.tallies).all()


@pytest.mark.parametrize("case", RESPOND, ids=_label)
def test_trust_is_learned_by_those_who_attended_and_by_nobody_else(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    attended = rows.state["attended"] >> modality & 1 == 1
    before = step(of, rows).people.mood[:, modality]
    after = step(of.with_goods(bias_moved(of, modality, 2.0)), rows).people.mood[:, modality]
    learns = bool(of.compiled.plan.modalities["learns_trust"][modality])
    assert np.array_equal(before[~attended], after[~attended])
    if learns and of.visible(stage, device) >> modality & 1:
        assert attended.sum() > 50
        assert (after[attended] > before[attended]).all(), "more was promised, and nothing more was met"
    else:
        assert np.array_equal(before, after)


# ---- visible and attended -------------------------------------------------------------------------------------------


def _judged(of: Bench, stage: int, after: After) -> list[tuple[int, int, int, float]]:
    """(user, item, attended mask, belief) of everybody who formed a belief in a step."""
    kind = of.compiled.plan.stages["kind"][stage]
    if kind == Kind.BROWSE:
        seen = after.records[~np.isnan(after.records["belief"])]
        return list(zip(seen["user"], seen["item"], seen["attended"], seen["belief"], strict=True))
    v = after.rows
    formed = v["judged"] == 1 if kind == Kind.CONSUME else np.ones(len(v), dtype=bool)
    return list(zip(v["user"][formed], v["item"][formed], v["attended"][formed], v["belief"][formed], strict=True))


def _glance(of: Bench, stage: int) -> float:
    row = of.compiled.plan.stages[stage]
    return float(row["glance"]) if row["kind"] == Kind.CONSUME else 1.0


@pytest.mark.parametrize("case", READ, ids=_label)
@pytest.mark.parametrize("change", [content_moved, bias_moved])
def test_every_attending_belief_moves_as_derived(case, change):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    before = _judged(of, stage, step(of, rows))
    for by in (-2.0, 2.0):
        moved = of.with_goods(change(of, modality, by))
        after = _judged(moved, stage, step(moved, rows))
        # whom the change reaches, and what they attend to, does not depend on the change
        assert [row[:3] for row in before] == [row[:3] for row in after]
        attending = [k for k, row in enumerate(before) if int(row[2]) >> modality & 1]
        others = [k for k, row in enumerate(before) if not int(row[2]) >> modality & 1]
        assert len(attending) > 10
        assert all(before[k][3] == after[k][3] for k in others)
        for k in attending[:150]:
            user, item, attended, belief = before[k]
            derived = [
                belief_by_hand(each, int(user), int(item), int(attended), _glance(of, stage))[0] for each in (of, moved)
            ]
            assert belief == pytest.approx(derived[0], abs=5e-5)
            assert after[k][3] == pytest.approx(derived[1], abs=5e-5)
            if abs(derived[1] - derived[0]) > 1e-4:
                assert np.sign(after[k][3] - belief) == np.sign(derived[1] - derived[0])
        shifts = np.array([after[k][3] - before[k][3] for k in attending])
        assert (shifts != 0.0).mean() > 0.99
        if change is bias_moved:
            assert (np.sign(shifts) == np.sign(by)).all()


@pytest.mark.parametrize("case", READ, ids=_label)
def test_appeal_moves_no_belief(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    before = _judged(of, stage, step(of, rows))
    moved = of.with_goods(appeal_moved(of, modality, 2.0))
    assert _judged(moved, stage, step(moved, rows)) == before


def _eye_catching(of: Bench, stage: int, modality: int) -> Bench:
    """The same screen, every card read, one modality attended to by everybody at no cost."""
    stages, modalities = of.compiled.plan.stages.copy(), of.compiled.plan.modalities.copy()
    stages["read"][stage] = 1.0
    modalities["salience"][modality], modalities["reading"][modality] = 1.0, 0.0
    return of.with_plan(stages=stages, modalities=modalities)


def _first_card(of: Bench, stage: int, device: int, slate: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Who picks the first card, the share that is derived from the beliefs, and its standard error."""
    plan = of.compiled.plan
    row, habits = plan.stages[stage], plan.habits[0]
    after = step(of, threshold(of, stage, device, slate))
    records = after.records
    n_cards = len(records) // len(after.rows)
    table = records.reshape(len(after.rows), n_cards)
    examined = ~np.isnan(table["belief"])
    # satiation as the rows of the bench have it, faded to now
    fading = np.exp(-300.0 / float(habits["satiation_recovery"]))
    topics = of.goods.facts["topic"][table["item"]].astype(np.int64)
    tired = (
        float(habits["satiation_weight"])
        * fading
        * of.people.mood[table["user"].astype(np.int64), of.modalities + topics]
    )
    appeal = sum(
        ((table["attended"] >> m) & 1) * of.goods.colour[table["item"], of.modalities + m] for m in range(of.modalities)
    )
    attraction = table["belief"] - float(row["risk_aversion"]) * table["belief_sd"] - tired + appeal
    odds = np.where(examined, np.exp((attraction - float(row["outside_option"])) / float(row["temperature"])), 0.0)
    derived = odds[:, 0] / (1.0 + odds.sum(axis=1))
    picked = (after.rows["stage"] != stage) & (after.rows["status"] == Status.ACTIVE) & (after.rows["slot"] == 0)
    picked &= after.rows["picked"] == 1
    return picked, float(derived.mean()), float(np.sqrt((derived * (1.0 - derived)).sum())) / len(derived)


@pytest.mark.parametrize("case", _of_kind(Kind.BROWSE), ids=_label)
@pytest.mark.parametrize("change", [bias_moved, appeal_moved])
def test_shares_of_cards_go_the_derived_way(case, change):
    name, stage, device, modality = case
    of = _eye_catching(bench(name, users=4000), stage, modality)
    size = int(of.compiled.plan.stages["slate"][stage])
    slate = np.tile(np.arange(10, 10 + size), (len(of.people.state), 1))
    who, shares = [], []
    for by in (-2.0, 0.0, 2.0):
        picked, derived, error = _first_card(of.with_goods(change(of, modality, by, [10])), stage, device, slate)
        assert abs(picked.mean() - derived) < 4.5 * error
        who.append(picked)
        shares.append(derived)
    assert shares[0] < shares[1] < shares[2]
    # the first card's part of the unit interval grows at both ends, so nobody is lost
    assert (who[0] <= who[1]).all()
    assert (who[1] <= who[2]).all()
    assert who[0].sum() < who[2].sum()


@pytest.mark.parametrize("case", _of_kind(Kind.INSPECT), ids=_label)
def test_a_closer_look_is_passed_by_whom_it_persuades(case):
    name, stage, device, modality = case
    of = bench(name, users=4000)
    rows = threshold(of, stage, device)

    def accepted(by: float) -> np.ndarray:
        after = step(of.with_goods(bias_moved(of, modality, by)), rows)
        rejected = after.records["user"][after.records["event"] == CODE["reject"]]
        passed = np.ones(len(after.rows), dtype=bool)
        passed[rejected] = False
        return passed

    lower, before, higher = accepted(-2.0), accepted(0.0), accepted(2.0)
    # one uniform decides, so a better belief can only turn a no into a yes
    assert (lower <= before).all()
    assert (before <= higher).all()
    assert lower.sum() < before.sum() < higher.sum()


@pytest.mark.parametrize("case", _of_kind(Kind.CONSUME), ids=_label)
def test_plays_are_left_later_by_whom_they_persuade(case):
    name, stage, device, modality = case
    of = bench(name, users=4000)
    stages = of.compiled.plan.stages.copy()
    stages["tolerate"], stages["seek"] = 0.0, 0.0  # both end a play at a time that no belief sets
    of = of.with_plan(stages=stages)
    rows = threshold(of, stage, device)

    def plays(by: float) -> np.ndarray:
        return step(of.with_goods(bias_moved(of, modality, by)), rows).rows

    lower, before, higher = plays(-2.0), plays(0.0), plays(2.0)
    attending = (before["attended"] >> modality & 1 == 1) & (before["judged"] == 1)
    for worse, better in ((lower, before), (before, higher)):
        assert (worse["watched"] <= better["watched"]).all()
        assert (worse["watched"][~attending] == better["watched"][~attending]).all()
        assert (worse["watched"][attending] < better["watched"][attending]).mean() > 0.05
        assert (worse["outcome"] == SKIP).sum() >= (better["outcome"] == SKIP).sum()
    assert (lower["outcome"] == SKIP).sum() > (higher["outcome"] == SKIP).sum()


@pytest.mark.parametrize("case", _of_kind(Kind.CONSUME), ids=_label)
def test_the_scenario_as_shipped_is_skipped_less_when_it_persuades(case):
    name, stage, device, modality = case
    of = bench(name, users=4000)
    rows = threshold(of, stage, device)
    skipped = [
        int((step(of.with_goods(bias_moved(of, modality, by)), rows).rows["outcome"] == SKIP).sum())
        for by in (-2.0, 2.0)
    ]
    assert skipped[0] > skipped[1]


# ---- features -------------------------------------------------------------------------------------------------------


def test_a_feature_never_changes_a_response_to_a_slate(monkeypatch):
    """Two encoders of the same contents, a recommender that looks at neither: the same log."""
    import simulator
    from simulator import catalog

    settings = {"users": 120, "items": 200, "horizon": "8h"}
    name = "shortvideo"
    plain = simulator.run(name, "random", **settings)
    original = catalog.drawn_features
    made = []

    def other(compiled, vectors, seed):
        features = original(compiled, vectors, seed + 1)
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
    from simulator.catalog import draw_catalog

    drawn = draw_catalog(config_of.compiled, 200, 86400.0, 5)
    before = [part.tobytes() for part in drawn.goods]
    for feature in drawn.public.features:
        vectors = drawn.public.features[feature]
        if vectors.flags.writeable:
            vectors[:] = 0.0
    for column in drawn.public.columns.values():
        assert not any(np.shares_memory(column, part) for part in drawn.goods)
    assert [part.tobytes() for part in drawn.goods] == before


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
    assert step(of.with_goods(all_moved(of, cover, 2.0)), rows).bits() == step(of, rows).bits()
