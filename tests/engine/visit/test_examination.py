"""How far down a list users look: anew on each screen or over the whole list, and visits that are but one look."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.tables.tables import RANKS, Draw, Status
from simulator.engine.visit.browse import LEAVE
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.scenario.checks.blocks import browse
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import Bench, as_uniform, bench, compiled_of, decision, number, spoilt, step, threshold

NAME, STAGE = "ecommerce", "search"
SKIM, DECAY = 0.9, 0.6
CURVE = SKIM * np.arange(1, RANKS + 1) ** -DECAY


def stage_of(of: Bench) -> int:
    return of.compiled.names.stages.index(STAGE)


def with_stage(of: Bench, **columns: float) -> Bench:
    """The same bench with numbers of the stage replaced; all that is looked at is read, and nothing is good enough."""
    stages, skim, demands = (getattr(of.compiled.plan, key).copy() for key in ("stages", "skim", "demands"))
    skim[stage_of(of)], demands[stage_of(of)] = CURVE, 40.0
    for key, value in {"read": 1.0, **columns}.items():
        stages[key][stage_of(of)] = value
    return of.with_plan(stages=stages, skim=skim, demands=demands)


def looked_at(of: Bench, position: int, above: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a screen that begins at a place of its slate: who looked at which card, and the uniforms that decided it."""
    rows = threshold(of, stage_of(of), 0)
    rows.state["position"], rows.state["above"] = position, above
    cards = step(of, rows).records
    cards = cards[cards["event"] == of.compiled.names.codes["impression"]]
    size, n = 4, len(rows.state)
    assert len(cards) == size * n
    found = ~np.isnan(cards["belief"].reshape(n, size))
    slots = position + np.arange(size)
    draws = as_uniform(decision(rows.state["decisions"][:, None], 2, slots[None, :], Draw.SKIM))
    return found, draws


@pytest.mark.parametrize(("position", "above"), [(0, 0), (4, 0), (40, 0), (8, 96), (44, 3000)])
def test_the_skim_falls_over_the_whole_list(position, above):
    of = with_stage(bench(NAME), over_list=1)
    found, draws = looked_at(of, position, above)
    rank = np.minimum(above + position + np.arange(4), RANKS - 1)
    assert np.array_equal(found, draws < CURVE[rank])


@pytest.mark.parametrize("position", [0, 4, 40])
def test_or_anew_on_each_screen(position):
    found, draws = looked_at(with_stage(bench(NAME), over_list=0), position, 48)
    assert np.array_equal(found, draws < CURVE[:4])


def test_what_a_whole_list_is_looked_at_is_survival_times_skim():
    """Users who go on with probability c have looked at the card of rank r with c^(screens before it) skim r^-decay."""
    of = with_stage(bench(NAME), over_list=1, carries_on=0.7)
    rows = threshold(of, stage_of(of), 0)
    begun = len(rows.state)
    seen = np.zeros(16)
    for screen in range(4):
        after = step(of, rows)
        cards = after.records[after.records["event"] == of.compiled.names.codes["impression"]]
        seen[4 * screen : 4 * screen + 4] = (~np.isnan(cards["belief"])).reshape(-1, 4).sum(axis=0)
        on = after.rows["stage"] == stage_of(of)
        rows = type(rows)(*(table[on] for table in (after.rows, *rows[1:])))
        rows.state["clock"] = 36000.0
    expected = 0.7 ** (np.arange(16) // 4) * CURVE[:16]
    assert np.all(np.abs(seen / begun - expected) < 4.5 * np.sqrt(expected * (1 - expected) / begun))


@pytest.mark.parametrize(
    ("stage", "slate_stage", "above"),
    [(STAGE, STAGE, 96), (STAGE, "home", 0), ("also", "also", 0)],
    ids=["the same list goes on", "after another list", "next to another item"],
)
def test_a_slate_that_follows_goes_on_with_its_list_or_begins_one(stage, slate_stage, above):
    of = bench(NAME)
    names = of.compiled.names
    rows = threshold(of, names.stages.index(stage), 0)
    rows.state["slate_stage"] = names.stages.index(slate_stage)
    rows.state["slate_n"], rows.state["position"], rows.state["above"] = 0, 48, 48  # it has been used up
    after = step(of, rows).rows
    assert (after["status"] == Status.NEEDS_SLATE).all()
    assert (after["above"] == above).all()


# ---- a look, and no more


def looking(share: float, request: int = 1, position: int = 0):
    of = bench(NAME)
    seconds = of.compiled.plan.stages["hesitation_seconds"].max()  # any other table
    of = with_stage(of, look_and_leave=share, look_seconds=seconds)
    rows = threshold(of, stage_of(of), 0)
    rows.state["request"], rows.state["position"] = request, position
    return of, rows, step(of, rows)


def test_who_only_looks_sees_a_screen_judges_nothing_and_leaves():
    of, rows, after = looking(0.4)
    names = of.compiled.names
    draws = as_uniform(decision(rows.state["decisions"], 1, 0, Draw.LOOK_AND_LEAVE))
    only = draws < 0.4
    assert 0.3 < only.mean() < 0.5
    cards = after.records[after.records["event"] == names.codes["impression"]]
    read = np.zeros(len(only), dtype=int)
    np.add.at(read, cards["user"], ~np.isnan(cards["belief"]))
    assert np.bincount(cards["user"], minlength=len(only))[only].tolist() == [4] * only.sum()
    assert (cards["attended"][np.isin(cards["user"], np.flatnonzero(only))] == 0).all()
    assert not read[only].any()
    assert read[~only].mean() > 1.0
    assert (after.rows["stage"][only] == compiled_of(NAME).plan.alternatives[stage_of(of), LEAVE, 0] % 256).all()
    seconds = of.compiled.plan.quantiles[int(of.compiled.plan.stages["look_seconds"][stage_of(of)])]
    stayed = (after.rows["clock"] - 36000.0)[only]
    assert stayed.mean() == pytest.approx(seconds.mean(), rel=0.3)


@pytest.mark.parametrize(("request_number", "position"), [(2, 0), (1, 4)], ids=["a later list", "a later screen"])
def test_only_at_the_first_screen_of_a_visit(request_number, position):
    of, rows, after = looking(1.0, request_number, position)
    assert after.bits() == step(with_stage(of, look_and_leave=0.0), rows).bits()


# ---- as a scenario says it


def test_as_a_scenario_says_it(tmp_path):
    """Each key alone, at a stage that has neither."""
    seconds = {"dist": "constant", "value": 2, "unit": "s", "from": "estimate"}
    look = {"share": number(0.2, "probability"), "seconds": seconds}
    for key, value, over, share in (("decays_over", "list", 1, 0.0), ("look_and_leave", look, 0, 0.2)):
        compiled = compile_scenario(load_scenario(spoilt(tmp_path / key, f"browse.also.{key}", value, NAME)))
        row = compiled.plan.stages[compiled.names.stages.index("also")]
        assert (row["over_list"], row["look_and_leave"]) == (over, share)
        assert not share or (compiled.plan.quantiles[row["look_seconds"]] == 2.0).all()
    usual = compiled_of(NAME).plan.stages[compiled_of(NAME).names.stages.index("also")]
    assert (usual["over_list"], usual["look_and_leave"]) == (0, 0.0)


def test_a_menu_is_no_first_screen(tmp_path):
    seconds = {"dist": "constant", "value": 2, "unit": "s", "from": "estimate"}
    look = {"share": number(0.2, "probability"), "seconds": seconds}
    path = spoilt(tmp_path, "browse.menu.look_and_leave", look, "fooddelivery")
    with pytest.raises(InputError, match=r"browse.menu.look_and_leave.*expected none: a menu"):
        check_scenario(load_scenario(path))


def test_a_look_takes_nothing_so_it_has_no_picks(tmp_path):
    seconds = {"dist": "constant", "value": 2, "unit": "s", "from": "estimate"}
    look = {"share": number(0.2, "probability"), "seconds": seconds}
    path = spoilt(tmp_path, "browse.menu.look_and_leave", look, "fooddelivery")
    assert ("browse.menu.look_and_leave beside picks", "expected one of the two") in list(browse(load_scenario(path)))


def test_a_wrong_word_is_named(tmp_path):
    path = spoilt(tmp_path, f"browse.{STAGE}.decays_over", "lists", NAME)
    with pytest.raises(InputError, match=r"decays_over = lists; did you mean list"):
        load_scenario(path)
