"""Runs in processes of their own, killed and continued."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.records.checkpoint import last_checkpoint
from simulator.records.result import RunResult
from tests.laws.harness import assert_same_log

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # s, until a test gives up on a process


def started(words: list[str], module: str = "simulator") -> subprocess.Popen[str]:
    """A process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def await_checkpoint(run: Path, index: int, process: subprocess.Popen[str]) -> None:
    """Wait until a run has written checkpoint `index`."""
    deadline = time.monotonic() + PATIENCE
    while (last_checkpoint(run) or 0) < index:
        if process.poll() is not None:
            raise AssertionError(f"ended early ({process.returncode}): {process.communicate()[1]}")
        assert time.monotonic() < deadline, f"no checkpoint {index} after {PATIENCE:g} s"
        time.sleep(0.002)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and the proof that it hit a living process."""
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run was over before it could be killed"


def assert_same(run: Path, unbroken: RunResult) -> None:
    """Same rows, same hashes, same measures, and nothing half-written left behind."""
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["log"] == unbroken.manifest["log"]
    assert manifest["recommender"]["fitted_at_seconds"] == unbroken.manifest["recommender"]["fitted_at_seconds"]
    for kind, whole in (("truth", unbroken.truth), ("platform", unbroken.platform)):
        parts = [pd.read_parquet(path) for path in sorted((run / kind).glob("*.parquet"))]
        assert len(parts) > 3
        assert_same_log(pd.concat(parts, ignore_index=True).astype(whole.dtypes.to_dict()), whole)
    measured = json.loads((run / "metrics.json").read_text())
    whole_metrics = {name: None if np.isnan(value) else value for name, value in unbroken.metrics.items()}
    assert measured == whole_metrics
    assert not list(run.rglob("*.partial"))
