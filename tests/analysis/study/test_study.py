"""A study: what its files may hold, and the map that many knock-outs make."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.study.study import COLUMNS, FULL, SMALL, as_page, read_study
from analysis.treatments import shown
from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario

TINY = """\
seeds: 2
recommender: "contentknn(modality={modality})"
numbers: popularity
scenarios:
  shortvideo: {users: 20, items: 100, horizon: 1h, modalities: [cover, likes]}
"""


def test_the_full_study_asks_for_every_modality_that_is_shown():
    study = read_study(FULL)
    asked = {(each.scenario, each.modality) for each in study.asked}
    assert asked == {(name, each) for name in available_scenarios() for each in shown(load_scenario(name))}
    assert len(study.seeds) == 10
    numbers = [each for each in study.asked if each.modality == "price"]
    assert {each.recommender for each in numbers} == {"popularity"}


def test_it_can_be_kept_to_a_scenario_or_a_modality():
    assert {each.scenario for each in read_study(FULL, ["news"]).asked} == {"news"}
    assert [each.modality for each in read_study(FULL, ["news:headline"]).asked] == ["headline"]
    with pytest.raises(InputError, match="did you mean news"):
        read_study(FULL, ["nwes"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TINY.replace("seeds: 2", "sedes: 2"), "did you mean seeds"),
        (TINY.replace("numbers: popularity\n", ""), "numbers is missing"),
        (TINY.replace("likes]", "lieks]"), "did you mean likes"),
        (TINY.replace("shortvideo:", "shortvido:"), "shortvideo"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(text, says, tmp_path, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    assert main(["study", f"file={path}"]) == 2
    assert says in capsys.readouterr().err


def test_a_study_writes_its_map_and_goes_on_where_it_was(tmp_path, capsys):
    path, output = tmp_path / "study.yaml", tmp_path / "out"
    path.write_text(TINY)
    words = ["study", f"file={path}", f"output={output}", "workers=1"]
    assert main([*words, "only=shortvideo:likes"]) == 0
    first = pd.read_csv(output / "map.csv")
    assert list(first.columns) == list(COLUMNS)
    assert set(first["modality"]) == {"likes"}
    assert main(words) == 0
    both = pd.read_csv(output / "map.csv")
    assert list(both["modality"]) == ["cover", "cover", "likes"]
    assert list(both["effect"]) == ["shown", "used", "shown"]
    pd.testing.assert_frame_equal(both[both["modality"] == "likes"].reset_index(drop=True), first)
    page = (output / "map.md").read_text()
    assert page.count("| shortvideo | cover |") == 2
    assert page in capsys.readouterr().out
    for name in ("effects.csv", "knockout.json", "verdicts.txt"):
        assert (output / "shortvideo" / "cover" / name).is_file()


def test_the_small_study_is_part_of_the_full_one():
    full = {(each.scenario, each.modality) for each in read_study(FULL).asked}
    assert {(each.scenario, each.modality) for each in read_study(SMALL).asked} <= full


def test_a_page_says_why_there_is_no_number():
    row = dict.fromkeys(COLUMNS, float("nan")) | {"scenario": "a", "modality": "b", "effect": "shown", "verdict": "c"}
    page = as_page(pd.DataFrame([row]), "command")
    assert "| a | b | c | no world has a value | no decision | no decision |" in page
