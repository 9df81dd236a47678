"""Commands that hold worlds against what is expected or known: counterfactuals, elasticity, fidelity, learnability."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.commands.words import (
    OneScenario,
    cell_of,
    going_on,
    names,
    one_scenario,
    read_settings,
    say,
    say_counted,
    seeds,
    table_of,
)
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, setting, whole_number
from simulator.cli.arguments import expand_values
from simulator.cli.tables import Cell, format_table
from simulator.config import to_path
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name, write_atomic, write_json


@dataclass(frozen=True)
class CounterfactualSettings(Settings):
    """What counterfactuals take, besides their names."""

    seed: tuple[int, ...] = setting(tuple(range(20)), read=seeds)
    file: Path | None = setting(None, read=to_path)
    workers: int | None = setting(None, read=whole_number(1))
    output: Path = setting(Path("runs/counterfactual"), read=to_path)


@dataclass(frozen=True)
class ElasticitySettings(OneScenario):
    """What an elasticity report takes, besides the settings that all its worlds share."""

    modalities: tuple[str, ...] = setting((), read=names("modalities"))
    seed: tuple[int, ...] = setting(tuple(range(5)), read=seeds)
    recommender: str = "popularity"
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class FidelitySettings(OneScenario):
    """What a fidelity report takes, besides the settings that all its worlds share."""

    seed: tuple[int, ...] = setting(tuple(range(3)), read=seeds)
    targets: tuple[str, ...] = setting((), read=names("targets"))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


@dataclass(frozen=True)
class LearnabilitySettings(Settings):
    """What learnability takes, besides the runs."""

    label: str | None = None
    seed: int = setting(0, read=whole_number(0))
    output: Path | None = setting(None, read=to_path)


def counterfactual(words: Sequence[str]) -> int:
    """Run what was declared, and say whether what was expected holds (`counterfactual`)."""
    named = [name for word in words if "=" not in word for name in expand_values("counterfactual", word)]
    chosen = read_settings(CounterfactualSettings, read_pairs([word for word in words if "=" in word], InputError))
    from analysis.counterfactual import SHIPPED, read_counterfactuals, run

    declared = read_counterfactuals(chosen.file or SHIPPED)
    check_known(WHERE, "counterfactual", named, declared)
    workers = chosen.workers or os.cpu_count() or 1

    chosen_ones = [declared[name] for name in named or declared]
    with going_on(chosen.output) as stop:
        found = run(chosen_ones, chosen.seed, chosen.output, workers, say_counted, stop)
    write_atomic(chosen.output / "counterfactual.csv", found.to_csv(index=False))
    effect = ["control", "treated", "difference", "low", "high", "verdict"]
    columns = ["counterfactual", "tag", "measure", "expected", *effect]
    say(table_of(found, columns, columns) + "\n\n")
    say(f"{len(chosen.seed)} seeds, paired; 95 % intervals (Student's t); written to {chosen.output}\n")
    return 0


def elasticity(words: Sequence[str]) -> int:
    """Hide each modality, or make it noisier, and say what that changes (`elasticity`)."""
    chosen, scenario, settings = one_scenario(ElasticitySettings, words, "seed and modalities")
    output = chosen.output or Path("runs") / safe_name(f"elasticity-{Path(scenario).stem}")
    from analysis import elasticity as report
    from analysis.statistics import LEVEL

    with going_on(output) as stop:
        found = report.run(
            scenario, chosen.seed, settings, chosen.modalities, output, chosen.workers or os.cpu_count() or 1,
            say_counted, stop,
        )  # fmt: skip
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
    say(table_of(table, header, report.COLUMNS) + "\n\n")
    accepted: list[list[Cell]] = [
        [name.replace("_", " "), *map(cell_of, (value, *interval))]
        for name, (value, interval) in found.accepted.items()
    ]
    say(format_table([f"{scenario} as it is: median belief of decisions", "mean", "low", "high"], accepted) + "\n\n")
    say(f"{len(chosen.seed)} seeds, paired; 95 % intervals (of ratios: Fieller's, else Student's t)\n")
    say(f"written to {output}\n")
    return 0


def fidelity(words: Sequence[str]) -> int:
    """Hold every target of a scenario against what its worlds show (`fidelity`)."""
    chosen, scenario, settings = one_scenario(FidelitySettings, words, "seed and targets")
    output = chosen.output or Path("runs") / safe_name(f"fidelity-{Path(scenario).stem}")
    from analysis.fidelity import report
    from analysis.statistics import LEVEL

    with going_on(output) as stop:
        found = report.run(
            scenario, chosen.seed, settings, output, chosen.workers or os.cpu_count() or 1, chosen.targets,
            say_counted, stop,
        )  # fmt: skip
    write_atomic(output / "fidelity.csv", found.to_csv(index=False))
    write_json(
        output / "fidelity.json",
        {"scenario": scenario, "seeds": chosen.seed, "settings": settings, "level": LEVEL,
         "rows": found.astype(object).where(found.notna(), None).to_dict("records")},
    )  # fmt: skip
    header = [name.replace("_", " ") for name in report.COLUMNS]
    say(table_of(found, header, report.COLUMNS) + "\n\n")
    for role, verdicts in found.groupby("role", sort=False)["verdict"]:
        say(f"{role}: " + ", ".join(f"{n} {verdict}" for verdict, n in verdicts.value_counts().items()) + "\n")
    say(f"{len(chosen.seed)} seeds; 95 % intervals (Student's t); written to {output}\n")
    return 0


def learnability(words: Sequence[str]) -> int:
    """Print density and learnability of the platform logs of finished runs (`learnability`)."""
    folders = [word for word in words if "=" not in word or Path(word).is_dir()]
    chosen = read_settings(
        LearnabilitySettings, read_pairs([word for word in words if word not in folders], InputError)
    )
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
    say(table_of(found, header, columns) + "\n\npopularity, itemknn: Recall@20 on held-out positives\n")
    if chosen.output is not None:
        write_atomic(chosen.output, found.to_csv(index=False))
    return 0
