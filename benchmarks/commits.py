"""Folders with the files of a commit, in which this tree's benchmarks can be run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def git(*words: str) -> str:
    """Return what git says about this repository."""
    return subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def cloned(revision: str, *modules: str) -> Iterator[Path]:
    """Clone a commit into a folder that is removed afterwards, with these modules of this tree's benchmarks in it."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(tree)], check=True)
        subprocess.run(["git", "-C", str(tree), "checkout", "--quiet", git("rev-parse", revision)], check=True)
        (tree / "benchmarks").mkdir(exist_ok=True)
        for module in modules:
            shutil.copy(ROOT / f"benchmarks/{module}.py", tree / "benchmarks")
        yield tree
