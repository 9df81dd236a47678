"""A kernel compiled ahead, in a process of its own."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from simulator.ahead import Ahead
from simulator.randomness import fill_uniforms

ARGUMENTS = (np.zeros(3), 1, np.uint64(2), np.zeros(3, dtype=np.uint64), 4)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of kernels, on a machine with two cores."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return tmp_path


def entries(cache: Path) -> list[Path]:
    return list(cache.rglob("randomness.fill_uniforms-*.nbi"))


def test_the_kernel_is_in_the_cache_once_ready_returns(cache: Path) -> None:
    ahead = Ahead(fill_uniforms, *ARGUMENTS)
    ahead.ready()
    assert len(entries(cache)) == 1
    ahead.ready()  # nothing to wait for any more


def test_what_the_cache_has_is_not_compiled_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ahead(fill_uniforms, *ARGUMENTS).ready()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    Ahead(fill_uniforms, *ARGUMENTS).ready()


def test_types_that_do_not_compile_leave_it_to_the_caller(cache: Path) -> None:
    Ahead(fill_uniforms, "no array", 1, np.uint64(2), np.zeros(3), 4).ready()
    assert entries(cache) == []
    out = np.zeros(3)
    fill_uniforms(out, *ARGUMENTS[1:])
    assert (out > 0).all()
