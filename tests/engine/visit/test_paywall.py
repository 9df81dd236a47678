"""Paywalls: who is cut off, where, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.randomness import numbered
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.population.attributes import traits
from simulator.population.catalog import draw_catalog
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import bench, compiled_of, edited, number, spoilt, step, threshold

NAME = "news"
WORLD: dict[str, Any] = {"users": 300, "items": 800, "horizon": "3d", "first_fit": "1d", "seed": 3}
KEY = ["user", "case"]
EDITS = {
    "browse.front.outside_option": number(-1, "utility"),  # more is opened
    "user.groups.subscriber.share": number(0.4, "share"), "user.groups.visitor.share": number(0.6, "share"),
    "consume.read.leave_at_sight": number(0.002, "1/s"), "consume.read.leave_judged": number(0.002, "1/s"),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, pd.DataFrame]:
    path = edited(tmp_path_factory.mktemp("wall"), EDITS, NAME)
    return compile_scenario(load_scenario(path)), simulator.run(path, "random", **WORLD).truth


def _plays(compiled: Compiled, truth: pd.DataFrame) -> pd.DataFrame:
    """Ends of plays, with whether they were barred, how long the whole is, and whether they came to a wall."""
    names, seed = compiled.names, WORLD["seed"]
    items = draw_catalog(compiled, WORLD["items"], 3 * 86400.0, seed).items
    barred = traits(compiled, numbered(WORLD["users"]), seed)[:, names.attribute_effects.index("lock")] > 0
    locked = items.attributes[:, names.attributes.index("locked")] > 0
    ends = truth[truth["event"].isin(["read_part", "read_whole"])].copy()
    item, user = ends["item"].to_numpy(dtype=np.int64), ends["user"].to_numpy(dtype=np.int64)
    ends["cut"], ends["whole"] = locked[item] & barred[user], items.state["duration"][item]
    walls = truth[truth["event"] == "paywall"].set_index(KEY)
    ends["wall"] = [key in walls.index for key in ends[KEY].itertuples(index=False, name=None)]
    return ends


def test_who_may_not_read_on_stops_at_the_free_share_and_nobody_else_does(world):
    compiled, truth = world
    ends = _plays(compiled, truth)
    free = load_scenario(NAME).consume["read"].paywall.free.value
    cut, rest = ends[ends["cut"]], ends[~ends["cut"]]
    assert cut["wall"].sum() > 50
    assert not rest["wall"].any()
    assert (cut["event"] == "read_part").all(), "nobody reads the whole of what they get a part of"
    assert (rest["event"] == "read_whole").sum() > 50
    attended = cut[cut["value"] <= free * cut["whole"] + 0.01]
    assert len(attended) / len(cut) > 0.85  # the rest left a page open
    walls = truth[truth["event"] == "paywall"]
    assert walls["value"].to_numpy() == pytest.approx(np.full(len(walls), free))
    depth = truth[truth["event"] == "scroll_depth"].set_index(KEY)["value"]
    assert (depth.loc[list(walls[KEY].itertuples(index=False, name=None))] <= free + 1e-3).all()


def test_a_wall_is_worth_its_weight_to_who_is_cut_off_and_nothing_to_subscribers(world):
    compiled, _ = world
    names = compiled.names
    items = draw_catalog(compiled, WORLD["items"], 3 * 86400.0, WORLD["seed"]).items
    worth = items.attribute_effects[:, names.attribute_effects.index("lock")]
    locked = items.attributes[:, names.attributes.index("locked")] > 0
    assert (worth[locked] < 0).all()
    assert (worth[~locked] > 0).all()
    assert worth[locked].max() - worth[~locked].min() < 0
    mine = traits(compiled, numbered(WORLD["users"]), WORLD["seed"])[:, names.attribute_effects.index("lock")]
    assert set(mine) == {0.0, 1.0}
    assert (mine == 0).mean() == pytest.approx(0.4, abs=0.1)


def test_without_a_wall_in_the_way_a_play_is_what_it_would_be():
    """Whom a wall does not concern decides bit for bit as without one."""
    of = bench(NAME)
    stage = of.compiled.names.stages.index("read")
    rows = threshold(of, stage, 0)
    aside = of.compiled.names.attribute_effects.index("lock")
    users = of.users._replace(traits=of.users.traits.copy())
    users.traits[:, aside] = 0.0
    of = of.__class__(of.compiled, users, of.items, of.seed)
    stages = of.compiled.plan.stages.copy()
    stages["wall"][stage] = -1
    assert step(of, rows).bits() == step(of.with_plan(stages=stages), rows).bits()


def test_what_is_behind_the_wall_stays_unknown_to_who_stops_before_they_know():
    of = bench(NAME)
    stage = of.compiled.names.stages.index("read")
    stages = of.compiled.plan.stages.copy()
    for key in ("leave_at_sight", "leave_judged", "leave_known", "tolerate", "seek", "unattended"):
        stages[key][stage] = 1e-9
    stages["free"][stage] = 0.05
    items = of.items._replace(attributes=of.items.attributes.copy())
    items.attributes[:, compiled_of(NAME).names.attributes.index("locked")] = 1.0
    users = of.users._replace(traits=np.ones_like(of.users.traits))
    of = of.__class__(of.compiled, users, items, of.seed).with_plan(stages=stages)
    after = step(of, threshold(of, stage, 0)).rows
    assert (after["walled"] == 1).all()
    assert (after["outcome"] == 1).all()
    assert (after["known"] == 0).mean() > 0.9
    durations = items.state["duration"][after["item"]]
    assert after["watched"] == pytest.approx(0.05 * durations, abs=2e-3)


# ---- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("consume.read.paywall.modality", "lok", "consume.read.paywall.modality names lok"),
        (
            "consume.read.paywall.modality",
            "headline",
            "consume.read.paywall.modality = headline; expected an attribute",
        ),
        (
            "consume.read.paywall.modality",
            "age",
            "consume.read.paywall.modality = age; expected an attribute with a trait",
        ),
        ("modalities.age.trait", "barred", None),
        ("consume.read.paywall.event", "wall", "observation.wall is missing"),
        ("item_types.sport.attributes.locked.p", 1.0, "item_types.sport.attributes.locked.p = 1"),
        ("item_types.sport.attributes.locked.low", 0.5, "bernoulli takes only p"),
        ("consume.read.pause", number(0.5, "probability"), "stages.read.next.pause is missing"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(tmp_path, path, value, line):
    def checked() -> None:
        scenario = load_scenario(spoilt(tmp_path, path, value, NAME))
        check_scenario(scenario)
        compile_scenario(scenario)

    if line is None:
        checked()
        return
    with pytest.raises(InputError) as error:
        checked()
    assert line in str(error.value)
    assert "\n" not in str(error.value)
