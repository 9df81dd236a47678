"""Trust: what a modality promised against what was met moves what its reader expects of it."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import inlined
from simulator.engine.jit.simd import dot
from simulator.engine.randomness import mix, table_index
from simulator.engine.tables.tables import NORMAL, Numbers
from simulator.engine.user.beliefs import matched


@inlined
def learn_trust(key: np.uint64, learning: np.uint32, user: int, item: int, numbers: Numbers) -> None:
    """Move the learned bias of the modalities in `learning` (bits) towards what they promised beyond what was met.

    `key` is that of the user's misreadings of the item; the promise of a modality is its bias and, over its facets, the
    mean of reading less truth.
    """
    cues, modalities, facets, quantiles = numbers.cues, numbers.modalities, numbers.facets, numbers.quantiles
    taste, satiation_trust = numbers.taste, numbers.satiation_trust
    vectors, bias_appeal = numbers.vectors, numbers.bias_appeal
    rate = numbers.user_params[0].trust_rate
    for m in range(modalities.shape[0]):
        if (learning >> np.uint32(m)) & np.uint32(1) == 0:
            continue
        misreading = np.float64(quantiles[NORMAL, table_index(mix(key, np.uint64(m)))])
        error = 0.0
        count = 0
        for p in range(modalities[m].first_cue, modalities[m].end_cue):
            if cues[p].column < 0:
                continue
            f = cues[p].facet
            offset = facets[f].offset
            told = dot(taste, user, offset, vectors, item, cues[p].column, facets[f].width)
            met = dot(taste, user, offset, vectors, item, offset, facets[f].width)
            error += matched(told, facets[f].saturation, facets[f].scale)
            error -= matched(met, facets[f].saturation, facets[f].scale)
            error += misreading / cues[p].root_precision
            count += 1
        if count > 0:
            promised = np.float64(bias_appeal[item, m]) + error / count
            known = modalities[m].trust
            satiation_trust[user, known] += np.float32(rate * (promised - np.float64(satiation_trust[user, known])))
