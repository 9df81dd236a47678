"""The comparison: both ways of judging, and a page that stands alone."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator
from analysis import compare as comparing
from analysis.__main__ import main
from analysis.offline_vs_online import BothWays, _judge, judge_offline
from analysis.report.page import Section, page
from analysis.report.pictures import funnel, life_cycle, two_rankings
from analysis.tables import Experiment
from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario

NAMES = ("random", "popularity", "itemknn")


def found(seeds: int = 3) -> BothWays:
    """Two rankings that are the same in seed 0 and opposite in the others."""
    rows = [("audio", name, seed, "satisfaction", float(k)) for k, name in enumerate(NAMES) for seed in range(seeds)]
    lived = Experiment(pd.DataFrame(rows, columns=["scenario", "recommender", "seed", "measure", "value"]))
    judged = [
        (name, seed, "recall@20", float(k if seed == 0 else -k))
        for k, name in enumerate(NAMES)
        for seed in range(seeds)
    ]
    offline = pd.DataFrame(judged, columns=["recommender", "seed", "measure", "value"])
    return BothWays(lived, offline, "random", "random", "listened", {"broken<": "no <b>reason</b>"})


def section(**changed: object) -> Section:
    scenario = load_scenario("audio")
    given = {"scenario": scenario, "found": found(), "events": [("impression", 10, 8)], "lived": "satisfaction",
             "configuration": "scenario: audio", "titles": ("<script>alert(1)</script>",), **changed}  # fmt: skip
    return Section(**given)  # type: ignore[arg-type]


def test_rank_correlations_are_per_seed_with_an_interval_inside_their_range():
    table = found().correlations("satisfaction").set_index("seed")
    assert table["kendall"].tolist() == [1.0, -1.0, -1.0]
    assert table["spearman"].tolist() == [1.0, -1.0, -1.0]
    tau, interval = found().agreement("satisfaction")
    assert tau == pytest.approx(-1 / 3)
    assert interval.low == -1.0
    assert interval.high <= 1.0


def test_a_ranking_of_two_says_nothing():
    lived = found()
    frame = lived.lived.frame
    few = replace(lived, lived=Experiment(frame[frame["recommender"] != "random"]))
    assert few.correlations("satisfaction")["kendall"].isna().all()
    assert np.isnan(few.agreement("satisfaction")[0])


class Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("#", "data:"))]


def test_the_page_stands_alone_and_escapes_what_it_shows():
    text = page([section()], [0, 1, 2], "python -m analysis compare <x>")
    parsed = Parsed()
    parsed.feed(text)
    assert parsed.outside == []
    assert "script" not in parsed.tags
    assert "&lt;script&gt;" in text
    assert "no &lt;b&gt;reason" in text
    assert "compare &lt;x&gt;" in text
    assert text.count("<svg") == text.count("</svg>") == 3


def test_no_winner_is_named_where_all_are_worth_the_same():
    equal = found()
    frame = equal.offline.assign(value=0.0)
    lived = Experiment(equal.lived.frame.assign(value=1.0))
    text = page([section(found=replace(equal, offline=frame, lived=lived))], [0, 1, 2], "")
    assert text.count("<td>undecided among random, popularity, itemknn (3 seeds: few)</td>") == 2


def test_the_page_names_nobody_where_nobody_was_judged_or_no_way_is_better():
    nobody = replace(found(), offline=found().offline.iloc[:0])
    assert "<td>nothing to compare</td>" in page([section(found=nobody)], [0, 1, 2], "")
    frame = found().lived.frame.assign(measure="plays")
    plays = replace(found(), lived=Experiment(frame))
    assert "<td>plays is not better either way</td>" in page([section(found=plays, lived="plays")], [0, 1, 2], "")


def test_the_page_marks_few_seeds_gives_reasons_and_says_who_fell_back():
    frame = found().lived.frame
    share = frame.assign(measure="churned_share", value=[0.0, 0.9, 0.9] * 3)
    nothing = frame.assign(measure="regret", value=np.nan)
    lived = Experiment(pd.concat([frame, share, nothing], ignore_index=True))
    text = page(
        [section(found=replace(found(), lived=lived), fallbacks={"itemknn": 0.25, "random": 0.0})], [0, 1, 2], ""
    )
    assert "Few seeds." in text
    assert "<td>too few seeds (3 of at least 10)</td>" in text
    assert "0.6 <small>[0, 1]</small> †" in text
    assert "- <small>(in no world there is any)</small>" in text
    assert "itemknn gave no score for 25.0% of its places" in text
    assert "random gave no score" not in text


@pytest.mark.parametrize("name", available_scenarios())
def test_the_life_cycle_of_every_scenario_is_drawn_whole_and_without_overlap(name):
    scenario = load_scenario(name)
    picture = ElementTree.fromstring(life_cycle(scenario))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [(float(b.get("x", 0)), float(b.get("y", 0))) for b in picture.iter(f"{space}rect")]
    assert len(boxes) == len(set(boxes)) == len(scenario.stages)
    width, height = (float(part) for part in picture.get("viewBox", "").split()[2:])
    assert all(0 <= x < width and 0 <= y < height for x, y in boxes)


def test_a_funnel_and_rankings_of_nothing_can_be_drawn():
    ElementTree.fromstring(funnel([], 0))
    ElementTree.fromstring(funnel([("open", 0, 0)], 0))
    ElementTree.fromstring(two_rankings({}, {"a": 1.0}))


def test_a_small_comparison_is_made_continued_and_judged(tmp_path: Path, capsys):
    words = ["compare", "scenarios=audio", "recommenders=random,popularity,itemknn", "seed=0,1", "share=0.02",
             f"output={tmp_path / 'out'}", "workers=2"]  # fmt: skip
    assert main(words) == 0
    made = (tmp_path / "out" / comparing.PAGE).read_text()
    assert "Kendall" in capsys.readouterr().out
    for name in NAMES:
        assert f"<th>{name}</th>" in made
    assert "undecided among" in made  # two seeds of a handful of users decide nothing
    beside = {path.name for path in (tmp_path / "out").glob("comparison-*")}
    assert beside == {
        *(f"comparison-{name}.csv" for name in ("worlds", "offline", "means", "differences", "winners", "fallbacks")),
        *(f"comparison-audio-{name}.svg" for name in ("life_cycle", "funnel", "ranks")),
    }
    assert main(words) == 0
    assert "6/6" not in capsys.readouterr().err  # no world was run again
    assert (tmp_path / "out" / comparing.PAGE).read_text() == made


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("logging=svd", "unknown recommender 'svd'"),
        ("lived=satisfactoin", "did you mean satisfaction"),
        ("share=2", "share = 2; expected a share"),
        ("scenarios=audi", "did you mean audio"),
        ("recomenders=random", "did you mean recommenders"),
    ],
)
def test_wrong_input_is_one_clear_line(changed, message, tmp_path, capsys):
    first = "share=0.1" if changed.startswith("scenarios") else "scenarios=audio"
    assert main(["compare", first, changed, f"output={tmp_path}"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("split", "says"), [("radnom", "; did you mean random"), ("given", "")])
def test_a_split_that_no_log_has_is_refused(split, says):
    with pytest.raises(InputError, match=rf"unknown split '{split}'{says}"):
        judge_offline(found().lived, NAMES, "random", split, 1)


def test_a_log_that_nobody_can_be_judged_on_says_why(tmp_path):
    """A day of a few hungry people leaves hardly an order: no offline figure, and a reason for it."""
    folder = tmp_path / "random-s0"
    simulator.run("fooddelivery", "random", users=20, items=300, horizon="1d", output=folder, log="platform", seed=0)
    found, failed = _judge(folder, ("random", "popularity"), "random", 0)
    assert found == {}
    assert set(failed) == {"random", "popularity"}
    assert all("positive" in why for why in failed.values())
