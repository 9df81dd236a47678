"""Ends of plays: leaving by the share that was played, plays that begin again, and what nobody looks at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simulator.engine.tables.tables import AtEnd, Draw
from simulator.engine.visit.consume import COMPLETE, SKIP
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import Bench, as_uniform, bench, decision, from_table, mixed, number, spoilt, step, threshold

NAME, STAGE, SLOT = "shortvideo", "watch", 0
HARDLY = 1e-9
RATE = 0.05


def stage_of(of: Bench) -> int:
    return of.compiled.names.stages.index(STAGE)


def played(of: Bench, steps: list[tuple[float, float]], at_end: AtEnd = AtEnd.UNSAID, away: float = 0.0, **more: float):
    """A play of each user whom nothing but these steps drives away."""
    stages = of.compiled.plan.stages.copy()
    rare = ("leave_at_sight", "leave_judged", "leave_known", "tolerate", "seek")
    alike = dict.fromkeys(("judgment_sensitivity", "truth_sensitivity"), 0.0)
    numbers = {**dict.fromkeys(rare, HARDLY), **alike, "unattended": away, "loop_log_odds": -40.0, "at_end": at_end}
    numbers |= {"first_share": 0, "n_shares": len(steps), **more}
    for key, value in numbers.items():
        stages[key][stage_of(of)] = value
    of = of.with_plan(stages=stages, leave_by_share=np.array(steps, dtype=float).reshape(-1, 2))
    rows = threshold(of, stage_of(of), 0)
    after = step(of, rows).rows
    return of, rows.state, after, of.items.state["duration"][after["item"]].astype(float)


def drawn(of: Bench, v: np.ndarray, what: Draw) -> np.ndarray:
    """The keyed uniforms of a play's decision."""
    return as_uniform(decision(mixed(v["decisions"], 2), v["request"], v["slot"], what))


def times(of: Bench, v: np.ndarray, duration: np.ndarray, after: float, rate: float) -> np.ndarray:
    """When each would leave by one hazard from a part of the duration on."""
    lived_through = -np.log1p(-drawn(of, v, Draw.LEAVE_BY_SHARE))
    kinds = of.compiled.plan.types["leaving"][of.items.state["type"][v["item"]]]
    return after * duration + lived_through * of.users.state["patience"] / kinds / rate


@pytest.mark.parametrize("after", [0.5, 0.95])
def test_a_hazard_may_begin_at_a_part_of_the_play(after):
    of, v, found, duration = played(bench(NAME), [(after, RATE)])
    leaves = times(of, v, duration, after, RATE)
    assert found["watched"] == pytest.approx(np.minimum(leaves, duration), abs=2e-3)
    assert np.array_equal(found["outcome"], np.where(leaves >= duration, COMPLETE, SKIP))
    assert 0.02 < (found["outcome"] == SKIP).mean() < 0.9


def test_a_play_that_begins_again_goes_on_until_its_viewer_leaves():
    most = 3
    of, v, found, duration = played(bench(NAME), [(1.0, RATE)], AtEnd.AGAIN, loops_at_most=most)
    leaves = times(of, v, duration, 1.0, RATE)
    assert found["watched"] == pytest.approx(np.minimum(leaves, (1 + most) * duration), abs=2e-3)
    assert (found["outcome"] == COMPLETE).all()
    # so short plays are seen twice, and long ones are not
    twice, short = found["watched"] > 2 * duration, duration < np.median(duration)
    assert twice[short].mean() > twice[~short].mean() + 0.15


def test_who_leaves_before_the_judgment_has_read_nothing():
    _, v, found, _ = played(bench(NAME), [(1e-3, 5.0)])
    alone = v["picked"] == 0
    gone = alone & (found["watched"] < 0.5)
    assert gone.mean() > 0.2
    assert (found["judged"][gone] == 0).all()
    assert np.isnan(found["belief"][gone]).all()
    assert (found["judged"][~alone] == 1).all()


def test_patience_and_contexts_count_as_for_the_other_hazards():
    of = bench(NAME)
    _, _, calm, duration = played(of, [(0.5, RATE)])
    users = of.users._replace(state=of.users.state.copy())
    users.state["patience"] /= 4.0
    _, _, hasty, _ = played(Bench(of.compiled, users, of.items, of.seed), [(0.5, RATE)])
    early = calm["outcome"] == SKIP
    assert hasty["watched"][early] - 0.5 * duration[early] == pytest.approx(
        (calm["watched"][early] - 0.5 * duration[early]) / 4.0, abs=2e-3
    )


# ---- nobody looks: hazards are of those who do


@pytest.mark.parametrize("at_end", list(AtEnd))
def test_what_nobody_looks_at_ends_with_its_item_only_where_the_next_one_starts(at_end):
    short = bench(NAME).items.state.copy()
    short["duration"] /= 8.0  # most are over before somebody looks again
    of, v, found, duration = played(
        bench(NAME).with_items(bench(NAME).items._replace(state=short)), [], at_end, away=1.0
    )
    seconds = of.compiled.plan.stages["unattended_seconds"][stage_of(of)]
    away = from_table(
        of.compiled.plan.quantiles[seconds], decision(mixed(v["decisions"], 2), 2, SLOT, Draw.UNATTENDED_SECONDS)
    )
    assert (found["unattended"] == 1).all()
    expected = np.minimum(away, duration) if at_end == AtEnd.NEXT else away
    assert found["watched"] == pytest.approx(expected, abs=2e-3)
    assert np.array_equal(found["outcome"] == COMPLETE, away >= duration)
    assert (away > 1.5 * duration).mean() > 0.3


def test_hazards_are_of_those_who_attend_and_of_nobody_else():
    """What makes attending viewers leave sooner changes nothing of plays that nobody looks at."""
    of = bench(NAME)
    still = played(of, [], away=0.5)[2]
    driven = played(of, [(0.1, 1.0)], away=0.5, leave_at_sight=1.0, leave_judged=1.0, leave_known=1.0, tolerate=0.5)[2]
    away = still["unattended"] == 1
    assert 0.4 < away.mean() < 0.6
    assert np.array_equal(away, driven["unattended"] == 1)
    assert np.array_equal(still["watched"][away], driven["watched"][away])
    assert driven["watched"][~away].mean() < 0.5 * still["watched"][~away].mean()


def test_a_play_that_is_continued_has_the_hazards_of_what_is_left():
    of = bench("audio")
    stage = of.compiled.names.stages.index("listen")
    stages = of.compiled.plan.stages.copy()
    stages["leave_known"][stage], stages["pause"][stage] = HARDLY, 0.0
    stages["first_share"][stage], stages["n_shares"][stage] = 0, 1
    of = of.with_plan(stages=stages, leave_by_share=np.array([[0.25, 0.01]]))
    rows = threshold(of, stage, 0)
    v = rows.state
    duration = of.items.state["duration"][v["item"]].astype(float)
    v["resumed"] = np.where(np.arange(len(v)) % 2 == 0, 0.1, 0.6) * duration
    v["picked"] = 1
    after = step(of, rows).rows
    begins = np.maximum(v["resumed"], 0.25 * duration)
    kinds = of.compiled.plan.types["leaving"][of.items.state["type"][v["item"]]]
    lived_through = -np.log1p(-drawn(of, v, Draw.LEAVE_BY_SHARE))
    leaves = begins + lived_through * of.users.state["patience"] / kinds / 0.01
    assert after["watched"] == pytest.approx(np.minimum(leaves, duration), rel=1e-5, abs=2e-3)
    assert 0.2 < (after["outcome"] == SKIP).mean() < 0.95


# ---- as a scenario says it


def steps_of(*steps: tuple[float, float]) -> list[dict[str, object]]:
    return [{"after": number(after, "ratio"), "hazard": number(hazard, "1/s")} for after, hazard in steps]


def test_as_a_scenario_says_it(tmp_path):
    path = spoilt(tmp_path, "consume.listen.leave_by_share", steps_of((0.5, 0.01), (0.9, 0.2)), "audio")
    compiled = compile_scenario(load_scenario(path))
    row = compiled.plan.stages[compiled.names.stages.index("listen")]
    own = compiled.plan.leave_by_share[row["first_share"] : row["first_share"] + row["n_shares"]]
    assert own.tolist() == [[0.5, 0.01], [0.9, 0.2]]


@pytest.mark.parametrize(("word", "code"), [("next", AtEnd.NEXT), ("again", AtEnd.AGAIN)])
def test_what_follows_an_end_as_a_scenario_says_it(tmp_path, word, code):
    content = json.loads(spoilt(tmp_path, "consume.listen.at_end", word, "audio").read_text())
    if word == "again":
        del content["consume"]["listen"]["loop"], content["consume"]["listen"]["loop_sensitivity"]
    (tmp_path / "edited.yaml").write_text(json.dumps(content))
    compiled = compile_scenario(load_scenario(tmp_path / "edited.yaml"))
    assert compiled.plan.stages["at_end"][compiled.names.stages.index("listen")] == code


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("leave_by_share", steps_of((0.9, 0.1), (0.5, 0.1)), "after = [0.9, 0.5]; expected rising numbers"),
        ("leave_by_share", steps_of((0.9, 0.1), (1.5, 0.1)), "after = 1.5; expected less than 1 without"),
        ("at_end", "again", "consume.listen.loop; not needed with consume.listen.at_end = again"),
        ("loop", None, "consume.listen.loop is missing; needed without"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, key, value, line):
    path = spoilt(tmp_path, f"consume.listen.{key}", value, "audio")
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(path))
    assert line in str(error.value)


def test_a_text_does_not_begin_again(tmp_path):
    path = spoilt(tmp_path, "consume.read.at_end", "again", "news")
    with pytest.raises(InputError, match=r"consume.read.at_end = again; expected next"):
        check_scenario(load_scenario(path))
