"""Add this commit to the history of benchmarks: one file of ratios, which mean the same on another machine.

    python -m benchmarks.record             benchmarks/history/DATE-COMMIT.json

The working tree has to be clean, and the machine quiet: everything is measured once, in turn, in some ten minutes.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import simulator.env
from benchmarks import engine, environment, figures, scenarios
from benchmarks.commits import ROOT, git

HISTORY = ROOT / "benchmarks/history"


def over_bare_loop() -> dict[str, float]:
    """Return the engine's time per impression over the bare loop's."""
    found = [run / bare for bare, run in engine.beside_bare_loop(engine.USERS, engine.ITEMS, engine.HORIZON)]
    return {"median": median(found), "least": min(found), "most": max(found)}


def over_short_video() -> dict[str, float]:
    """Return each scenario's time per impression over that of short video."""
    rows = scenarios.costs()
    return {name: scenarios.least(runs) / scenarios.least(rows["shortvideo"]) for name, runs in rows.items()}


def of_environments() -> dict[str, dict[str, float]]:
    """Return each environment's rates over those of its bare kernel and, where it is installed, over SARDINE's."""
    simulator.env.register()
    sardine = dict(environment.of_sardine())
    return {name: environment.ratios(dict(environment.of_environment(name)), sardine) for name in environment.IDS}


def machine() -> dict[str, Any]:
    """Return what figures of one file have in common."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numba", "numpy")},
    }


def main() -> int:
    """Measure, and write the file."""
    if git("status", "--porcelain"):
        sys.stderr.write("error: the working tree has changes; commit them first: figures belong to a commit\n")
        return 2
    commit, day = git("log", "-1", "--format=%H %cs").split()
    found: dict[str, Any] = {"commit": commit, "date": day, "machine": machine()}
    found["commands, s"] = figures.measure("command/default")
    found["engine over the bare loop"] = over_bare_loop()
    found["scenarios over short video"] = over_short_video()
    found["environments"] = of_environments()
    path = HISTORY / f"{day}-{commit[:9]}.json"
    path.write_text(json.dumps(rounded(found), indent=1) + "\n")
    print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return 0


def rounded(found: Any) -> Any:
    """Return figures with four digits, in tables of any depth."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    return float(f"{found:.4g}") if isinstance(found, float) else found


if __name__ == "__main__":
    sys.exit(main())
