"""The paired tables of an experiment, on frames made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.statistics import compare, holm, t_interval
from analysis.tables import Experiment
from simulator.errors import InputError

SEEDS = range(12)


def made(**arms: np.ndarray) -> Experiment:
    """An experiment with the measures `plays` (as given) and `minus` (its negative)."""
    rows = [
        ("hotel", arm, seed, measure, sign * values[seed])
        for arm, values in arms.items()
        for seed in range(len(values))
        for measure, sign in (("plays", 1.0), ("minus", -1.0))
    ]
    return Experiment(pd.DataFrame(rows, columns=["scenario", "recommender", "seed", "measure", "value"]))


@pytest.fixture
def found() -> Experiment:
    draw = np.random.default_rng(0)
    world = draw.normal(size=len(SEEDS)) * 50
    return made(
        best=world + 3 + 0.5 * draw.normal(size=12),
        good=world + 1 + 0.5 * draw.normal(size=12),
        twin=world + 1 + 0.5 * draw.normal(size=12),
        base=world,
    )


def test_the_paired_table_says_what_the_statistics_say(found):
    table = found.paired("plays", baseline="base", level=0.9).set_index("recommender")
    worlds = found.worlds("plays")
    assert list(table.index) == ["best", "good", "twin", "base"]
    for arm in ("best", "good", "twin"):
        expected = compare(worlds[arm], worlds["base"], 0.9)
        row = table.loc[arm]
        assert row["difference"] == expected.difference
        assert (row["difference_low"], row["difference_high"]) == expected.interval
        assert (row["bootstrap_low"], row["bootstrap_high"]) == expected.bootstrap
        assert (row["p"], row["n"], row["pairs"]) == (expected.p, 12, 12)
        assert (row["low"], row["high"]) == t_interval(worlds[arm], 0.9)
        assert row["mean"] == worlds[arm].mean()
    assert table.loc["base", ["difference", "p", "p_holm", "pairs"]].isna().all()
    assert table["p_holm"].tolist()[:3] == holm(table["p"].tolist()[:3])


def test_holm_counts_all_comparisons_of_a_table(found):
    one = found.paired("plays", baseline="base")
    both = found.paired(["plays", "minus"], baseline="base")
    assert both["measure"].tolist() == ["plays"] * 4 + ["minus"] * 4
    assert both["p"].tolist()[:3] == one["p"].tolist()[:3]
    assert both["p_holm"].min() == pytest.approx(2 * one["p_holm"].min())


def test_an_order_holds_is_undecided_or_reversed(found):
    chain = ["best", "good", "twin", "base"]
    table = found.ordered("plays", chain)
    assert list(zip(table["higher"], table["lower"], strict=True)) == [
        ("best", "good"),
        ("good", "twin"),
        ("twin", "base"),
    ]
    assert table["verdict"].tolist() == ["holds", "undecided", "holds"]
    for _, row in table.iterrows():
        assert (row["difference_low"] > 0) == (row["verdict"] == "holds")
    assert found.ordered("minus", chain)["verdict"].tolist() == ["reversed", "undecided", "reversed"]
    assert found.ordered("minus", chain[::-1])["verdict"].tolist() == ["holds", "undecided", "holds"]


def test_equal_arms_and_single_seeds_decide_nothing():
    values = np.arange(5.0)
    assert made(a=values, b=values).ordered("plays", ["a", "b"])["verdict"].tolist() == ["undecided"]
    alone = made(a=values[:1] + 9, b=values[:1])
    assert alone.ordered("plays", ["a", "b"])["verdict"].tolist() == ["undecided"]
    row = alone.paired("plays", "b").iloc[0]
    assert row["difference"] == 9
    assert math.isnan(row["difference_low"])


def test_seeds_without_a_value_are_counted_out():
    table = made(a=np.array([1.0, np.nan, 3.0]), b=np.array([0.0, 0.0, np.nan])).paired("plays", "b")
    assert table["n"].tolist() == [2, 2]
    assert table["pairs"].tolist()[0] == 1
    assert table["mean"].tolist() == [2.0, 0.0]


def test_pairs_are_matched_by_seed_and_not_by_row(found):
    shuffled = Experiment(found.frame.iloc[np.random.default_rng(1).permutation(len(found.frame))])
    pd.testing.assert_frame_equal(
        shuffled.paired("plays", "base").sort_values("recommender", ignore_index=True)[["recommender", "difference"]],
        found.paired("plays", "base").sort_values("recommender", ignore_index=True)[["recommender", "difference"]],
    )


def test_what_does_not_fit_is_refused(found):
    with pytest.raises(InputError, match="unknown measure 'play'; did you mean plays"):
        found.paired("play", "base")
    with pytest.raises(InputError, match="unknown recommender 'bse'; did you mean base"):
        found.paired("plays", "bse")
    with pytest.raises(InputError, match="each once"):
        found.ordered("plays", ["base", "base"])
    with pytest.raises(InputError, match="unknown recommender"):
        found.ordered("plays", ["base", "worst"])
    with pytest.raises(InputError, match="has no value"):
        Experiment(found.frame.drop(columns="value"))
    with pytest.raises(InputError, match="measure twice"):
        Experiment(pd.concat([found.frame, found.frame.iloc[:1]]))
    with pytest.raises(InputError, match="one scenario"):
        Experiment(found.frame.assign(scenario=[*["hotel"] * (len(found.frame) - 1), "inn"]))
