"""A run's folder: claimed once, never overwritten, and every file in it either whole or absent.

A run can be killed at any moment, so a file is written under another name beside its place, flushed to the disk and
then moved there in one step. What the disk refuses becomes one clear `OutputError`.
"""

from __future__ import annotations

import errno
import importlib.metadata
import itertools
import json
import math
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.config import CHANGE_PREFIX, CHANGEABLE_ON_RESUME, FEATURES_PREFIX, PARAMETER_PREFIX, RunConfig
from simulator.errors import InputError, OutputError
from simulator.version import __version__

CONFIG = "config.yaml"
MANIFEST = "manifest.json"
METRICS = "metrics.json"
PARTIAL = ".partial"

# Packages that can change a result.
_PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "pandas", "pyarrow", "simpy", "torch", "pydantic", "PyYAML")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_counter = itertools.count()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses while writing at `path` into an `OutputError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            wrong, right = "the disk is full", "free some space or write to another disk with output="
        elif error.errno in _FORBIDDEN:
            wrong, right = "no permission to write here", "expected a folder that you may write to, output=FOLDER"
        else:
            wrong = f"cannot be written ({error.strerror or error})"
            right = "expected a folder that you may write to, output=FOLDER"
        raise OutputError(str(path), wrong, right) from error


def claim_folder(path: Path) -> Path:
    """Make a run's folder and return it; of two processes that claim one name, exactly one gets it.

    Raises:
        InputError: something of that name exists.
        OutputError: the folder cannot be made.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            wrong = "this output exists already, and nothing is overwritten"
            right = f"give another output=, or continue an unfinished run with resume={path}"
            raise InputError(str(path), wrong, right) from None
    return path


def free_name(path: Path) -> Path:
    """Return `path`, or the first of `path-2`, `path-3`, ... that does not exist. Nothing is made yet."""
    if not os.path.lexists(path):
        return path
    names = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(name for name in names if not os.path.lexists(name))


def default_output(config: RunConfig) -> Path:
    """Return the folder of a run by default: `runs/<scenario>-<recommender>-s<seed>`, numbered where that is taken."""
    return free_name(Path("runs") / run_name(config))


def run_name(config: RunConfig) -> str:
    """Return the short name of a run, safe as a folder's name.

    >>> run_name(RunConfig(scenario="./my/hotel.yaml", recommender="my_package.models:Mine", seed=3))
    'hotel-Mine-s3'
    """
    recommender = (config.recommender or "default").rpartition(":")[2]
    return safe_name(f"{Path(config.scenario).stem}-{recommender}-s{config.seed}")


def safe_name(text: str) -> str:
    """Return `text` with everything but letters, digits and `._-` replaced by `-`, at most 100 characters."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in text).strip("-.")[:100] or "run"


def resumed_config(given: RunConfig, settings: Mapping[str, object]) -> RunConfig:
    """Return the configuration of the run that `resume=` names, with the performance settings that were given now.

    Args:
        given: what the command line resolves to.
        settings: names and values that were typed, to tell a typed value from a default.

    Raises:
        InputError: there is no run in that folder, or its `config.yaml` is damaged.
    """
    folder, there = given.resume, False
    if folder is None:
        raise InputError("resume", "no folder is given", "expected resume=RUN")
    with suppress(OSError):  # a name that no file can have
        there = (folder / CONFIG).is_file()
    if not there:
        raise InputError(str(folder), f"is no run to resume: it has no {CONFIG}", "expected the folder of a run")
    kept = {**RunConfig.from_yaml(folder / CONFIG).settings(), "output": folder, "resume": folder}
    changed = {name: getattr(given, name) for name in CHANGEABLE_ON_RESUME if name in settings}
    return _from_settings(kept | changed)


def _from_settings(settings: Mapping[str, object]) -> RunConfig:
    parts: dict[str, dict[str, object]] = {PARAMETER_PREFIX: {}, CHANGE_PREFIX: {}, FEATURES_PREFIX: {}, "": {}}
    for name, value in settings.items():
        prefix = next(each for each in parts if name.startswith(each))
        parts[prefix][name.removeprefix(prefix)] = value
    parameters, changes, blinded, plain = parts.values()
    return RunConfig(
        **plain,  # type: ignore[arg-type]
        recommender_parameters=parameters,
        scenario_changes=changes,
        blinded_features=blinded,  # type: ignore[arg-type]
    )


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file that is whole or absent: a reader, or a resumed run, never sees a part of it.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to. What was at `path` before is still there.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.{os.getpid()}-{next(_counter)}{PARTIAL}")
    with disk_errors(path):
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to report
                partial.unlink()
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make moves and new names in a folder last through a power failure, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partials(folder: Path) -> None:
    """Remove what a killed run left half-written, in `folder` and below."""
    for path in sorted(folder.rglob(f".*{PARTIAL}")):
        path.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """Write JSON with sorted keys; what is no number (nan, inf) becomes null.

    Raises:
        TypeError: `data` holds something that JSON has no word for.
        OutputError: the file cannot be written.
    """
    text = json.dumps(plain(data), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_atomic(path, text + "\n")


def plain(data: object) -> object:
    """Return `data` as dicts with text keys, lists, text, numbers, booleans and None.

    Takes in numpy's numbers and arrays and paths; nan and infinities become None.

    Raises:
        TypeError: anything else.
    """
    if data is None or isinstance(data, bool | int | str):
        return data
    if isinstance(data, float):
        return float(data) if math.isfinite(data) else None
    if isinstance(data, Path):
        return str(data)
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    to_list = getattr(data, "tolist", None)  # numpy's numbers and arrays, without importing numpy
    if to_list is not None:
        return plain(to_list())
    raise TypeError(f"{type(data).__name__} cannot be written as JSON: {data!r}")


def write_config(folder: Path, config: RunConfig) -> None:
    """Write `config.yaml`: the resolved configuration, enough to repeat the run."""
    head = "# The resolved configuration of this run. Repeat it: python -m simulator with these as key=value.\n"
    write_atomic(folder / CONFIG, head + config.to_yaml())


def versions() -> dict[str, str]:
    """Return the versions that a run ran on: Beholder, Python, the system, and the packages that can change a result.

    A package that is not installed is left out.
    """
    found = {"beholder": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name.lower()] = importlib.metadata.version(name)
    return found


def peak_memory() -> int:
    """Return the peak resident memory of this process so far, in bytes.

    Raises:
        OSError: the system does not tell.
    """
    status = Path("/proc/self/status")
    if status.exists():  # Linux: getrusage would count what the parent had before it started us
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        raise OSError("peak memory is not available on this system")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
