"""A/B tests inside one platform beside two worlds: measures of groups, effects, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import simulator
from analysis import abtest, kept_worlds
from analysis.__main__ import main
from analysis.abtest import compared, live, measured, measures_of, plan
from recommenders.compose.ab import is_treated
from simulator.scenario.load import load_scenario

SCENARIO = "fooddelivery"
SMALL = {"users": 200, "items": 200, "horizon": "1d", "first_fit": "4h", "scenario.user.first_arrival.high": 1}
POPULAR, LUCK = "recommender=popularity", "recommender=random"


def test_what_is_measured_of_everybody_is_what_the_run_measures():
    result = simulator.run(SCENARIO, "random", seed=3, **SMALL)
    names = measures_of(load_scenario(SCENARIO))
    assert {"order_per_visit", "late_share", "mean_done", "satisfaction"} <= set(names)
    found = {name: measured(result.truth, 200, name) for name in names}
    assert found["order_per_visit"] > 0
    assert found == pytest.approx({name: result.metrics[name] for name in names}, rel=1e-3, nan_ok=True)
    assert measured(result.truth, 200, "visits_per_user") == result.metrics["visits"] / 200
    assert np.isnan(measured(result.truth[:0], 0, "order_per_visit"))


def test_groups_of_one_world_are_told_apart_by_share_and_seed():
    names, worlds = plan(SCENARIO, POPULAR, LUCK, [5], SMALL, ["order_per_visit", "visits_per_user"], 0.3)
    assert [world.place for world in worlds] == ["worlds/inside-s5", "worlds/control-s5", "worlds/treated-s5"]
    found = live(worlds[0])
    settings = {key: value for key, value in worlds[0].settings.items() if key != "recommender"}
    truth = simulator.run(SCENARIO, "ab", **settings).truth
    dealt = is_treated(truth["user"].to_numpy(dtype=np.int64), 0.3, 5)
    users = int(is_treated(np.arange(200), 0.3, 5).sum())
    visits = len(truth.loc[dealt, ["user", "session"]].drop_duplicates())
    assert found["treated/visits_per_user"] == visits / users
    assert set(found) == {f"{group}/{name}" for group in ("treated", "control") for name in names}


def test_effects_and_their_gap_are_those_of_hand():
    """Everybody waits one second more for each share that is treated; the treated rate one star more."""
    found: dict[str, kept_worlds.Measures] = {}
    for seed in (0, 1, 2):
        luck = seed**2
        found[f"worlds/inside-s{seed}"] = {"treated/wait": luck + 0.5, "control/wait": luck + 0.5,
                                           "treated/stars": 4.0, "control/stars": 3.0 if seed else None}  # fmt: skip
        found[f"worlds/control-s{seed}"] = {"wait": luck + 0.0, "stars": 3.0}
        found[f"worlds/treated-s{seed}"] = {"wait": luck + 1.0, "stars": 4.0}
    wait, stars = compared(found, ["wait", "stars"], [0, 1, 2]).to_dict("records")
    assert (wait["one_world"], wait["two_worlds"], wait["gap"], wait["pairs"]) == (0, 1, -1, 3)
    assert (wait["gap_low"], wait["gap_high"]) == (-1, -1)
    assert (stars["one_world"], stars["two_worlds"], stars["gap"], stars["pairs"]) == (1, 1, 0, 2)


def test_the_command_prints_and_writes_its_table_and_keeps_worlds(capsys, tmp_path, monkeypatch):
    words = ["abtest", f"scenario={SCENARIO}", f"treatment={POPULAR}", f"control={LUCK}", "seed=1,2", "workers=1"]
    words += [f"{key}={value}" for key, value in SMALL.items()] + [f"output={tmp_path / 'out'}"]
    assert main([*words, "measures=order_per_visit,visits_per_user"]) == 0
    out = capsys.readouterr().out
    assert "gap: the effect in one world less that between two" in out
    table = pd.read_csv(tmp_path / "out" / "abtest.csv")
    assert table["measure"].tolist() == ["order_per_visit", "visits_per_user"]
    assert np.allclose(table["gap"], table["one_world"] - table["two_worlds"])
    monkeypatch.setattr(abtest, "live", None)  # nothing is run again
    assert main([*words, "measures=order_per_visit,visits_per_user"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"treatment": None}, "no treatment is given"),
        ({"treatment": "hide=price"}, "hide=price: hide cannot be done to some users of one platform yet"),
        ({"treatment": "recommender=itemknn+horizon=2d"}, "horizon cannot be done to some users of one platform yet"),
        ({"treatment": LUCK}, "both groups get random; expected two recommenders"),
        ({"treatment": "recommender=popularty"}, "unknown recommender 'popularty'; did you mean popularity?"),
        ({"treatment": "recommender=utility-oracle"}, "'utility-oracle' is not known"),
        ({"measures": "creator_exposure_gini"}, "creator_exposure_gini cannot be told of a group of users"),
        ({"share": "1"}, "share = 1"),
        ({"usrs": "4"}, "unknown setting 'usrs'; did you mean users?"),
        ({"users": "0"}, "users = 0"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    all_given = {"scenario": SCENARIO, "treatment": POPULAR, "control": LUCK, **given}
    assert main(["abtest", *(f"{key}={value}" for key, value in all_given.items() if value is not None)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
