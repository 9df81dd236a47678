"""The contract between a platform and its recommenders: all that a plug-in may see, and what it must do.

Everything is loaded when it is first used, so that naming an error costs no arrays.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommenders.contract.accounts import parameters_of, places_of
    from recommenders.contract.answers import (
        Slates,
        in_slates,
        validate_chances,
        validate_scores,
        validate_slates,
        validate_state,
    )
    from recommenders.contract.calls import calling
    from recommenders.contract.candidate_lists import Lists, runs
    from recommenders.contract.catalog import Catalog, LazyFeatures
    from recommenders.contract.columns import CODED, COLUMNS, Column, Columns
    from recommenders.contract.errors import RecommenderError
    from recommenders.contract.item_encoder import item_features
    from recommenders.contract.log import Label, PlatformLog, Positives, Rows, least_values, positive_rows
    from recommenders.contract.places import Places
    from recommenders.contract.recommender import (
        CONTRACT_VERSION,
        Recommender,
        Reproducibility,
        slates_of,
        valid_slates,
    )
    from recommenders.contract.requests import NO_ITEM, Requests, Seen, compressed
    from recommenders.contract.sealing import sealed
    from recommenders.contract.settings import Choice, Range, Settings, setting

__all__ = [
    "CODED", "COLUMNS", "CONTRACT_VERSION", "NO_ITEM", "Catalog", "Choice", "Column", "Columns", "Label",
    "LazyFeatures", "Lists", "Places", "PlatformLog", "Positives", "Range", "Recommender", "RecommenderError",
    "Reproducibility", "Requests", "Rows", "Seen", "Settings", "Slates", "calling", "compressed", "in_slates",
    "item_features", "least_values", "parameters_of", "places_of", "positive_rows", "runs", "sealed", "setting",
    "slates_of", "valid_slates", "validate_chances", "validate_scores", "validate_slates", "validate_state",
]  # fmt: skip

_HOMES = {
    "accounts": ("parameters_of", "places_of"),
    "answers": ("Slates", "in_slates", "validate_chances", "validate_scores", "validate_slates", "validate_state"),
    "calls": ("calling",),
    "candidate_lists": ("Lists", "runs"),
    "catalog": ("Catalog", "LazyFeatures"),
    "columns": ("CODED", "COLUMNS", "Column", "Columns"),
    "errors": ("RecommenderError",),
    "item_encoder": ("item_features",),
    "log": ("Label", "PlatformLog", "Positives", "Rows", "least_values", "positive_rows"),
    "places": ("Places",),
    "recommender": ("CONTRACT_VERSION", "Recommender", "Reproducibility", "slates_of", "valid_slates"),
    "requests": ("NO_ITEM", "Requests", "Seen", "compressed"),
    "sealing": ("sealed",),
    "settings": ("Choice", "Range", "Settings", "setting"),
}
_MODULE_OF = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _MODULE_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
