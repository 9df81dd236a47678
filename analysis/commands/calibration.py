"""The command that moves a scenario's numbers until its targets, or readings of a log, are met."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import OneScenario, going_on, names, one_scenario, say, seeds, share_reader, table_of
from recommenders.contract.settings import number, setting, whole_number
from simulator.cli.signals import to_stderr
from simulator.config import to_path
from simulator.records.run_folder import safe_name, write_atomic, write_json

if TYPE_CHECKING:
    from analysis.calibrate.trials import Trial


def _minutes(value: object) -> float:
    if not number(value) > 0:
        raise ValueError("a number of minutes above 0")
    return number(value)


@dataclass(frozen=True)
class CalibrateSettings(OneScenario):
    """What a calibration takes, besides the settings that all its worlds share."""

    log: Path | None = setting(None, read=to_path)
    held_out: float = setting(0.0, read=share_reader("a share above 0 and below 1", whole=False))
    parameters: tuple[str, ...] = setting((), read=names("parameters"))
    targets: tuple[str, ...] = setting((), read=names("targets"))
    seed: tuple[int, ...] = setting(tuple(range(3)), read=seeds)
    trials: int = setting(60, read=whole_number(1))
    minutes: float = setting(60.0, read=_minutes)
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)
    out: Path | None = setting(None, read=to_path)


def calibrate(words: Sequence[str]) -> int:
    """Move numbers of a scenario until its fit targets are met, and write the scenario (`calibrate`)."""
    chosen, scenario, settings = one_scenario(CalibrateSettings, words, "seed, targets and parameters")
    output = chosen.output or Path("runs") / safe_name(f"calibrate-{Path(scenario).stem}")
    out = chosen.out or output / f"{Path(scenario).stem}.yaml"
    from analysis.calibrate import run as calibration
    from analysis.calibrate.page import page

    plan = calibration.plan(
        scenario, chosen.seed, settings, chosen.targets, chosen.parameters, chosen.log, chosen.held_out
    )
    if chosen.out is not None:
        calibration.check_out(plan, out)
    with going_on(output) as stop:
        workers = chosen.workers or os.cpu_count() or 1
        budget = calibration.Budget(chosen.trials, chosen.minutes, workers, stop, _say_trial)
        found, changed = calibration.run(plan, output, budget)
    facts = {
        "scenario": scenario,
        "held against": "its targets" if plan.log is None else plan.log.name,
        "seeds": ", ".join(map(str, plan.seeds)),
        "settings": ", ".join(f"{key}={value}" for key, value in plan.settings.items()) or "the scenario's own",
    }
    unread = {} if plan.log is None else plan.log.unread
    write_json(
        output / "calibration.json",
        {**facts, **asdict(found), "did_not_move": plan.held, "not_told": unread, "file": out},
    )
    write_atomic(output / "calibration.md", page(found, plan.scenario.title, facts, plan.held, unread))
    if changed:
        calibration.write_scenario(plan, changed, out)
    _say_found(found)
    say(f"distance {found.before:.3g} before, {found.after:.3g} after (1: just near enough)\n")
    say(f"{found.trials} scenarios, {len(plan.seeds)} seeds each, {found.seconds:.0f} s of CPU; written to {output}\n")
    say(f"the scenario is in {out}\n" if changed else "no number moved: the scenario stays as it is\n")
    return 0


def _say_trial(trial: Trial, count: int) -> None:
    to_stderr(f"trial {count}: distance {trial.size:.3g}")


def _say_found(found: object) -> None:
    import pandas as pd

    from analysis.calibrate.outcome import Outcome

    assert isinstance(found, Outcome)
    numbers = pd.DataFrame([asdict(each) for each in found.moved])
    numbers["weak"] = ["weakly identified" if each else "" for each in numbers["weak"]]
    columns = ["name", "before", "after", "low", "high", "unit", "see", "weak"]
    say(table_of(numbers, ["number", *columns[1:]], columns) + "\n\n")
    targets = pd.DataFrame([asdict(each) for each in found.judged])
    columns = ["name", "role", "value", "before", "after", "distance_before", "distance_after", "unit"]
    say(table_of(targets, ["target", *(each.replace("_", " ") for each in columns[1:])], columns) + "\n\n")
