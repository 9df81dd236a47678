"""Differences of a comparison: paired, one family, each with the bound of its scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report.differences import differences
from analysis.tables import Experiment
from simulator.scenario.load import load_scenario


def test_every_difference_has_its_verdict_from_the_bounds_of_the_scenario():
    worlds = {
        ("random", "satisfaction"): np.arange(10.0),
        ("better", "satisfaction"): np.arange(10.0) + np.linspace(0.9, 1.1, 10),
        ("same", "satisfaction"): np.arange(10.0),
        ("random", "visits"): np.full(10, 1000.0),
        ("better", "visits"): np.full(10, 1000.0) + np.tile([3.0, -3.0], 5),  # 0.3 % of a control, and 2 % is the bound
        ("same", "visits"): np.full(10, 1000.0),
        ("random", "churned_share"): np.full(10, 0.1),
        ("better", "churned_share"): np.full(10, 0.1),
        ("same", "churned_share"): np.full(10, 0.1),
    }
    rows = [("news", arm, seed, measure, value) for (arm, measure), values in worlds.items()
            for seed, value in enumerate(values)]  # fmt: skip
    lived = Experiment(pd.DataFrame(rows, columns=["scenario", "recommender", "seed", "measure", "value"]))
    found = differences(load_scenario("news"), lived, "random").set_index(["measure", "recommender"])
    assert found["word"].to_dict() == {
        ("satisfaction", "better"): "helps",
        ("satisfaction", "same"): "makes exactly no difference",
        ("visits", "better"): "makes no meaningful difference",
        ("visits", "same"): "makes exactly no difference",
        ("churned_share", "better"): "cannot tell",  # as many leave, in worlds that differ otherwise
        ("churned_share", "same"): "makes exactly no difference",
    }
    assert found.loc[("visits", "better"), "bound"] == "0.02 of the control"
    assert found.loc[("satisfaction", "better"), "p_holm"] == 6 * found.loc[("satisfaction", "better"), "p"]
