"""What a run is, and whether a run that is resumed still is that: everything that its results follow from."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommenders.contract import Recommender, Settings
from simulator.config import CHANGEABLE_ON_RESUME, RunConfig
from simulator.engine.jit.compile import source_hash
from simulator.errors import InputError
from simulator.platform.policies import Policies
from simulator.records.checkpoint import Checkpoint, newest_checkpoint
from simulator.records.parts import PLATFORM, check_parts, file_hash, parts_told, read_parts
from simulator.records.run_folder import CONFIG, MANIFEST
from simulator.scenario.schema.scenario import Scenario

Identity = dict[str, Any]
"""What a run is, as JSON knows it: `engine`, `settings`, `scenario`, `recommender`, `catalog`, `log_from`."""

_BEGIN_ANOTHER = "or begin a new run"
_FREE = {*CHANGEABLE_ON_RESUME, "output", "resume"}


def identity_of(
    config: RunConfig, scenario: Scenario, recommender: Recommender | str, policies: Policies | None = None
) -> Identity:
    """Tell what a run is.

    Args:
        config: its configuration, with the length of the run.
        scenario: as it was read.
        recommender: who recommends; an oracle is a name.
        policies: of the platform's own, if there are any.
    """
    made = {} if isinstance(recommender, str) else _made_of(recommender)
    for stage, own in policies.by_name.items() if policies is not None else ():
        made |= {f"policy of {stage}: {name}": text for name, text in _made_of(own).items()}
    return {
        "engine": source_hash(),
        "settings": settings_of(config),
        "scenario": scenario.hash,
        "recommender": made,
        "catalog": {} if config.catalog is None else files_of(config.catalog),
        "log_from": {} if config.log_from is None else _log_of(config.log_from),
    }


def settings_of(config: RunConfig) -> dict[str, str]:
    """Return the settings that a run is known by, as texts by name: all that cannot change on a resume."""
    texts = (argument.partition("=") for argument in config.to_arguments())
    return {name: text for name, _, text in texts if name not in _FREE}


def take_up(
    config: RunConfig, scenario: Scenario, recommender: Recommender | str, policies: Policies | None = None
) -> Checkpoint:
    """Return the last checkpoint of the run that `config.resume` names, once all is seen to be as it was left.

    Nothing is written. The checkpoint's manifest is the truth: what the run is, and what its closed log parts hold.

    Raises:
        InputError: naming what differs, is damaged or is missing.
    """
    folder = config.resume
    assert folder is not None
    found = newest_checkpoint(folder)
    check_same(
        identity_of(config, scenario, recommender, policies), found.manifest["identity"], config, found.path.name
    )
    check_parts(folder, parts_told(found.manifest["parts"]), found.index)
    return found


def check_same(now: Identity, then: Identity, config: RunConfig, source: str) -> None:
    """See that a run is what it was.

    Args:
        now: what `config` says now.
        then: what it was begun as.
        config: its configuration, with its folder in `resume`.
        source: the file that says what it was begun as.

    Raises:
        InputError: naming what differs.
    """
    folder = config.resume
    assert folder is not None
    if now["engine"] != then["engine"]:
        raise InputError(
            str(folder), "was begun by another version of the engine", f"the version that began it, {_BEGIN_ANOTHER}"
        )
    check_settings(now["settings"], then["settings"], folder, source)
    if now["scenario"] != then["scenario"]:
        was, became = then["scenario"][:12], now["scenario"][:12]
        raise InputError(
            f"scenario {config.scenario}",
            f"is not what {folder} was begun with: its content has the hash {became}, and {source} says {was}",
            f"put its file back as it was, {_BEGIN_ANOTHER}",
        )
    known = {"recommender": config.recommender, "catalog": config.catalog, "log_from": config.log_from}
    for what, name in known.items():
        differing = _differing(now[what], then.get(what, {}))
        if differing:
            raise InputError(
                f"{what} {name}",
                f"is not what {folder} was begun with: {', '.join(differing)}",
                f"put it back as it was, {_BEGIN_ANOTHER}",
            )


def check_settings(now: Mapping[str, str], then: Mapping[str, str], folder: Path, source: str) -> None:
    """See that settings, as texts by name, are those that a run was begun with. Raises InputError naming all others."""
    differing = [
        f"{name} = {now.get(name, 'not given')}, and {source} says {then.get(name, 'not given')}"
        for name in sorted(now.keys() | then.keys())
        if now.get(name) != then.get(name)
    ]
    if differing:
        raise InputError(
            str(folder / CONFIG), "; ".join(differing), f"put back what belongs together, {_BEGIN_ANOTHER}"
        )


def _differing(now: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    """Name what was added, changed or taken away."""
    words = {(False, True): "is gone", (True, False): "is new", (True, True): "has changed"}
    return [
        f"{name} {words[name in now, name in then]}"
        for name in sorted(now.keys() | then.keys())
        if now.get(name) != then.get(name)
    ]


def _made_of(recommender: Recommender) -> dict[str, str]:
    """Tell a recommender by its class, its parameters, and the source of what is not our own; so its members."""
    made: dict[str, str] = {}
    for place, each in {"": recommender, **getattr(recommender, "members", {})}.items():
        kind, head = type(each), f"{place}: " if place else ""
        config = getattr(each, "config", None)
        made[f"{head}class"] = f"{kind.__module__}:{kind.__qualname__}"
        if isinstance(config, Settings):
            made |= {f"{head}{name}": repr(value) for name, value in config.values().items()}
        for base in kind.__mro__:
            if base.__module__.partition(".")[0] not in ("recommenders", "builtins"):
                made[f"{head}source of {base.__module__}"] = _source(base)
    return made


def _source(kind: type) -> str:
    """Return the hash of the file that a class comes from, of a script only that of the class; empty without any."""
    try:
        text = inspect.getsource(kind if kind.__module__ == "__main__" else sys.modules[kind.__module__])
    except (OSError, TypeError, KeyError):  # a notebook's cell that is gone, a compiled module
        return ""
    return hashlib.sha256(text.encode()).hexdigest()


def _log_of(run: Path) -> dict[str, str]:
    """Return the hash of what another run reads of a run: its platform log, and what it says of itself."""
    files = [*read_parts(run, PLATFORM), *(path for path in [run / MANIFEST] if path.is_file())]
    return {path.relative_to(run).as_posix(): file_hash(path) for path in files}


def files_of(catalog: Path) -> dict[str, str]:
    """Return the hash of each file that a catalog can have: in its folder, and in that of its features."""
    places = [catalog, catalog / "features"] if catalog.is_dir() else []
    files = [path for place in places for path in sorted(place.glob("[!.]*")) if path.is_file()]
    return {path.relative_to(catalog).as_posix(): file_hash(path) for path in files}
