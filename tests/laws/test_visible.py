"""Law 1, second half: what is visible and attended to moves the beliefs of all who attend, in the way derived."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.tables.tables import Layout, StageKind, Status
from tests.laws.by_hand import basket_by_hand, belief_by_hand
from tests.laws.changes import appeal_moved, bias_moved, content_moved, made_better, number_moved
from tests.laws.harness import CLOCK, After, Bench, bench, step, threshold
from tests.laws.screens import READ, Case, label, of_kind

SKIP = 1
FIRST = 10
"""Number, among what the stage can show, of the item on the first card of everybody's screen."""


def _judged(of: Bench, stage: int, after: After) -> list[tuple[int, int, int, float]]:
    """(user, item, attended mask, belief) of everybody who formed a belief in a step."""
    kind = of.compiled.plan.stages["kind"][stage]
    if kind == StageKind.BROWSE:
        seen = _cards(of, stage, after)
        seen = seen[~np.isnan(seen["belief"])]
        return list(zip(seen["user"], seen["item"], seen["attended"], seen["belief"], strict=True))
    v = after.rows
    if of.holds_baskets(stage):
        read = np.bitwise_or.reduce(np.where(after.menu["taken"] == 1, after.menu["attended"], 0), axis=1)
        return list(zip(v["user"], v["item"], v["attended"] | read, v["belief"], strict=True))
    formed = v["judged"] == 1 if kind == StageKind.CONSUME else np.ones(len(v), dtype=bool)
    return list(zip(v["user"][formed], v["item"][formed], v["attended"][formed], v["belief"][formed], strict=True))


def _cards(of: Bench, stage: int, after: After) -> np.ndarray:
    """The cards that were looked over, examined or not."""
    row = of.compiled.plan.stages[stage]
    return after.records[after.records["event"] == row["card_event"]]


def _derived(of: Bench, stage: int, judged: tuple[int, int, int, float], after: After) -> float:
    """The belief of `_judged` in closed form."""
    user, item, attended = (int(each) for each in judged[:3])
    if of.holds_baskets(stage):
        return basket_by_hand(of, user, item, int(after.rows["attended"][user]), after.menu[user])
    return belief_by_hand(of, user, item, attended, _glance(of, stage), _clock(of, stage))[0]


def _glance(of: Bench, stage: int) -> float:
    row = of.compiled.plan.stages[stage]
    return float(row["glance"]) if row["kind"] == StageKind.CONSUME else 1.0


def _clock(of: Bench, stage: int) -> float:
    row = of.compiled.plan.stages[stage]
    return CLOCK + (float(row["start_delay"]) if row["kind"] == StageKind.CONSUME else 0.0)


def _changes(case: Case) -> list:
    return [number_moved] if case.shows_number else [content_moved, bias_moved]


BELIEFS = [
    pytest.param(
        case, change, id=f"{label(case)}-{change.__name__}",
    )
    for case in READ if case.says for change in _changes(case)
]  # fmt: skip


@pytest.mark.parametrize(("case", "change"), BELIEFS)
def test_every_attending_belief_moves_as_derived(case, change):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    stepped = step(of, rows, whole=False)
    before = _judged(of, stage, stepped)
    sign = _sign(of, case)
    for by in (-2.0, 2.0):
        moved = of.with_items(change(of, modality, by))
        after = _judged(moved, stage, step(moved, rows, whole=False))
        if (
            case.kind == StageKind.BROWSE
        ):  # a better first card of a list is taken, and what is below is never looked at
            both = {row[:2] for row in before} & {row[:2] for row in after}
            before_both = [row for row in before if row[:2] in both]
            after = [row for row in after if row[:2] in both]
        else:
            before_both = before
        # whom the change reaches, and what they attend to, does not depend on the change
        assert [row[:3] for row in before_both] == [row[:3] for row in after]
        attending = [k for k, row in enumerate(before_both) if int(row[2]) >> modality & 1]
        others = [k for k, row in enumerate(before_both) if not int(row[2]) >> modality & 1]
        assert len(attending) > 10
        assert all(before_both[k][3] == after[k][3] for k in others)
        for k in attending[:40]:
            belief = before_both[k][3]
            derived = [_derived(each, stage, before_both[k], stepped) for each in (of, moved)]
            assert belief == pytest.approx(derived[0], abs=1e-4)
            assert after[k][3] == pytest.approx(derived[1], abs=1e-4)
            if abs(derived[1] - derived[0]) > 2e-4:
                assert np.sign(after[k][3] - belief) == np.sign(derived[1] - derived[0])
        shifts = np.array([after[k][3] - before_both[k][3] for k in attending])
        if (
            case.shows_number
        ):  # a number that does not matter to a user at all (a paywall, to a subscriber) moves nothing
            concerned = _concerned(of, case, np.array([before_both[k][0] for k in attending]))
            assert (shifts[~concerned] == 0.0).all()
            shifts = shifts[concerned]
            assert len(shifts) > 10
        if change is content_moved:
            assert (shifts != 0.0).mean() > 0.99
        else:
            assert (np.sign(shifts) == np.sign(by) * (sign or 1)).all()


def _concerned(of: Bench, case: Case, users: np.ndarray) -> np.ndarray:
    aside = of.compiled.names.attribute_effects.index(case.modality_name)
    return of.users.traits[users.astype(np.int64), aside] != 0.0


def _sign(of: Bench, case: Case) -> int:
    shown = of.compiled.scenario.modalities[case.modality_name]
    return int(np.sign(shown.weight.value)) if case.shows_number else 0


@pytest.mark.parametrize("case", [case for case in READ if not case.says], ids=label)
def test_a_count_that_tells_nothing_moves_nothing(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    before = step(of, rows)
    moved = step(of.with_items(bias_moved(of.with_items(content_moved(of, modality, 2.0)), modality, 2.0)), rows)
    assert moved.bits() == before.bits()


@pytest.mark.parametrize("case", READ, ids=label)
def test_appeal_moves_no_belief(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    moved = of.with_items(appeal_moved(of, modality, 2.0))
    before = {row[:2]: row[2:] for row in _judged(of, stage, step(of, rows, whole=False))}
    after = {row[:2]: row[2:] for row in _judged(moved, stage, step(moved, rows, whole=False))}
    both = before.keys() & after.keys()
    assert len(both) > 50
    assert all(before[each] == after[each] for each in both)


def _eye_catching(of: Bench, stage: int, modality: int) -> Bench:
    """The same screen, every card read, one modality attended to by everybody at no cost."""
    stages, modalities = of.compiled.plan.stages.copy(), of.compiled.plan.modalities.copy()
    stages["read"][stage] = 1.0
    modalities["salience"][modality], modalities["reading"][modality] = 1.0, 0.0
    facts = of.items.state.copy()
    facts["missing"][of.shown(stage)[FIRST]] = 0
    return of.with_plan(stages=stages, modalities=modalities).with_items(of.items._replace(state=facts))


def _first_card(of: Bench, stage: int, device: int, slate: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Who picks the first card, the share that is derived from the beliefs, and its standard error."""
    plan = of.compiled.plan
    row, user_params = plan.stages[stage], plan.user_params[0]
    after = step(of, threshold(of, stage, device, slate))
    cards, n = _cards(of, stage, after), len(after.rows)
    top = int(cards["position"].min())  # a menu's places are behind those of the slate
    examined = ~np.isnan(cards["belief"])
    enough = int(plan.suffices["event"][stage])
    if enough >= 0:  # a headline that was enough is not opened
        done = after.records[after.records["event"] == enough]
        examined &= ~np.isin(
            cards["user"].astype(np.int64) * 64 + cards["position"], done["user"] * 64 + done["position"]
        )
    # satiation as the rows of the bench have it, faded to now
    fading = np.exp(-300.0 / float(user_params["satiation_recovery"]))
    topics = of.items.state["topic"][cards["item"]].astype(np.int64)
    tired = (
        float(user_params["satiation_weight"])
        * fading
        * of.users.satiation_trust[cards["user"].astype(np.int64), int(user_params["first_topic"]) + topics]
    )
    appeal = sum(
        ((cards["attended"] >> m) & 1) * of.items.bias_appeal[cards["item"], of.modalities + m]
        for m in range(of.modalities)
    )
    attraction = cards["belief"] - float(row["risk_aversion"]) * cards["belief_sd"] - tired + appeal
    odds = np.where(
        examined, np.exp((attraction - float(plan.demands[stage, device, 0])) / float(row["temperature"])), 0.0
    )
    first = np.zeros(n)
    first[cards["user"][cards["position"] == top]] = odds[cards["position"] == top]
    # a list is judged card by card from the top, a grid is compared as a whole
    rivals = np.bincount(cards["user"], odds, n) if row["layout"] == Layout.GRID else first
    derived = first / (1.0 + rivals)
    picked = (after.rows["stage"] != stage) & (after.rows["status"] == Status.ACTIVE) & (after.rows["slot"] == top)
    picked &= after.rows["picked"] == 1
    if row["picks"] >= 0:
        taken = after.records[(after.records["event"] == row["pick_event"]) & (after.records["position"] == top)]
        picked = np.isin(np.arange(n), taken["user"])
    return picked, float(derived.mean()), float(np.sqrt((derived * (1.0 - derived)).sum())) / n


SHARES = [
    pytest.param(case, change, id=f"{label(case)}-{change.__name__}")
    for case in READ if case.kind == StageKind.BROWSE
    for change in ([made_better, appeal_moved] if case.says else [appeal_moved])
]  # fmt: skip


@pytest.mark.parametrize(("case", "change"), SHARES)
def test_shares_of_cards_go_the_derived_way(case, change):
    name, stage, device, modality = case
    of = _eye_catching(bench(name, users=4000), stage, modality)
    size = int(of.compiled.plan.stages["slate"][stage])
    items = of.shown(stage)[FIRST : FIRST + size]
    slate = np.tile(items, (len(of.users.state), 1))
    who, shares = [], []
    for by in (-2.0, 0.0, 2.0):
        picked, derived, error = _first_card(
            of.with_items(change(of, modality, by, [int(items[0])])), stage, device, slate
        )
        assert abs(picked.mean() - derived) < 4.5 * error
        who.append(picked)
        shares.append(derived)
    assert shares[0] < shares[1] < shares[2]
    # the first card's part of the unit interval grows at both ends, so nobody is lost
    assert (who[0] <= who[1]).all()
    assert (who[1] <= who[2]).all()
    assert who[0].sum() < who[2].sum()


def _open_to_persuasion(of: Bench, rows, stage: int, modality: int) -> Bench:
    """The same stage, one modality attended to by everybody, and a demand that about half of them find met."""
    of = _eye_catching(of, stage, modality)
    demands = of.compiled.plan.demands.copy()
    belief = np.array([row[3] for row in _judged(of, stage, step(of, rows, whole=False))])
    demands[stage] = np.median(belief)
    return of.with_plan(demands=demands)


def _passed(of: Bench, case: Case, by: float) -> np.ndarray:
    """Who goes on from a closer look, or confirms, when a modality says something better by `by`."""
    rows = threshold(of, case.stage, case.device)
    after = step(of.with_items(made_better(of, case.modality, by)), rows)
    if case.kind == StageKind.COMMIT:
        return np.isin(np.arange(len(after.rows)), after.messages["user"])
    rejected = after.records["user"][after.records["event"] == of.compiled.names.codes["reject"]]
    return ~np.isin(np.arange(len(after.rows)), rejected)


@pytest.mark.parametrize("case", of_kind(StageKind.INSPECT) + of_kind(StageKind.COMMIT), ids=label)
def test_a_closer_look_and_a_decision_are_passed_by_whom_they_persuade(case):
    of = bench(case.name, users=4000)
    shipped = [_passed(of, case, by) for by in (-2.0, 0.0, 2.0)]
    of = _open_to_persuasion(of, threshold(of, case.stage, case.device), case.stage, case.modality)
    open_minded = [_passed(of, case, by) for by in (-2.0, 0.0, 2.0)]
    for lower, before, higher in (shipped, open_minded):
        # one uniform decides, so a better belief can only turn a no into a yes
        assert (lower <= before).all()
        assert (before <= higher).all()
    assert open_minded[0].sum() < open_minded[1].sum() < open_minded[2].sum()


@pytest.mark.parametrize("case", of_kind(StageKind.CONSUME), ids=label)
def test_plays_are_left_later_by_whom_they_persuade(case):
    of = bench(case.name, users=4000)
    stages = of.compiled.plan.stages.copy()
    stages["tolerate"], stages["seek"] = 0.0, 0.0  # both end a play at a time that no belief sets
    stages["wall"] = -1  # which stops whoever comes to it, whether they saw it or not
    of = of.with_plan(stages=stages)
    rows = threshold(of, case.stage, case.device)
    if case.shows_number:  # what is picked is worth what it was when it was picked
        rows.state["picked"] = 1

    def plays(by: float) -> np.ndarray:
        return step(of.with_items(made_better(of, case.modality, by)), rows).rows

    lower, before, higher = plays(-2.0), plays(0.0), plays(2.0)
    attending = (before["attended"] >> case.modality & 1 == 1) & (before["judged"] == 1)
    for worse, better in ((lower, before), (before, higher)):
        assert (worse["watched"] <= better["watched"]).all()
        assert (worse["watched"][~attending] == better["watched"][~attending]).all()
        assert (worse["watched"][attending] < better["watched"][attending]).any()
        assert (worse["outcome"] == SKIP).sum() >= (better["outcome"] == SKIP).sum()
    assert (lower["outcome"] == SKIP).sum() > (higher["outcome"] == SKIP).sum()


@pytest.mark.parametrize("case", [case for case in of_kind(StageKind.CONSUME) if not case.shows_number], ids=label)
def test_the_scenario_as_shipped_is_skipped_less_when_it_persuades(case):
    of = bench(case.name, users=4000)
    rows = threshold(of, case.stage, case.device)
    skipped = [
        int((step(of.with_items(bias_moved(of, case.modality, by)), rows).rows["outcome"] == SKIP).sum())
        for by in (-10.0, 10.0)  # by much, because the ends of few plays hang on the least of what is visible
    ]
    assert skipped[0] > skipped[1]
