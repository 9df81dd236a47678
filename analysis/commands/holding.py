"""Commands that hold worlds against real sets, against their own equations, and against other luck."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.words import going_on, names, one_of, read_settings, say, say_counted, seeds, table_of
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, number, setting, whole_number
from simulator.cli.arguments import read_value
from simulator.cli.signals import to_stderr
from simulator.config import CHANGE_PREFIX, PARAMETER_PREFIX, to_path
from simulator.errors import InputError
from simulator.records.run_folder import safe_name, write_atomic, write_json

if TYPE_CHECKING:
    import pandas as pd

_SIZES = ("users", "items", "horizon", "first_fit")
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


@dataclass(frozen=True)
class ValiditySettings(Settings):
    """What validity takes, besides the settings that all its worlds share."""

    scenario: str = ""
    seed: tuple[int, ...] = setting(tuple(range(50)), read=seeds)
    recommender: str = "popularity"
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class StabilitySettings(Settings):
    """What stability takes, besides the settings that all its worlds share."""

    scenario: str = ""
    recommenders: tuple[str, ...] = setting((), read=names("recommenders"))
    seed: tuple[int, ...] = setting(tuple(range(5)), read=seeds)
    designs: int = setting(10, read=whole_number(1))
    lived: str = "satisfaction"
    logging: str = "popularity"
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
    with going_on(output) as stop:
        found = report.run(worlds, real, output, chosen.workers or os.cpu_count() or 1, say_counted, stop)
    write_atomic(output / "hardness.csv", found.to_csv(index=False))
    write_json(
        output / "hardness.json",
        {"scenarios": scenarios, "seeds": chosen.seed, "times": chosen.times, "settings": settings, "level": LEVEL,
         "real": {name: str(folder) for name, folder in folders.items()},
         "rows": _records(found)},
    )  # fmt: skip
    columns = report.COLUMNS[2:]
    for (about, policy), rows in found.groupby(["scenario", "policy"], sort=False):
        say(f"{about} · {policy}\n\n{table_of(rows, columns, columns)}\n\n")
    for name in map(str, dict.fromkeys(found["scenario"])):
        say(f"{name}: {folders.get(name, 'no real set')} ({known[name].why if name in known else 'not named'})\n")
    say(f"{len(chosen.seed)} seeds; 95 % intervals (Student's t); within: half to twice the real set's\n")
    say(f"written to {output}\n")
    return 0


def validity(words: Sequence[str]) -> int:
    """Fit the engine's models to its logs, and hold naive readings and off-policy values against the truth."""
    own, settings = _shared(words)
    chosen = read_settings(ValiditySettings, own, _SIZES)
    _need_scenario(chosen.scenario)
    scenario = one_of("scenario", chosen.scenario, "seed")
    from analysis.arms import read_arm
    from analysis.validity import report
    from analysis.validity.models import HELD, NOT_FITTED

    arm = read_arm(one_of("recommender", chosen.recommender, "seed"))
    settings |= {"recommender": arm.recommender}
    settings |= {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
    output = chosen.output or Path("runs") / safe_name(f"validity-{Path(scenario).stem}")
    with going_on(output) as stop:
        found = report.run(
            scenario, chosen.seed, settings, output, chosen.workers or os.cpu_count() or 1, say_counted, stop
        )
    tables = {"recovery": found.recovery, "bias": found.bias, "off_policy": found.off_policy}
    for name, table in tables.items():
        write_atomic(output / f"{name}.csv", table.to_csv(index=False))
        say(table_of(table, [each.replace("_", " ") for each in table.columns], list(table.columns)) + "\n\n")
    write_json(
        output / "validity.json",
        {"scenario": scenario, "seeds": chosen.seed, "settings": settings, "held": HELD, "not_fitted": NOT_FITTED,
         **{name: _records(table) for name, table in tables.items()}},
    )  # fmt: skip
    for name, why in NOT_FITTED.items():
        say(f"not fitted: {name}: {why}\n")
    say(f"{len(chosen.seed)} seeds; recovery: 90 % intervals; off policy: 95 % intervals, by users; ")
    say(f"bias: 95 % (Student's t), p from sign flips; held: {', '.join(f'{k}={v}' for k, v in HELD.items())}\n")
    say(f"written to {output}\n")
    return 0


def stability(words: Sequence[str]) -> int:
    """Rank recommenders in the same worlds with other seeds, and with every estimate moved (`stability`)."""
    own, settings = _shared(words)
    chosen = read_settings(StabilitySettings, own, _SIZES)
    _need_scenario(chosen.scenario)
    scenario = one_of("scenario", chosen.scenario, "seed and recommenders")
    from analysis.stability import report

    output = chosen.output or Path("runs") / safe_name(f"stability-{Path(scenario).stem}")
    recommenders = chosen.recommenders or report.DEFAULT
    with going_on(output) as stop:
        found = report.run(
            scenario, recommenders, chosen.seed, chosen.designs, settings, chosen.lived, chosen.logging, output,
            chosen.workers or os.cpu_count() or 1, say_counted, stop,
        )  # fmt: skip
    tables = {"taus": found.taus, "pairs": found.pairs}
    for name, table in tables.items():
        write_atomic(output / f"{name}.csv", table.to_csv(index=False))
        say(table_of(table, [each.replace("_", " ") for each in table.columns], list(table.columns)) + "\n\n")
    write_json(
        output / "stability.json",
        {"scenario": scenario, "recommenders": recommenders, "seeds": chosen.seed, "designs": chosen.designs,
         "lived": chosen.lived, "logging": chosen.logging, "settings": settings, "not_moved": found.left_out,
         **{name: _records(table) for name, table in tables.items()}},
    )  # fmt: skip
    if found.left_out:
        say(f"not moved in some design, because the scenario does not bear it: {', '.join(found.left_out)}\n")
    say(f"lived: {chosen.lived}; offline: Recall@20 on the log of {chosen.logging}; 95 % intervals (Student's t)\n")
    say(f"written to {output}\n")
    return 0


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the rows of a table, None for what is no number."""
    there = table.astype(object).where(table.notna(), None)
    return [dict(zip(map(str, there.columns), row, strict=True)) for row in there.to_numpy()]


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
