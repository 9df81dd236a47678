"""What recommenders say of themselves, taken down with care: whatever breaks the contract becomes its own line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recommenders.contract.answers import kind_of
from recommenders.contract.calls import calling, shown_name
from recommenders.contract.errors import RecommenderError
from recommenders.contract.places import Places

if TYPE_CHECKING:
    from recommenders.contract.recommender import Recommender


def places_of(recommender: Recommender) -> Places | None:
    """Return what a recommender's `places` gives, if it is counts or None.

    Raises:
        RecommenderError: it raises, or it is something else.
    """
    with calling(recommender, "places"):
        found: object = recommender.places()
    if found is None:
        return None
    where = f"recommender {shown_name(recommender)}"
    right = "expected Places(filled, by_popularity, unknown_users) or None"
    if not isinstance(found, Places):
        raise RecommenderError(where, f"places() is {kind_of(found)}", right)
    whole = all(isinstance(count, int | np.integer) for count in found)
    if not whole or not found.filled >= found.by_popularity >= found.unknown_users >= 0:
        raise RecommenderError(where, f"places() is {tuple(found)}", f"{right}: falling counts")
    return Places(*map(int, found))


def parameters_of(recommender: Recommender) -> dict[str, Any]:
    """Return what a recommender's `parameters` gives, if it can be written down.

    Raises:
        RecommenderError: it raises, or it is something else than plain values by name.
    """
    with calling(recommender, "parameters"):
        found: object = recommender.parameters()
    where = f"recommender {shown_name(recommender)}"
    right = "expected plain values by name: text, numbers, lists of them"
    if not isinstance(found, Mapping):
        raise RecommenderError(where, f"parameters() is {kind_of(found)}", right)
    for key, value in found.items():
        if type(key) is not str:
            raise RecommenderError(where, f"parameters() has the key {key!r}", right)
        try:
            json.dumps(value, default=_item)
        except (TypeError, ValueError) as error:
            raise RecommenderError(where, f"parameters()[{key!r}] is {kind_of(value)}", right) from error
    return dict(found)


def _item(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError
