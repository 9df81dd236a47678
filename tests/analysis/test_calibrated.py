"""The shipped scenarios are calibrated: a file whose world no longer meets its fit targets is stale."""

from __future__ import annotations

import pytest

from analysis.fidelity import report
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.targets import role_of


@pytest.mark.long
@pytest.mark.parametrize("name", available_scenarios())
def test_no_fit_target_of_a_shipped_scenario_is_missed(name, tmp_path):
    """Five worlds of the default size: no interval lies wholly farther than 5 % from a target, or from its band."""
    fit = [target for target in load_scenario(name).targets if role_of(target) == "fit"]
    found = report.run(name, range(5), {}, tmp_path, workers=2, targets=fit)
    missed = found[found["verdict"] == "missed"]
    said = missed[["name", "target", "simulated", "low", "high"]].to_string(index=False)
    assert missed.empty, f"calibrate it again (docs/calibrate.md):\n{said}"
