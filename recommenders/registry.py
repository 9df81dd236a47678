"""Recommenders by name, by entry point, or by import path; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from recommenders.contract.calls import calling, is_a_plugins, said, shown_name
from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean
from recommenders.contract.settings import Described, read

if typing.TYPE_CHECKING:
    from recommenders.contract import Label, Recommender

ENTRY_POINTS = "beholder.recommenders"
"""Group of entry points under which other packages offer recommenders."""

_OURS = {
    "random": "recommenders.models.random:Random",
    "popularity": "recommenders.models.popularity:Popularity",
    "relevance": "recommenders.models.popularity:Relevance",
    "itemknn": "recommenders.models.neighbors:ItemKNN",
    "userknn": "recommenders.models.neighbors:UserKNN",
    "contentknn": "recommenders.models.content:ContentKNN",
    "p3alpha": "recommenders.models.graph:P3alpha",
    "rp3beta": "recommenders.models.graph:RP3beta",
    "ease": "recommenders.models.linear:EASE",
    "slim": "recommenders.models.linear:SLIM",
    "puresvd": "recommenders.models.factorization:PureSVD",
    "ials": "recommenders.models.factorization:IALS",
    "nmf": "recommenders.models.factorization:NMF",
    "bpr": "recommenders.models.sgd:BPR",
    "slimbpr": "recommenders.models.sgd:SlimBPR",
    "funk": "recommenders.models.sgd:Funk",
    "asysvd": "recommenders.models.sgd:AsymmetricSVD",
    "multvae": "recommenders.models.autoencoder:MultVAE",
    "uneurec": "recommenders.models.autoencoder:UNeuRec",
    "mfbpr": "recommenders.models.multimodal.mfbpr:MFBPR",
    "lightgcn": "recommenders.models.multimodal.lightgcn:LightGCN",
    "vbpr": "recommenders.models.multimodal.vbpr:VBPR",
    "bm3": "recommenders.models.multimodal.bm3:BM3",
    "mgcn": "recommenders.models.multimodal.mgcn:MGCN",
    "lgmrec": "recommenders.models.multimodal.lgmrec:LGMRec",
    "slmrec": "recommenders.models.multimodal.slmrec:SLMRec",
    "lattice": "recommenders.models.multimodal.lattice:Lattice",
    "micro": "recommenders.models.multimodal.micro:Micro",
    "mmgcn": "recommenders.models.multimodal.mmgcn:MMGCN",
    "grcn": "recommenders.models.multimodal.grcn:GRCN",
    "dualgnn": "recommenders.models.multimodal.dualgnn:DualGNN",
    "gume": "recommenders.models.multimodal.gume:GUME",
    "freedom": "recommenders.models.multimodal.freedom:Freedom",
    "linucb": "recommenders.models.bandits:LinUCB",
    "thompson": "recommenders.models.bandits:Thompson",
    "pipeline": "recommenders.compose.pipeline:Pipeline",
    "ensemble": "recommenders.compose.ensemble:Ensemble",
    "filtered": "recommenders.compose.pipeline:Filtered",
    "exploring": "recommenders.compose.pipeline:Exploring",
    "exploringplaces": "recommenders.compose.places:ExploringPlaces",
    "ab": "recommenders.compose.ab:AB",
    "composed": "recommenders.compose.pipeline:FromFile",
    "globaleffects": "recommenders.models.ratings:GlobalEffects",
    "slopeone": "recommenders.models.ratings:SlopeOne",
    "coclustering": "recommenders.models.ratings:CoClustering",
    "recentpopularity": "recommenders.models.baselines:RecentPopularity",
    "lastevents": "recommenders.models.baselines:LastEvents",
    "declared": "recommenders.models.baselines:DeclaredInterest",
    "sb3": "recommenders.agents.agent:Sb3Agent",
    "implicit": "recommenders.models.adapters.implicit:Implicit",
    "lenskit": "recommenders.models.adapters.lenskit:LensKit",
    "cornac": "recommenders.models.adapters.cornac:Cornac",
}

_GIVEN_BY_US = ("self", "seed", "label")


def _paths() -> dict[str, str]:
    """Return name -> "module:Class" of everything registered; our own names cannot be taken by others."""
    others = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return {**others, **_OURS}


def available() -> tuple[str, ...]:
    """Return all registered names, sorted.

    >>> {"random", "popularity", "itemknn", "contentknn"} <= set(available())
    True
    """
    return tuple(sorted(_paths()))


def find(name_or_path: str) -> type[Recommender]:
    """Find the class of a registered name or of an import path like ``my_package.module:MyRecommender``.

    Raises:
        RecommenderError: if there is none; with the nearest match, and all that there are.
    """
    paths = _paths()
    if name_or_path not in paths and ":" not in name_or_path:
        hint = did_you_mean(name_or_path, paths, repr)
        raise RecommenderError(
            "recommender",
            f"{name_or_path!r} is not known",
            f"{hint}there are: {', '.join(sorted(paths))}, or an import path like my_package.module:MyRecommender",
        )
    where = f"recommender {name_or_path}"
    module_name, _, class_name = paths.get(name_or_path, name_or_path).partition(":")
    if not all(part.isidentifier() for part in f"{module_name}.{class_name}".split(".")):
        raise RecommenderError(
            where, "is no import path", "expected package.module:Class, dots and no slashes, found from here on"
        )
    found: object = _module(module_name, where)
    for name in class_name.split("."):
        there = [each for each, value in vars(found).items() if inspect.isclass(value)]
        with calling(name_or_path, "its module"):
            found = getattr(found, name, None)
        if not inspect.isclass(found):
            hint = did_you_mean(name, there, repr).rstrip() or "expected package.module:Class"
            raise RecommenderError(where, f"{module_name!r} has no class {class_name!r}", hint)
    from recommenders.contract.recommender import Recommender  # not before a class is wanted: it imports numpy

    if not (inspect.isclass(found) and issubclass(found, Recommender)):
        raise RecommenderError(
            where, "is no recommender", "expected a class derived from recommenders.contract.Recommender"
        )
    return found


def _module(name: str, where: str) -> ModuleType:
    """Import a module; whatever it raises instead, `sys.exit` too, is one line."""
    try:
        return importlib.import_module(name)
    except BaseException as error:
        if not is_a_plugins(error):
            raise
        why = str(error) if isinstance(error, ModuleNotFoundError) else said(error)
        raise RecommenderError(where, f"cannot import {name!r} ({why})", "expected package.module:Class") from error


def name_of(recommender: type[Recommender]) -> str:
    """Return the registered name of a class; its import path if it has none."""
    path = f"{recommender.__module__}:{recommender.__qualname__}"
    return next((name for name, registered in _paths().items() if registered == path), path)


def check_parameters(name_or_path: str, parameters: Mapping[str, Any] | None = None) -> None:
    """See that :func:`create` would take these, without making anything. Raises RecommenderError if it would not."""
    read(_accepted(find(name_or_path), name_or_path), parameters or {}, f"recommender {name_or_path}")


def _accepted(recommender: type[Recommender], name_or_path: str) -> dict[str, Described]:
    with calling(name_or_path, "its Config or its constructor's signature"):
        return accepted_parameters(recommender)


def accepted_parameters(recommender: type[Recommender]) -> dict[str, Described]:
    """Return what a user may set, by name (seed and label are given by the platform).

    These are the fields of its ``Config``; and where its constructor is its own, the keyword parameters of that.
    """
    parameters = inspect.signature(recommender.__init__).parameters
    hints = typing.get_type_hints(recommender.__init__)
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    none = inspect.Parameter.empty
    own = {
        name: Described(name, hints.get(name, typing.Any), each.default, each.default is none)
        for name, each in parameters.items()
        if name not in _GIVEN_BY_US and each.kind in named
    }
    open_ended = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    config = getattr(recommender, "Config", None)
    return {**own, **config.described()} if open_ended and config is not None else own


def create(
    name_or_path: str, parameters: Mapping[str, Any] | None = None, seed: int = 0, label: Label | None = None
) -> Recommender:
    """Create a recommender.

    Args:
        name_or_path: a registered name, or an import path.
        parameters: its own parameters, checked against their types and bounds.
        seed: of whatever it draws.
        label: what counts as a positive; passed on where its constructor takes a label.

    Raises:
        RecommenderError: on an unknown name, or a parameter that is unknown, missing, of the wrong type, out of bounds.

    >>> create("itemknn", {"neighbors": 20}).config.neighbors
    20
    """
    return make(find(name_or_path), parameters, seed, label, name_or_path)


def make(
    recommender: type[Recommender],
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    label: Label | None = None,
    name: str | None = None,
) -> Recommender:
    """Make a recommender of a class, which takes what :func:`create` gives; errors call it by `name`.

    Raises:
        RecommenderError: on a parameter that is wrong, or where its constructor raises.
    """
    name = name or shown_name(recommender)
    given = read(_accepted(recommender, name), parameters or {}, f"recommender {name}")
    signature = inspect.signature(recommender.__init__).parameters
    open_ended = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.values())
    if "seed" in signature or open_ended:
        given["seed"] = seed
    if "label" in signature or open_ended:
        given["label"] = label
    with calling(recommender, "its constructor"):
        return recommender(**given)
