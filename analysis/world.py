"""One world of an experiment in a process of its own: begun, or continued where an earlier process was stopped.

    python -m analysis.world scenario=NAME ... output=FOLDER

takes the arguments of `python -m simulator`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.__main__ import main as simulate
from simulator.config import CHANGEABLE_ON_RESUME
from simulator.records.run_folder import CONFIG


def arguments(words: Sequence[str]) -> list[str]:
    """Return `words` as they are, or those that continue the run in their `output`."""
    given = {key: text for key, _, text in (word.partition("=") for word in words)}
    # Written by `RunConfig.to_arguments`: a path with odd signs comes quoted, and is then read like any other value.
    output = _path(given.get("output", ""))
    if output is None or not (output / CONFIG).is_file():
        return list(words)
    return [f"resume={given['output']}"] + [f"{key}={given[key]}" for key in CHANGEABLE_ON_RESUME if key in given]


def _path(text: str) -> Path | None:
    from simulator.cli.arguments import read_value

    return Path(str(read_value("output", text))) if text else None


if __name__ == "__main__":
    sys.exit(simulate(arguments(sys.argv[1:])))
