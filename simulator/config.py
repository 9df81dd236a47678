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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import unknown_name
from simulator.errors import InputError
from simulator.scenario.durations import DAY, HOUR, exact_duration, parse_duration

LONGEST = 36500 * DAY  # seconds, a century
LOGS = ("full", "platform", "metrics")
PARAMETER_PREFIX = "recommender."
CHANGE_PREFIX = "scenario."
SHORT = {"label": "scenario.platform.label"}
"""Names that stand for longer ones: what counts as a positive is a choice of the run as much as of the scenario."""
# A resumed run is the same run: only what cannot change its results may differ.
CHANGEABLE_ON_RESUME = ("threads", "window", "batch")

Reader = Callable[[object], Any]


class _WrongError(Exception):
    """A value is not what its setting needs; the text says what would be right."""


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongError("expected a name")
    return value


def _read_path(value: object) -> Path:
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise _WrongError("expected a path")
    return Path(value)


def _read_catalog(value: object) -> Path:
    path = _read_path(value)
    if not path.exists():
        raise _WrongError("expected an existing folder with items, features or interactions; nothing is there")
    return path


def _whole_number(low: int, high: int) -> Reader:
    def read(value: object) -> int:
        # 1e6 is a float to YAML and a whole number to whoever wrote it.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            too_high = isinstance(value, int) and value > high
            at_most = f" and at most {high}" if too_high else ""
            raise _WrongError(f"expected a whole number of at least {low}{at_most}")
        return value

    return read


def _read_duration(value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = math.nan
    if seconds > LONGEST:
        raise _WrongError("expected a duration of at most 36500d")
    if not seconds > 0:
        raise _WrongError("expected a positive duration such as 14d, 6h, 30min, 45s, or a number of seconds")
    return seconds


def _read_log(value: object) -> str:
    if not isinstance(value, str) or value not in LOGS:
        raise _WrongError(f"expected one of {', '.join(LOGS)}")
    return value


def _setting(read: Reader, meaning: str, default: object) -> Any:
    return field(default=default, metadata={"read": read, "meaning": meaning})


@dataclass(frozen=True)
class RunConfig:
    """One run, fully described: the same configuration gives the same log.

    `None` means: the scenario's default (`scenario` aside, for `recommender`, `users`, `items`, `horizon`, `first_fit`,
    `refit`), or "not asked for" (`output`, `catalog`, `resume`). Durations are seconds of simulated time.
    """

    scenario: str = _setting(_read_text, "name of a scenario, or path of a scenario file", "")
    recommender: str | None = _setting(_read_text, "name of a recommender, or my_package.module:MyRecommender", None)
    recommender_parameters: Mapping[str, object] = field(default_factory=dict)
    users: int | None = _setting(_whole_number(1, 2**32 - 2), "number of users", None)
    items: int | None = _setting(_whole_number(1, 2**31 - 2), "number of items", None)
    horizon: float | None = _setting(_read_duration, "simulated time, e.g. 14d", None)
    seed: int = _setting(_whole_number(0, 2**63 - 1), "the world's seed", 0)
    output: Path | None = _setting(_read_path, "folder to write, new (default: runs/SCENARIO-RECOMMENDER-sSEED)", None)
    catalog: Path | None = _setting(_read_catalog, "folder of a real catalog (default: drawn from the scenario)", None)
    log: str = _setting(_read_log, f"what to write: {', '.join(LOGS)}", "full")
    threads: int = _setting(_whole_number(1, 4096), "threads of this run; never changes a result", 1)
    window: int = _setting(_whole_number(1, 4096), "windows per tick; never changes a result", 1)
    batch: int = _setting(_whole_number(1, 2**31 - 2), "requests scored at a time; never changes a result", 4096)
    first_fit: float | None = _setting(_read_duration, "when the recommender takes over, e.g. 6h", None)
    refit: float | None = _setting(_read_duration, "simulated time between fits, e.g. 6h", None)
    checkpoint: float = _setting(_read_duration, "simulated time between checkpoints", 6 * HOUR)
    resume: Path | None = _setting(_read_path, "folder of an unfinished run to continue", None)
    scenario_changes: Mapping[str, object] = field(default_factory=dict)

    def settings(self) -> dict[str, object]:
        """Every setting that is not None, by the name it has on the command line, in the order of the fields."""
        found: dict[str, object] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if each.name == "recommender_parameters":
                found |= {PARAMETER_PREFIX + name: value for name, value in self.recommender_parameters.items()}
            elif each.name == "scenario_changes":
                found |= {CHANGE_PREFIX + name: value for name, value in self.scenario_changes.items()}
            elif value is not None:
                found[each.name] = value
        return found

    def to_yaml(self) -> str:
        """The configuration as YAML, one setting a line; `from_yaml` reads it back to an equal configuration."""
        return "".join(f"{name}: {text}\n" for name, text in self._texts())

    def to_arguments(self) -> list[str]:
        """The configuration as arguments of `python -m simulator`."""
        return [f"{name}={text}" for name, text in self._texts()]

    def _texts(self) -> Iterable[tuple[str, str]]:
        durations = {each.name for each in dataclasses.fields(self) if each.metadata.get("read") is _read_duration}
        for name, value in self.settings().items():
            if name in durations and isinstance(value, float):
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
    """A value in YAML's flow style, which is JSON but for plain words."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _NOT_PLAIN.fullmatch(value):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    except (TypeError, ValueError):
        raise InputError(name, f"{value!r} cannot be written to config.yaml", "expected text, numbers, lists") from None


def setting_names() -> list[str]:
    """Names of all settings but a recommender's parameters."""
    return [each.name for each in dataclasses.fields(RunConfig) if "read" in each.metadata]


def is_text(name: str) -> bool:
    """Whether a setting takes text as it stands (a name, a path), so that `output=2024` is a folder."""
    return any(
        each.name == name and each.metadata.get("read") in (_read_text, _read_path, _read_catalog, _read_log)
        for each in dataclasses.fields(RunConfig)
    )


def resolve(pairs: Iterable[tuple[str, object]], where: str = "command line") -> RunConfig:
    """A checked configuration from named settings.

    Args:
        pairs: (name, value), in any order; a recommender's parameter is named `recommender.<parameter>`, a change of
            the scenario `scenario.<keys.of.the.file>`. The prefix of a parameter may be left out where no setting has
            its name. A value of None leaves a setting at its default.
        where: where the settings stand, for messages.

    Raises:
        InputError: a setting is unknown, given twice, or not what it has to be; or there is no scenario.
    """
    readers: dict[str, Reader] = {
        each.name: each.metadata["read"] for each in dataclasses.fields(RunConfig) if "read" in each.metadata
    }
    seen: set[str] = set()
    values: dict[str, Any] = {}
    parameters: dict[str, object] = {}
    changes: dict[str, object] = {}
    given = list(pairs)
    for key, value in given:
        name = _full_name(key, readers, given)
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
        elif name not in readers:
            raise InputError(
                where, *unknown_name("setting", name, [*readers, *SHORT, PARAMETER_PREFIX + "<parameter>"])
            )
        elif value is not None:
            try:
                values[name] = readers[name](value)
            except _WrongError as error:
                raise InputError(where, f"{name} = {value}", str(error)) from None
    if "resume" in values:
        _check_resume(seen, where)
    elif "items" in values and "catalog" in values:
        raise InputError(
            where, f"items = {values['items']} beside a catalog", "leave it out: a catalog says itself how many"
        )
    elif "scenario" not in values:
        raise InputError(where, "no scenario is given", "expected scenario=NAME or a path; --list shows what there is")
    return RunConfig(recommender_parameters=parameters, scenario_changes=changes, **values)


def _full_name(name: str, settings: Iterable[str], given: Iterable[tuple[str, object]]) -> str:
    """A recommender's parameter may be named without its prefix, where no setting has that name."""
    if name in SHORT:
        return SHORT[name]
    recommender = dict(given).get("recommender")
    if name in settings or "." in name or not isinstance(recommender, str):
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
