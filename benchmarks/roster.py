"""Every model of a roster on one real split, with, without and beside noise in its features: cells, then one table.

    python -m benchmarks.roster run PLAN.yaml DATA_FOLDER OUTPUT [models=a,b] [arms=full,none] [seeds=0,1,2]
    python -m benchmarks.roster table PLAN.yaml OUTPUT

A cell is one ``python -m recommenders evaluate`` in a process of its own, so that its peak of memory is its own, and
what fails fails alone. The first cell of a model tries settings on validation, if the plan says so; its others take
what was chosen there. Finished cells are not run again: a run that was stopped goes on.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.stats import t

from recommenders.registry import accepted_parameters, find

MEASURES = ("recall@10", "ndcg@10", "recall@20", "ndcg@20")


@dataclass(frozen=True)
class Cell:
    """One fit: a model, what is done to its features, a seed."""

    model: str
    arm: str
    seed: int

    @property
    def folder(self) -> str:
        """Return the name of its folder."""
        return f"{self.model}-{self.arm}-{self.seed}".replace(" ", "_")


@dataclass(frozen=True)
class Plan:
    """What is run: read from a file, so that it can be committed before the first run."""

    split: str
    search: dict[str, int]
    settings: dict[str, Any]
    models: dict[str, dict[str, Any]]
    arms: dict[str, dict[str, Any]]
    seeds: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read a plan."""
        return cls(**yaml.safe_load(path.read_text()))

    def cells(self, models: Sequence[str] = (), arms: Sequence[str] = (), seeds: Sequence[int] = ()) -> Iterator[Cell]:
        """Yield the cells wanted: first one seed of every model with all its features, since others need its choice."""
        every = [
            Cell(model, arm, seed)
            for arm in self.arms
            for seed in range(self.seeds[arm])
            for model in self.models
            if not self.arms[arm] or reads_features(model)
        ]
        for cell in sorted(every, key=lambda each: each.seed):
            wanted = cell.model in (models or [cell.model]) and cell.arm in (arms or [cell.arm])
            if wanted and cell.seed in (seeds or [cell.seed]):
                yield cell

    def settings_of(self, cell: Cell, output: Path) -> tuple[dict[str, Any], int]:
        """Return the recommender's settings in a cell, and how many sets of them it tries."""
        accepted = accepted_parameters(find(cell.model))
        common = {key: value for key, value in self.settings.items() if key in accepted}
        own = {**common, **(self.models[cell.model] or {})}
        arm = {**own, **self.arms[cell.arm]}
        if cell == first_of(cell.model):
            return arm, self.search.get(cell.model, 0)
        chosen = json.loads((output / first_of(cell.model).folder / "results.json").read_text())
        parameters = chosen["recommender"]["parameters"]
        taken = {key: value for key, value in parameters.items() if key in accepted and value != accepted[key].default}
        return {**taken, **arm}, 0


def first_of(model: str) -> Cell:
    """Return the cell in which a model's settings are chosen."""
    return Cell(model, "full", 0)


def reads_features(model: str) -> bool:
    """Return whether a recommender has a say in which features it reads."""
    return "drop" in accepted_parameters(find(model))


def run(plan: Plan, data: str, output: Path, cells: Sequence[Cell]) -> int:
    """Run the cells that are not there yet, and return how many failed."""
    output.mkdir(parents=True, exist_ok=True)
    failed = 0
    for number, cell in enumerate(cells, 1):
        folder = output / cell.folder
        if (folder / "results.json").exists():
            continue
        if cell != first_of(cell.model) and not (output / first_of(cell.model).folder / "results.json").exists():
            print(f"{number}/{len(cells)} {cell.folder}: left out, its settings were not chosen", flush=True)
            failed += 1
            continue
        ended = run_cell(plan, data, output, cell)
        print(f"{number}/{len(cells)} {cell.folder}: {ended}", flush=True)
        failed += ended.startswith("failed")
    return failed


def run_cell(plan: Plan, data: str, output: Path, cell: Cell) -> str:
    """Run one cell, and return what is to be said of it."""
    settings, search = plan.settings_of(cell, output)
    part, folder = output / f"{cell.folder}.part", output / cell.folder
    shutil.rmtree(part, ignore_errors=True)
    words = [f"recommender.{key}={value}" for key, value in settings.items()]
    where = [f"data={data}", f"split={plan.split}", f"output={part}"]
    what = [f"recommender={cell.model}", f"seed={cell.seed}", f"search={search}", *words]
    command = [sys.executable, "-m", "recommenders", "evaluate", *where, *what]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        (output / f"{cell.folder}.log").write_text(ended.stderr)
        return f"failed, {ended.stderr.strip().splitlines()[-1] if ended.stderr.strip() else ended.returncode}"
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (part / "cell.json").write_text(json.dumps({"command": command[1:], "cpu_seconds": cpu}))
    part.rename(folder)
    found = json.loads((folder / "results.json").read_text())
    return f"recall@20 {found['test']['recall@20']:.4f}, {cpu:.0f} s of CPU"


def table(plan: Plan, output: Path) -> str:
    """Return the tables of all that has been run, in Markdown."""
    done = {cell: read_cell(output / cell.folder) for cell in plan.cells() if (output / cell.folder).is_dir()}
    lines = []
    for arm in plan.arms:
        rows = {model: [r for c, r in done.items() if (c.model, c.arm) == (model, arm)] for model in plan.models}
        rows = {model: found for model, found in rows.items() if found}
        if not rows:
            continue
        columns = "| | seeds | Recall@10 | NDCG@10 | Recall@20 | NDCG@20 | fit, s | parameters | MiB |"
        lines += [f"\n## {arm}\n", columns, "|---" * (columns.count("|") - 1) + "|"]
        mean = {model: np.mean([r["test"]["recall@20"] for r in found]) for model, found in rows.items()}
        for model, found in sorted(rows.items(), key=lambda each: -mean[each[0]]):
            figures = " | ".join(over_seeds(found, measure) for measure in MEASURES)
            seconds = np.mean([r["seconds"]["fit"] for r in found])
            size = (found[0]["training"] or {}).get("parameters")
            mark = " *" if any((r["training"] or {}).get("improving") for r in found) else ""
            memory = max(r["peak_memory_bytes"] for r in found) / 2**20
            lines.append(
                f"| `{model}`{mark} | {len(found)} | {figures} | {seconds:.0f} | {size or '-'} | {memory:.0f} |"
            )
    hours = sum(r["cpu_seconds"] for r in done.values()) / 3600
    missing = sum(1 for cell in plan.cells() if cell not in done)
    lines.append(f"\n{len(done)} cells in {hours:.1f} hours of CPU; {missing} of the plan were not run.")
    return "\n".join(lines) + "\n"


def read_cell(folder: Path) -> dict[str, Any]:
    """Read what a cell left."""
    return {
        **json.loads((folder / "results.json").read_text()),
        **json.loads((folder / "cell.json").read_text()),
    }


def over_seeds(found: Sequence[dict[str, Any]], measure: str) -> str:
    """Return a measure's mean: over three or more seeds with its 95 % interval by t, else with that over users."""
    values = np.array([r["test"][measure] for r in found])
    if len(values) >= 3:
        around = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        return f"{values.mean():.4f} ± {around:.4f}"
    low, high = found[0]["intervals"]["test"][measure]
    return f"{values.mean():.4f} [{low:.4f}, {high:.4f}]"


def main(words: Sequence[str]) -> int:
    """Run the command line."""
    places = [word for word in words if "=" not in word]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if len(places) == 3 and places[0] == "table":
        sys.stdout.write(table(Plan.read(Path(places[1])), Path(places[2])))
        return 0
    if len(places) != 4 or places[0] != "run" or not given.keys() <= {"models", "arms", "seeds"}:
        sys.stderr.write(__doc__ or "")
        return 2
    plan, output = Plan.read(Path(places[1])), Path(places[3])
    models, arms, seeds = (given[key].split(",") if key in given else [] for key in ("models", "arms", "seeds"))
    return 1 if run(plan, places[2], output, list(plan.cells(models, arms, [int(seed) for seed in seeds]))) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
