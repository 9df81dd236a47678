"""Compare the results of two commits at fixed seeds: the guard of every refactoring.

    python -m benchmarks.same_results BASE            this working tree against a commit
    python -m benchmarks.same_results --record FILE   write this tree's results only

Three kinds of results are compared, and everything has to be equal to the last bit: log hashes and measures of every
packaged scenario with five recommenders; what seven environments answer to random actions over 2,000 steps; and what
`python -m recommenders evaluate` says on the Baby data set, where `BEHOLDER_DATA` (or `../shared/data`) has it. Only
public faces are called, so that the same file runs in both trees. Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.commits import ROOT, cloned

# Horizons that hold several fits: enough to tell two trees apart, and short enough to be run after every change.
SCENARIOS = {"audio": "3d", "ecommerce": "6d", "fooddelivery": "2d", "jobs": "12d", "news": "1d", "shortvideo": "2d"}
RECOMMENDERS: dict[str, dict[str, Any]] = {
    "itemknn": {},
    "random": {},
    "linucb": {},
    "lightgcn": {"epochs": 5},
    "pipeline": {"recall": "itemknn", "rerank": "puresvd(factors=4)", "depth": 60},
}
USERS, STEPS = 300, 2_000
ENVIRONMENTS = ("Audio", "Ecommerce", "FoodDelivery", "Jobs", "News", "ShortVideo", "Scenario")
SEVENTH = "tests/scenario/seventh/hotel.yaml"
EVALUATED = ("itemknn", "ials", "freedom")
_TREE_RESULT = "same_results.json"


def world(scenario: str) -> Iterator[tuple[str, Any]]:
    """Run one scenario with each recommender; yield log hashes and measures."""
    import simulator

    for name, parameters in RECOMMENDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "run")
            simulator.run(
                scenario=scenario,
                recommender=name,
                recommender_parameters=parameters,
                users=USERS,
                horizon=SCENARIOS[scenario],
                output=str(output),
            )
            log = json.loads((output / "manifest.json").read_text())["log"]
            yield (
                f"world/{scenario}/{name}",
                {"log": log, "measures": json.loads((output / "metrics.json").read_text())},
            )


def _add(digest: Any, value: Any) -> None:
    """Add an observation, a reward or an info to a hash, keys in their order of names."""
    import numpy as np

    if isinstance(value, dict):
        for key in sorted(value):
            digest.update(str(key).encode())
            _add(digest, value[key])
    else:
        array = np.asarray(value)
        digest.update(repr(value).encode() if array.dtype == object else array.tobytes())


def environment(name: str) -> Iterator[tuple[str, Any]]:
    """Step one environment, alone and as a vector of lifetimes, with random actions; yield hashes of all answers."""
    import gymnasium

    import simulator.env

    simulator.env.register()
    own = {"scenario": SEVENTH} if name == "Scenario" else {}
    env = gymnasium.make(f"beholder/{name}-v1", **own)
    digest = hashlib.sha256()
    env.action_space.seed(1)
    _add(digest, env.reset(seed=7)[0])
    for _ in range(STEPS):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        for value in (observation, reward, terminated, truncated):
            _add(digest, value)
        if terminated or truncated:
            _add(digest, env.reset()[0])
    yield f"environment/{name}/one", digest.hexdigest()
    many = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=8, episode="lifetime", **own)
    digest = hashlib.sha256()
    many.action_space.seed(1)
    _add(digest, many.reset(seed=7)[0])
    for _ in range(STEPS // 8):
        for value in many.step(many.action_space.sample())[:4]:
            _add(digest, value)
    yield f"environment/{name}/lifetimes", digest.hexdigest()


def offline(name: str) -> Iterator[tuple[str, Any]]:
    """Evaluate one recommender on Baby; yield its results without times."""
    data = Path(os.environ.get("BEHOLDER_DATA", "../shared/data"), "ecommerce", "amazon_baby")
    if not data.is_dir():
        return
    own = ["recommender.modality=none"] if name == "freedom" else []
    with tempfile.TemporaryDirectory() as folder:
        words = [f"data={data}", f"recommender={name}", "split=given", f"output={folder}/found", *own]
        command = [sys.executable, "-m", "recommenders", "evaluate", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = json.loads(Path(folder, "found", "results.json").read_text())
    yield f"offline/{name}", {key: found[key] for key in ("validation", "test")}


_KINDS: dict[str, tuple[Callable[[str], Iterator[tuple[str, Any]]], Iterable[str]]] = {
    "world": (world, SCENARIOS),
    "environment": (environment, ENVIRONMENTS),
    "offline": (offline, EVALUATED),
}


def record(only: str) -> dict[str, Any]:
    """Return this tree's results by name, each kind and name in a process of its own, two at a time."""

    def one(word: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "benchmarks.same_results", "--one", word]
        begun = time.perf_counter()
        # One thread: with more, sums in torch come in another order each time, and two runs of one commit differ.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        print(f"{word}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        if done.returncode:
            raise SystemExit(f"{word}: exit code {done.returncode}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    words = [f"{kind}/{name}" for kind, (_, names) in _KINDS.items() for name in names]
    results: dict[str, Any] = {}
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(one, [word for word in words if only in word]):
            results |= found
    return results


def record_commit(revision: str, only: str) -> dict[str, Any]:
    """Return the results of a commit, from a clone of it that is removed afterwards."""
    with cloned(revision, "same_results", "commits") as tree:
        data = os.environ.get("BEHOLDER_DATA") or str((ROOT / "../shared/data").resolve())
        command = [sys.executable, "-m", "benchmarks.same_results", "--record", _TREE_RESULT, "--only", only]
        subprocess.run(command, check=True, cwd=tree, env={**os.environ, "BEHOLDER_DATA": data})
        found: dict[str, Any] = json.loads((tree / _TREE_RESULT).read_text())
    return found


def main() -> int:
    """Record or compare, and print one line per result that differs."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("base", nargs="?", help="a commit, or a file that --record wrote")
    reader.add_argument("--record", metavar="FILE", help="write the results of this tree")
    reader.add_argument("--only", default="", help="part of a name, as in world/news or environment")
    reader.add_argument("--one", help=argparse.SUPPRESS)
    given = reader.parse_args()
    if given.one:
        kind, name = given.one.split("/")
        json.dump(dict(_KINDS[kind][0](name)), sys.stdout)
        return 0
    if given.record:
        Path(given.record).write_text(json.dumps(record(given.only), indent=1, sort_keys=True) + "\n")
        return 0
    if given.base is None:
        reader.error("a commit or a file to compare with, or --record FILE")
    if Path(given.base).is_file():
        before = {key: v for key, v in json.loads(Path(given.base).read_text()).items() if given.only in key}
    else:
        before = record_commit(given.base, given.only)
    after = record(given.only)
    different = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    for key in different:
        print(f"differs: {key}")
    print(f"{len(before)} results, {len(different)} differ")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
