"""Commands of the command line: each reads the settings, runs, prints the tables, and writes them as CSV."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recommenders.contract.names import unknown_name
from simulator.cli import sweep as sweeping
from simulator.cli.arguments import WHERE, expand_values, read_arguments, read_value
from simulator.cli.signals import stop_on_signals, to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.config import CHANGE_PREFIX, KNOWN
from simulator.errors import InputError
from simulator.records.run_folder import free_name, safe_name, write_atomic

if TYPE_CHECKING:
    import pandas as pd

EXIT_FAILED, EXIT_STOPPED = 1, 130
FRAME, PAIRED, ORDERED = "experiment.csv", "paired.csv", "ordered.csv"
ORDER = "order."
_OWN = ("measures", "baseline", "level", "workers")

_PAIRED_HEADER = ["recommender", "n", "mean", "low", "high", "difference", "low", "high", "p", "p (Holm)"]
_PAIRED_COLUMNS = (
    "recommender", "n", "mean", "low", "high", "difference", "difference_low", "difference_high", "p", "p_holm",
)  # fmt: skip
_ORDERED_HEADER = ["higher", "lower", "difference", "low", "high", "p", "verdict"]
_ORDERED_COLUMNS = ("higher", "lower", "difference", "difference_low", "difference_high", "p", "verdict")


def experiment(words: Sequence[str]) -> int:
    """`experiment`: run the grid, print and write its tables."""
    given = _pairs(words)
    chosen = _Choice(given)
    from analysis.arms import read_arm
    from analysis.grid import experiment as run, plan

    arms = [read_arm(text) for text in chosen.recommenders]
    known = [arm.name for arm in arms]
    for name in [chosen.baseline, *(name for chain in chosen.orders.values() for name in chain)]:
        if name not in known:
            raise InputError(WHERE, *unknown_name("recommender", name, known))
    _check_measures(chosen)
    grid = plan(chosen.scenario, arms, chosen.seeds, chosen.settings, chosen.output)
    to_stderr(f"{len(grid)} worlds · to {chosen.output}")
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = run(
                chosen.scenario, arms, chosen.seeds, chosen.settings, chosen.workers, chosen.output,
                report=_report, stop=stop,
            )  # fmt: skip
    except sweeping.SweepError as error:
        to_stderr(f"error: {error}")
        to_stderr(f"what is done is kept: the same command with output={chosen.output} continues")
        return EXIT_STOPPED if error.stopped else EXIT_FAILED
    measures = chosen.measures or found.measures
    paired = found.paired(measures, chosen.baseline, chosen.level)
    write_atomic(chosen.output / FRAME, found.frame.to_csv(index=False))
    write_atomic(chosen.output / PAIRED, paired.to_csv(index=False))
    for name in measures:
        rows = paired[paired["measure"] == name]
        _say(f"{name} · difference to {chosen.baseline} over {len(chosen.seeds)} seeds\n\n")
        _say(_table(rows, _PAIRED_HEADER, _PAIRED_COLUMNS) + "\n\n")
    if chosen.orders:
        import pandas as pd

        orders = [found.ordered(name, chain, chosen.level) for name, chain in chosen.orders.items()]
        write_atomic(chosen.output / ORDERED, pd.concat(orders).to_csv(index=False))
        for (name, chain), rows in zip(chosen.orders.items(), orders, strict=True):
            _say(f"{name} · {' > '.join(chain)}\n\n{_table(rows, _ORDERED_HEADER, _ORDERED_COLUMNS)}\n\n")
    _say(f"{100 * chosen.level:g} % intervals (Student's t), p from sign flips, Holm over all comparisons here\n")
    _say(f"written to {chosen.output}\n")
    return 0


class _Choice:
    """Hold the settings of an experiment, checked."""

    def __init__(self, given: Mapping[str, str]) -> None:
        if "scenario" not in given or "recommender" not in given:
            right = "expected scenario=NAME recommender=random,itemknn; --help shows all settings"
            raise InputError(WHERE, "an experiment needs a scenario and recommenders", right)
        own = {*_OWN, "scenario", "recommender", "seed", "output"}
        shared = [name for name in KNOWN if name not in (*own, "resume")]
        for key in given:
            if key not in own and key not in shared and not key.startswith((ORDER, CHANGE_PREFIX)):
                if key.startswith("recommender."):
                    right = "give a recommender's parameters in brackets: recommender=itemknn(neighbors=50)"
                    raise InputError(WHERE, f"{key} cannot hold for all recommenders", right)
                raise InputError(WHERE, *unknown_name("setting", key, [*sorted(own), f"{ORDER}<measure>", *shared]))
        self.scenario = _one("scenario", given)
        self.recommenders = expand_values("recommender", given["recommender"])
        self.seeds = _seeds(given.get("seed", "range(5)"))
        self.measures = expand_values("measures", given["measures"]) if "measures" in given else []
        self.baseline = given.get("baseline", self.recommenders[0])
        self.orders = {
            key.removeprefix(ORDER): expand_values(key, text) for key, text in given.items() if key.startswith(ORDER)
        }
        for name, chain in self.orders.items():
            if len(chain) < 2:
                raise InputError(WHERE, f"{ORDER}{name}={chain[0]}", "expected two or more recommenders")
        self.level = _number("level", given, 0.95)
        if not 0 < self.level < 1:
            raise InputError(WHERE, f"level = {self.level:g}", "expected a share above 0 and below 1, such as 0.95")
        self.workers = _whole("workers", given)
        self.settings = {
            key: read_value(key, _one(key, given)) for key in given if key in shared or key.startswith(CHANGE_PREFIX)
        }
        default = Path("runs") / safe_name(f"experiment-{Path(self.scenario).stem}")
        self.output = Path(str(read_value("output", given["output"]))) if "output" in given else free_name(default)


def _check_measures(chosen: _Choice) -> None:
    """Check, before hours of runs, that every measure that a table needs is one of the scenario's."""
    from simulator.scenario.load import load_scenario

    changes = {
        name.removeprefix(CHANGE_PREFIX): value
        for name, value in chosen.settings.items()
        if name.startswith(CHANGE_PREFIX)
    }
    known = load_scenario(chosen.scenario, changes).measures
    for name in [*chosen.measures, *chosen.orders]:
        if name not in known:
            raise InputError(WHERE, *unknown_name("measure", name, known))


def learnability(words: Sequence[str]) -> int:
    """`learnability`: density and learnability of the platform logs of finished runs."""
    folders = [word for word in words if "=" not in word or Path(word).is_dir()]
    given = _pairs([word for word in words if word not in folders])
    known = ("label", "seed", "output")
    for key in given:
        if key not in known:
            raise InputError(WHERE, *unknown_name("setting", key, known))
    if not folders:
        raise InputError(WHERE, "no run is given", "expected folders of runs: learnability runs/*")
    output = Path(given["output"]) if "output" in given else None
    if output is not None and os.path.lexists(output):
        raise InputError(str(output), "this output exists already, and nothing is overwritten", "give another output=")
    seed = _whole("seed", given, at_least=0)
    from analysis.offline import learnability as judge

    found = judge(folders, given.get("label"), 0 if seed is None else seed)
    header = ["run", "label", "positives", "density", "popularity", "itemknn", "ratio", "test users"]
    columns = ("run", "label", "positives", "density", "recall_popularity", "recall_itemknn", "ratio", "n_test_users")
    _say(_table(found, header, columns) + "\n\npopularity, itemknn: Recall@20 on held-out positives\n")
    if output is not None:
        write_atomic(output, found.to_csv(index=False))
    return 0


def counterfactual(words: Sequence[str]) -> int:
    """`counterfactual`: run what was declared, and say whether what was expected holds."""
    named = [name for word in words if "=" not in word for name in expand_values("counterfactual", word)]
    given = _pairs([word for word in words if "=" in word])
    for key in given:
        if key not in ("seed", "file", "workers", "output"):
            raise InputError(WHERE, *unknown_name("setting", key, ["seed", "file", "workers", "output"]))
    from analysis.counterfactual import SHIPPED, read_counterfactuals, run

    declared = read_counterfactuals(Path(given["file"]) if "file" in given else SHIPPED)
    for name in named:
        if name not in declared:
            raise InputError(WHERE, *unknown_name("counterfactual", name, list(declared)))
    seeds = _seeds(given.get("seed", "range(20)"))
    workers = _whole("workers", given) or os.cpu_count() or 1
    output = Path(str(read_value("output", given.get("output", "runs/counterfactual"))))

    def report(done: int, total: int) -> None:
        to_stderr(f"{done}/{total} worlds")

    with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
        found = run([declared[name] for name in named or declared], seeds, output, workers, report, stop)
    write_atomic(output / "counterfactual.csv", found.to_csv(index=False))
    effect = ["control", "treated", "difference", "low", "high", "verdict"]
    columns = ["counterfactual", "tag", "measure", "expected", *effect]
    _say(_table(found, columns, columns) + "\n\n")
    _say(f"{len(seeds)} seeds, paired; 95 % intervals (Student's t); written to {output}\n")
    return 0


def compare(words: Sequence[str]) -> int:
    """`compare`: scenarios both ways, on one page."""
    given = _pairs(words)
    known = ["scenarios", "recommenders", "seed", "share", "logging", "split", "lived", "workers", "output"]
    for key in given:
        if key not in known:
            raise InputError(WHERE, *unknown_name("setting", key, known))
    from analysis import compare as comparing

    names = given.get("scenarios", "all")
    scenarios = comparing.all_scenarios() if names == "all" else expand_values("scenarios", names)
    recommenders = (
        expand_values("recommenders", given["recommenders"]) if "recommenders" in given else comparing.RECOMMENDERS
    )
    share = _number("share", given, 0.5)
    if not 0 < share <= 1:
        raise InputError(WHERE, f"share = {share:g}", "expected a share of the scenario's users, above 0 and at most 1")
    output = Path(str(read_value("output", given.get("output", "runs/compare"))))
    lived = given.get("lived", "satisfaction")
    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            found = comparing.compare(
                scenarios, list(recommenders), _seeds(given.get("seed", "range(3)")), share=share,
                logging=given.get("logging", recommenders[0]), split=given.get("split", "random"), lived=lived,
                workers=_whole("workers", given) or os.cpu_count() or 1, output=output,
                command="python -m analysis compare " + " ".join(words), say=to_stderr, report=_report, stop=stop,
            )  # fmt: skip
    except sweeping.SweepError as error:
        to_stderr(f"error: {error}")
        to_stderr(f"what is done is kept: the same command with output={output} continues")
        return EXIT_STOPPED if error.stopped else EXIT_FAILED
    rows: list[list[Cell]] = []
    for each in found:
        tau, interval = each.found.agreement(lived)
        rows.append([each.scenario.scenario, round(tau, 3), round(interval.low, 3), round(interval.high, 3)])
    _say(format_table(["scenario", "Kendall's tau, offline and lived", "low", "high"], rows) + "\n\n")
    _say(f"written to {output / comparing.PAGE}\n")
    return 0


def _pairs(words: Sequence[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise InputError(WHERE, f"{word!r} is not key=value", "expected settings such as seed=0")
    keys = [word.partition("=")[0] for word in words]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(WHERE, f"{key} is given twice", "give it once, several values with commas")
    return dict(read_arguments(words).pairs)


def _one(key: str, given: Mapping[str, str]) -> str:
    if len(expand_values(key, given[key])) > 1:
        raise InputError(WHERE, f"{key}={given[key]} gives several values", "only recommender and seed vary")
    return given[key]


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for value in expand_values("seed", text):
        if not value.isdecimal():
            raise InputError(WHERE, f"seed={value}", "expected whole numbers of at least 0, or range(20)")
        seeds.append(int(value))
    return seeds


def _number(key: str, given: Mapping[str, str], default: float) -> float:
    value = read_value(key, given[key]) if key in given else default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(WHERE, f"{key} = {value}", "expected a number")
    return float(value)


def _whole(key: str, given: Mapping[str, str], at_least: int = 1) -> int | None:
    if key not in given:
        return None
    value = read_value(key, given[key])
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise InputError(WHERE, f"{key} = {value}", f"expected a whole number of at least {at_least}")
    return value


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
