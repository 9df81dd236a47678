"""Recommenders by name, by entry point, or by import path; nothing is imported before it is asked for."""

from __future__ import annotations

import difflib
import importlib
import inspect
import types
import typing
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from recommenders.errors import RecommenderError

if typing.TYPE_CHECKING:
    from recommenders.contract import Label, Recommender

ENTRY_POINTS = "beholder.recommenders"
"""Group of entry points under which other packages offer recommenders."""

_OURS = {
    "random": "recommenders.random:Random",
    "popularity": "recommenders.popularity:Popularity",
    "itemknn": "recommenders.neighbors:ItemKNN",
    "contentknn": "recommenders.content:ContentKNN",
}

_GIVEN_BY_US = ("self", "seed", "label")


def _paths() -> dict[str, str]:
    """Name -> "module:Class" of everything registered; our own names cannot be taken by others."""
    others = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return {**others, **_OURS}


def available() -> tuple[str, ...]:
    """All registered names, sorted.

    >>> {"random", "popularity", "itemknn", "contentknn"} <= set(available())
    True
    """
    return tuple(sorted(_paths()))


def find(name_or_path: str) -> type[Recommender]:
    """The class of a registered name or of an import path like ``my_package.module:MyRecommender``.

    Raises:
        RecommenderError: if there is none; with the nearest match, and all that there are.
    """
    paths = _paths()
    if name_or_path not in paths and ":" not in name_or_path:
        near = difflib.get_close_matches(name_or_path, paths, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise RecommenderError(
            "recommender",
            f"{name_or_path!r} is not known",
            f"{hint}there are: {', '.join(sorted(paths))}, or an import path like my_package.module:MyRecommender",
        )
    where = f"recommender {name_or_path}"
    module_name, _, class_name = paths.get(name_or_path, name_or_path).partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise RecommenderError(
            where, f"cannot import {module_name!r} ({error})", "expected package.module:Class"
        ) from error
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        classes = [name for name, value in vars(module).items() if inspect.isclass(value)]
        near = difflib.get_close_matches(class_name, classes, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "expected package.module:Class"
        raise RecommenderError(where, f"{module_name!r} has no class {class_name!r}", hint)
    for method in ("fit", "recommend"):
        if not callable(getattr(found, method, None)):
            raise RecommenderError(where, f"has no method {method}", "see recommenders.contract.Recommender")
    return typing.cast("type[Recommender]", found)


def accepted_parameters(recommender: type[Recommender]) -> dict[str, inspect.Parameter]:
    """The keyword parameters that a user may set, by name (seed and label are given by the platform)."""
    parameters = inspect.signature(recommender.__init__).parameters
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {name: p for name, p in parameters.items() if name not in _GIVEN_BY_US and p.kind in named}


def create(
    name_or_path: str, parameters: Mapping[str, Any] | None = None, seed: int = 0, label: Label | None = None
) -> Recommender:
    """A new recommender.

    Args:
        name_or_path: a registered name, or an import path.
        parameters: its own parameters, checked against the types in its constructor.
        seed: of whatever it draws.
        label: what counts as a positive; passed on where its constructor takes a label.

    Raises:
        RecommenderError: on an unknown name, or a parameter that is unknown, missing or of the wrong type.

    >>> create("itemknn", {"neighbors": 20}).neighbors
    20
    """
    recommender = find(name_or_path)
    where = f"recommender {name_or_path}"
    accepted = accepted_parameters(recommender)
    takes = ", ".join(_describe(recommender, p) for p in accepted.values()) or "none"
    hints = typing.get_type_hints(recommender.__init__)
    given = dict(parameters or {})
    for name, value in given.items():
        if name not in accepted:
            near = difflib.get_close_matches(name, accepted, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise RecommenderError(f"{where}.{name}", "is no parameter of it", f"{hint}it takes: {takes}")
        if name in hints and not _fits(value, hints[name]):
            raise RecommenderError(f"{where}.{name}", f"is {value!r}", f"expected {_type_name(hints[name])}")
        if name in hints and hints[name] is float:
            given[name] = float(value)
    for name, parameter in accepted.items():
        if parameter.default is inspect.Parameter.empty and name not in given:
            raise RecommenderError(f"{where}.{name}", "is missing", f"it takes: {takes}")
    taken = inspect.signature(recommender.__init__).parameters
    if "seed" in taken:
        given["seed"] = seed
    if "label" in taken:
        given["label"] = label
    return recommender(**given)


def _describe(recommender: type[Recommender], parameter: inspect.Parameter) -> str:
    hint = typing.get_type_hints(recommender.__init__).get(parameter.name)
    text = parameter.name if hint is None else f"{parameter.name}: {_type_name(hint)}"
    return text if parameter.default is inspect.Parameter.empty else f"{text} = {parameter.default!r}"


def _type_name(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value from a command line or a YAML file fits a type; other types than these are not checked."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if hint is type(None):
        return value is None
    if hint is bool or isinstance(value, bool):
        return isinstance(value, bool) and hint in (bool, Any, object)
    if hint is float:
        return isinstance(value, int | float)
    if hint in (int, str):
        return isinstance(value, hint)
    if origin in (list, tuple):
        return isinstance(value, list | tuple)
    return True
