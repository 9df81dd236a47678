"""Feed mutants to the command line in a process of its own, one after the other, and say what became of each.

    python -m tests.scenario.fuzz check 0 20000
    python -m tests.scenario.fuzz run 0 2000

`check` looks at each mutant as `python -m simulator check` does; `run` runs mutant n of those that `check` accepts, in
a tiny world. The parent (`fuzzed`) sees a crash as the death of the process, and a hang as its silence; either way it
goes on with the next mutant in another process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.scenario.mutants import Mutant, accepted_mutant, mutant

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED, CANNOT, REFUSED, FAILED = "accepted", "cannot", "refused", "failed"
PATIENCE = 600.0  # s for one mutant, compiling on a busy machine included
MEMORY = 16 << 30  # bytes of address space
THROUGH_FILES = 20  # every so many mutants are checked through the command line; the others in memory
WORLD = {"users": 40, "items": 80, "horizon": "24h", "recommender": "random", "log": "full"}


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: ACCEPTED, CANNOT (sound, but not for this version), REFUSED or FAILED."""

    number: int
    outcome: str
    said: str
    changes: tuple[str, ...]
    seconds: float


def _written(found: Mutant, folder: Path) -> Path:
    """Write a mutant and its sources where the command line can read them."""
    file = folder / f"{found.scenario}.yaml"
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    file.write_text(yaml.dump(found.content, Dumper=dumper, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (folder / f"{found.scenario}.sources.yaml").write_text(json.dumps(found.sources), encoding="utf-8")
    return file


def _command(words: list[str]) -> tuple[str, str]:
    """Run the command line in this process; return the outcome, and the last line that it said."""
    from simulator.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    lines = err.getvalue().strip().splitlines()
    if code == 0:
        said = out.getvalue().strip()
        return (CANNOT if "; but " in said else ACCEPTED), said[:300]
    clean = code == 2 and "Traceback" not in err.getvalue() and sum(line.startswith("error: ") for line in lines) == 1
    return (REFUSED if clean else FAILED), (lines or ["nothing"])[-1][:300]


def _in_memory(found: Mutant) -> tuple[str, str]:
    """Check a mutant as the command does, without writing and reading it."""
    from simulator.cli import listing
    from simulator.errors import InputError
    from simulator.scenario.load import scenario_from

    try:
        said = listing.check_text_of(scenario_from(found.content, found.scenario, found.sources), found.scenario)
    except InputError as error:
        return REFUSED, str(error)[:300]
    return (CANNOT if "; but " in said else ACCEPTED), said[:300]


def check(number: int, folder: Path) -> tuple[str, str, tuple[str, ...]]:
    """Check one mutant."""
    found = mutant(number)
    if number % THROUGH_FILES:
        return *_in_memory(found), found.changes
    return *_command(["check", str(_written(found, folder))]), found.changes


def _chosen(number: int) -> Mutant:
    """Return mutant `number` of those that `check` accepts; what `check` itself fails at is passed on, and not run."""

    def accepts(candidate: Mutant) -> bool:
        try:
            return _in_memory(candidate)[0] == ACCEPTED
        except Exception:  # noqa: BLE001  what makes `check` fail is found there
            return False

    return accepted_mutant(number, accepts)


def _story(found: Mutant) -> tuple[str, ...]:
    return (*found.changes, *(f"{key}={value}" for key, value in found.settings.items()))


def run(number: int, folder: Path) -> tuple[str, str, tuple[str, ...]]:
    """Run mutant `number` of those that `check` accepts."""
    found = _chosen(number)
    settings = {**WORLD, **found.settings, "scenario": _written(found, folder), "output": folder / "run"}
    outcome, said = _command([f"{key}={value}" for key, value in settings.items()])
    if outcome == ACCEPTED:
        said = _not_finite(folder / "run")
        outcome = FAILED if said else ACCEPTED
    return outcome, said, _story(found)


def _not_finite(folder: Path) -> str:
    """Name the columns of the truth log with infinite numbers; empty where there is none."""
    import numpy as np
    import pandas as pd

    wrong: dict[str, int] = {}
    for part in (folder / "truth").glob("*.parquet"):
        table = pd.read_parquet(part)
        for name in table.select_dtypes("number"):
            if name != "logged_at" and np.isinf(table[name].to_numpy(dtype=float, na_value=np.nan)).any():
                wrong[name] = 1
    return f"infinite numbers in {', '.join(wrong)}" if wrong else ""


def _child(kind: str, first: int, last: int) -> None:
    """Print a line of JSON before and after each mutant."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told = os.fdopen(os.dup(1), "w")
    one = {"check": check, "run": run}[kind]
    for number in range(first, last):
        print(json.dumps({"begins": number}), file=told, flush=True)
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcome, said, changes = one(number, Path(folder))
            except BaseException as error:  # noqa: BLE001  whatever comes out is what is looked for
                frame = traceback.extract_tb(error.__traceback__)[-1]
                at = f"{Path(frame.filename).name}:{frame.lineno}"
                outcome, said, changes = FAILED, f"{type(error).__name__} at {at}: {error}"[:300], ()
        changes = changes or _changes(kind, number)
        found = Outcome(number, outcome, said, changes, round(time.perf_counter() - begun, 3))
        print(json.dumps(asdict(found)), file=told, flush=True)


def _changes(kind: str, number: int) -> tuple[str, ...]:
    """Tell what was changed in the mutant that a process had in hand when it failed or died."""
    return mutant(number).changes if kind == "check" else _story(_chosen(number))


def fuzzed(kind: str, first: int, last: int, patience: float = PATIENCE) -> Iterator[Outcome]:
    """Yield what became of the mutants `first` ... `last` - 1, in processes that may crash or hang."""
    while first < last:
        words = [sys.executable, "-X", "faulthandler", "-m", "tests.scenario.fuzz", kind, str(first), str(last)]
        with tempfile.TemporaryFile("w+") as errors:
            child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
            lines: queue.Queue[str | None] = queue.Queue()
            threading.Thread(target=_listen, args=(child, lines), daemon=True).start()
            try:
                while True:
                    line = lines.get(timeout=patience)
                    if line is None:
                        break
                    told: dict[str, Any] = json.loads(line)
                    if "outcome" in told:
                        yield Outcome(**{**told, "changes": tuple(told["changes"])})
                        first = told["number"] + 1
                said = f"died with code {child.wait()}"
            except queue.Empty:
                said = f"said nothing for {patience:g} s"
            finally:
                child.kill()
                child.wait()
            if first < last:
                errors.seek(0)
                tail = [each.strip() for each in errors.read().splitlines() if each.strip().startswith("File")][:2]
                yield Outcome(first, FAILED, f"{said} {' < '.join(tail)}", _changes(kind, first), patience)
                first += 1


def _listen(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
