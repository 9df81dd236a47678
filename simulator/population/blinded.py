"""What recommenders are handed of the items' features where a run blinds them; users see the world as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recommenders.contract import Catalog, LazyFeatures
from simulator.config import ALL_FEATURES, FEATURES_PREFIX
from simulator.engine.randomness import ENCODER, normals, uniforms
from simulator.errors import InputError, check_known

Float32 = npt.NDArray[np.float32]

# Of what ENCODER draws: behind the blocks of encoders' own noise. A block has 1,024 columns, and real features more.
_BLOCKS = 1024
_PER_MODALITY = 64


def blinding(asked: Mapping[str, str], there: Sequence[str]) -> dict[str, str]:
    """Return what is done to the features of which modality; what is kept is left out.

    Args:
        asked: modality, or `all`, -> shuffle, noise, remove or keep; a modality's own word goes before that for all.
        there: the modalities that have features.

    Raises:
        InputError: a modality has no features, or none has any.
    """
    if asked and not there:
        first = FEATURES_PREFIX + next(iter(asked))
        raise InputError(first, "no modality has features here", "leave it out, or a scenario or catalog with features")
    for name in asked:
        check_known(FEATURES_PREFIX + name, "modality with features", [name], [*there, ALL_FEATURES])
    modes = {name: asked.get(name, asked.get(ALL_FEATURES, "keep")) for name in there}
    return {name: mode for name, mode in modes.items() if mode != "keep"}


def blinded(public: Catalog, modes: Mapping[str, str], modalities: Sequence[str], seed: int) -> Catalog:
    """Return a catalog with other features, each made when it is first asked for.

    Args:
        public: the catalog with the true features, and the items' `type`.
        modes: modality -> `shuffle`: rows change places among items of a type, so what all of them tell together stays
            and what each tells of its item goes; `noise`: normal numbers with each dimension's mean and spread;
            `remove`: there are none.
        modalities: all of the scenario, by which draws are numbered.
        seed: the world's.
    """
    if not modes:
        return public
    makers: dict[str, Callable[[], Float32]] = {}
    for name in public.features:
        mode, block = modes.get(name), _BLOCKS + _PER_MODALITY * list(modalities).index(name)
        if mode == "shuffle":
            makers[name] = lambda name=name, block=block: public.features[name][_shuffled(public, seed, block)]  # type: ignore[misc]
        elif mode == "noise":
            makers[name] = lambda name=name, block=block: _noise(public.features[name], seed, block)  # type: ignore[misc]
        elif mode is None:
            makers[name] = lambda name=name: public.features[name]  # type: ignore[misc]
    return replace(public, features=LazyFeatures(makers))


def _shuffled(public: Catalog, seed: int, block: int) -> npt.NDArray[np.int64]:
    """Return whose row each item gets, (n_items,): another one's of its type, at random."""
    kind = public.columns["type"]
    luck = uniforms(seed, ENCODER, public.n_items, 1024 * block)
    given = np.empty(public.n_items, dtype=np.int64)
    given[np.argsort(kind, kind="stable")] = np.lexsort((luck, kind))
    return given


def _noise(features: Float32, seed: int, block: int) -> Float32:
    """Return noise in the place of features (n, d)."""
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    drawn = normals(seed, ENCODER, len(features), features.shape[1], block)
    made: Float32 = (mean + spread * drawn).astype(np.float32)
    return made
