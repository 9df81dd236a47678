"""What the command line says about itself, the scenarios and the recommenders. Nothing heavy is imported here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from recommenders import registry
from recommenders.contract.names import unknown_name
from simulator.config import BLINDINGS, CHANGE_PREFIX, FEATURES_PREFIX, PARAMETER_PREFIX, RunConfig, complete
from simulator.errors import InputError
from simulator.scenario.durations import exact_duration

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario  # pydantic loads late

# They see the truth, so they live in the simulator, outside of the registry.
ORACLES = ("belief-oracle", "utility-oracle")

_USAGE = """\
Beholder simulates what users of a platform see, choose and live through, with a recommender inside.

usage:
  python -m simulator scenario=NAME              run it; measures are printed, logs are written
  python -m simulator scenario=NAME recommender=itemknn recommender.neighbors=50 users=500 horizon=12h
  python -m simulator scenario=NAME catalog=FOLDER           with a real catalog
  python -m simulator -m scenario=NAME recommender=random,itemknn seed="range(5)"    a sweep
  python -m simulator resume=RUN                 continue a run that was stopped
  python -m simulator check FILE                 check a scenario file
  python -m simulator schema                     JSON schema of scenario files, for editors
  python -m simulator doctor                     what this machine offers

flags:
  -h, --help       this text
  --list           what scenarios and recommenders there are
  --show           print the resolved configuration and stop
  -m, --multirun   run every combination of lists (a,b) and ranges (range(5)), one process each
  --debug          on an error, the whole trace
  --version        the version

settings:
"""


def help_text() -> str:
    """Return the text of `--help`."""
    rows: list[tuple[str, str]] = []
    for each in RunConfig.described().values():
        if each.name == "recommender_parameters":
            rows.append((f"{PARAMETER_PREFIX}NAME", "a parameter of the recommender"))
        elif each.name == "scenario_changes":
            rows.append((f"{CHANGE_PREFIX}KEYS", "a number of its file, by its keys: scenario.user.churn=0.01"))
        elif each.name == "blinded_features":
            meaning = f"what recommenders get for a modality's features, or all's: {', '.join(BLINDINGS)}"
            rows.append((f"{FEATURES_PREFIX}NAME", meaning))
        else:
            rows.append((each.name, each.meaning + _default_text(each.name, each.default)))
    rows.append(("label", "what counts as a positive: one of the scenario's labels (default: its own choice)"))
    rows.append(("serves", "stages that the recommender takes, or all: serves=home,search (default: the scenario's)"))
    rows.append(("workers", "with -m: runs at a time (default: as many as the cores hold)"))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name.ljust(width)}  {meaning}" for name, meaning in rows]
    return _USAGE + "\n".join(lines)


def _default_text(name: str, default: object) -> str:
    if name in ("recommender", "users", "items", "horizon"):
        return " (default: the scenario's)"
    if default in (None, ""):
        return ""
    return f" (default: {exact_duration(default) if isinstance(default, float) else default})"


def list_text() -> str:
    """Return the text of `--list`: each scenario with its title, and the recommenders."""
    from simulator.scenario.load import available_scenarios, load_scenario

    names = available_scenarios()
    width = max((len(name) for name in names), default=0)
    scenarios = [f"  {name.ljust(width)}  {load_scenario(name).title}" for name in names]
    recommenders = [f"  {name}" for name in registry.available()]
    oracles = [f"  {name}  (sees the truth)" for name in ORACLES]
    own = ["  my_package.module:MyRecommender"]
    lines = ["scenarios (scenario=NAME or a path):", *scenarios, "", "recommenders (recommender=NAME):"]
    return "\n".join([*lines, *recommenders, *oracles, *own])


def check_recommender_name(name: str | None) -> None:
    """See that a recommender of that name is registered; import paths are looked at when the run begins.

    Raises:
        InputError: there is none; with the nearest name and all that there are.
    """
    known = (*registry.available(), *ORACLES)
    if name is not None and ":" not in name and name not in known:
        wrong, right = unknown_name("recommender", name, known)
        raise InputError("recommender", wrong, f"{right}, or an import path like my_package.module:MyRecommender")


def scenario_defaults(name_or_path: str, changes: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that a scenario proposes for its runs.

    Raises:
        InputError: there is no such scenario, or its file is wrong.
    """
    from simulator.scenario.load import load_scenario

    return load_scenario(name_or_path, changes).defaults.model_dump()


def check_text(path: str) -> str:
    """Check a scenario file and say that it is sound.

    Raises:
        InputError: it is not; with what would be right.
    """
    from simulator.scenario.load import available_scenarios, load_scenario

    return check_text_of(load_scenario(path if path in available_scenarios() else Path(path)), path)


def check_text_of(scenario: Scenario, path: str) -> str:
    """Check a scenario and say that it is sound, and whether this version can run it.

    Raises:
        InputError: it is not sound; with what would be right.
    """
    from simulator.scenario.checks.check import check_scenario

    check_scenario(scenario)
    config = complete(RunConfig(scenario=path), scenario.defaults.model_dump())
    check_recommender_name(config.recommender)
    sound = f"{path}: {scenario.scenario} version {scenario.version} is sound ({len(scenario.stages)} stages)"
    from simulator.plan.compiler import compile_scenario  # these load numba
    from simulator.platform.policies import create_policies
    from simulator.records.measures import check_measures
    from simulator.runtime.tick_times import check_times

    try:
        compiled = compile_scenario(scenario)
    except InputError as cannot:
        return f"{sound}; but {cannot.wrong}"
    check_measures(compiled)
    check_times(config, scenario)
    create_policies(scenario, config.seed)
    return sound


def schema_text() -> str:
    """Return the JSON schema of scenario files."""
    from simulator.scenario.schema.scenario import scenario_json_schema

    return json.dumps(scenario_json_schema(), indent=2)
