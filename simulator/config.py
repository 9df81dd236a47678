"""The settings of a run: which there are, what each may be, and how they are written down.

The command line, a run folder's `config.yaml` and `simulator.run(...)` in Python use the same names and come through
the same function, `resolve`. What is left out is None until `complete` fills it in from the scenario's own defaults.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import unknown_name
from recommenders.contract.settings import Settings, checked, one_of, setting, whole_number, wrong_setting, yes_or_no
from simulator.errors import InputError
from simulator.scenario.durations import DAY, HOUR, exact_duration, parse_duration
from simulator.scenario.limits import BATCH, CENTURY, MOST_ITEMS, MOST_SEED, MOST_USERS, SHORTEST, THREADS, WINDOWS

LOGS = ("full", "platform", "metrics")
PARAMETER_PREFIX = "recommender."
CHANGE_PREFIX = "scenario."
FEATURES_PREFIX = "features."
ALL_FEATURES = "all"
BLINDINGS = ("shuffle", "noise", "remove", "keep")
"""What recommenders may be handed in place of a modality's features; `keep`: the features."""
SHORT = {"label": "scenario.platform.label", "serves": "scenario.platform.serves"}
"""Names that stand for longer ones: what counts as a positive, and where the recommender is asked, are choices of the
run as much as of the scenario."""
# A resumed run is the same run: only what cannot change its results may differ.
CHANGEABLE_ON_RESUME = ("threads", "window", "batch")


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a name")
    return value


def to_path(value: object) -> Path:
    """Return the path. Raises ValueError for what cannot be one."""
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise ValueError("a path")
    return Path(value)


def _existing(what: str) -> Callable[[object], Path]:
    """Return what reads the path of something that is there; `what` says what is expected."""

    def read(value: object) -> Path:
        path, there = to_path(value), False
        with suppress(OSError):  # a name that no file can have
            there = path.exists()
        if not there:
            raise ValueError(f"{what}; nothing is there")
        return path

    return read


def read_duration(value: object) -> float:
    """Return the seconds of a positive duration of at most a century. Raises ValueError for anything else."""
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = math.nan
    if seconds > CENTURY:
        raise ValueError(f"a duration of at most {CENTURY / DAY:g}d")
    if not seconds > 0:
        raise ValueError("a positive duration such as 14d, 6h, 30min, 45s, or a number of seconds")
    if seconds < SHORTEST:
        raise ValueError(f"a duration of at least 1/{1 / SHORTEST:g} s, the engine's time step")
    return seconds


@dataclass(frozen=True)
class RunConfig(Settings):
    """One run, fully described: the same configuration gives the same log.

    `None` means: the scenario's default (`scenario` aside, for `recommender`, `users`, `items`, `horizon`, `first_fit`,
    `refit`), or "not asked for" (`output`, `catalog`, `log_from`, `resume`). Durations are seconds of simulated time.
    """

    scenario: str = setting("", "name of a scenario, or path of a scenario file", read=_name)
    recommender: str | None = setting(None, "name of a recommender, or my_package.module:MyRecommender", read=_name)
    recommender_parameters: Mapping[str, object] = field(default_factory=dict)
    users: int | None = setting(None, "number of users", read=whole_number(1, MOST_USERS))
    items: int | None = setting(None, "number of items", read=whole_number(1, MOST_ITEMS))
    horizon: float | None = setting(None, "simulated time, e.g. 14d", read=read_duration)
    seed: int = setting(0, "the world's seed", read=whole_number(0, MOST_SEED))
    output: Path | None = setting(None, "folder to write, new (default: runs/SCENARIO-RECOMMENDER-sSEED)", read=to_path)
    catalog: Path | None = setting(
        None, "folder of a real catalog (default: drawn from the scenario)",
        read=_existing("an existing folder with items, features or interactions"),
    )  # fmt: skip
    log_from: Path | None = setting(
        None, "folder of another run, whose log the platform begins with (default: none)",
        read=_existing("the folder of a run that has ended"),
    )  # fmt: skip
    log: str = setting("full", f"what to write: {', '.join(LOGS)}", read=one_of(*LOGS))
    features: bool = setting(False, "yes writes the items' features, for offline judging", read=yes_or_no)
    threads: int = setting(1, "threads of this run; never changes a result", read=whole_number(1, THREADS))
    window: int = setting(1, "windows per tick; never changes a result", read=whole_number(1, WINDOWS))
    batch: int = setting(4096, "requests scored at a time; never changes a result", read=whole_number(1, BATCH))
    first_fit: float | None = setting(None, "when the recommender takes over, e.g. 6h", read=read_duration)
    refit: float | None = setting(None, "simulated time between fits, e.g. 6h", read=read_duration)
    checkpoint: float = setting(6 * HOUR, "simulated time between checkpoints", read=read_duration)
    resume: Path | None = setting(None, "folder of an unfinished run to continue", read=to_path)
    scenario_changes: Mapping[str, object] = field(default_factory=dict)
    blinded_features: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, object]:
        """Return every setting that is not None, by the name it has on the command line, in the order of the fields."""
        found: dict[str, object] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if each.name == "recommender_parameters":
                found |= {PARAMETER_PREFIX + name: value for name, value in self.recommender_parameters.items()}
            elif each.name == "scenario_changes":
                found |= {CHANGE_PREFIX + name: value for name, value in self.scenario_changes.items()}
            elif each.name == "blinded_features":
                found |= {FEATURES_PREFIX + name: value for name, value in self.blinded_features.items()}
            elif value is not None:
                found[each.name] = value
        return found

    def to_yaml(self) -> str:
        """Return the configuration as YAML, one setting a line; `from_yaml` reads it back to an equal configuration."""
        return "".join(f"{name}: {text}\n" for name, text in self._texts())

    def to_arguments(self) -> list[str]:
        """Return the configuration as arguments of `python -m simulator`."""
        return [f"{name}={text}" for name, text in self._texts()]

    def _texts(self) -> Iterable[tuple[str, str]]:
        for name, value in self.settings().items():
            if name in KNOWN and KNOWN[name].read is read_duration and isinstance(value, float):
                yield name, exact_duration(value)
            else:
                yield name, _yaml_value(name, value)

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> RunConfig:
        """Read a configuration that `to_yaml` wrote.

        Raises:
            InputError: the file is missing or broken, or holds a setting that is unknown or wrong.
        """
        from simulator.scenario.strict_yaml import load_yaml

        loaded = load_yaml(Path(path))
        if not isinstance(loaded, Mapping):
            raise InputError(str(path), "is no table of settings", "expected lines such as 'users: 3000'")
        return resolve(((str(name), value) for name, value in loaded.items()), where=str(path))


# A word that YAML could take for something else is quoted.
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*(?::[A-Za-z_][A-Za-z0-9_.]*)?")
_NOT_PLAIN = re.compile(r"(?i)(?:true|false|yes|no|on|off|y|n|null|[.-].*|nan|inf)")


# What JSON leaves as it is and YAML refuses to read.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff]")


def _yaml_value(name: str, value: object) -> str:
    """Return a value in YAML's flow style, which is JSON but for plain words."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _NOT_PLAIN.fullmatch(value):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    except (TypeError, ValueError):
        raise InputError(name, f"{value!r} cannot be written to config.yaml", "expected text, numbers, lists") from None


KNOWN = {name: each for name, each in RunConfig.described().items() if each.meaning}
"""All settings but a recommender's parameters, changes of the scenario and what is done to features."""


def resolve(pairs: Iterable[tuple[str, object]], where: str = "command line") -> RunConfig:
    """Return a checked configuration from named settings.

    Args:
        pairs: (name, value), in any order; a recommender's parameter is named `recommender.<parameter>`, a change of
            the scenario `scenario.<keys.of.the.file>`, what is done to features `features.<modality>`. The prefix of a
            parameter may be left out where no setting has its name. A value of None leaves a setting at its default.
        where: where the settings stand, for messages.

    Raises:
        InputError: a setting is unknown, given twice, or not what it has to be; or there is no scenario.
    """
    seen: set[str] = set()
    values: dict[str, Any] = {}
    parameters: dict[str, object] = {}
    changes: dict[str, object] = {}
    blinded: dict[str, Any] = {}
    given = list(pairs)
    for key, value in given:
        name = _full_name(key, given)
        if name in seen:
            raise InputError(where, f"{name} is given twice", "give it once")
        seen.add(name)
        parameter = name.removeprefix(PARAMETER_PREFIX)
        if parameter != name:
            if not parameter.isidentifier():
                raise InputError(where, f"{name} names no parameter", "expected recommender.<parameter>=<value>")
            parameters[parameter] = value
        elif name.startswith(CHANGE_PREFIX):
            changes[name.removeprefix(CHANGE_PREFIX)] = value
        elif name.startswith(FEATURES_PREFIX):
            if value not in BLINDINGS:
                raise InputError(where, f"{name} = {value}", f"expected one of {', '.join(BLINDINGS)}")
            blinded[name.removeprefix(FEATURES_PREFIX)] = value
        elif name not in KNOWN:
            there = [*KNOWN, *SHORT, f"{PARAMETER_PREFIX}<parameter>", f"{FEATURES_PREFIX}<modality>"]
            raise InputError(where, *unknown_name("setting", name, there))
        elif value is not None:
            values[name] = value
    values = checked(KNOWN, values, wrong_setting(InputError, where))
    if "resume" in values:
        _check_resume(seen, where)
    elif "items" in values and "catalog" in values:
        raise InputError(
            where, f"items = {values['items']} beside a catalog", "leave it out: a catalog says itself how many"
        )
    elif "first_fit" in values and "log_from" in values:
        wrong = "first_fit beside log_from"
        raise InputError(where, wrong, "leave it out: with a log from before, the first fit is at time 0")
    elif "scenario" not in values:
        raise InputError(where, "no scenario is given", "expected scenario=NAME or a path; --list shows what there is")
    return RunConfig(recommender_parameters=parameters, scenario_changes=changes, blinded_features=blinded, **values)


def _full_name(name: str, given: Iterable[tuple[str, object]]) -> str:
    """Complete a setting's name: a recommender's parameter needs no prefix where no setting has that name."""
    if name in SHORT:
        return SHORT[name]
    recommender = dict(given).get("recommender")
    if name in KNOWN or "." in name or not isinstance(recommender, str):
        return name
    from recommenders.registry import accepted_parameters, find  # only here: this loads the recommender

    try:
        known = accepted_parameters(find(recommender))
    except RecommenderError:
        return name
    return PARAMETER_PREFIX + name if name in known else name


def _check_resume(seen: set[str], where: str) -> None:
    kept = sorted(seen - {"resume", *CHANGEABLE_ON_RESUME})
    if kept:
        raise InputError(
            where,
            f"resume= continues a run as it was set up, so {', '.join(kept)} cannot be given",
            f"leave it out; only {', '.join(CHANGEABLE_ON_RESUME)} may change",
        )


def complete(config: RunConfig, defaults: Mapping[str, object]) -> RunConfig:
    """Fill in what a configuration leaves open from the scenario's defaults.

    A real catalog says itself how many items and users there are, and its log how long a run should be, so the
    scenario's numbers are not used with it.

    Raises:
        InputError: a default is unknown or wrong.
    """
    known = ("recommender", "users", "items", "horizon")
    checked = resolve([("scenario", config.scenario), *defaults.items()], where=f"{config.scenario}: defaults")
    filled: dict[str, Any] = {
        name: getattr(checked, name)
        for name in known
        if getattr(config, name) is None and not (name != "recommender" and config.catalog is not None)
    }
    return dataclasses.replace(config, **filled)
