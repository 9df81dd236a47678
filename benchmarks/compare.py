"""Compare what two commits cost, side by side in one run: A B A B.

    python -m benchmarks.compare BASE [HEAD] [--only engine/news] [--rounds 2]

Both commits are cloned, and this tree's `benchmarks.figures` is run in each, part by part, each part in a process of
its own. Prints the medians over the rounds, their ratio, and a mark where HEAD costs more than 1.03 times as much.
Ratios near 1 mean something only where nothing else runs on the machine. Exit code 1 if anything is marked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.commits import cloned, git
from benchmarks.figures import PARTS

ALLOWED = 1.03

Rounds = dict[str, tuple[list[float], list[float]]]
"""What each round found, by figure: of the base, and of the head."""


def measured_in(tree: Path, part: str, cache: Path) -> dict[str, float]:
    """Return the figures of a part, measured in a tree whose kernels are compiled into a folder of their own."""
    given = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "PYTHONPATH")}
    words = [sys.executable, "-m", "benchmarks.figures", part]
    done = subprocess.run(
        words, cwd=tree, env={**given, "XDG_CACHE_HOME": str(cache)}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{part}: exit code {done.returncode} in {tree}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def alternately(parts: list[str], rounds: int, sides: list[Callable[[str], dict[str, float]]]) -> Rounds:
    """Measure every part in both sides, one after the other, round by round."""
    found: Rounds = defaultdict(lambda: ([], []))
    for part in parts:
        for k in range(rounds):
            for side, measure in enumerate(sides):
                for name, value in measure(part).items():
                    found[name][side].append(value)
            print(f"{part}: round {k + 1} of {rounds}", file=sys.stderr)
    return dict(found)


def table(found: Rounds) -> tuple[list[str], int]:
    """Return the lines of the table, and how many figures of the head cost more than is allowed."""
    lines, marked = [f"{'':<52} {'base':>10} {'head':>10} {'ratio':>7}"], 0
    for name, (base, head) in found.items():
        ratio = median(head) / median(base)
        marked += ratio > ALLOWED
        mark = f"  over {ALLOWED}" if ratio > ALLOWED else ""
        lines.append(f"{name:<52} {median(base):>10.4g} {median(head):>10.4g} {ratio:>7.3f}{mark}")
    return lines, marked


def main(arguments: list[str]) -> int:
    """Measure two commits and print the table."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("base", help="a commit")
    reader.add_argument("head", nargs="?", default="HEAD", help="another one (default: HEAD)")
    reader.add_argument("--only", default="", help=f"part of the name of one of: {', '.join(PARTS)}")
    reader.add_argument("--rounds", type=int, default=2, help="how often each side is measured (default: 2)")
    given = reader.parse_args(arguments)
    parts = [part for part in PARTS if given.only in part]
    if not parts:
        reader.error(f"--only {given.only}: expected part of one of {', '.join(PARTS)}")
    with (
        cloned(given.base, "figures") as base, cloned(given.head, "figures") as head,
        tempfile.TemporaryDirectory() as cache,
    ):  # fmt: skip
        sides = [
            lambda part, tree=tree, k=k: measured_in(tree, part, Path(cache, str(k)))
            for k, tree in enumerate((base, head))
        ]
        found = alternately(parts, given.rounds, sides)
    print(
        f"base {git('log', '-1', '--format=%h %s', given.base)}\nhead {git('log', '-1', '--format=%h %s', given.head)}"
    )
    lines, marked = table(found)
    print("\n".join(lines))
    return bool(marked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
