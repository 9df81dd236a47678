"""What the compiled engine of this version can run and hold: the numbers that rules of `scenario.checks` ask for."""

from __future__ import annotations

from simulator.engine.randomness import table_points
from simulator.engine.tables.case_tables import MAX_RESOURCES
from simulator.engine.tables.codes import MOST_PICKS, OUTCOMES
from simulator.engine.tables.tables import MAX_FACETS, TICKS_PER_SECOND
from simulator.plan.fulfilment import CASE_OUTCOMES
from simulator.plan.stages import RUN_LAYOUTS
from simulator.scenario.checks.rules import Engine

ENGINE = Engine(
    visit_outcomes=OUTCOMES,
    case_outcomes=CASE_OUTCOMES,
    layouts=tuple(RUN_LAYOUTS),
    highest_quantile=float(table_points()[-1]),
    ticks_per_second=TICKS_PER_SECOND,
    facets=MAX_FACETS,
    resources=MAX_RESOURCES,
    types=32,  # they are bits of a word
    alternatives=3,
    picks=MOST_PICKS,
)
