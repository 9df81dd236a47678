"""What ``python -m recommenders evaluate``, ``export`` and ``inspect`` do: read the words, evaluate, print, write."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from recommenders.command_line import WHERE, read_pairs
from recommenders.contract import CONTRACT_VERSION, RecommenderError, parameters_of
from recommenders.contract.names import did_you_mean
from recommenders.contract.places import called, fallback, fallback_warning
from recommenders.contract.settings import (
    Settings,
    checked,
    number,
    one_of,
    setting,
    whole_number,
    wrong_setting,
    yes_or_no,
)
from recommenders.data.interactions import Reading
from recommenders.data.layouts import separator, unit_of
from recommenders.evaluation.dataset import Dataset, read_dataset, write_inter
from recommenders.evaluation.inspection import inspection
from recommenders.evaluation.protocol import Evaluated, Judgment, evaluate as evaluate_one, fit_for
from recommenders.evaluation.splits import SPLITS, split_of
from recommenders.models.training.account import Account
from recommenders.registry import check_parameters
from recommenders.values import read_value

PREFIXES = ("recommender.", "columns.")
D = TypeVar("D", bound="DataSettings")


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _cutoffs(text: str) -> tuple[int, ...]:
    parts = _parts(text)
    if not parts or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError("whole numbers, by comma")
    return tuple(sorted(set(map(int, parts))))


@dataclass(frozen=True)
class DataSettings(Settings):
    """Which data, and where to write."""

    data: str = ""
    at_least: float | None = setting(None, read=number)
    events: tuple[str, ...] = setting((), read=_parts)
    layout: str | None = None
    sep: str | None = setting(None, read=separator)
    header: bool | None = setting(None, read=yes_or_no)
    quote: bool | None = setting(None, read=yes_or_no)
    names: tuple[str, ...] = setting((), read=_parts)
    missing: str = setting("refuse", read=one_of("refuse", "drop"))
    test_labels: tuple[str, ...] = setting((), read=_parts)
    validation_labels: tuple[str, ...] = setting((), read=_parts)
    output: Path | None = setting(None, read=Path)

    def reading(self, columns: Mapping[str, str], needs: tuple[str, ...] = ()) -> Reading:
        """Return how the data are read, with what is said of columns: ``ROLE`` or ``ROLE.unit`` -> text.

        Raises:
            RecommenderError: a role or a unit is not known.
        """
        units = {key.removesuffix(".unit"): text for key, text in columns.items() if key.endswith(".unit")}
        return Reading(
            layout=self.layout,
            columns={key: text for key, text in columns.items() if not key.endswith(".unit")},
            units={role: unit_of(role, unit, f"columns.{role}.unit") for role, unit in units.items()},
            sep=self.sep, header=self.header, quote=self.quote, names=self.names, needs=needs,
            drop_missing=self.missing == "drop", events=self.events, at_least=self.at_least,
        )  # fmt: skip


@dataclass(frozen=True)
class EvaluateSettings(DataSettings):
    """What is evaluated, and how."""

    recommender: tuple[str, ...] = setting((), read=_parts)
    split: str = "random"
    negatives: int | None = setting(None, read=whole_number(1))
    cutoffs: tuple[int, ...] = setting((10, 20), read=_cutoffs)
    search: int = setting(0, read=whole_number(0))
    select: str = ""
    seed: int = setting(0, read=whole_number(0))


def evaluate(words: Sequence[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        RecommenderError: wrong words, data, names or settings; before anything is written.
    """
    chosen, parameters, columns = read_words(EvaluateSettings, words, "{!r} is no setting")
    _need(recommender=chosen.recommender)
    for name in chosen.recommender:
        check_parameters(name, parameters)
    if chosen.split not in SPLITS:
        raise RecommenderError(WHERE, f"split={chosen.split} is not known", _expected(chosen.split, SPLITS))
    if (chosen.test_labels or chosen.validation_labels) and chosen.split != "given":
        raise RecommenderError(WHERE, f"split={chosen.split} knows no labels", "expected split=given beside them")
    options: dict[str, Any] = {
        "cutoffs": chosen.cutoffs,
        "negatives": chosen.negatives,
        "search": chosen.search,
        "select": chosen.select or f"recall@{max(chosen.cutoffs)}",
        "seed": chosen.seed,
    }
    output = chosen.output
    if output is not None and output.exists() and any(output.iterdir() if output.is_dir() else [output]):
        raise RecommenderError(str(output), "is there already", "expected a new folder")
    data = _data(chosen, columns, ("split",) if chosen.split == "given" else ())
    for note in data.notes:
        _say(f"  {note}")
    for name in chosen.recommender:  # all of them, before the first is fitted and written
        fit_for(name, parameters, data, chosen.seed)
    split = split_of(data, chosen.split, chosen.seed)
    sizes = f"{len(split.train):,} / {len(split.validation):,} / {len(split.test):,}"
    _say(f"{data.name}: {data.n_users:,} users, {data.catalog.n_items:,} items; {chosen.split} {sizes}; {data.label}")
    for name in chosen.recommender:
        found = evaluate_one(data, split, name, parameters, say=_say, **options)
        sys.stdout.write(table(name, found, chosen.cutoffs, chosen.negatives))
        warning = fallback_warning(called(name, parameters_of(found.recommender)), fallback(found.test.places))
        if warning is not None:
            _say(f"warning: {warning}")
        if output is not None:
            folder = output if len(chosen.recommender) == 1 else output / name.replace(":", "-")
            write(folder, name, found, data, {"split": chosen.split, **options})
            _say(f"written to {folder}")
    return 0


def export(words: Sequence[str]) -> int:
    """Write a data set as a RecBole ``.inter`` file and return the exit code.

    Raises:
        RecommenderError: wrong words or data, or the file is there already.
    """
    chosen, _, columns = read_words(DataSettings, words, "{} is no setting of export", ("columns.",))
    path = chosen.output
    if path is None:
        raise RecommenderError(WHERE, "output is not given", "expected output=...; see --help")
    if path.exists():
        raise RecommenderError(str(path), "is there already", "expected a new file")
    if not path.parent.is_dir():
        raise RecommenderError(str(path.parent), "is no folder", "a folder that is there")
    data = _data(chosen, columns)
    for note in data.notes:
        _say(f"  {note}")
    write_inter(data, path)
    _say(f"{len(data.positives):,} pairs of {data.n_users:,} users written to {path}; {data.label}")
    return 0


def inspect(words: Sequence[str]) -> int:
    """Print what would be read of a data set, and return the exit code.

    Raises:
        RecommenderError: wrong words or data.
    """
    chosen, _, columns = read_words(DataSettings, words, "{!r} is no setting of inspect", ("columns.",))
    if chosen.output is not None:
        raise RecommenderError(WHERE, "output is no setting of inspect", "leave it out: nothing is written")
    _need(data=chosen.data)
    sys.stdout.write(
        inspection(Path(chosen.data), chosen.reading(columns), chosen.test_labels, chosen.validation_labels)
    )
    return 0


def _data(chosen: DataSettings, columns: dict[str, str], needs: tuple[str, ...] = ()) -> Dataset:
    """Read the data set that the words name."""
    _need(data=chosen.data)
    return read_dataset(chosen.data, chosen.reading(columns, needs), chosen.test_labels, chosen.validation_labels)


def read_words(
    kind: type[D], words: Sequence[str], unknown: str, prefixes: tuple[str, ...] = PREFIXES
) -> tuple[D, dict[str, Any], dict[str, str]]:
    """Return settings, parameters of recommenders, and columns by role, out of ``key=value`` words.

    Raises:
        RecommenderError: a word is not of that form, a key is unknown or given twice, a value is wrong.
    """
    given, known = read_pairs(words, RecommenderError), kind.described()
    for key in given:
        if key not in known and not key.startswith(prefixes):
            raise RecommenderError(WHERE, unknown.format(key), _expected(key, known))
    values = {key: text if known[key].is_text else read_value(text) for key, text in given.items() if key in known}
    parameters, columns = (
        {key.removeprefix(prefix): text for key, text in given.items() if key.startswith(prefix)} for prefix in PREFIXES
    )
    settings = kind(**checked(known, values, wrong_setting(RecommenderError, WHERE)))
    return settings, {key: read_value(text) for key, text in parameters.items()}, columns


def _expected(given: str, known: Iterable[str]) -> str:
    return f"{did_you_mean(given, known, repr)}there are: {', '.join(known)}"


def _need(**given: object) -> None:
    for key, value in given.items():
        if not value:
            raise RecommenderError(WHERE, f"{key} is not given", f"expected {key}=...; see --help")


def table(name: str, found: Evaluated, cutoffs: tuple[int, ...], negatives: int | None) -> str:
    """Return test figures with their intervals, one line per measure."""
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
    training = getattr(found.recommender, "training", None)
    training = training if isinstance(training, Account) else None
    results = {
        "validation": found.validation.means,
        "test": found.test.means,
        "intervals": {"validation": found.validation.intervals, "test": found.test.intervals},
        "groups": found.test.groups,
        "fallback": {"validation": fallback(found.validation.places), "test": fallback(found.test.places)},
        "recommender": {
            "name": name,
            "parameters": parameters_of(found.recommender),
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
            "rows": data.n_rows,
            "left_out": dict(data.left_out),
        },
        "search": [
            {"parameters": t.parameters, "validation": t.validation, "error": t.error, "fit_seconds": t.fit_seconds}
            for t in found.trials
        ],
        "training": None if training is None else training.values(),
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
    """Return a value as JSON has it: NaN becomes null, numpy numbers plain ones."""
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
