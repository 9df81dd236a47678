"""The knock-out of one modality (`knockout`), and of many (`study`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import (
    SIZES,
    OneScenario,
    cell_of,
    going_on,
    names,
    one_of,
    read_settings,
    say,
    say_counted,
    seeds,
)
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, one_of as choice, setting, whole_number
from simulator.cli.arguments import read_value, split_list
from simulator.cli.signals import to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.config import CHANGE_PREFIX, SHORT, to_path
from simulator.errors import InputError
from simulator.records.run_folder import safe_name, write_atomic, write_json

if TYPE_CHECKING:
    from analysis.knockout.report import Knockout

_SHARED = (*SIZES, "catalog", *SHORT)
_IN_TABLE = ("utility_of_served", "belief_of_served", "opened_per_served", "recall@20")
"""What explains a verdict: what the recommender found, what users took it for, and what an offline test says."""
_NUMBERS = ("control", "treated", "difference", "low", "high")


@dataclass(frozen=True)
class KnockoutSettings(OneScenario):
    """What a knock-out takes, besides the settings that all its worlds share."""

    modality: str = ""
    recommender: str = "vbpr"
    logging: str = ""
    seed: tuple[int, ...] = setting(tuple(range(10)), read=seeds)
    split: str = "random"
    tries: int = setting(0, read=whole_number(0, 1000))
    outer: int = setting(0, read=whole_number(0, 1000))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


def knockout(words: Sequence[str]) -> int:
    """Say whether a modality helps: shown or not, used or not, learned from who saw it or not (`knockout`)."""
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in _SHARED or key.startswith(CHANGE_PREFIX)}
    chosen = read_settings(KnockoutSettings, {k: v for k, v in given.items() if k not in shared}, _SHARED)
    for name in ("scenario", "modality"):
        if not getattr(chosen, name):
            raise InputError(WHERE, f"no {name} is given", f"expected {name}=NAME; --help shows all settings")
    scenario = one_of("scenario", chosen.scenario, "seed and recommender")
    modality = one_of("modality", chosen.modality, "seed and recommender")
    from analysis.knockout import design, report
    from analysis.validity.report import sizes
    from simulator.scenario.load import load_scenario

    settings: dict[str, object] = {
        **({} if "catalog" in shared else sizes(scenario)),
        **{SHORT.get(key, key): read_value(key, one_of(key, text, "seed and recommender"))
           for key, text in shared.items()},
    }  # fmt: skip
    logging = chosen.logging or load_scenario(scenario).defaults.recommender
    output = chosen.output or Path("runs") / safe_name(f"knockout-{Path(scenario).stem}-{modality}")
    plan = design.plan(
        scenario, modality, split_list(chosen.recommender), logging, chosen.seed, settings, chosen.split,
        chosen.tries, chosen.outer,
    )  # fmt: skip
    to_stderr(f"{len(plan.logs)} logs, {len(plan.judged)} models, {len(plan.served)} worlds · to {output}")
    with going_on(output) as stop:
        found = report.run(plan, output, chosen.workers or os.cpu_count() or 1, say_counted, stop)
    write_atomic(output / "effects.csv", found.frame.to_csv(index=False))
    from analysis.knockout.words import as_json, verdict_lines

    asked = {"scenario": scenario, "modality": modality, "recommenders": [arm.name for arm in plan.arms],
             "logging": logging, "seeds": list(chosen.seed), "settings": settings, "split": chosen.split,
             "tries": chosen.tries, "outer": chosen.outer}  # fmt: skip
    write_json(output / "knockout.json", as_json(found, asked))
    say(verdict_lines(found) + "\n")
    say(_table(found) + "\n\n")
    say(f"written to {output}\n")
    return 0


@dataclass(frozen=True)
class StudySettings(Settings):
    """What a study takes."""

    size: str = setting("small", read=choice("small", "full"))
    file: Path | None = setting(None, read=to_path)
    only: tuple[str, ...] = setting((), read=names("only"))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


def study(words: Sequence[str]) -> int:
    """Knock out one modality after the other, and lay out the map of modalities and scenarios (`study`)."""
    chosen = read_settings(StudySettings, read_pairs(words, InputError))
    from analysis.study import study as studying

    path = chosen.file or (studying.FULL if chosen.size == "full" else studying.SMALL)
    asked = studying.read_study(path, chosen.only)
    output = chosen.output or Path("runs") / f"study-{chosen.size if chosen.file is None else safe_name(path.stem)}"
    with going_on(output) as stop:
        found = studying.run(asked, output, chosen.workers or os.cpu_count() or 1, to_stderr, stop)
    page = studying.as_page(found, " ".join(["python -m analysis study", *words]))
    write_atomic(output / "map.md", page)
    say(page + "\n")
    say(f"written to {output}\n")
    return 0


def _table(found: Knockout) -> str:
    """Return what one thing changes in what was served, and offline, with intervals."""
    frame = found.frame[(found.frame["group"] == "") & found.frame["measure"].isin(_IN_TABLE)]
    frame = frame[~frame["effect"].str.contains(" x ")]
    rows: list[list[Cell]] = [
        [row["recommender"], row["effect"], row["measure"], *(cell_of(row[name]) for name in _NUMBERS)]
        for row in frame.to_dict("records")
    ]
    return format_table(["recommender", "effect", "measure", "without", "with", "difference", "low", "high"], rows)
