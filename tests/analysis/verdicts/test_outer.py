"""Verdicts over draws of numbers: more seeds buy no certainty, and an assumption that decides is named."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.verdicts.outer import correlations, means_of, over_draws, spreads, turning
from analysis.verdicts.verdict import Word
from simulator.errors import InputError


def drawn(between: float, within: float, draws: int, seeds: int, mean: float = 0.0, key: int = 0) -> np.ndarray:
    g = np.random.default_rng(key)
    return mean + between * g.normal(size=(draws, 1)) + within * g.normal(size=(draws, seeds))


def numbers(draws: int, names: str = "a b c d", key: int = 9) -> pd.DataFrame:
    g = np.random.default_rng(key)
    return pd.DataFrame({name: g.lognormal(size=draws) for name in names.split()})


def test_more_seeds_buy_no_certainty_about_which_draw_is_true():
    few, many = (over_draws(drawn(1.0, 1.0, 12, n, 0.5), 0.2) for n in (4, 400))
    width = [each.over_means.interval.high - each.over_means.interval.low for each in (few, many)]
    assert width[1] > 0.6 * width[0]
    assert few.word is many.word is Word.CANNOT_TELL
    assert many.between == pytest.approx(1.0, rel=0.4)
    assert many.within == pytest.approx(1.0, rel=0.05)


def test_intervals_over_draws_cover_the_mean_of_all_draws():
    n = 600
    held = [
        low <= 0.5 <= high
        for low, high in (over_draws(drawn(1.0, 2.0, 10, 3, 0.5, key), None).over_means.interval for key in range(n))
    ]
    assert abs(np.mean(held) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n)


def test_spreads_are_those_of_the_moments():
    assert spreads([[0.0, 2.0], [4.0, 6.0]]) == pytest.approx((math.sqrt(8 - 1), math.sqrt(2)))
    assert spreads([[0.0, math.nan], [4.0, math.nan]]) == pytest.approx((math.sqrt(8), math.nan), nan_ok=True)
    assert spreads([1.0, 5.0]) == pytest.approx((math.sqrt(8), math.nan), nan_ok=True)
    assert all(math.isnan(each) for each in spreads([[1.0, 2.0]]))
    assert means_of([[1.0, math.nan], [math.nan, math.nan]]) == pytest.approx([1.0, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("effects", "bound", "word"),
    [
        (np.linspace(1.0, 2.0, 12), 0.5, Word.HELPS),
        (-np.linspace(1.0, 2.0, 12), 0.5, Word.HURTS),
        (np.linspace(-0.1, 0.1, 12), 0.5, Word.NO_MEANINGFUL),
        (np.zeros((12, 3)), 0.5, Word.NONE),
        (np.linspace(1.0, 2.0, 9), 0.5, Word.TOO_FEW),
        ([*[-0.4] * 10, *np.linspace(1.0, 2.0, 50)], 0.1, Word.CANNOT_TELL),  # a sixth of the draws says otherwise
        ([*[-0.4] * 5, *np.linspace(1.0, 2.0, 55)], 0.1, Word.HELPS),
        ([*[-2.0] * 10, *[2.0] * 10, *[0.01] * 80], 0.5, Word.CANNOT_TELL),  # none on average, and much in a fifth
    ],
)
def test_a_verdict_over_draws_in_closed_form_cases(effects, bound, word):
    found = over_draws(effects, bound, better="higher")
    assert found.word is word
    assert ("contradict" in found.says) == (word is Word.CANNOT_TELL)


def test_the_share_of_draws_whose_sign_turns_is_told():
    assert over_draws([*[-0.4] * 10, *[1.0] * 30], None).turned == 0.25


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-2.0, 2.0, (Word.HURTS, Word.HELPS)),
        (2.0, -2.0, (Word.HELPS, Word.HURTS)),
        (0.0, 4.0, (Word.NO_MEANINGFUL, Word.HELPS)),
    ],
)
@pytest.mark.parametrize("draws", [12, 40])
def test_the_number_with_which_a_verdict_turns_is_named(low, high, words, draws):
    table = numbers(draws)
    ranks = table["b"].rank().to_numpy() / (draws + 1)
    effects = (low + (high - low) * (ranks - 0.1) / 0.8)[:, None] + drawn(0.2, 0.2, draws, 3)
    found = over_draws(effects, 0.5, table, better="higher")
    assert found.word is Word.ASSUMED
    assert found.assumption.name == "b"
    assert found.assumption.words == words
    assert found.assumption.p < 0.05
    assert abs(found.assumption.correlation) > 0.8
    assert found.says.startswith("assumption-determined: b (")


def test_a_number_that_moves_an_effect_and_not_the_verdict_is_not_named():
    table = numbers(40)
    effects = 3 + table["b"].rank().to_numpy() / 40
    assert correlations(table, effects)["parameter"][0] == "b"
    assert over_draws(effects, 0.5, table, better="higher").word is Word.HELPS


def test_where_nothing_decides_hardly_a_number_is_named():
    n = 200
    named = [turning(numbers(20, "a b c d e f", key), drawn(1, 1, 20, 2, 0.0, key + n), 0.5) for key in range(n)]
    assert np.mean([each is not None for each in named]) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / n)


def test_correlations_are_those_of_scipy_and_corrected_for_all_that_vary():
    from scipy import stats

    table = numbers(15).assign(fixed=1.0)
    effects = drawn(0.3, 0, 15, 1)[:, 0] + table["c"].to_numpy()
    found = correlations(table, effects).set_index("parameter")
    expected = stats.spearmanr(table["c"], effects)
    assert found.loc["c", "correlation"] == pytest.approx(expected.statistic)
    assert found.loc["c", "p"] == pytest.approx(expected.pvalue, abs=0.002)
    assert found.loc["c", "p_holm"] == pytest.approx(4 * found.loc["c", "p"])
    assert found.index[0] == "c"
    assert found.loc["c", "low"] < expected.statistic < found.loc["c", "high"]
    assert found.loc["fixed", ["correlation", "p", "p_holm"]].isna().all()


def test_parameters_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="3 rows of parameters for 12 draws"):
        over_draws(np.ones(12), 0.5, numbers(3))
    with pytest.raises(InputError, match="a holds NaN"):
        over_draws(np.ones(2), 0.5, numbers(2).assign(a=math.nan))
    with pytest.raises(InputError, match="dimensions"):
        over_draws(np.ones((2, 2, 2)), 0.5)
