"""Verdicts: closed-form cases, and how often they err over drawn worlds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from analysis.verdicts.planning import LEAST, least_seeds, power_to_agree, power_to_differ, seeds_needed
from analysis.verdicts.verdict import DECIDED, DIFFERENT, Question, Word, family, verdict
from simulator.errors import InputError

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
STANDARD: dict[str, Draw] = {
    "normal": lambda g, shape: g.normal(size=shape),
    "heavy": lambda g, shape: g.standard_t(3, shape) / math.sqrt(3),
    "skewed": lambda g, shape: (g.gamma(16, size=shape) - 16) / 4,  # skewness 0.5, to the side that misleads
}
EVEN = np.tile([1.0, -1.0], 5)  # ten differences of mean 0 and standard deviation 1.054


def share(worlds: np.ndarray, words: tuple[Word, ...], bound: float) -> float:
    return float(np.mean([verdict(each, bound, better="higher").word in words for each in worlds]))


def at_most(error: float, n: int) -> float:
    return error + 2 * math.sqrt(error * (1 - error) / n)


@pytest.mark.parametrize(
    ("differences", "bound", "better", "word"),
    [
        (EVEN + 2, 1.0, "higher", Word.HELPS),
        (EVEN + 2, 1.0, "lower", Word.HURTS),
        (EVEN - 2, 1.0, "higher", Word.HURTS),
        (EVEN + 2, 1.0, None, Word.RAISES),
        (EVEN - 2, None, None, Word.LOWERS),
        (EVEN, 1.0, "higher", Word.NO_MEANINGFUL),  # the 90 % interval is 0.611 wide on either side
        (EVEN, 0.6, "higher", Word.CANNOT_TELL),
        (EVEN, None, "higher", Word.CANNOT_TELL),
        (EVEN + 2, 3.0, "higher", Word.NO_MEANINGFUL),  # surely other than zero, and surely not by much
        (np.zeros(10), 1.0, "higher", Word.NONE),
        (np.zeros(3), None, "higher", Word.NONE),
        (np.ones(10), 0.5, "higher", Word.HELPS),
        (np.ones(9), 0.5, "higher", Word.TOO_FEW),
        ([*np.ones(9), math.nan], 0.5, "higher", Word.TOO_FEW),
        ([math.nan], 0.5, "higher", Word.TOO_FEW),
        ([], 0.5, "higher", Word.TOO_FEW),
        ([*np.zeros(9), 1e-300], 0.5, "higher", Word.NO_MEANINGFUL),  # not to the last bit
    ],
)
def test_what_may_be_said_in_closed_form_cases(differences, bound, better, word):
    assert verdict(differences, bound, better=better).word is word


def test_equal_values_of_worlds_that_differ_say_nothing():
    """Ten worlds of which as many users leave do not show that no other ten would differ."""
    found = verdict(np.zeros(10), 1.0, better="higher", alike=False)
    assert (found.word, found.difference, found.seeds) == (Word.CANNOT_TELL, 0.0, None)
    assert np.isnan(found.interval).all()
    assert found.says == "cannot tell (equal in each of 10 seeds, whose worlds differ: it moves too seldom)"
    assert verdict(np.zeros(9), 1.0, alike=False).word is Word.TOO_FEW
    assert verdict(EVEN + 2, 1.0, better="higher", alike=False) == verdict(EVEN + 2, 1.0, better="higher")
    both = family({"coarse": Question(np.zeros(10), 1.0, None, alike=False), "fine": Question(np.zeros(10), 1.0)})
    assert [each.word for each in both.values()] == [Word.CANNOT_TELL, Word.NONE]


def test_a_verdict_says_what_it_lacks():
    assert (
        verdict([*EVEN, math.nan], 0.6).says == "cannot tell (10 seeds, 1 more without a value; it would take about 28)"
    )
    assert "no equivalence bound is declared" in verdict(EVEN, None).says
    assert "no number of seeds" in verdict(EVEN, 1e-6).says
    assert verdict(EVEN[:4], 1.0, unit="draws").says == "too few draws (4 of at least 10)"


def test_a_family_takes_back_what_one_comparison_would_say():
    lonely = EVEN + np.linspace(0.95, 1.15, 10)
    assert verdict(lonely, 0.1, better="higher").word is Word.HELPS
    others = {str(k): Question(EVEN + 0.01 * k, 0.1, "higher") for k in range(1, 12)}
    found = family({"it": Question(lonely, 0.1, "higher"), **others})
    assert found["it"].word is Word.CANNOT_TELL
    assert found["it"].p == verdict(lonely, 0.1).p
    assert found["it"].p_adjusted == pytest.approx(12 * found["it"].p)


def test_so_many_signs_decide_so_large_a_family():
    surely = EVEN / 100 + 1
    for n in (25, 26):
        found = family({str(k): Question(surely, 0.1, "higher") for k in range(n)})
        assert (found["0"].word is Word.HELPS) == (least_seeds(n) == LEAST) == (n == 25)


def test_a_bound_may_go_with_its_world():
    control = np.linspace(1.0, 3.0, 10)
    assert verdict(0.04 * control, 0.05 * control).word is Word.NO_MEANINGFUL
    assert verdict(0.06 * control, 0.05 * control, better="higher").word is Word.HELPS
    assert verdict(0.04 * control, float(0.05 * control.min()), better="higher").word is Word.HELPS


def test_shares_of_controls_that_are_zero_in_all_pairs_are_no_bound():
    assert verdict([*EVEN, math.nan], [*np.zeros(10), 5.0]).bound is None


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan, math.inf, [1.0, 2.0]])
def test_a_bound_that_is_none_is_refused(bound):
    with pytest.raises(InputError, match="bound"):
        verdict(EVEN, bound)


@pytest.mark.parametrize("name", STANDARD)
def test_without_an_effect_few_worlds_say_that_there_is_one(name):
    n = 2000
    worlds = STANDARD[name](np.random.default_rng(1), (n, LEAST))
    assert share(worlds, DIFFERENT, 0.01) <= at_most(0.05, n)


def test_a_family_without_an_effect_is_wrong_as_seldom_as_one_comparison():
    n = 400
    worlds = np.random.default_rng(2).normal(size=(n, 6, LEAST))
    wrong = [
        any(
            each.word in DIFFERENT
            for each in family({str(k): Question(row, 0.01) for k, row in enumerate(rows)}).values()
        )
        for rows in worlds
    ]
    assert np.mean(wrong) <= at_most(0.05, n)


@pytest.mark.parametrize("sd", [0.5, 1.0])
@pytest.mark.parametrize("name", STANDARD)
def test_an_effect_at_the_bound_is_seldom_called_none(name, sd):
    n = 2000
    worlds = 1 + sd * STANDARD[name](np.random.default_rng(3), (n, LEAST))
    called = share(worlds, (Word.NO_MEANINGFUL,), 1.0)
    assert 0 < called <= at_most(0.05, n)
    assert share(-worlds[:500], (Word.NO_MEANINGFUL,), 1.0) <= at_most(0.05, 500)


@pytest.mark.parametrize("name", STANDARD)
def test_an_effect_of_twice_the_bound_is_called_right_at_20_seeds(name):
    worlds = 2 + 3 * STANDARD[name](np.random.default_rng(4), (200, 20))
    assert share(worlds, (Word.HELPS,), 1.0) >= 0.8 - 2 * math.sqrt(0.8 * 0.2 / 200)


@pytest.mark.parametrize(("effect", "sd", "n"), [(0.0, 1.4, 20), (0.5, 1.0, 20), (0.0, 0.8, 10)])
def test_planning_knows_how_often_worlds_agree(effect, sd, n):
    worlds = effect + sd * np.random.default_rng(5).normal(size=(300 if n == 20 else 1500, n))
    called = np.mean([verdict(each, 1.0).word is Word.NO_MEANINGFUL for each in worlds])
    assert called == pytest.approx(power_to_agree(n, 1.0, sd, effect), abs=0.06)


def test_planning_by_hand():
    assert power_to_differ(20, 2.0, 3.0) == pytest.approx(0.807, abs=0.001)
    assert power_to_differ(20, 2.0, 3.0, tests=6) < 0.6
    assert power_to_differ(10, 1.0, 0.0) == 1
    assert power_to_agree(20, 1.0, 1.4) > 0.8 > power_to_agree(20, 1.0, 1.5)
    assert power_to_agree(10, 1.0, 0.0) == 1
    assert power_to_agree(2, 1e-9, 1.0) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("bound", [0.3, 0.7, 5.0])
@pytest.mark.parametrize("tests", [1, 40])
def test_seeds_needed_are_the_fewest_that_do(bound, tests):
    sd = float(EVEN.std(ddof=1))
    n = seeds_needed(EVEN, bound, tests=tests)
    assert n >= least_seeds(tests)
    reached = [
        power_to_agree(k, bound, sd) >= 0.8 and power_to_differ(k, 2 * bound, sd, tests) >= 0.8 for k in (n - 1, n)
    ]
    assert reached == [n == least_seeds(tests), True]


def test_no_number_of_seeds_is_known_where_nothing_is_known():
    assert seeds_needed([1.0], 1.0) is None
    assert seeds_needed(EVEN, 0.0) is None
    assert seeds_needed(np.ones(4), 0.5) == LEAST


def test_every_word_is_decided_or_is_not():
    assert set(Word) - set(DECIDED) == {Word.CANNOT_TELL, Word.TOO_FEW, Word.ASSUMED}
