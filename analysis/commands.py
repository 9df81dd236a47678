"""Commands of the command line: each reads the settings, runs, prints the tables, and writes them as CSV."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from recommenders.command_line import EXIT_STOPPED, WHERE, read_pairs
from recommenders.contract.settings import Reader, Settings, checked, number, setting, whole_number, wrong_setting
from simulator.cli import sweep as sweeping
from simulator.cli.arguments import expand_values, read_value
from simulator.cli.signals import stop_on_signals, to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.config import CHANGE_PREFIX, KNOWN, PARAMETER_PREFIX, to_path
from simulator.errors import InputError, RunInterrupted, check_known
from simulator.records.run_folder import free_name, safe_name, write_atomic, write_json

if TYPE_CHECKING:
    import pandas as pd

EXIT_FAILED = 1
FRAME, PAIRED, ORDERED = "experiment.csv", "paired.csv", "ordered.csv"
ORDER = "order."
_SIZES = ("users", "items", "horizon")
_PAIRED_HEADER = ["recommender", "n", "mean", "low", "high", "difference", "low", "high", "p", "p (Holm)"]
_PAIRED_COLUMNS = (
    "recommender", "n", "mean", "low", "high", "difference", "difference_low", "difference_high", "p", "p_holm",
)  # fmt: skip
_ORDERED_HEADER = ["higher", "lower", "difference", "low", "high", "p", "verdict"]
_ORDERED_COLUMNS = ("higher", "lower", "difference", "difference_low", "difference_high", "p", "verdict")


S = TypeVar("S", bound=Settings)


def _names(key: str) -> Reader:
    return lambda text: tuple(expand_values(key, text))


def _seeds(text: str) -> tuple[int, ...]:
    values = expand_values("seed", text)
    wrong = [value for value in values if not value.isdecimal()]
    if wrong:
        raise InputError(WHERE, f"seed={wrong[0]}", "expected whole numbers of at least 0, or range(20)")
    return tuple(map(int, values))


def _share(right: str, whole: bool) -> Reader:
    def read(value: Any) -> float:
        if not 0 < number(value) <= 1 or (value == 1 and not whole):
            raise ValueError(right)
        return float(value)

    return read


@dataclass(frozen=True)
class ExperimentSettings(Settings):
    """What an experiment takes, besides `order.MEASURE` and the settings that all its worlds share."""

    scenario: str = ""
    recommender: tuple[str, ...] = setting((), read=_names("recommender"))
    seed: tuple[int, ...] = setting(tuple(range(5)), read=_seeds)
    measures: tuple[str, ...] = setting((), read=_names("measures"))
    baseline: str = ""
    level: float = setting(0.95, read=_share("a share above 0 and below 1, such as 0.95", whole=False))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class CompareSettings(Settings):
    """What a comparison takes."""

    scenarios: tuple[str, ...] = setting(("all",), read=_names("scenarios"))
    recommenders: tuple[str, ...] = setting(
        ("random", "popularity", "recentpopularity", "itemknn", "userknn", "puresvd"), read=_names("recommenders")
    )
    seed: tuple[int, ...] = setting(tuple(range(3)), read=_seeds)
    share: float = setting(0.5, read=_share("a share of the scenario's users, above 0 and at most 1", whole=True))
    logging: str = ""
    split: str = "random"
    lived: str = "satisfaction"
    workers: int | None = setting(None, read=whole_number(1))
    output: Path = setting(Path("runs/compare"), read=to_path)


@dataclass(frozen=True)
class CounterfactualSettings(Settings):
    """What counterfactuals take, besides their names."""

    seed: tuple[int, ...] = setting(tuple(range(20)), read=_seeds)
    file: Path | None = setting(None, read=to_path)
    workers: int | None = setting(None, read=whole_number(1))
    output: Path = setting(Path("runs/counterfactual"), read=to_path)


@dataclass(frozen=True)
class ElasticitySettings(Settings):
    """What an elasticity report takes, besides the settings that all its worlds share."""

    scenario: str = ""
    modalities: tuple[str, ...] = setting((), read=_names("modalities"))
    seed: tuple[int, ...] = setting(tuple(range(5)), read=_seeds)
    recommender: str = "popularity"
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class FidelitySettings(Settings):
    """What a fidelity report takes, besides the settings that all its worlds share."""

    scenario: str = ""
    seed: tuple[int, ...] = setting(tuple(range(3)), read=_seeds)
    recommender: str = ""
    targets: tuple[str, ...] = setting((), read=_names("targets"))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class LearnabilitySettings(Settings):
    """What learnability takes, besides the runs."""

    label: str | None = None
    seed: int = setting(0, read=whole_number(0))
    output: Path | None = setting(None, read=to_path)


def _read(kind: type[S], given: Mapping[str, str], others: Iterable[str] = ()) -> S:
    """Return the settings that were typed, where there are `others` too. Raises InputError: one is unknown or wrong."""
    known = kind.described()
    check_known(WHERE, "setting", given, [*known, *others])
    values = {key: read_value(key, text, known) for key, text in given.items()}
    return kind(**checked(known, values, wrong_setting(InputError, WHERE)))


def experiment(words: Sequence[str]) -> int:
    """Run the grid, print and write its tables (`experiment`)."""
    given = read_pairs(words, InputError)
    if "scenario" not in given or "recommender" not in given:
        right = "expected scenario=NAME recommender=random,itemknn; --help shows all settings"
        raise InputError(WHERE, "an experiment needs a scenario and recommenders", right)
    shared = [name for name in KNOWN if name not in (*ExperimentSettings.described(), "resume")]
    own: dict[str, str] = {}
    orders: dict[str, list[str]] = {}
    settings: dict[str, object] = {}
    for key, text in given.items():
        if key.startswith(ORDER):
            orders[key.removeprefix(ORDER)] = expand_values(key, text)
        elif key in shared or key.startswith(CHANGE_PREFIX):
            settings[key] = read_value(key, _one(key, text))
        elif key.startswith(PARAMETER_PREFIX):
            right = "give a recommender's parameters in brackets: recommender=itemknn(neighbors=50)"
            raise InputError(WHERE, f"{key} cannot hold for all recommenders", right)
        else:
            own[key] = text
    chosen = _read(ExperimentSettings, own, [f"{ORDER}<measure>", *shared])
    for name, chain in orders.items():
        if len(chain) < 2:
            raise InputError(WHERE, f"{ORDER}{name}={chain[0]}", "expected two or more recommenders")
    scenario = _one("scenario", chosen.scenario)
    baseline = chosen.baseline or chosen.recommender[0]
    output = chosen.output or free_name(Path("runs") / safe_name(f"experiment-{Path(scenario).stem}"))
    from analysis.arms import read_arm
    from analysis.grid import experiment as run, plan
    from simulator.scenario.load import load_scenario

    arms = [read_arm(text) for text in chosen.recommender]
    check_known(
        WHERE,
        "recommender",
        [baseline, *(name for chain in orders.values() for name in chain)],
        [arm.name for arm in arms],
    )
    changes = {key.removeprefix(CHANGE_PREFIX): v for key, v in settings.items() if key.startswith(CHANGE_PREFIX)}
    # Before hours of runs: every measure that a table needs is one of the scenario's.
    check_known(WHERE, "measure", [*chosen.measures, *orders], load_scenario(scenario, changes).measures)
    grid = plan(scenario, arms, chosen.seed, settings, output)
    to_stderr(f"{len(grid)} worlds · to {output}")
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = run(
                scenario, arms, chosen.seed, settings, chosen.workers, output,
                report=_report, stop=stop,
            )  # fmt: skip
    except sweeping.SweepError as error:
        to_stderr(f"error: {error}")
        to_stderr(f"what is done is kept: the same command with output={output} continues")
        return EXIT_STOPPED if error.stopped else EXIT_FAILED
    measures = list(chosen.measures) or found.measures
    paired = found.paired(measures, baseline, chosen.level)
    write_atomic(output / FRAME, found.frame.to_csv(index=False))
    write_atomic(output / PAIRED, paired.to_csv(index=False))
    for name in measures:
        rows = paired[paired["measure"] == name]
        _say(f"{name} · difference to {baseline} over {len(chosen.seed)} seeds\n\n")
        _say(_table(rows, _PAIRED_HEADER, _PAIRED_COLUMNS) + "\n\n")
    if orders:
        import pandas as pd

        tables = [found.ordered(name, chain, chosen.level) for name, chain in orders.items()]
        write_atomic(output / ORDERED, pd.concat(tables).to_csv(index=False))
        for (name, chain), rows in zip(orders.items(), tables, strict=True):
            _say(f"{name} · {' > '.join(chain)}\n\n{_table(rows, _ORDERED_HEADER, _ORDERED_COLUMNS)}\n\n")
    _say(f"{100 * chosen.level:g} % intervals (Student's t), p from sign flips, Holm over all comparisons here\n")
    _say(f"written to {output}\n")
    return 0


def learnability(words: Sequence[str]) -> int:
    """Print density and learnability of the platform logs of finished runs (`learnability`)."""
    folders = [word for word in words if "=" not in word or Path(word).is_dir()]
    chosen = _read(LearnabilitySettings, read_pairs([word for word in words if word not in folders], InputError))
    if not folders:
        raise InputError(WHERE, "no run is given", "expected folders of runs: learnability runs/*")
    if chosen.output is not None and os.path.lexists(chosen.output):
        raise InputError(
            str(chosen.output), "this output exists already, and nothing is overwritten", "give another output="
        )
    from analysis.offline import learnability as judge

    found = judge(folders, chosen.label, chosen.seed)
    header = ["run", "label", "positives", "density", "popularity", "itemknn", "ratio", "test users"]
    columns = ("run", "label", "positives", "density", "recall_popularity", "recall_itemknn", "ratio", "n_test_users")
    _say(_table(found, header, columns) + "\n\npopularity, itemknn: Recall@20 on held-out positives\n")
    if chosen.output is not None:
        write_atomic(chosen.output, found.to_csv(index=False))
    return 0


def counterfactual(words: Sequence[str]) -> int:
    """Run what was declared, and say whether what was expected holds (`counterfactual`)."""
    named = [name for word in words if "=" not in word for name in expand_values("counterfactual", word)]
    chosen = _read(CounterfactualSettings, read_pairs([word for word in words if "=" in word], InputError))
    from analysis.counterfactual import SHIPPED, read_counterfactuals, run

    declared = read_counterfactuals(chosen.file or SHIPPED)
    check_known(WHERE, "counterfactual", named, declared)
    workers = chosen.workers or os.cpu_count() or 1

    chosen_ones = [declared[name] for name in named or declared]
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = run(chosen_ones, chosen.seed, chosen.output, workers, _counted, stop)
    except RunInterrupted as error:
        return _stopped(error, chosen.output)
    write_atomic(chosen.output / "counterfactual.csv", found.to_csv(index=False))
    effect = ["control", "treated", "difference", "low", "high", "verdict"]
    columns = ["counterfactual", "tag", "measure", "expected", *effect]
    _say(_table(found, columns, columns) + "\n\n")
    _say(f"{len(chosen.seed)} seeds, paired; 95 % intervals (Student's t); written to {chosen.output}\n")
    return 0


def elasticity(words: Sequence[str]) -> int:
    """Hide each modality, or make it noisier, and say what that changes (`elasticity`)."""
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in _SIZES or key.startswith(CHANGE_PREFIX)}
    chosen = _read(ElasticitySettings, {k: text for k, text in given.items() if k not in shared}, _SIZES)
    if not chosen.scenario:
        raise InputError(WHERE, "no scenario is given", "expected scenario=NAME or a path; --help shows all settings")
    settings = {key: read_value(key, _one(key, text, "seed and modalities")) for key, text in shared.items()}
    scenario = _one("scenario", chosen.scenario, "seed and modalities")
    output = chosen.output or Path("runs") / safe_name(f"elasticity-{Path(scenario).stem}")
    from analysis import elasticity as report
    from analysis.arms import read_arm
    from analysis.statistics import LEVEL

    arm = read_arm(_one("recommender", chosen.recommender, "seed and modalities"))
    settings["recommender"] = arm.recommender
    settings |= {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = report.run(
                scenario, chosen.seed, settings, chosen.modalities, output, chosen.workers or os.cpu_count() or 1,
                _counted, stop,
            )  # fmt: skip
    except RunInterrupted as error:
        return _stopped(error, output)
    rows = found.frame.to_dict("records")
    write_atomic(output / "elasticity.csv", found.frame.to_csv(index=False))
    write_json(
        output / "elasticity.json",
        {"scenario": scenario, "seeds": chosen.seed, "settings": settings, "level": LEVEL, "rows": rows,
         "accepted": {name: {"mean": value, "low": low, "high": high}
                      for name, (value, (low, high)) in found.accepted.items()}},
    )  # fmt: skip
    header = [name.removeprefix("difference_") for name in report.COLUMNS]
    again = found.frame.duplicated(["modality", "treatment"])
    table = found.frame.assign(note=found.frame["note"].mask(again, ""))
    _say(_table(table, header, report.COLUMNS) + "\n\n")
    accepted: list[list[Cell]] = [
        [name.replace("_", " "), *map(_cell, (value, *interval))] for name, (value, interval) in found.accepted.items()
    ]
    _say(format_table([f"{scenario} as it is: median belief of decisions", "mean", "low", "high"], accepted) + "\n\n")
    _say(f"{len(chosen.seed)} seeds, paired; 95 % intervals (of ratios: Fieller's, else Student's t)\n")
    _say(f"written to {output}\n")
    return 0


def fidelity(words: Sequence[str]) -> int:
    """Hold every target of a scenario against what its worlds show (`fidelity`)."""
    vary = "seed and targets"
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in _SIZES or key.startswith(CHANGE_PREFIX)}
    chosen = _read(FidelitySettings, {k: text for k, text in given.items() if k not in shared}, _SIZES)
    if not chosen.scenario:
        raise InputError(WHERE, "no scenario is given", "expected scenario=NAME or a path; --help shows all settings")
    settings = {key: read_value(key, _one(key, text, vary)) for key, text in shared.items()}
    scenario = _one("scenario", chosen.scenario, vary)
    output = chosen.output or Path("runs") / safe_name(f"fidelity-{Path(scenario).stem}")
    from analysis.arms import read_arm
    from analysis.fidelity import report
    from analysis.statistics import LEVEL

    if chosen.recommender:
        arm = read_arm(_one("recommender", chosen.recommender, vary))
        settings["recommender"] = arm.recommender
        settings |= {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = report.run(
                scenario, chosen.seed, settings, output, chosen.workers or os.cpu_count() or 1, chosen.targets,
                _counted, stop,
            )  # fmt: skip
    except RunInterrupted as error:
        return _stopped(error, output)
    write_atomic(output / "fidelity.csv", found.to_csv(index=False))
    write_json(
        output / "fidelity.json",
        {"scenario": scenario, "seeds": chosen.seed, "settings": settings, "level": LEVEL,
         "rows": found.astype(object).where(found.notna(), None).to_dict("records")},
    )  # fmt: skip
    header = [name.replace("_", " ") for name in report.COLUMNS]
    _say(_table(found, header, report.COLUMNS) + "\n\n")
    for role, verdicts in found.groupby("role", sort=False)["verdict"]:
        _say(f"{role}: " + ", ".join(f"{n} {verdict}" for verdict, n in verdicts.value_counts().items()) + "\n")
    _say(f"{len(chosen.seed)} seeds; 95 % intervals (Student's t); written to {output}\n")
    return 0


def compare(words: Sequence[str]) -> int:
    """Write scenarios both ways, on one page (`compare`)."""
    chosen = _read(CompareSettings, read_pairs(words, InputError))
    from analysis import compare as comparing

    scenarios = comparing.all_scenarios() if chosen.scenarios == ("all",) else list(chosen.scenarios)
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = comparing.compare(
                scenarios, list(chosen.recommenders), chosen.seed, share=chosen.share,
                logging=chosen.logging or chosen.recommenders[0], split=chosen.split, lived=chosen.lived,
                workers=chosen.workers or os.cpu_count() or 1, output=chosen.output,
                command="python -m analysis compare " + " ".join(words), say=to_stderr, report=_report, stop=stop,
            )  # fmt: skip
    except sweeping.SweepError as error:
        to_stderr(f"error: {error}")
        to_stderr(f"what is done is kept: the same command with output={chosen.output} continues")
        return EXIT_STOPPED if error.stopped else EXIT_FAILED
    rows: list[list[Cell]] = []
    for each in found:
        tau, interval = each.found.agreement(chosen.lived)
        rows.append([each.scenario.scenario, round(tau, 3), round(interval.low, 3), round(interval.high, 3)])
    _say(format_table(["scenario", "Kendall's tau, offline and lived", "low", "high"], rows) + "\n\n")
    _say(f"written to {chosen.output / comparing.PAGE}\n")
    return 0


def _one(key: str, text: str, vary: str = "recommender and seed") -> str:
    if len(expand_values(key, text)) > 1:
        raise InputError(WHERE, f"{key}={text} gives several values", f"only {vary} vary")
    return text


def _counted(done: int, total: int) -> None:
    to_stderr(f"{done}/{total} worlds")


def _stopped(error: RunInterrupted, output: Path) -> int:
    to_stderr(f"stopped: {error}")
    to_stderr(f"what is done is kept: the same command with output={output} continues")
    return EXIT_STOPPED


def _report(done: int, total: int, record: sweeping.Record) -> None:
    outcome = f"{record.wall:.1f} s" if record.error is None else f"failed: {record.error}"
    sys.stderr.write(f"{done}/{total}  {record.folder.name}  {outcome}\n")
    sys.stderr.flush()


def _table(frame: pd.DataFrame, header: Sequence[str], columns: Sequence[str]) -> str:
    rows: list[list[Cell]] = [[_cell(value) for value in row] for row in frame[list(columns)].to_numpy(dtype=object)]
    return format_table(header, rows)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value
    number = float(value) if isinstance(value, int | float) else float("nan")
    return number if number == number else None


def _say(text: str) -> None:
    sys.stdout.write(text)
