"""What a study is made of, and its map: the verdicts of many knock-outs, one row per scenario and modality."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.knockout import design, report
from analysis.knockout.effects import SHOWN, USED
from analysis.knockout.measures import ATTENDED, SAW
from analysis.knockout.report import Judgment, Knockout
from analysis.knockout.words import as_json, verdict_lines
from analysis.treatments import shown
from recommenders.contract.names import unknown_name
from simulator.config import SHORT
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name, write_atomic, write_json
from simulator.scenario.load import load_scenario
from simulator.scenario.strict_yaml import load_yaml

SMALL, FULL = (Path(__file__).with_name(f"{name}.yaml") for name in ("small", "full"))
LIVED = "satisfaction"
"""What the map tells of each effect: the measure of what users lived through."""
COLUMNS = (
    "scenario", "modality", "effect", "verdict", "difference", "low", "high", "bound", "control", "treated", "seeds",
    "saw_it", "attended_to_it",
)  # fmt: skip
_KEYS = ("seeds", "recommender", "numbers", "scenarios")


@dataclass(frozen=True)
class Asked:
    """One knock-out of a study.

    Attributes:
        scenario, modality, recommender: of it.
        settings: of its worlds.
    """

    scenario: str
    modality: str
    recommender: str
    settings: Mapping[str, object]

    @property
    def place(self) -> str:
        """Return the name of its folder."""
        return f"{safe_name(self.scenario)}/{safe_name(self.modality)}"


@dataclass(frozen=True)
class Study:
    """Hold the knock-outs of a study, and the seeds of their worlds."""

    asked: Sequence[Asked]
    seeds: Sequence[int]


def read_study(path: Path, only: Sequence[str] = ()) -> Study:
    """Read a study.

    Args:
        path: of its file.
        only: scenarios, or scenario:modality, to which it is kept; all unless named.

    Raises:
        InputError: the file is wrong, or holds nothing of what is named.
    """
    given = load_yaml(path, str(path))
    for key in given:
        if key not in _KEYS:
            raise InputError(str(path), *unknown_name("key", str(key), _KEYS))
    for key in _KEYS:
        if key not in given:
            raise InputError(str(path), f"{key} is missing", "expected it")
    asked = [each for name, own in given["scenarios"].items() for each in _asked(path, given, name, dict(own))]
    known = [name for each in asked for name in (each.scenario, f"{each.scenario}:{each.modality}")]
    check_known("study", "scenario or scenario:modality", only, list(dict.fromkeys(known)))
    chosen = [each for each in asked if not only or {each.scenario, f"{each.scenario}:{each.modality}"} & set(only)]
    return Study(chosen, range(int(given["seeds"])))


def _asked(path: Path, given: Mapping[str, str], name: str, own: dict[str, object]) -> Iterator[Asked]:
    scenario = load_scenario(name)
    wanted = own.pop("modalities", None)
    modalities = [str(each) for each in wanted] if isinstance(wanted, list) else shown(scenario)
    check_known(f"{path}: scenarios.{name}.modalities", "modality", modalities, shown(scenario))
    for modality in modalities:
        reads = getattr(scenario.modalities[modality], "feature", None) is not None
        recommender = given["recommender"].format(modality=modality) if reads else given["numbers"]
        yield Asked(name, modality, recommender, {SHORT.get(key, key): value for key, value in own.items()})


def run(
    study: Study,
    folder: Path,
    workers: int,
    say: Callable[[str], None],
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Run every knock-out that is not there yet, write each as it ends, and return the map.

    Args:
        study: what is asked.
        folder: of all; each knock-out has one of its own in it.
        workers: worlds at a time.
        say: where progress is told.
        stop: as in `analysis.kept_worlds.run`, which says what is raised.
    """
    plans = [_plan(each, study.seeds) for each in study.asked]  # what is wrong is said before hours of runs
    rows: list[dict[str, object]] = []
    for number, (each, plan) in enumerate(zip(study.asked, plans, strict=True), 1):
        say(f"{number}/{len(plans)} {each.scenario} · {each.modality} · {each.recommender}")
        found = report.run(plan, folder / each.place, workers, None, stop)
        write_json(folder / each.place / "knockout.json", as_json(found, _told(each, study)))
        write_atomic(folder / each.place / "effects.csv", found.frame.to_csv(index=False))
        write_atomic(folder / each.place / "verdicts.txt", verdict_lines(found))
        rows += map_rows(found)
        write_atomic(folder / "map.csv", _frame(rows).to_csv(index=False))
    return _frame(rows)


def _plan(asked: Asked, seeds: Sequence[int]) -> design.Plan:
    logging = load_scenario(asked.scenario).defaults.recommender
    return design.plan(
        asked.scenario, asked.modality, [asked.recommender], logging, seeds, asked.settings, "random", tries=0, outer=0
    )


def _told(asked: Asked, study: Study) -> dict[str, object]:
    return {"scenario": asked.scenario, "modality": asked.modality, "recommenders": [asked.recommender],
            "settings": dict(asked.settings), "seeds": list(study.seeds)}  # fmt: skip


def map_rows(found: Knockout) -> Iterator[dict[str, object]]:
    """Yield a row per effect of a knock-out on what users lived through, with the columns of the map."""
    for effect in (SHOWN, USED):
        own = [each for each in found.judgments if each.effect.name == effect.name and each.measure == LIVED]
        yield from (_row(found, each) for each in own)


def _row(found: Knockout, judgment: Judgment) -> dict[str, object]:
    verdict = judgment.verdict
    return {
        "scenario": found.plan.scenario.scenario, "modality": found.plan.modality, "effect": judgment.effect.name,
        "verdict": judgment.says, "difference": verdict.difference, "low": verdict.interval.low,
        "high": verdict.interval.high, "bound": verdict.bound, "control": judgment.control,
        "treated": judgment.treated, "seeds": verdict.n, "saw_it": found.why[SAW],
        "attended_to_it": found.why[ATTENDED],
    }  # fmt: skip


def _frame(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def as_page(frame: pd.DataFrame, command: str) -> str:
    """Return the map as a page of Markdown: a table per effect."""
    lines = ["# The modality x scenario map", "", f"`{command}`", ""]
    for effect, says in ((SHOWN, SHOWN.says), (USED, USED.says)):
        lines += [f"## {effect.name}: {says}", ""]
        lines += [f"| scenario | modality | {LIVED} | difference [95 %] | decisions that saw it | attended to it |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        for row in frame[frame["effect"] == effect.name].to_dict("records"):
            lines.append(
                f"| {row['scenario']} | {row['modality']} | {row['verdict']} | {_interval(row)} | "
                f"{_share(row['saw_it'])} | {_share(row['attended_to_it'])} |"
            )
        lines.append("")
    return "\n".join(lines)


def _interval(row: Mapping[Hashable, float]) -> str:
    if row["difference"] != row["difference"]:
        return "no world has a value"
    ends = "" if row["low"] != row["low"] else f" [{row['low']:+.3f}, {row['high']:+.3f}]"
    return f"{row['difference']:+.3f}{ends}"


def _share(value: float) -> str:
    return "no decision" if value != value else f"{value:.0%}"
