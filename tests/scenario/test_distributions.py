"""Distributions: quantiles against independent references, truncation, units, and what cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from scipy import stats

from simulator.scenario.schema.distributions import Distribution

P = np.linspace(0.001, 0.999, 199)
REFERENCES = {
    "uniform": ({"low": 2, "high": 5}, stats.uniform(2, 3)),
    "normal": ({"mean": 1.5, "sd": 2}, stats.norm(1.5, 2)),
    "lognormal": ({"median": 22, "sigma": 0.8}, stats.lognorm(0.8, scale=22)),
    "exponential": ({"mean": 3}, stats.expon(scale=3)),
    "weibull": ({"shape": 0.6, "scale": 6}, stats.weibull_min(0.6, scale=6)),
    "gamma": ({"shape": 2.17, "scale": 8.15}, stats.gamma(2.17, scale=8.15)),
    "beta": ({"a": 4, "b": 2}, stats.beta(4, 2)),
    "pareto": ({"shape": 1.5}, stats.pareto(1.5)),
}


def make(dist: str, unit: str = "utility", **parameters: object) -> Distribution:
    return Distribution.model_validate({"dist": dist, "unit": unit, "from": "estimate", **parameters})


@pytest.mark.parametrize("dist", REFERENCES)
def test_quantiles_are_those_of_the_reference(dist):
    parameters, reference = REFERENCES[dist]
    np.testing.assert_allclose(make(dist, **parameters).quantile(P), reference.ppf(P), rtol=1e-9)


@pytest.mark.parametrize("dist", [name for name in REFERENCES if name != "uniform"])
def test_truncation_is_that_of_the_distribution(dist):
    parameters, reference = REFERENCES[dist]
    low, high = reference.ppf(0.2), reference.ppf(0.9)
    values = make(dist, **parameters, low=float(low), high=float(high)).quantile(P)
    np.testing.assert_allclose(values, reference.ppf(0.2 + 0.7 * P), rtol=1e-7)
    assert values.min() >= low
    assert values.max() <= high


def test_the_ends_of_a_truncated_distribution_are_reached_exactly():
    values = make("lognormal", unit="s", median=22, sigma=0.8, low=5, high=180).quantile(np.array([0.0, 1.0]))
    np.testing.assert_allclose(values, [5, 180], rtol=1e-12)
    assert values[0] >= 5
    assert values[1] <= 180


def test_constant():
    np.testing.assert_array_equal(make("constant", value=3).quantile(P), np.full(P.shape, 3.0))


def test_bernoulli_is_one_with_its_probability():
    values = make("bernoulli", unit="ratio", p=0.25).quantile((np.arange(1000) + 0.5) / 1000)
    assert set(values) == {0.0, 1.0}
    assert values.mean() == 0.25
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize(("unit", "factor"), [("ms", 0.001), ("s", 1), ("min", 60), ("h", 3600), ("d", 86400)])
@pytest.mark.parametrize(
    ("dist", "parameters"),
    [
        ("lognormal", {"median": 3, "sigma": 0.5, "low": 1, "high": 9}),
        ("weibull", {"shape": 0.6, "scale": 6}),
        ("gamma", {"shape": 2, "scale": 6}),
        ("uniform", {"low": 0, "high": 24}),
        ("normal", {"mean": 5, "sd": 1, "low": 0}),
        ("exponential", {"mean": 5}),
        ("constant", {"value": 5}),
    ],
)
def test_times_are_kept_in_seconds(dist, parameters, unit, factor):
    in_seconds = make(dist, unit="s", **parameters).quantile(P)
    np.testing.assert_allclose(make(dist, unit=unit, **parameters).quantile(P), in_seconds * factor, rtol=1e-9)


@given(
    st.sampled_from(["lognormal", "weibull", "gamma"]),
    st.floats(0.2, 3),
    st.floats(0.1, 1000),
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=20),
)
def test_quantiles_rise(dist, shape, scale, p):
    parameters = {"median": scale, "sigma": shape} if dist == "lognormal" else {"shape": shape, "scale": scale}
    values = make(dist, **parameters).quantile(np.sort(np.array(p)))
    # up to rounding: neighbours of nearly one probability may differ in their last bits
    assert np.all(np.diff(values) >= -1e-12 * values[1:])
    assert np.all(values >= 0)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_an_error(p):
    with pytest.raises(ValueError, match="probabilities"):
        make("exponential", mean=1).quantile(np.array([0.5, p]))


@pytest.mark.parametrize(
    ("dist", "parameters", "key"),
    [
        ("lognormal", {"sigma": 1}, "median"),
        ("lognormal", {"median": -2, "sigma": 1}, "median"),
        ("lognormal", {"median": 2, "sigma": 0}, "sigma"),
        ("lognormal", {"median": 2, "sigma": 1, "scale": 3}, "scale"),
        ("normal", {"mean": 2, "sd": -1, "low": 0}, "sd"),
        ("normal", {"mean": 2, "sd": 1}, "low"),  # a time below zero could come out
        ("weibull", {"shape": 0, "scale": 6}, "shape"),
        ("gamma", {"shape": 1, "scale": -6}, "scale"),
        ("exponential", {"mean": 0}, "mean"),
        ("uniform", {"low": 3, "high": 3}, "low"),
        ("uniform", {"low": -3, "high": 3}, "low"),
        ("lognormal", {"median": 2, "sigma": 1, "low": 5, "high": 4}, "low"),
        ("lognormal", {"median": 2, "sigma": 0.1, "low": 1000}, "low"),
        ("constant", {"value": -1}, "value"),
        ("constant", {"value": 1, "low": 0}, "low"),
        ("pareto", {"shape": 1.5, "high": 0.5}, "low"),
        ("bernoulli", {"p": 0.0}, "p"),
        ("bernoulli", {"p": 1.0}, "p"),
        ("bernoulli", {"p": 0.5, "high": 0.5}, "high"),
        ("bernoulli", {}, "p"),
    ],
)
def test_impossible_parameters_of_a_time(dist, parameters, key):
    with pytest.raises(ValidationError) as error:
        make(dist, unit="s", **parameters)
    assert error.value.errors()[0]["ctx"]["key"] == key


@pytest.mark.parametrize(
    ("dist", "parameters"),
    [
        ("normal", {"mean": 0.5, "sd": 0.1}),
        ("normal", {"mean": 0.5, "sd": 0.1, "low": 0}),
        ("lognormal", {"median": 0.5, "sigma": 0.1}),
        ("uniform", {"low": 0, "high": 1.2}),
        ("constant", {"value": 1.01}),
    ],
)
def test_a_share_never_leaves_the_unit_interval(dist, parameters):
    with pytest.raises(ValidationError):
        make(dist, unit="share", **parameters)
    assert make("normal", unit="share", mean=0.5, sd=0.1, low=0, high=1).quantile(P).max() < 1


@pytest.mark.parametrize("value", [math.inf, math.nan, "3", True])
def test_only_finite_numbers_are_numbers(value):
    with pytest.raises(ValidationError):
        make("constant", value=value)
