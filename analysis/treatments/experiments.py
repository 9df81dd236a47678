"""Experiments of treated arms: factors as a command line gives them, an arm per cell, and a table of effects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.arms import Arm
from analysis.statistics import LEVEL, compare, holm
from analysis.tables import Experiment
from analysis.treatments.clauses import AS_IT_IS, split_outside
from analysis.treatments.designs import Cell, Design, Factor
from analysis.treatments.grammar import Level, compile_treatment
from simulator.config import PARAMETER_PREFIX
from simulator.errors import InputError
from simulator.scenario.load import load_scenario

RECOMMENDER, TREATMENT = "recommender", "treatment"
COLUMNS = (
    "measure", "effect", "order", "pairs", "difference", "difference_low", "difference_high", "p", "p_holm",
)  # fmt: skip
_NEXT = re.compile(";")


def read_factor(name: str, text: str, scenario: str, settings: Mapping[str, object]) -> Factor:
    """Read a factor: treatments with semicolons between them, the first of which is the one that others are held to.

    Args:
        name: of the factor.
        text: `as-it-is; hide=image; noise=image:0.5`.
        scenario: name or path.
        settings: of all worlds, as `simulator.run` takes them.

    Raises:
        InputError: a treatment is empty or stands twice, or as in `compile_treatment`.
    """
    texts = split_outside(text, _NEXT)
    if not all(texts):
        right = f"expected treatments with ; between them; {AS_IT_IS} leaves the worlds as they are"
        raise InputError(f"factor {name}", f"{text!r} has an empty part", right)
    return Factor(name, tuple(compile_treatment(each, scenario, settings) for each in texts))


def recommenders(arms: Sequence[Arm]) -> Factor:
    """Return recommenders as a factor."""
    return Factor(RECOMMENDER, tuple(
        Level(arm.name, {RECOMMENDER: arm.recommender, **{PARAMETER_PREFIX + k: v for k, v in arm.parameters.items()}})
        for arm in arms
    ))  # fmt: skip


def arm_name(design: Design, cell: Cell) -> str:
    """Return what tables call a cell: its levels, without those that do nothing and factors that do not vary."""
    told = [name for factor, name in zip(design.factors, cell, strict=True) if len(factor.levels) > 1]
    return " + ".join(name for name in told if name != AS_IT_IS) or AS_IT_IS


def arms_of(design: Design, scenario: str, settings: Mapping[str, object]) -> dict[Cell, Arm]:
    """Return an arm for each cell; with the scenario's recommender where none is named.

    Raises:
        InputError: levels cannot meet, or two cells would have one name.
    """
    found: dict[Cell, Arm] = {}
    for cell in design.cells:
        own = dict(design.level(cell, scenario, settings).settings)
        named = str(own.pop(RECOMMENDER, None) or load_scenario(scenario).defaults.recommender)
        parameters = {key: own.pop(key) for key in list(own) if key.startswith(PARAMETER_PREFIX)}
        name = arm_name(design, cell)
        if name in [arm.name for arm in found.values()]:
            raise InputError("experiment", f"two arms are called {name}", "expected each once")
        given = {key.removeprefix(PARAMETER_PREFIX): value for key, value in parameters.items()}
        found[cell] = Arm(name, named, given, own, design.place(cell))
    return found


def effects(
    design: Design, found: Experiment, measures: Sequence[str], level: float = LEVEL, seed: int = 0
) -> pd.DataFrame:
    """Return the effect of every level, and the interactions of every two factors, over seeds.

    Args:
        design: of the experiment.
        found: its worlds, by the names of `arm_name`.
        measures: a row for each and each effect.
        level: of the intervals (Student's t).
        seed: of the sign flips.

    Returns:
        `COLUMNS`: `order` 1 is an effect, averaged over the levels of the other factors; 2 a difference of differences.
        `p_holm` corrects for all rows.
    """
    rows: list[dict[str, object]] = []
    for measure in measures:
        table = found.worlds(measure).reindex(list(design.seeds))
        by_cell = {cell: table[arm_name(design, cell)].to_numpy(dtype=np.float64) for cell in design.cells}
        for contrast in design.contrasts(order=2):
            values = design.weighed(contrast, by_cell.__getitem__)
            said = compare(values, np.where(np.isnan(values), np.nan, 0.0), level, seed)
            rows.append(dict(zip(COLUMNS, (measure, contrast.name, contrast.order, said.n, said.difference,
                                           *said.interval, said.p, np.nan), strict=True)))  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["p_holm"] = holm(frame["p"].tolist())
    return frame
