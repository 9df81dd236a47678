"""Faults planted in a copy of the sources: the tests of the laws find each of them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.scenario.strict_yaml import load_yaml

ROOT = Path(__file__).parents[2]
SOURCES = ("simulator", "recommenders", "analysis", "scenarios", "tests", "benchmarks", "pyproject.toml")
PLANTED = load_yaml(Path(__file__).with_name("planted.yaml"))
FAILED = 1  # what pytest exits with where tests ran and some failed; 2 to 5 say that it could not run them


def test_every_law_has_a_fault():
    assert {fault["law"] for fault in PLANTED.values()} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_can_still_be_planted(name):
    fault = PLANTED[name]
    assert (ROOT / fault["file"]).read_text().count(fault["before"]) == 1
    assert fault["before"] != fault["after"]


@pytest.mark.long
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name, tmp_path):
    fault = PLANTED[name]
    for source in SOURCES:
        at = ROOT / source
        if at.is_dir():
            shutil.copytree(at, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(at, tmp_path / source)
    file = tmp_path / fault["file"]
    file.write_text(file.read_text().replace(fault["before"], fault["after"]))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(fault["test"])]
    places = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | places, capture_output=True, text=True, check=False)
    assert done.returncode == FAILED, done.stdout[-2000:] + done.stderr[-2000:]
    assert " failed" in done.stdout
