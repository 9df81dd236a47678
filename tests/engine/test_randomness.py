"""Keyed randomness: pure, uniform, and independent between keys that look alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chi2, chisquare, kstest

from simulator.engine import randomness
from simulator.engine.randomness import mix, normals, root, table_index, uniform, uniforms
from tests.laws.harness import as_uniform, luck_of, mixed

WORD = st.integers(0, 2**64 - 1)
UNLIKELY = 1e-5


@given(WORD, WORD)
def test_the_hash_is_what_its_formula_says(h, key):
    assert int(mix(np.uint64(h), np.uint64(key))) == int(mixed(np.uint64(h), np.uint64(key)))


@given(WORD)
def test_uniforms_lie_in_the_unit_interval_and_tables_have_4096_rows(h):
    assert uniform(np.uint64(h)) == h // 2**11 / 2**53 < 1.0
    assert table_index(np.uint64(h)) == h // 2**52 < 4096


@given(WORD, st.lists(WORD, min_size=2, max_size=50, unique=True))
def test_different_keys_never_collide_under_one_hash(h, keys):
    assert len({int(mix(np.uint64(h), np.uint64(key))) for key in keys}) == len(keys)


def test_every_purpose_is_a_number_of_its_own():
    purposes = [
        value
        for name, value in vars(randomness).items()
        if name.isupper() and isinstance(value, np.uint64) and name[0] != "_"
    ]
    assert len(purposes) > 12  # there are many, and they were found
    assert len({int(p) for p in purposes}) == len(purposes)
    assert len({int(root(seed, p)) for p in purposes for seed in range(50)}) == 50 * len(purposes)


def _grid(seed: int, purpose: int = 1) -> np.ndarray:
    """Luck of neighbouring keys: 64 users x 64 visits x 64 decisions."""
    a, b, c = np.meshgrid(np.arange(64), np.arange(64), np.arange(64), indexing="ij")
    return luck_of(seed, purpose, a, b, c)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**63 - 1])
def test_neighbouring_keys_give_uniform_luck(seed):
    draw = as_uniform(_grid(seed)).ravel()
    assert chisquare(np.bincount((draw * 1024).astype(int), minlength=1024)).pvalue > UNLIKELY
    assert kstest(draw, "uniform").pvalue > UNLIKELY


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("step", [1, 2, 16])
def test_neighbouring_keys_give_independent_luck(axis, step):
    """Pairs of neighbours along each key fill a 32 x 32 table evenly."""
    cells = (as_uniform(_grid(7)) * 32).astype(int)
    first, second = np.take(cells, range(64 - step), axis), np.take(cells, range(step, 64), axis)
    counts = np.bincount((first * 32 + second).ravel(), minlength=1024)
    assert chisquare(counts).pvalue > UNLIKELY


def test_neighbouring_seeds_and_purposes_give_independent_worlds():
    for other in (_grid(8), _grid(7, purpose=2)):
        cells = (as_uniform(_grid(7)) * 32).astype(int) * 32 + (as_uniform(other) * 32).astype(int)
        assert chisquare(np.bincount(cells.ravel(), minlength=1024)).pvalue > UNLIKELY


def test_a_key_and_what_follows_from_it_are_independent():
    """A hash is used as a draw and as the beginning of further draws; one must not tell about the other."""
    h = _grid(3)
    for further in (1, 2, 3, 1 << 20):
        cells = (as_uniform(h) * 32).astype(int) * 32 + (as_uniform(mixed(h, further)) * 32).astype(int)
        assert chisquare(np.bincount(cells.ravel(), minlength=1024)).pvalue > UNLIKELY


def test_every_bit_of_a_key_turns_half_of_the_bits_that_count():
    h = luck_of(1, 1, np.arange(2000))
    for bit in range(0, 64, 3):
        changed = mixed(h, np.uint64(9)) ^ mixed(h, np.uint64(9) ^ np.uint64(1 << bit))
        flips = np.unpackbits(changed.view(np.uint8).reshape(-1, 8)[:, 2:], axis=1).mean()  # the upper 48 bits
        assert flips == pytest.approx(0.5, abs=0.01), f"bit {bit}"


def test_keyed_normals_are_normal_and_uncorrelated():
    table = normals(5, randomness.TASTE, 20_000, 16).astype(np.float64)
    n = len(table)
    assert np.abs(table.mean(axis=0)).max() < 5.0 / np.sqrt(n)
    assert np.abs(table.var(axis=0) - 1.0).max() < 5.0 * np.sqrt(2.0 / n)
    correlations = np.corrcoef(table.T)[np.triu_indices(16, 1)]
    assert chi2(len(correlations)).sf(n * (correlations**2).sum()) > UNLIKELY
    assert kstest(table[:, 0], "norm").pvalue > UNLIKELY


def test_blocks_and_first_rows_are_parts_of_one_table():
    whole = normals(5, randomness.TASTE, 100, 8)
    assert np.array_equal(normals(5, randomness.TASTE, 40, 8, first=60), whole[60:])
    assert not np.isclose(normals(5, randomness.TASTE, 100, 8, block=1), whole).all(axis=1).any()
    assert np.array_equal(uniforms(5, randomness.PERSON, 10, 3), uniforms(5, randomness.PERSON, 50, 3)[:10])
    assert not np.array_equal(uniforms(5, randomness.PERSON, 10, 3), uniforms(5, randomness.PERSON, 10, 4))
