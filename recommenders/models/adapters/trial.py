"""A trial of a library's model in a process of its own, before anything else is done with it.

Some models need what no adapter has (images, a package that is not there); some compiled ones end their process. Both
show on any data, so a rehearsal shows them (`python -m recommenders.rehearsal NAME MODEL`). What depends on the numbers
of the data (too few items for so many factors, say) is left to the fit.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys

from recommenders.contract import RecommenderError

SECONDS = 60  # a trial that takes longer has run into nothing so far, and is left alone
REFUSED = "refused: "
NEEDS_VALUES = "needs values"
_OF_CODE = (ImportError, AttributeError, NameError, TypeError, NotImplementedError, SystemExit)


def refusal(recommender: str, model: str) -> str | None:
    """Return why a recommender's ``model`` cannot do its work, None where a trial finds nothing against it."""
    lines = _tried(recommender, model)
    return next((line.removeprefix(REFUSED) for line in lines if line.startswith(REFUSED)), None)


def needs_values(recommender: str, model: str) -> bool:
    """Return whether a trial of the ``model`` went well with values of pairs, and not without."""
    return NEEDS_VALUES in _tried(recommender, model)


@functools.cache
def _tried(recommender: str, model: str) -> tuple[str, ...]:
    """Return the lines that a trial prints."""
    path = os.pathsep.join(each for each in sys.path if each)
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "recommenders.rehearsal", recommender, model]
    try:
        done = subprocess.run(
            command, env=os.environ | one | {"PYTHONPATH": path}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ()
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return (f"{REFUSED}ends its process when it is fitted: {name} (on a small trial)",)
    return tuple(done.stdout.splitlines())


def lies_in_the_model(error: RecommenderError) -> bool:
    """Return whether an error of a trial would come on any data: it is ours, or of code and not of numbers."""
    return error.__cause__ is None or isinstance(error.__cause__, _OF_CODE)
