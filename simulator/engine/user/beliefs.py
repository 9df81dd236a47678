"""Utility, readings and beliefs: what an item is worth to a user, and what they make of what they see.

Matches, readings and beliefs are kept per facet in units of the facet's own spread over users and items, where the
prior is standard normal; utility weighs the facets by the roots of their shares of variance.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.jit.simd import dot
from simulator.engine.primitives import decision_key, drawn
from simulator.engine.randomness import mix, table_index
from simulator.engine.stack_arrays import facet_numbers
from simulator.engine.tables.tables import NORMAL, Array, Draw, Numbers

COINS, COIN_BITS = 4, 16
COIN, COIN_MASK = 65536.0, np.uint64(65535)
"""Of a word of 64 random bits each of 4 modalities has 16, to be attended to or not."""

# Keys below (user, item): modality numbers are small, these are not.
TASTE_KEY = np.uint64(1 << 20)
COMMON_KEY = np.uint64(1 << 21)


@kernel
def matched(x: float, saturation: float, scale: float) -> float:
    """Return the match of taste and item from their dot product: linear, or levelling off as x / (1 + s |x|)."""
    return scale * x / (1.0 + saturation * abs(x))


@kernel
def combined(sum_t: float, sum_tx: float, common: float, shift: float) -> tuple[float, float]:
    """Combine the cues of one facet with the prior N(0, 1) to a belief.

    Cues of precisions t_m with a common error of variance c say sum(t_m x_m) / sum(t_m) with variance
    1 / sum(t_m) + c (Oruc, Maloney and Landy 2003, correlated cues of equal covariance); the result is combined with
    the prior by precision (Ernst and Banks 2002).

    Args:
        sum_t: sum of the cues' precisions; 0 leaves the prior.
        sum_tx: sum of precision times reading, without the common error.
        common: variance c of the common error.
        shift: the common error itself.

    Returns:
        Posterior mean and variance.
    """
    # with precision p = 1 / (1 / sum_t + common), the mean p (sum_tx / sum_t + shift) / (1 + p) and the variance
    # 1 / (1 + p) in one division, which also holds without any cue
    doubt = 1.0 + common * sum_t
    share = 1.0 / (doubt + sum_t)
    return (sum_tx + sum_t * shift) * share, doubt * share


@kernel
def believed(t: float, signal: float, doubt: float) -> float:
    """Return the factor by which readers who know how much a cue tells weigh what they read of it.

    A cue says signal * truth + what else is in it (nuisance and bias, of variance `doubt`), with an error of variance
    1 / t. As an observation of the truth it is reading / signal, with the precision signal^2 * t / (1 + t * doubt):
    signal * t times the factor that is returned. It is 1 where a cue is taken at face value.
    """
    return signal / (1.0 + t * doubt)


@internal
def utility_of(key: np.uint64, user: int, item: int, numbers: Numbers) -> float:
    """Return what an item is worth to a user: weighted facet matches and the idiosyncratic part; `key` is of the two.

    Numbers that are shown as they are (`aside_worth`) come on top.
    """
    facets, weights, types, quantiles = numbers.facets, numbers.weights, numbers.types, numbers.quantiles
    user_params, taste, vectors = numbers.user_params[0], numbers.taste, numbers.vectors
    kind = np.int64(numbers.items[item].type)
    total = types[kind].prior
    own = user_params.idiosyncratic * types[kind].idiosyncratic
    total += own * quantiles[NORMAL, table_index(mix(key, TASTE_KEY))]
    for f in range(facets.shape[0]):
        offset = facets[f].offset
        x = dot(taste, user, offset, vectors, item, offset, facets[f].width)
        total += weights[kind, f] * matched(x, facets[f].saturation, facets[f].scale)
    return total


@internal
def attended_to(
    visible: np.uint32,
    already: np.uint32,
    budget: float,
    visit_key: np.uint64,
    request: int,
    slot: int,
    modalities: Array,
) -> np.uint32:
    """Return the visible modalities that a user attends to: in order, each if it catches the eye and time is left.

    Attention is a budget in seconds: what an image takes is gone for text. `already` attended modalities cost nothing
    again. Sound is on or off for a whole visit, so what is heard is decided once per visit. A few modalities' lucks are
    parts of one word.
    """
    left = budget
    mask = already & visible
    coins = np.uint64(0)
    for m in range(modalities.shape[0]):
        if m % COINS == 0:
            coins = decision_key(visit_key, request, slot, Draw.ATTEND + m // COINS)
        bit = np.uint32(1) << np.uint32(m)
        if (visible & bit) == 0 or (mask & bit) != 0:
            continue
        word = decision_key(visit_key, 0, 0, Draw.ATTEND + m // COINS) if modalities[m].heard == 1 else coins
        draw = np.float64((word >> np.uint64(COIN_BITS * (m % COINS))) & COIN_MASK) + 0.5
        # without a branch: whether a modality is attended to is a coin that no processor can predict
        catches = (draw < modalities[m].salience * COIN) & (modalities[m].reading <= left)
        mask |= bit * np.uint32(catches)
        left -= modalities[m].reading * catches
    return mask


@internal
def belief_about(
    key: np.uint64,
    knowing: np.uint64,
    user: int,
    item: int,
    attended: np.uint32,
    glance: float,
    numbers: Numbers,
) -> tuple[float, float]:
    """Return the belief of `user` about `item` from the modalities in `attended`: mean and variance of utility.

    A cue of modality m about facet f reads the match of the user's taste with the *content*, plus the creator's bias
    less what the user has learned to expect of it, plus a misreading that belongs to (user, item, modality). Its
    precision is the scenario's, times the user's knowledge, times `glance` where the modality unfolds in time.
    `knowing` is the key of what the user knows of types of items.
    """
    cues, modalities, facets, types, weights = (
        numbers.cues, numbers.modalities, numbers.facets, numbers.types, numbers.weights,
    )  # fmt: skip
    user_params, quantiles = numbers.user_params[0], numbers.quantiles
    taste, satiation_trust = numbers.taste, numbers.satiation_trust
    vectors, bias_appeal, published_counters = numbers.vectors, numbers.bias_appeal, numbers.published_counters
    kind = np.int64(numbers.items[item].type)
    knowledge = drawn(quantiles, types[kind].knowledge, mix(knowing, np.uint64(kind)))
    n_facets = facets.shape[0]
    precision, reading = facet_numbers(), facet_numbers()
    for f in range(n_facets):
        precision[f] = 0.0
        reading[f] = 0.0
    root_knowledge = math.sqrt(knowledge)
    root_glance = math.sqrt(glance)
    for m in range(modalities.shape[0]):
        if (attended >> np.uint32(m)) & np.uint32(1) == 0:
            continue
        misreading = np.float64(quantiles[NORMAL, table_index(mix(key, np.uint64(m)))])
        shift = np.float64(bias_appeal[item, m])
        if modalities[m].trust >= 0:
            shift -= np.float64(satiation_trust[user, modalities[m].trust])
        reads = weights[kind, n_facets + m]
        root_reads = weights[kind, n_facets + modalities.shape[0] + m]
        for p in range(np.uint32(modalities[m].first_cue), np.uint32(modalities[m].end_cue)):
            f = np.uint32(cues[p].facet)
            share = knowledge
            root_share = root_knowledge
            if cues[p].timed == 1:
                share *= glance
                root_share *= root_glance
            if cues[p].column >= 0:
                x = dot(taste, user, facets[f].offset, vectors, item, cues[p].column, facets[f].width)
                x = matched(x, facets[f].saturation, facets[f].scale)
            else:
                x = np.float64(published_counters[item, np.uint32(cues[p].readout)])
            share *= reads
            root_share *= root_reads
            t = cues[p].precision * share
            gain = believed(t, cues[p].signal, cues[p].doubt)
            precision[f] += t * gain * cues[p].signal
            reading[f] += gain * (t * (x + shift) + cues[p].root_precision * root_share * misreading)
    common_error = user_params.root_common_error * quantiles[NORMAL, table_index(mix(key, COMMON_KEY))]
    mean = types[kind].prior
    own = user_params.idiosyncratic * types[kind].idiosyncratic
    variance = own * own
    for f in range(n_facets):
        facet_mean, facet_variance = combined(precision[f], reading[f], user_params.common_error, common_error)
        w = weights[kind, f]
        mean += w * facet_mean
        variance += w * w * facet_variance
    return mean, variance
