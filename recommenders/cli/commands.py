"""What ``python -m recommenders evaluate`` and ``export`` do: read the words, evaluate, print, write."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recommenders.contract import CONTRACT_VERSION, RecommenderError
from recommenders.contract.names import did_you_mean
from recommenders.evaluation.dataset import Dataset, read_dataset, write_inter
from recommenders.evaluation.protocol import Evaluated, Judgment, evaluate as evaluate_one
from recommenders.evaluation.splits import SPLITS
from recommenders.registry import check_parameters
from recommenders.values import read_value

WHERE = "command line"
KEYS = (
    "data", "recommender", "split", "negatives", "cutoffs", "search", "select", "at_least", "events", "layout", "seed",
    "output",
)  # fmt: skip
EXPORT_KEYS = ("data", "at_least", "events", "layout", "output")
PREFIXES = ("recommender.", "columns.")


def evaluate(words: list[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        RecommenderError: wrong words, data, names or settings; before anything is written.
    """
    given = read_words(words)
    names = [str(name) for name in _several(_needed(given, "recommender"))]
    parameters = {key.removeprefix("recommender."): v for key, v in given.items() if key.startswith("recommender.")}
    for name in names:
        check_parameters(name, parameters)
    split_name = str(given.get("split", "random"))
    if split_name not in SPLITS:
        raise RecommenderError(WHERE, f"split={split_name} is not known", _expected(split_name, tuple(SPLITS)))
    seed = _whole(given, "seed", 0, 0)
    options: dict[str, Any] = {
        "cutoffs": _cutoffs(given),
        "negatives": _whole(given, "negatives", None, 1),
        "search": _whole(given, "search", 0, 0),
        "select": str(given.get("select", f"recall@{max(_cutoffs(given))}")),
        "seed": seed,
    }
    output = None if "output" not in given else Path(str(given["output"]))
    if output is not None and output.exists() and any(output.iterdir() if output.is_dir() else [output]):
        raise RecommenderError(str(output), "is there already", "expected a new folder")
    data = _data(given)
    split = SPLITS[split_name](data, seed)
    sizes = f"{len(split.train):,} / {len(split.validation):,} / {len(split.test):,}"
    _say(f"{data.name}: {data.n_users:,} users, {data.catalog.n_items:,} items; {split_name} {sizes}; {data.label}")
    for name in names:
        found = evaluate_one(data, split, name, parameters, say=_say, **options)
        sys.stdout.write(table(name, found, options["cutoffs"], options["negatives"]))
        if output is not None:
            folder = output if len(names) == 1 else output / name.replace(":", "-")
            write(folder, name, found, data, {"split": split_name, **options})
            _say(f"written to {folder}")
    return 0


def export(words: list[str]) -> int:
    """Write a data set as a RecBole ``.inter`` file and return the exit code.

    Raises:
        RecommenderError: wrong words or data, or the file is there already.
    """
    given = read_words(words)
    path = Path(str(_needed(given, "output")))
    foreign = [key for key in given if key not in EXPORT_KEYS and not key.startswith("columns.")]
    if foreign:
        raise RecommenderError(WHERE, f"{foreign[0]} is no setting of export", _expected(foreign[0], EXPORT_KEYS))
    if path.exists():
        raise RecommenderError(str(path), "is there already", "expected a new file")
    if not path.parent.is_dir():
        raise RecommenderError(str(path.parent), "is no folder", "a folder that is there")
    data = _data(given)
    write_inter(data, path)
    _say(f"{len(data.positives):,} pairs of {data.n_users:,} users written to {path}; {data.label}")
    return 0


def _data(given: Mapping[str, Any]) -> Dataset:
    """The data set that the words name."""
    columns = {key.removeprefix("columns."): str(v) for key, v in given.items() if key.startswith("columns.")}
    events = tuple(_several(given["events"])) if "events" in given else ()
    layout = str(given["layout"]) if "layout" in given else None
    return read_dataset(str(_needed(given, "data")), columns, _number(given, "at_least"), events, layout)


def read_words(words: list[str]) -> dict[str, Any]:
    """``key=value`` words by key, values read as numbers, true, false or null where they are such.

    Raises:
        RecommenderError: a word is not of that form, a key is unknown or given twice.
    """
    given: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not key or not text:
            raise RecommenderError(WHERE, f"{word!r} is not complete", "expected key=value")
        if key not in KEYS and not key.startswith(PREFIXES):
            raise RecommenderError(WHERE, f"{key!r} is no setting", _expected(key, KEYS))
        if key in given:
            raise RecommenderError(WHERE, f"{key} is given twice", "give it once")
        given[key] = text if key in ("data", "output", "recommender") else read_value(text)
    return given


def _expected(given: str, known: tuple[str, ...]) -> str:
    return f"{did_you_mean(given, known, repr)}there are: {', '.join(known)}"


def _needed(given: Mapping[str, Any], key: str) -> Any:
    if key not in given:
        raise RecommenderError(WHERE, f"{key} is not given", f"expected {key}=...; see --help")
    return given[key]


def _several(value: Any) -> list[str]:
    return [part.strip() for part in str(value).split(",") if part.strip()]


def _whole(given: Mapping[str, Any], key: str, default: int | None, low: int) -> Any:
    value = given.get(key, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
        raise RecommenderError(WHERE, f"{key}={value}", f"expected a whole number of at least {low}")
    return value


def _number(given: Mapping[str, Any], key: str) -> float | None:
    value = given.get(key)
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ):
        raise RecommenderError(WHERE, f"{key}={value}", "expected a number")
    return value


def _cutoffs(given: Mapping[str, Any]) -> tuple[int, ...]:
    texts = _several(given.get("cutoffs", "10,20"))
    if not texts or not all(text.isdecimal() and int(text) > 0 for text in texts):
        raise RecommenderError(WHERE, f"cutoffs={given['cutoffs']}", "expected whole numbers, by comma")
    return tuple(sorted({int(text) for text in texts}))


def table(name: str, found: Evaluated, cutoffs: tuple[int, ...], negatives: int | None) -> str:
    """Test figures with their intervals, one line per measure."""
    test, intervals = found.test.means, found.test.intervals
    how = "full ranking" if negatives is None else f"among {negatives} sampled negatives (the weaker protocol)"
    chosen = ", ".join(f"{k}={v}" for k, v in found.parameters.items()) or "defaults"
    lines = [f"{name} ({chosen}): {found.test.users.size:,} test users, {how}"]
    for measure, value in test.items():
        low, high = intervals.get(measure, (math.nan, math.nan))
        around = f"   [{low:.4f}, {high:.4f}]" if math.isfinite(low) else ""
        lines.append(f"  {measure:<14} {value:8.4f}{around}")
    lines.append(f"  fitted in {found.fit_seconds:.1f} s, {found.peak_memory_bytes / 2**20:.0f} MiB at most")
    return "\n".join(lines) + "\n"


def write(folder: Path, name: str, found: Evaluated, data: Dataset, options: Mapping[str, Any]) -> None:
    """Write ``results.json`` and ``users.parquet``."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    results = {
        "validation": found.validation.means,
        "test": found.test.means,
        "intervals": {"validation": found.validation.intervals, "test": found.test.intervals},
        "groups": found.test.groups,
        "recommender": {
            "name": name,
            "parameters": found.recommender.parameters(),
            "reproducibility": found.recommender.reproducibility,
            "contract": CONTRACT_VERSION,
        },
        "protocol": {
            **options,
            "ranking": "full" if options["negatives"] is None else "sampled negatives (weaker)",
            "masked": "training items",
            "label": data.label,
        },
        "data": {
            "name": data.name,
            "users": data.n_users,
            "items": data.catalog.n_items,
            "train": len(found.split.train),
            "validation": len(found.split.validation),
            "test": len(found.split.test),
            "test_users": int(found.test.users.size),
        },
        "search": [
            {"parameters": t.parameters, "validation": t.validation, "error": t.error, "fit_seconds": t.fit_seconds}
            for t in found.trials
        ],
        "seconds": {"fit": found.fit_seconds, "recommend_test": found.test.seconds},
        "peak_memory_bytes": found.peak_memory_bytes,
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    (folder / "results.json").write_text(json.dumps(_plain(results), indent=2, allow_nan=False) + "\n")
    pd.concat([_users(found.validation, data, "validation"), _users(found.test, data, "test")]).to_parquet(
        folder / "users.parquet", index=False
    )


def _users(judgment: Judgment, data: Dataset, part: str) -> Any:
    import pandas as pd

    ids = data.user_ids[judgment.users].astype(str)
    return pd.DataFrame({"user": ids, "part": part, "n_train": judgment.n_train, **judgment.per_user})


def _plain(value: Any) -> Any:
    """As JSON has it: NaN becomes null, numpy numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
