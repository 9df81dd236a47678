"""Equivalence bounds as a scenario declares them, beforehand: what difference of a measure is too small to matter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats
from analysis.verdicts.directions import DECLARED
from simulator.errors import InputError, check_known
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.verdicts import Bound


def declared(scenario: Scenario, measure: str) -> Bound | None:
    """Return what a scenario declares of a measure, None for nothing; of `recall@20`, what it declares of `recall`.

    Raises:
        InputError: the scenario declares a bound of what is no measure: it would hold for nothing.
    """
    bounds = {} if scenario.verdicts is None else scenario.verdicts.bounds
    known = list(dict.fromkeys([*scenario.measures, *DECLARED]))
    check_known(f"{scenario.shown}: verdicts.bounds", "measure", list(bounds), known)
    return bounds.get(measure) or bounds.get(measure.partition("@")[0])


def bound_of(scenario: Scenario, measure: str, control: npt.ArrayLike) -> Floats | None:
    """Return the bound of each world, in the unit of the measure, as `verdict` takes it; None where there is none.

    Args:
        scenario: of the worlds.
        measure: that is compared.
        control: its values in the worlds that are compared with, shape (n,). NaN gives NaN.

    A share of controls that are all zero is no bound either.

    Raises:
        InputError: as in `declared`; or the bound is a share of values below zero.
    """
    bound, values = declared(scenario, measure), np.asarray(control, dtype=np.float64)
    if bound is None:
        return None
    if bound.of is None:
        return np.where(np.isnan(values), np.nan, bound.value)
    if (values < 0).any():
        wrong = f"verdicts.bounds.{measure.partition('@')[0]} is a share of {values[values < 0][0]:g}"
        raise InputError(scenario.shown, wrong, "give a bound in the unit of a measure that may be below zero")
    return bound.value * values if np.nansum(values) > 0 else None


def in_words(bound: Bound | None) -> str:
    """Return a declared bound as pages show it.

    >>> in_words(None)
    'none declared'
    """
    if bound is None:
        return "none declared"
    return f"{bound.value:.3g} of the control" if bound.of else f"{bound.value:g} {bound.unit}"
