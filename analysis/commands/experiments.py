"""Commands that run recommenders beside each other: experiments, and scenarios judged both ways."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analysis.commands.words import (
    going_on,
    names,
    one_of,
    read_settings,
    say,
    say_world,
    seeds,
    share_reader,
    table_of,
)
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, setting, whole_number
from simulator.cli.arguments import expand_values, read_value
from simulator.cli.signals import to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.config import CHANGE_PREFIX, FEATURES_PREFIX, KNOWN, PARAMETER_PREFIX, to_path
from simulator.errors import InputError, check_known
from simulator.records.run_folder import free_name, safe_name, write_atomic

if TYPE_CHECKING:
    from analysis.arms import Arm
    from analysis.tables import Experiment
    from analysis.treatments import Design

FRAME, PAIRED, ORDERED, EFFECTS = "experiment.csv", "paired.csv", "ordered.csv", "effects.csv"
ORDER, FACTOR = "order.", "factor."
_PAIRED_HEADER = ["recommender", "n", "mean", "low", "high", "difference", "low", "high", "p", "p (Holm)"]
_PAIRED_COLUMNS = (
    "recommender", "n", "mean", "low", "high", "difference", "difference_low", "difference_high", "p", "p_holm",
)  # fmt: skip
_ARMS_HEADER = ["arm", *_PAIRED_HEADER[1:]]
_EFFECTS_HEADER = ["effect", "pairs", "difference", "low", "high", "p", "p (Holm)"]
_EFFECTS_COLUMNS = ("effect", "pairs", "difference", "difference_low", "difference_high", "p", "p_holm")
_ORDERED_HEADER = ["higher", "lower", "difference", "low", "high", "p", "verdict"]
_ORDERED_COLUMNS = ("higher", "lower", "difference", "difference_low", "difference_high", "p", "verdict")


@dataclass(frozen=True)
class ExperimentSettings(Settings):
    """What an experiment takes, besides `order.MEASURE`, `factor.NAME` and the settings that all its worlds share."""

    scenario: str = ""
    recommender: tuple[str, ...] = setting((), read=names("recommender"))
    seed: tuple[int, ...] = setting(tuple(range(5)), read=seeds)
    measures: tuple[str, ...] = setting((), read=names("measures"))
    baseline: str = ""
    level: float = setting(0.95, read=share_reader("a share above 0 and below 1, such as 0.95", whole=False))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)
    treatments: str = ""
    design: str = ""


@dataclass(frozen=True)
class CompareSettings(Settings):
    """What a comparison takes."""

    scenarios: tuple[str, ...] = setting(("all",), read=names("scenarios"))
    recommenders: tuple[str, ...] = setting(
        ("random", "popularity", "recentpopularity", "itemknn", "userknn", "puresvd"), read=names("recommenders")
    )
    seed: tuple[int, ...] = setting(tuple(range(3)), read=seeds)
    share: float = setting(0.5, read=share_reader("a share of the scenario's users, above 0 and at most 1", whole=True))
    logging: str = ""
    split: str = "random"
    lived: str = "satisfaction"
    workers: int | None = setting(None, read=whole_number(1))
    output: Path = setting(Path("runs/compare"), read=to_path)


def experiment(words: Sequence[str]) -> int:
    """Run the grid, print and write its tables (`experiment`)."""
    given = read_pairs(words, InputError)
    factors = {"treatment": given["treatments"]} if "treatments" in given else {}
    factors |= {key.removeprefix(FACTOR): text for key, text in given.items() if key.startswith(FACTOR)}
    if "scenario" not in given or ("recommender" not in given and not factors):
        right = "expected scenario=NAME recommender=random,itemknn; --help shows all settings"
        raise InputError(WHERE, "an experiment needs a scenario and recommenders", right)
    shared = [name for name in KNOWN if name not in (*ExperimentSettings.described(), "resume")]
    own: dict[str, str] = {}
    orders: dict[str, list[str]] = {}
    settings: dict[str, object] = {}
    for key, text in given.items():
        if key.startswith(ORDER):
            orders[key.removeprefix(ORDER)] = expand_values(key, text)
        elif key.startswith(FACTOR):
            continue
        elif key in shared or key.startswith((CHANGE_PREFIX, FEATURES_PREFIX)):
            settings[key] = read_value(key, one_of(key, text))
        elif key.startswith(PARAMETER_PREFIX):
            right = "give a recommender's parameters in brackets: recommender=itemknn(neighbors=50)"
            raise InputError(WHERE, f"{key} cannot hold for all recommenders", right)
        else:
            own[key] = text
    chosen = read_settings(
        ExperimentSettings, own, [f"{ORDER}<measure>", f"{FACTOR}<name>", f"{FEATURES_PREFIX}<modality>", *shared]
    )
    for name, chain in orders.items():
        if len(chain) < 2:
            raise InputError(WHERE, f"{ORDER}{name}={chain[0]}", "expected two or more recommenders")
    scenario = one_of("scenario", chosen.scenario)
    output = chosen.output or free_name(Path("runs") / safe_name(f"experiment-{Path(scenario).stem}"))
    from analysis.arms import read_arm
    from analysis.grid import experiment as run, plan
    from analysis.treatments.experiments import arms_of
    from simulator.scenario.load import load_scenario

    arms = [read_arm(text) for text in chosen.recommender]
    _check_features(scenario, settings)
    design = None
    if factors:
        design = _design(factors, arms, chosen, scenario, settings)
        arms = list(arms_of(design, scenario, settings).values())
    elif chosen.design:
        raise InputError(WHERE, f"design={chosen.design} without factors", 'expected treatments="as-it-is; ..." too')
    baseline = chosen.baseline or arms[0].name
    check_known(
        WHERE,
        "arm" if factors else "recommender",
        [baseline, *(name for chain in orders.values() for name in chain)],
        [arm.name for arm in arms],
    )
    changes = {key.removeprefix(CHANGE_PREFIX): v for key, v in settings.items() if key.startswith(CHANGE_PREFIX)}
    # Before hours of runs: every measure that a table needs is one of the scenario's.
    check_known(WHERE, "measure", [*chosen.measures, *orders], load_scenario(scenario, changes).measures)
    grid = plan(scenario, arms, chosen.seed, settings, output)
    to_stderr(f"{len(grid)} worlds · to {output}")
    with going_on(output) as stop:
        found = run(
            scenario, arms, chosen.seed, settings, chosen.workers, output,
            report=say_world, stop=stop,
        )  # fmt: skip
    measures = list(chosen.measures) or found.measures
    paired = found.paired(measures, baseline, chosen.level)
    write_atomic(output / FRAME, found.frame.to_csv(index=False))
    write_atomic(output / PAIRED, paired.to_csv(index=False))
    for name in measures:
        rows = paired[paired["measure"] == name]
        say(f"{name} · difference to {baseline} over {len(chosen.seed)} seeds\n\n")
        say(table_of(rows, _PAIRED_HEADER if design is None else _ARMS_HEADER, _PAIRED_COLUMNS) + "\n\n")
    if design is not None:
        _say_effects(design, found, measures, chosen.level, output)
    if orders:
        import pandas as pd

        tables = [found.ordered(name, chain, chosen.level) for name, chain in orders.items()]
        write_atomic(output / ORDERED, pd.concat(tables).to_csv(index=False))
        for (name, chain), rows in zip(orders.items(), tables, strict=True):
            say(f"{name} · {' > '.join(chain)}\n\n{table_of(rows, _ORDERED_HEADER, _ORDERED_COLUMNS)}\n\n")
    say(f"{100 * chosen.level:g} % intervals (Student's t), p from sign flips, Holm over all comparisons here\n")
    say(f"written to {output}\n")
    return 0


def _check_features(scenario: str, settings: Mapping[str, object]) -> None:
    """Raise InputError where features are to be kept that no modality has; those of a real folder are not known yet."""
    from simulator.population.blinded import blinding
    from simulator.scenario.load import load_scenario

    asked = {
        key.removeprefix(FEATURES_PREFIX): str(v) for key, v in settings.items() if key.startswith(FEATURES_PREFIX)
    }
    if asked and "catalog" not in settings:
        kinds = load_scenario(scenario).modalities.items()
        blinding(asked, [name for name, kind in kinds if getattr(kind, "feature", None) is not None])


def _design(
    factors: Mapping[str, str], arms: Sequence[Arm], chosen: ExperimentSettings, scenario: str,
    settings: Mapping[str, object],
) -> Design:  # fmt: skip
    """Return the design of recommenders and factors. Raises InputError: as the reading of a factor does."""
    from analysis.treatments import Design
    from analysis.treatments.experiments import RECOMMENDER, read_factor, recommenders

    check_known(WHERE, "design", [chosen.design] if chosen.design else [], ("grid", "paired"))
    for name in factors:
        if name == RECOMMENDER or not name.isidentifier():
            raise InputError(WHERE, f"{FACTOR}{name} is no name of a factor", "expected letters, digits and _")
    read = [read_factor(name, text, scenario, settings) for name, text in factors.items()]
    kind: Literal["grid", "paired"] = "paired" if chosen.design == "paired" else "grid"
    return Design((*([recommenders(arms)] if arms else []), *read), chosen.seed, kind)


def _say_effects(design: Design, found: Experiment, measures: Sequence[str], level: float, output: Path) -> None:
    """Print and write the effects of factors and their interactions; print only where there are several factors."""
    from analysis.treatments.experiments import effects

    table = effects(design, found, measures, level)
    write_atomic(output / EFFECTS, table.to_csv(index=False))
    if sum(len(factor.levels) > 1 for factor in design.factors) > 1:
        for name in measures:
            rows = table[table["measure"] == name]
            say(f"{name} · effects, over the levels of the other factors (x: difference of differences)\n\n")
            say(table_of(rows, _EFFECTS_HEADER, _EFFECTS_COLUMNS) + "\n\n")
    notes = [f"{each.name}: {note}\n" for factor in design.factors for each in factor.levels for note in each.notes]
    say("".join(dict.fromkeys(notes)))
    if len(design.seeds) == 1:
        say("one seed: differences within one world, which luck alone may have made; give seeds for intervals\n")


def compare(words: Sequence[str]) -> int:
    """Write scenarios both ways, on one page (`compare`)."""
    chosen = read_settings(CompareSettings, read_pairs(words, InputError))
    from analysis import compare as comparing

    scenarios = comparing.all_scenarios() if chosen.scenarios == ("all",) else list(chosen.scenarios)
    with going_on(chosen.output) as stop:
        found = comparing.compare(
            scenarios, list(chosen.recommenders), chosen.seed, share=chosen.share,
            logging=chosen.logging or chosen.recommenders[0], split=chosen.split, lived=chosen.lived,
            workers=chosen.workers or os.cpu_count() or 1, output=chosen.output,
            command="python -m analysis compare " + " ".join(words), say=to_stderr, report=say_world, stop=stop,
        )  # fmt: skip
    rows: list[list[Cell]] = []
    for each in found:
        tau, interval = each.found.agreement(chosen.lived)
        rows.append([each.scenario.scenario, round(tau, 3), round(interval.low, 3), round(interval.high, 3)])
    say(format_table(["scenario", "Kendall's tau, offline and lived", "low", "high"], rows) + "\n\n")
    say(f"written to {chosen.output / comparing.PAGE}\n")
    return 0
