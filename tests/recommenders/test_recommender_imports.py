"""Arrows point one way: this package knows nothing of the simulator, and its contract needs numpy only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import recommenders

PACKAGE = Path(recommenders.__file__).parent


def imported(file: Path) -> set[str]:
    """First names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} uses a relative import"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: file.name)
def test_no_module_imports_the_simulator_or_the_analysis(file):
    assert not imported(file) & {"simulator", "analysis", "scenarios"}


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout


def test_the_contract_needs_numpy_only():
    heavy = "('numba', 'scipy', 'pandas', 'pyarrow', 'torch', 'sklearn')"
    load = "import sys, recommenders.check; from recommenders.contract import *"
    code = f"{load}; print([m for m in {heavy} if m in sys.modules])"
    assert run(code).strip() == "[]"


USE_ALL = """
from recommenders.check import synthetic_world
from recommenders.contract import Label
from recommenders.registry import create
from recommenders.models import content, item_item, neighbors, popularity, random
label = Label("like", ("like",))
world = synthetic_world(label=label)
for name, parameters in {"random": {}, "popularity": {}, "itemknn": {}, "contentknn": {"modality": "cover"}}.items():
    recommender = create(name, parameters, label=label)
    recommender.fit(world.log, world.catalog)
    recommender.recommend(world.requests)
kernels = (content._score, item_item._score, neighbors.nearest, item_item._scatter, popularity._walk, random._draw)
print(sum(len(k.stats.cache_misses) for k in kernels), *(len(k.signatures) for k in kernels))
"""


@pytest.mark.long
def test_a_second_process_compiles_nothing_and_each_kernel_has_one_form(tmp_path):
    first, second = (run(USE_ALL, NUMBA_CACHE_DIR=str(tmp_path)).split() for _ in range(2))
    assert first == ["6", "1", "1", "1", "1", "1", "1"]
    assert second[0] == "0"
