"""What a recommender answers, and the checks of every answer: each says whose it is, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommenders.contract.errors import RecommenderError
from recommenders.contract.requests import NO_ITEM, Requests

_INT32, _FLOAT32 = np.dtype(np.int32), np.dtype(np.float32)
_FEW = 1024
_ROUNDED = 1e-6  # what a sum of probabilities may exceed 1 by


@dataclass(frozen=True)
class Slates:
    """The answer to a batch.

    Attributes:
        items: int32 (n, slate_size), best first. Only where there are fewer candidates than places, the last
            ``slate_size - m`` places are -1.
        propensity: float32 (n, slate_size), the probability that the item is in the slate, given the request; or None
            where the recommender does not randomise (or cannot say).
    """

    items: np.ndarray
    propensity: np.ndarray | None = None

    def part(self, first: int, last: int) -> Slates:
        """Return the slates of the rows first ... last - 1."""
        return Slates(self.items[first:last], None if self.propensity is None else self.propensity[first:last])


def in_slates(items: np.ndarray, slates: np.ndarray) -> np.ndarray:
    """Return whether each of items, int32 (n, k), is in the slate of its row, int32 (n, size); -1 never is."""
    return np.asarray((items[:, :, None] == slates[:, None, :]).any(axis=2) & (items != NO_ITEM))


def validate_slates(slates: Slates, requests: Requests, n_items: int, name: str) -> None:
    """Check that slates answer requests: shape, type, range, candidates only, no item twice.

    Raises:
        RecommenderError: naming the recommender, the first offending request, and what would be right.
    """
    validate_shapes(slates, requests, name)
    if requests.several is not None:
        for first, last, own in requests.by_list():
            validate_slates(slates.part(first, last), own, n_items, name)
        return
    if not len(requests):
        return
    where, items = f"recommender {name}", slates.items
    filled = requests.filled
    # Columns first: comparisons then run over contiguous memory, which matters at millions of slates.
    places = np.ascontiguousarray(items[:, :filled].T)
    if filled and (places.min() < 0 or places.max() >= n_items):
        row, item = _first(places, (places < 0) | (places >= n_items))
        raise RecommenderError(where, f"request {row} of the batch got item {item}", f"items are 0 ... {n_items - 1}")
    if filled < requests.slate_size and (items[:, filled:] != NO_ITEM).any():
        raise RecommenderError(
            where, f"fills more places than there are candidates ({filled})", f"the others should be {NO_ITEM}"
        )
    if requests.candidates.size < n_items:
        available = np.zeros(n_items, dtype=bool)
        available[requests.candidates] = True
        allowed = available[places]
        if not allowed.all():
            row, item = _first(places, ~allowed)
            raise RecommenderError(where, f"request {row} of the batch got item {item}", "it is not a candidate")
    twice = _twice(places)
    if twice is not None:
        row, item = twice
        raise RecommenderError(where, f"request {row} of the batch got item {item} twice", "expected each item once")
    if slates.propensity is not None:
        given = slates.propensity[:, :filled].astype(np.float32)  # as they are logged: what is tiny may be 0
        wrong = ~((given > 0) & (given <= 1))
        if wrong.any():
            row, place = np.argwhere(wrong)[0].tolist()
            raise RecommenderError(
                where,
                f"a propensity is outside (0, 1]: {given[row, place]} for item {items[row, place]} of request {row}",
                "expected the probability of what was shown, as float32",
            )


def validate_shapes(slates: object, requests: Requests, name: str) -> Slates:
    """Return slates if they are some, and of the right types and shapes; whatever else was answered is none.

    Raises:
        RecommenderError: naming the recommender, and what would be right.
    """
    where = f"recommender {name}"
    if not isinstance(slates, Slates):
        raise RecommenderError(where, f"answers {kind_of(slates)}", "expected Slates(items, propensity)")
    shape = (len(requests), requests.slate_size)
    _require_array(where, "slates", slates.items, shape, _INT32)
    if slates.propensity is not None:
        _require_array(where, "propensities", slates.propensity, shape, _FLOAT32)
    return slates


def validate_scores(scores: object, requests: Requests, n_items: int, name: str) -> np.ndarray | None:
    """Return what `scores` gave, if it is None, or a number or NaN for every item.

    Raises:
        RecommenderError: naming the recommender, and what would be right.
    """
    if scores is None:
        return None
    where = f"recommender {name}"
    given = _require_array(where, "scores", scores, (len(requests), n_items), _FLOAT32)
    if np.isinf(given).any():
        raise RecommenderError(where, "its scores hold infinity", "expected numbers, NaN where an item has none")
    return given


def validate_chances(chances: object, items: np.ndarray, name: str) -> np.ndarray | None:
    """Return what `chances` gave for items (n, k), if it is None or a probability of each that is not -1.

    Raises:
        RecommenderError: naming the recommender, and what would be right.
    """
    if chances is None:
        return None
    where = f"recommender {name}"
    given = _require_array(where, "chances", chances, items.shape, _FLOAT32)
    there = given[items != NO_ITEM]
    if not ((there >= 0) & (there <= 1 + _ROUNDED)).all():
        raise RecommenderError(where, "a chance is outside [0, 1]", "expected probabilities")
    return given


def validate_state(state: object, name: str) -> Mapping[str, np.ndarray]:
    """Return what `state` gave, if it is plain arrays by name.

    Raises:
        RecommenderError: naming the recommender, and what would be right.
    """
    where = f"recommender {name}"
    if not isinstance(state, Mapping):
        raise RecommenderError(where, f"state() is {kind_of(state)}", "expected plain numpy arrays by name")
    for key, array in state.items():
        if type(key) is not str:
            raise RecommenderError(where, f"state() has the key {key!r}", "expected names")
        if type(array) is not np.ndarray or array.dtype.hasobject:
            raise RecommenderError(where, f"state()[{key!r}] is {kind_of(array)}", "expected plain numpy arrays")
    return state


def kind_of(value: object) -> str:
    """Return what a value is, in words.

    >>> kind_of(None), kind_of([1]), kind_of(np.zeros(2, object))
    ('None', 'a list', 'an array of object')
    """
    if value is None:
        return "None"
    if type(value) is np.ndarray:
        return f"an array of {value.dtype}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _require_array(where: str, what: str, given: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return what is an array of this type and shape; of floats any size will do."""
    if type(given) is not np.ndarray:
        raise RecommenderError(where, f"its {what} are {kind_of(given)}", f"expected an array, {dtype} {shape}")
    if given.shape != shape:
        raise RecommenderError(where, f"its {what} have shape {given.shape}", f"expected {shape}")
    if given.dtype != dtype and not (dtype.kind == given.dtype.kind == "f"):
        raise RecommenderError(where, f"its {what} are {given.dtype}", f"expected {dtype}")
    return given


def _first(places: np.ndarray, wrong: np.ndarray) -> tuple[int, int]:
    """Find the row and item of the first wrong place; both arrays are (places, requests)."""
    place, row = np.argwhere(wrong)[0]
    return int(row), int(places[place, row])


def _twice(places: np.ndarray) -> tuple[int, int] | None:
    """Find request and item of a slate with an item twice, of items (places, requests); None where there is none."""
    if places.shape[1] <= _FEW:  # a call for each place would cost more than sorting
        ordered = np.sort(places, axis=0)
        same = ordered[1:] == ordered[:-1]
        return _first(ordered[1:], same) if same.any() else None
    for place in range(1, len(places)):
        same = places[:place] == places[place]
        if same.any():
            return _first(places[:place], same)
    return None
