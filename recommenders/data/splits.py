"""Labels of a split: words or numbers, or folds of which some are chosen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recommenders.contract.errors import RecommenderError
from recommenders.data.ids import Ids

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = {
    "train": 0, "training": 0, "0": 0,
    "valid": 1, "val": 1, "validation": 1, "dev": 1, "1": 1,
    "test": 2, "testing": 2, "2": 2,
}  # fmt: skip
"""Labels whose meaning is known."""


def parts_of(
    labels: Ids, where: str, name: str, test: tuple[str, ...] = (), validation: tuple[str, ...] = ()
) -> npt.NDArray[np.int8]:
    """Return the part of each row: 0 train, 1 validation, 2 test.

    Args:
        labels: of each row.
        where, name: of the column.
        test, validation: the labels that are test and validation, all others train; usual words unless given.

    Raises:
        RecommenderError: a label is not known, one that is named is not there, or a row has none.
    """
    if labels.missing.any():
        first = int(np.argmax(labels.missing))
        wrong = f"column '{name}' has {int(labels.missing.sum())} rows without a split, the first in row {first}"
        raise RecommenderError(where, wrong, "expected train, validation, test (or 0, 1, 2); or missing=drop")
    words = [str(each) for each in labels.names]
    for word in (*test, *validation):
        if word not in words:
            raise RecommenderError(where, f"column '{name}' has no label {word!r}", f"it has: {_some(words)}")
    if test or validation:
        part = {word: TEST if word in test else VALIDATION if word in validation else TRAIN for word in words}
    else:
        known = {word: SPLIT_NAMES.get(word.strip().lower()) for word in words}
        for word, code in known.items():
            if code is None:
                right = "expected train, validation, test (or 0, 1, 2); or say which: test_labels=, validation_labels="
                raise RecommenderError(where, f"column '{name}' holds the split '{word}' among {_some(words)}", right)
        part = {word: code for word, code in known.items() if code is not None}
    codes = np.array([part[word] for word in words], np.int8)
    return codes[labels.code]


def _some(words: list[str]) -> str:
    return ", ".join(words[:8]) + (", ..." if len(words) > 8 else "")
