"""Menus of which one child is chosen: a series, and its episode that is played."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import simulator
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.parent_rows import Levels
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number


def series(folder: Path) -> Path:
    """Short videos of series: cards of series, then the videos of one, of which one is played."""
    path = edited(folder, {}, "shortvideo")
    content = json.loads(path.read_text())
    del content["facets"]["quality"]["bad_tail"]
    content["parents"] = {"series": {
        "children": {"dist": "constant", "value": 6, "unit": "items", "from": "estimate"}, "one_creator": True,
        "shares": {content["satiation_facet"]: number(0.5, "share")}, "modalities": ["cover"],
        "knowledge": {"dist": "constant", "value": 0.7, "unit": "share", "from": "estimate"},
    }}  # fmt: skip
    stages, entry = content["stages"], "discover"
    del stages["page"], stages["react"]["next"]["detour"], content["browse"]["page"]
    del content["respond"]["react"]["acts"]["profile_visit"]["detour"], content["observation"]["profile_card"]
    stages["feed"]["entry"]["value"] += stages.pop("search")["entry"]["value"]
    del content["criteria"], content["browse"]["search"]
    del content["platform"]["serves"], content["platform"]["policies"]
    after = stages[entry]["next"]["select"]
    stages[entry] |= {"shows_parents": "series"}
    stages["part"] = {
        "kind": "browse", "surface": entry, "children_of": "series", "card_event": "part_shown",
        "next": {"select": after, "exhausted": entry, "leave": "exit"},
    }  # fmt: skip
    stages[entry]["next"] = {**stages[entry]["next"], "select": "part"}
    content["browse"]["part"] = {**content["browse"][entry], "outside_option": number(-2, "utility")}
    content["observation"]["part_shown"] = content["observation"]["impression"]
    path.write_text(json.dumps(content))
    return path


def test_without_picks_the_child_that_is_taken_is_played(tmp_path):
    scenario = load_scenario(series(tmp_path))
    check_scenario(scenario)
    result = simulator.run(str(tmp_path / "edited.yaml"), "random", users=600, items=240, horizon="12h", seed=1)
    truth = result.truth
    cards, played = (
        truth[truth["event"] == "part_shown"],
        truth[(truth["event"] == "open") & (truth["propensity"] == 1)],
    )
    assert len(cards) > 50
    assert len(played) > 20
    assert set(played["item"]) <= set(cards["item"])
    assert (played["item"] < 240).all()
    # where both parents and items are asked for, each stage gets its own
    listed = truth[(truth["event"] == "impression") & (truth["stage"] == "discover")]
    others = truth[(truth["event"] == "impression") & (truth["stage"] != "discover")]
    assert (listed["item"] >= 240).all()
    assert len(others)
    assert (others["item"] < 240).all()


def test_levels_split_who_asks_for_what(tmp_path):
    compiled = compile_scenario(load_scenario(series(tmp_path)))
    items = draw_catalog(compiled, 60, 86400.0, 1).items
    levels = Levels(compiled, items)
    everything = np.arange(len(items.state), dtype=np.int32)
    assert (levels.among(0, everything) == np.arange(60, 70)).all()
    assert (levels.among(-1, everything) == np.arange(60)).all()
    assert levels.among(0, everything) is levels.among(0, everything)
    asked = np.array([0, -1, 0], dtype=np.int32)
    assert (levels.of(asked) == asked).all()
