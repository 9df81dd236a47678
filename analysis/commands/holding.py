"""Commands that hold worlds against real sets, against their own equations, and against other luck."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.commands.words import names, one_of, read_settings, say, say_counted, say_stopped, seeds, table_of
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, number, setting, whole_number
from simulator.cli.arguments import read_value
from simulator.cli.signals import stop_on_signals, to_stderr
from simulator.config import CHANGE_PREFIX, to_path
from simulator.errors import InputError, RunInterrupted
from simulator.records.run_folder import safe_name, write_atomic, write_json

_SIZES = ("users", "items", "horizon")
_REAL_SETS = "BEHOLDER_DATA"


def _positive(value: object) -> float:
    if not number(value) > 0:
        raise ValueError("a number above 0")
    return float(number(value))


@dataclass(frozen=True)
class HardnessSettings(Settings):
    """What hardness takes, besides the settings that all its worlds share."""

    scenario: tuple[str, ...] = setting((), read=names("scenario"))
    policies: tuple[str, ...] = setting(("default", "random"), read=names("policies"))
    seed: tuple[int, ...] = setting(tuple(range(3)), read=seeds)
    times: float = setting(1.0, read=_positive)
    file: Path | None = setting(None, read=to_path)
    data: Path | None = setting(None, read=to_path)
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


def _shared(words: Sequence[str]) -> tuple[dict[str, str], dict[str, object]]:
    """Return the settings of the command itself, and those that all its worlds share."""
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in _SIZES or key.startswith(CHANGE_PREFIX)}
    own = {key: text for key, text in given.items() if key not in shared}
    return own, {key: read_value(key, one_of(key, text, "seed and policies")) for key, text in shared.items()}


def _need_scenario(given: object) -> None:
    if not given:
        raise InputError(WHERE, "no scenario is given", "expected scenario=NAME or a path; --help shows all settings")


def hardness(words: Sequence[str]) -> int:
    """Hold the platform logs of scenarios against the matching real sets (`hardness`)."""
    own, settings = _shared(words)
    chosen = read_settings(HardnessSettings, own, _SIZES)
    _need_scenario(chosen.scenario)
    from analysis.hardness import report
    from analysis.statistics import LEVEL
    from simulator.scenario.load import available_scenarios, load_scenario

    scenarios = list(chosen.scenario)
    if scenarios == ["all"]:
        scenarios = list(available_scenarios())
    if len(scenarios) > 1 and chosen.data is not None:
        raise InputError(WHERE, f"data={chosen.data} is one set, and scenarios are several", "expected one scenario")
    known = report.read_real_sets(chosen.file or report.SHIPPED)
    worlds, folders = [], {}
    for name in scenarios:
        scenario = load_scenario(name).scenario
        beside = known.get(scenario, report.RealSet(why="no real set is named for this scenario"))
        if chosen.data is not None:
            beside = report.RealSet(str(chosen.data), beside.label, beside.items)
        if beside.data is not None:
            folders[scenario] = _real_folder(beside.data)
        worlds += report.plan(name, chosen.policies, chosen.seed, settings, beside, chosen.times)
    output = chosen.output or Path("runs") / safe_name(f"hardness-{'-'.join(Path(each).stem for each in scenarios)}")
    to_stderr(f"{len(worlds)} worlds, {len(folders)} real sets · to {output}")
    real = {name: report.real(folder) for name, folder in folders.items()}
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = report.run(worlds, real, output, chosen.workers or os.cpu_count() or 1, say_counted, stop)
    except RunInterrupted as error:
        return say_stopped(error, output)
    write_atomic(output / "hardness.csv", found.to_csv(index=False))
    write_json(
        output / "hardness.json",
        {"scenarios": scenarios, "seeds": chosen.seed, "times": chosen.times, "settings": settings, "level": LEVEL,
         "real": {name: str(folder) for name, folder in folders.items()},
         "rows": found.astype(object).where(found.notna(), None).to_dict("records")},
    )  # fmt: skip
    columns = report.COLUMNS[2:]
    for (scenario, policy), rows in found.groupby(["scenario", "policy"], sort=False):
        say(f"{scenario} · {policy}\n\n{table_of(rows, columns, columns)}\n\n")
    for name in dict.fromkeys(found["scenario"]):
        say(f"{name}: {folders.get(name, 'no real set')} ({known[name].why if name in known else 'not named'})\n")
    say(f"{len(chosen.seed)} seeds; 95 % intervals (Student's t); within: half to twice the real set's\n")
    say(f"written to {output}\n")
    return 0


def _real_folder(data: str) -> Path:
    """Return where a real set lies. Raises InputError: it is not there."""
    path = Path(data)
    if not path.is_absolute() and not path.exists():
        root = os.environ.get(_REAL_SETS)
        if root is None:
            raise InputError(WHERE, f"{data} is below the folder of all real sets, which is not named",
                             f"set {_REAL_SETS} to it, or give data=FOLDER")  # fmt: skip
        path = Path(root) / data
    if not path.exists():
        raise InputError(str(path), "is not there", f"expected a real set; {_REAL_SETS} names the folder of all")
    return path
