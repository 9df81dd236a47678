"""Experiments of treatments: arms, effects and folders of the command, with a stand-in for the engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis import grid
from analysis.__main__ import main
from analysis.arms import read_arm
from analysis.treatments import Design
from analysis.treatments.experiments import arms_of, read_factor, recommenders
from simulator.errors import InputError
from simulator.scenario.load import load_scenario

# plays = seed + 10 for popularity + 100 where home shows no image, and 1000 for both; one world is unlucky.
WORLD = """
import json, pathlib, sys
given = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(given["output"])
folder.mkdir()
(folder / "config.yaml").write_text("".join(f"{k}: {v}\\n" for k, v in given.items() if k != "output"))
if given["seed"] == "13":
    sys.exit("error: unlucky")
known = given["recommender"] == "popularity"
hidden = "image" not in given.get("scenario.surfaces.home.shows.browse", "image")
plays = int(given["seed"]) + 10 * known + 100 * hidden + 1000 * (known and hidden) + 5 * ("label" in str(given.keys()))
(folder / "metrics.json").write_text(json.dumps({"satisfaction": plays}))
(folder / "manifest.json").write_text("{}")
"""
HIDDEN = "treatments=as-it-is; hide=image@home"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grid, "COMMAND", (sys.executable, "-c", WORLD))
    monkeypatch.chdir(tmp_path)


def words(*more: str) -> list[str]:
    return ["experiment", "scenario=ecommerce", "users=30", "workers=2", "output=all", "measures=satisfaction", *more]


def test_treatments_are_crossed_with_recommenders_and_their_effects_told_apart(capsys):
    given = words(HIDDEN, "recommender=random,popularity", "seed=range(3)")
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "satisfaction · difference to random over 3 seeds\n\narm " in out
    assert "hide=image@home: image is still shown on results" in out
    paired = pd.read_csv("all/paired.csv").set_index("recommender")["difference"].dropna().to_dict()
    assert paired == {"random + hide=image@home": 100, "popularity": 10, "popularity + hide=image@home": 1110}
    table = pd.read_csv("all/effects.csv")
    assert table["effect"].tolist() == [
        "recommender: popularity - random", "treatment: hide=image@home - as-it-is",
        "(recommender: popularity - random) x (treatment: hide=image@home - as-it-is)",
    ]  # fmt: skip
    assert table["difference"].tolist() == [10 + 500, 100 + 500, 1000]
    assert table["pairs"].tolist() == [3] * 3
    assert main(given) == 0  # all worlds are there: the same tables again
    assert capsys.readouterr().out == out
    assert {path.name for path in Path("all").glob("*-s0")} == {
        "random-s0", "random-hide-image-home-s0", "popularity-s0", "popularity-hide-image-home-s0"
    }  # fmt: skip


def test_a_paired_design_treats_one_thing_at_a_time_and_needs_no_recommender(capsys):
    assert main(words(HIDDEN, "factor.reward=as-it-is; label=click", "design=paired", "seed=4")) == 0
    said = capsys.readouterr()
    assert "3 worlds" in said.err
    assert "one seed: differences within one world" in said.out
    table = pd.read_csv("all/effects.csv")
    assert table["difference"].tolist() == [100, 5]
    assert table["difference_low"].isna().all()


def test_what_is_done_to_features_holds_for_all_worlds():
    assert main(words(HIDDEN, "recommender=random", "seed=1", "features.image=noise")) == 0
    written = [path.read_text() for path in Path("all").glob("*/config.yaml")]
    assert ["features.image: noise" in each for each in written] == [True, True]


def test_a_failed_world_is_named_and_stops_no_other(capsys):
    assert main(words(HIDDEN, "recommender=random", "seed=13,1")) == 1
    said = capsys.readouterr()
    assert "2 of 4 runs failed" in said.err
    assert "unlucky" in said.err
    assert Path("all/random-hide-image-home-s1/metrics.json").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["treatments=as-it-is; hide=imge"], "unknown modality 'imge'; did you mean image?"),
        (["treatments=hide=image;; hide=title"], "factor treatment: 'hide=image;; hide=title' has an empty part"),
        (["treatments=hide=image; hide=image"], "factor treatment: levels hide=image, hide=image"),
        ([HIDDEN, "design=gird"], "unknown design 'gird'; did you mean grid?"),
        (["recommender=random", "design=grid"], "design=grid without factors"),
        ([HIDDEN, "factor.recommender=as-it-is; hide=title"], "factor.recommender is no name of a factor"),
        ([HIDDEN, "factor.a=hide=image; users=3", "factor.b=users=4; users=5"], "users is given twice"),
        ([HIDDEN, "baseline=hide=imge@home"], "unknown arm 'hide=imge@home'; did you mean hide=image@home?"),
        ([HIDDEN, "measures=satisfction"], "unknown measure 'satisfction'"),
        ([HIDDEN, "features.image=nix"], "features.image = nix; expected one of shuffle, noise, remove, keep"),
        (["recommender=random", "features.imge=noise"], "unknown modality with features 'imge'; did you mean image?"),
        (["treatment=hide=image", "recommender=random"], "unknown setting 'treatment'; did you mean treatments?"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys):
    line = [word for word in words() if not any(word.split("=")[0] == each.split("=")[0] for each in given)]
    assert main([*line, *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_parameters_go_to_their_recommender_and_levels_that_both_name_one_cannot_meet():
    factor = read_factor("who", "recommender=ease(largest=500); as-it-is", "ecommerce", {})
    (first, second) = arms_of(Design((factor,), (0,)), "ecommerce", {}).values()
    assert (first.recommender, first.parameters) == ("ease", {"largest": 500})
    assert second.recommender == load_scenario("ecommerce").defaults.recommender
    crossed = Design((recommenders([read_arm("itemknn(shrink=3)")]), factor), (0,))
    with pytest.raises(InputError, match="recommender is given twice"):
        arms_of(crossed, "ecommerce", {})
