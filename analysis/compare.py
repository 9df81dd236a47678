"""The comparison of scenarios: the grid of worlds, both ways of judging, and the page that shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from analysis.arms import read_arm
from analysis.grid import experiment
from analysis.offline import LOG
from analysis.offline_vs_online import judge_offline
from analysis.report.page import Section, figures, page, tables
from analysis.tables import Experiment
from simulator.cli import sweep as sweeping
from simulator.errors import check_known
from simulator.records.manifest import ITEMS
from simulator.records.run_folder import CONFIG, MANIFEST, safe_name, write_atomic
from simulator.scenario.load import available_scenarios, load_scenario

PAGE = "comparison.html"


def compare(
    scenarios: Sequence[str],
    recommenders: Sequence[str],
    seeds: Sequence[int],
    *,
    share: float,
    logging: str,
    split: str,
    lived: str,
    workers: int,
    output: Path,
    command: str,
    say: Callable[[str], None],
    report: Callable[[int, int, sweeping.Record], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> list[Section]:
    """Run what is not there yet, judge it both ways, and write the page.

    Args:
        scenarios: names or paths.
        recommenders: names, parameters in brackets.
        seeds: of the worlds.
        share: of each scenario's own number of users that its worlds get, in (0, 1].
        logging: the recommender whose logs all are judged on offline.
        split: of those logs.
        lived: the measure of what users lived through.
        workers: worlds at a time.
        output: folder of all; what is there is continued.
        command: how the page was asked for, in words.
        say: where progress is told.
        report, stop: as in `analysis.grid.experiment`.

    Returns:
        What the page says, scenario by scenario.

    Raises:
        InputError: a scenario, recommender, split or measure is unknown.
        SweepError: worlds failed or were stopped; those that ended are kept.
    """
    check_known("logging", "recommender", [logging], recommenders)
    loaded = {name: load_scenario(name) for name in scenarios}
    for scenario in loaded.values():
        check_known("lived", f"measure of {scenario.scenario}", [lived], scenario.measures)
    sections = []
    for number, (name, scenario) in enumerate(loaded.items(), 1):
        say(f"{number}/{len(loaded)} {scenario.title}")
        users = max(int(scenario.defaults.users * share), 1)
        found = experiment(
            name, [read_arm(text) for text in recommenders], seeds, {"users": users, "log": "platform"}, workers,
            output / safe_name(scenario.scenario), report=report, stop=stop,
        )  # fmt: skip
        both = judge_offline(found, recommenders, logging, split, workers)
        folders = [found.folder / f"{safe_name(logging)}-s{seed}" for seed in seeds if found.folder is not None]
        sections.append(
            Section(scenario, both, _events(folders, list(scenario.observation)), lived,
                    (folders[0] / CONFIG).read_text(), _titles(folders[0]), _fallbacks(found, seeds))
        )  # fmt: skip
    for name, table in tables(sections).items():
        write_atomic(output / f"comparison-{name}.csv", table.to_csv(index=False))
    for each in sections:
        for name, picture in figures(each).items():
            write_atomic(output / f"comparison-{safe_name(each.scenario.scenario)}-{name}.svg", picture)
    write_atomic(output / PAGE, page(sections, seeds, command))
    return sections


def _fallbacks(found: Experiment, seeds: Sequence[int]) -> dict[str, float]:
    """Return the share of places that popularity filled, over all worlds of each recommender that counts them."""
    shares = {}
    if found.folder is None:
        return {}
    for arm in found.recommenders:
        counts = [
            json.loads((found.folder / f"{safe_name(arm)}-s{seed}" / MANIFEST).read_text())["recommender"]["fallback"]
            for seed in seeds
        ]
        filled = sum(each["places"] for each in counts if each is not None)
        if filled:
            shares[arm] = sum(each["by_popularity"] for each in counts if each is not None) / filled
    return shares


def all_scenarios() -> list[str]:
    """Return the names of the scenarios that come along."""
    return available_scenarios()


def _events(folders: Sequence[Path], order: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (event, happened, recorded), summed over runs, in the order of the scenario's observation model."""
    happened: dict[str, int] = {}
    recorded: dict[str, int] = {}
    for folder in folders:
        for name, n in json.loads((folder / MANIFEST).read_text())["events"].items():
            happened[name] = happened.get(name, 0) + int(n)
        for path in sorted((folder / LOG).glob("*.parquet")):
            counts = pq.read_table(path, columns=["event"])["event"].value_counts()
            for each in counts:
                name = str(each["values"])
                recorded[name] = recorded.get(name, 0) + int(each["counts"].as_py())
    return [(name, happened[name], recorded.get(name, 0)) for name in order if happened.get(name)]


def _titles(folder: Path) -> list[str]:
    """Return some titles of items, where the run's catalog has a column of them."""
    path = folder / ITEMS
    if "title" not in pq.read_schema(path).names:
        return []
    return [str(title) for title in pq.read_table(path, columns=["title"])["title"][:8]]
