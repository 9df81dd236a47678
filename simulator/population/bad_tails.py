"""Bad tails: items that everybody dislikes. They lie off in a facet, against the taste that all users share.

So what shows the facet shows the tail, as far and as exactly as it shows anything of the facet, and everybody loses by
it what they agree on. No kernel knows of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import SPACE, SUPPLY, normals, uniforms
from simulator.plan.compiler import Compiled
from simulator.population.attributes import drawn

Float32 = npt.NDArray[np.float32]
Types = npt.NDArray[np.integer[Any]]

_IN_TAIL, _WORTH = 600, 640  # + number of the facet: what is drawn under SUPPLY, beside what `catalog` draws
_COMMON_BLOCK = 512


def common_taste(compiled: Compiled, facet: int, seed: int) -> Float32:
    """Draw the direction of a facet that all users share, of length 1, (1, dimensions)."""
    drawn_direction = normals(seed, SPACE, 1, compiled.facets[facet].dimensions, block=_COMMON_BLOCK + facet)
    return direction(drawn_direction)


def direction(x: Float32) -> Float32:
    """Scale rows to length 1."""
    scaled: Float32 = x / np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return scaled


def in_tail(compiled: Compiled, facet: int, types: Types, seed: int) -> npt.NDArray[np.bool_]:
    """Return which items, of these types (n,), are in the bad tail of a facet, (n,)."""
    scenario = compiled.scenario
    tail = scenario.facets[compiled.facets[facet].name].bad_tail
    if tail is None:
        return np.zeros(len(types), dtype=np.bool_)
    have = [k for k, name in enumerate(scenario.item_types) if tail.types is None or name in tail.types]
    bad: npt.NDArray[np.bool_] = uniforms(seed, SUPPLY, len(types), _IN_TAIL + facet) < tail.share.value
    return bad & np.isin(types, have)


def shift_tails(compiled: Compiled, types: Types, truth: Float32, seed: int) -> None:
    """Shift the truths of items in bad tails, (n, latent_width), in place, by what they are worth less on average.

    A user's match with a shift along the common taste is its length times sqrt(agreement), on average over users. Of
    types that do not weigh the facet there is no tail.
    """
    n = len(truth)
    for f, shape in enumerate(compiled.facets):
        facet = compiled.scenario.facets[shape.name]
        if facet.bad_tail is None:
            continue
        bad = in_tail(compiled, f, types, seed)
        worth = drawn(facet.bad_tail.worth, uniforms(seed, SUPPLY, n, _WORTH + f))[bad]
        weight = compiled.plan.weights[types[bad], f] * np.sqrt(facet.agreement.value)
        length = np.divide(worth, weight, out=np.zeros_like(worth), where=weight > 0.0)
        part = slice(shape.offset, shape.offset + shape.dimensions)
        truth[bad, part] += (length[:, None] * common_taste(compiled, f, seed)).astype(np.float32)
