"""Kernels compiled ahead, in a process of their own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from recommenders.contract import Label
from recommenders.registry import create
from recommenders.rehearsal import rehearse
from simulator.engine.jit.precompile import BackgroundCompiler
from simulator.engine.randomness import fill_normals, fill_uniforms

ARGUMENTS = (np.zeros(3), 1, np.uint64(2), np.zeros(3, dtype=np.uint64), 4)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of kernels, on a machine with two cores."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return tmp_path


def entries(cache: Path, name: str = "fill_uniforms") -> list[Path]:
    return list(cache.rglob(f"randomness.{name}-*.nbi"))


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("a process was started")


def compiled(*arguments: object) -> None:
    compiler = BackgroundCompiler()
    compiler.submit(fill_uniforms, *arguments)
    compiler.wait(fill_uniforms)
    compiler.close()


def test_the_kernel_is_in_the_cache_once_ready_returns(cache: Path) -> None:
    compiler = BackgroundCompiler()
    compiler.submit(fill_uniforms, *ARGUMENTS)
    compiler.wait(fill_uniforms)
    assert len(entries(cache)) == 1
    compiler.wait(fill_uniforms)  # nothing to wait for any more
    compiler.close()


def test_orders_are_worked_off_one_after_the_other(cache: Path) -> None:
    compiler = BackgroundCompiler()
    compiler.submit(fill_uniforms, *ARGUMENTS)
    compiler.submit(fill_normals, np.zeros((3, 2), dtype=np.float32), *ARGUMENTS[1:], np.zeros(4, dtype=np.float32))
    compiler.wait(fill_normals)  # with whatever came before it
    assert len(entries(cache)) == len(entries(cache, "fill_normals")) == 1
    compiler.close()


def test_what_the_cache_has_is_not_compiled_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(*ARGUMENTS)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    compiled(*ARGUMENTS)


def test_the_same_kernel_for_other_types_is(cache: Path) -> None:
    compiled(*ARGUMENTS)
    compiler = BackgroundCompiler()
    compiler.submit(fill_uniforms, np.zeros(3, dtype=np.float32), *ARGUMENTS[1:])
    assert compiler._process is not None
    compiler.close()


def test_a_single_processor_starts_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    compiled(*ARGUMENTS)


def test_types_that_do_not_compile_leave_it_to_the_caller(cache: Path) -> None:
    compiled("no array", *ARGUMENTS[1:])
    assert entries(cache) == []
    out = np.zeros(3)
    fill_uniforms(out, *ARGUMENTS[1:])
    assert (out > 0).all()


def test_it_ends_with_its_maker_however_that_ends(cache: Path) -> None:
    program = (
        "import os; os.cpu_count = lambda: 2\n"
        "from simulator.engine.jit.precompile import BackgroundCompiler\n"
        "from tests.engine.jit.test_precompile import ARGUMENTS, fill_uniforms\n"
        "compiler = BackgroundCompiler(); compiler.submit(fill_uniforms, *ARGUMENTS)\n"
        "print(compiler._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    process = Path("/proc") / done.stdout.strip()
    for _ in range(200):
        if not process.exists() or "\nState:\tZ" in (process / "status").read_text():
            return
        time.sleep(0.1)
    raise AssertionError("it lives on")


def test_a_recommender_is_rehearsed_where_other_kernels_are(cache: Path) -> None:
    knn = create("itemknn", {}, label=Label("click", ("click",)))
    compiler = BackgroundCompiler()
    compiler.warm_up(rehearse, knn)
    assert compiler._process is None
    compiler.submit(fill_uniforms, *ARGUMENTS)
    compiler.warm_up(rehearse, knn)
    compiler.wait(knn)
    assert len(list(cache.rglob("item_item._score-*.nbi"))) == 1
    compiler.close()
