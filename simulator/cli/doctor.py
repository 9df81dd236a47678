"""`python -m simulator doctor`: what this machine offers, and what would be in the way of a run."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.version import __version__

OLDEST_PYTHON = (3, 11)
_PACKAGES = (
    "numpy",
    "numba",
    "scipy",
    "pandas",
    "pyarrow",
    "pydantic",
    "PyYAML",
    "simpy",
    "gymnasium",
    "torch",
    "tqdm",
)
_MODULES = {"PyYAML": "yaml"}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; `works` is False where a run would fail."""

    name: str
    text: str
    works: bool = True


def examine() -> list[Finding]:
    """Look at everything that a run needs. Imports the heavy packages: takes some seconds."""
    checks: tuple[Callable[[], list[Finding]], ...] = (_python, _packages, _threads, _cache, _torch, _data, _disk)
    return [finding for check in checks for finding in check()]


def report(findings: list[Finding]) -> str:
    """The findings as text, one line each; a line that starts with `!` names something that is in the way."""
    width = max(len(finding.name) for finding in findings)
    return "\n".join(f"{' ' if each.works else '!'} {each.name.ljust(width)}  {each.text}" for each in findings)


def _python() -> list[Finding]:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    new_enough = sys.version_info >= OLDEST_PYTHON
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    python = Finding("python", text if new_enough else f"{text}; expected {wanted} or newer", new_enough)
    return [Finding("beholder", __version__), python]


def _packages() -> list[Finding]:
    return [_package(name) for name in _PACKAGES]


def _package(name: str) -> Finding:
    try:
        importlib.import_module(_MODULES.get(name, name.lower()))
        return Finding(name.lower(), importlib.metadata.version(name))
    except (ImportError, OSError) as error:  # OSError: a shared library that does not load
        return Finding(name.lower(), f"does not import ({error}); expected python -m pip install -e .", works=False)


def _threads() -> list[Finding]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    named = [f"{name}={os.environ[name]}" for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS") if name in os.environ]
    return [Finding("threads", f"{usable} usable of {os.cpu_count()} cores" + "".join(f", {each}" for each in named))]


def _cache() -> list[Finding]:
    try:
        from simulator.engine.jit.compile import cache_folder

        return [writable_folder("compiled kernels", cache_folder())]
    except ImportError as error:
        return [Finding("compiled kernels", f"numba does not import ({error})", works=False)]


def writable_folder(name: str, folder: Path) -> Finding:
    """Return whether a file can be made in a folder (which is made where it does not exist)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        hint = "set NUMBA_CACHE_DIR to a folder that you may write to"
        return Finding(name, f"{folder} cannot be written ({error.strerror}); {hint}", works=False)
    return Finding(name, f"{folder} (writable)")


def _torch() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError):
        return []  # said by `_packages` already
    if torch.cuda.is_available():
        device = f"cuda, {torch.cuda.get_device_name(0)}"
    elif torch.backends.mps.is_available():
        device = "mps"
    else:
        device = "cpu"
    return [Finding("torch device", f"{device}, {torch.get_num_threads()} threads")]


def data_folder() -> Path:
    """Return the folder of the real data sets: BEHOLDER_DATA, or `shared/data` beside the repository."""
    chosen = os.environ.get("BEHOLDER_DATA")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[2] / "shared" / "data"


def _data() -> list[Finding]:
    folder = data_folder()
    if folder.is_dir():
        return [Finding("real data", str(folder))]
    return [Finding("real data", f"none at {folder}; only catalog= and some tests need it (BEHOLDER_DATA=FOLDER)")]


def _disk() -> list[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    return [Finding("free disk here", f"{free / 2**30:.1f} GiB")]
