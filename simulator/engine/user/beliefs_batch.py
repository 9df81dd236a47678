"""Utilities, attention and beliefs of many plays side by side: the rules are those of `beliefs`, a step at a time.

Each step is a loop over plays, so that the compiler can do it for several plays at once. Nothing is left out by a
branch: what does not count, counts 0. `wide` are the places of the columns that are filled (`padded`).
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined
from simulator.engine.jit.simd import dot
from simulator.engine.jit.structs import group
from simulator.engine.primitives import chosen_by, drawn
from simulator.engine.randomness import mix
from simulator.engine.stack_arrays import SIDE_BY_SIDE, facet_buffer, float_buffer, key_buffer
from simulator.engine.tables.tables import NORMAL, Array, Draw, Numbers
from simulator.engine.user.beliefs import (
    COIN,
    COIN_BITS,
    COIN_MASK,
    COINS,
    COMMON_KEY,
    TASTE_KEY,
    believed,
    combined,
    matched,
)

Whole: TypeAlias = npt.NDArray[np.int64]
Word: TypeAlias = npt.NDArray[np.uint64]
Real: TypeAlias = npt.NDArray[np.float64]


@group
class Plays(NamedTuple):
    """Columns of plays that start side by side: a place for each, on the stack of the kernel."""

    user: Whole
    item: Whole
    kind: Whole  # type of the item
    topic: Whole  # column of its topic's satiation in `Users.satiation_trust`
    own: Word  # keys of the decisions of this play
    place: Word
    key: Word  # of the user's readings of the item
    knowing: Word  # of the user's knowledge of the item's type
    seen: Word  # modalities that are shown, bits
    visible: Word  # of these, those that the visit does not mute
    already: Word  # attended to before
    attended: Word
    mindful: Real  # seconds of attention
    elsewhere: Real  # probability that nobody looks
    clock: Real
    duration: Real
    until: Real  # seconds of it that its user can have
    hasty: Real  # by which all hazards of leaving are multiplied
    worth: Real
    belief: Real
    variance: Real
    tired: Real  # what satiation takes off
    judged_after: Real
    known_after: Real
    left: Real  # the draw that says how much hazard is lived through
    sighted: Real  # hazard of leaving at sight
    leaves: Real  # seconds after which the user would leave
    away: Real  # below 0: nobody looks
    bearing: Real  # above 0: what is judged bad is borne for a while
    seeking: Real  # above 0: the user jumps ahead


@inlined
def match_all(padded_width: int, x: Real, saturation: float, scale: float) -> None:
    """Turn dot products into matches, in place; without a division where nothing levels off."""
    if saturation == 0.0:
        for k in range(padded_width):
            x[k] = scale * x[k]
    else:
        for k in range(padded_width):
            x[k] = matched(x[k], saturation, scale)


@inlined
def utilities(padded_width: int, plays: Plays, numbers: Numbers) -> None:
    """Set what items are worth to users, as `utility_of` says it."""
    facets, weights, types, quantiles = numbers.facets, numbers.weights, numbers.types, numbers.quantiles
    user_params, taste, vectors = numbers.user_params[0], numbers.taste, numbers.vectors
    key, user, item, kind, out = plays.key, plays.user, plays.item, plays.kind, plays.worth
    x = float_buffer()
    for k in range(padded_width):
        own = user_params.idiosyncratic * types[kind[k]].idiosyncratic
        out[k] = types[kind[k]].prior + own * drawn(quantiles, NORMAL, mix(key[k], TASTE_KEY))
    for f in range(facets.shape[0]):
        offset, width = facets[f].offset, facets[f].width
        saturation, scale = facets[f].saturation, facets[f].scale
        for k in range(padded_width):
            x[k] = dot(taste, user[k], offset, vectors, item[k], offset, width)
        match_all(padded_width, x, saturation, scale)
        for k in range(padded_width):
            out[k] += weights[kind[k], f] * x[k]


@inlined
def attention(padded_width: int, plays: Plays, modalities: Array) -> None:
    """Set which modalities users attend to, as `attended_to` says it, with those `already` attended to."""
    own, place, visible, already = plays.own, plays.place, plays.visible, plays.already
    mindful, out = plays.mindful, plays.attended
    left, coins, word = float_buffer(), key_buffer(), key_buffer()
    for k in range(padded_width):
        left[k] = mindful[k]
        out[k] = already[k] & visible[k]
    for mod in range(modalities.shape[0]):
        if mod % COINS == 0:
            for k in range(padded_width):
                coins[k] = chosen_by(own[k], place[k], Draw.ATTEND + mod // COINS)
        bit, lowest = np.uint64(mod), np.uint64(COIN_BITS * (mod % COINS))
        bar, reading = modalities[mod].salience * COIN, modalities[mod].reading
        if modalities[mod].heard == 1:
            for k in range(padded_width):
                word[k] = chosen_by(own[k], np.uint64(0), Draw.ATTEND + mod // COINS)
        else:
            for k in range(padded_width):
                word[k] = coins[k]
        for k in range(padded_width):
            draw = np.float64((word[k] >> lowest) & COIN_MASK) + 0.5
            open_to = (visible[k] & ~out[k]) >> bit & np.uint64(1)
            catches = np.uint64((draw < bar) & (reading <= left[k])) & open_to
            out[k] |= catches << bit
            left[k] -= reading * np.float64(catches)
    for k in range(padded_width):
        out[k] |= already[k]


@inlined
def beliefs(padded_width: int, plays: Plays, glance: float, numbers: Numbers) -> None:
    """Set what users think of items from the modalities they attend to, as `belief_about` says it."""
    types, quantiles = numbers.types, numbers.quantiles
    kind, knowing = plays.kind, plays.knowing
    knowledge = float_buffer()
    for k in range(padded_width):
        knowledge[k] = drawn(quantiles, types[kind[k]].knowledge, knowing[k])
    precision, reading = facet_buffer(), facet_buffer()
    for f in range(numbers.facets.shape[0]):
        for k in range(padded_width):
            precision[f * SIDE_BY_SIDE + k] = 0.0
            reading[f * SIDE_BY_SIDE + k] = 0.0
    _read(padded_width, plays, glance, knowledge, precision, reading, numbers)
    _combine(padded_width, plays, precision, reading, numbers)


@inlined
def _read(
    padded_width: int, plays: Plays, glance: float, knowledge: Real, precision: Real, reading: Real, numbers: Numbers
) -> None:
    """Add up the cues of what is attended to, facet by facet: their precisions, and precision times reading."""
    cues, modalities, facets, weights = numbers.cues, numbers.modalities, numbers.facets, numbers.weights
    quantiles, taste, satiation_trust = numbers.quantiles, numbers.taste, numbers.satiation_trust
    vectors, bias_appeal, published_counters = numbers.vectors, numbers.bias_appeal, numbers.published_counters
    key, user, item, kind, attended = plays.key, plays.user, plays.item, plays.kind, plays.attended
    n_facets = facets.shape[0]
    first_root = n_facets + modalities.shape[0]
    root_glance = math.sqrt(glance)
    root_knowledge, misreading, shift, x, share, root_share = (
        float_buffer(),
        float_buffer(),
        float_buffer(),
        float_buffer(),
        float_buffer(),
        float_buffer(),
    )
    for k in range(padded_width):
        root_knowledge[k] = math.sqrt(knowledge[k])
    anybody = np.uint64(0)
    for k in range(padded_width):
        anybody |= attended[k]
    for mod in range(modalities.shape[0]):
        if (anybody >> np.uint64(mod)) & np.uint64(1) == 0:
            continue
        trust = np.int64(modalities[mod].trust)
        for k in range(padded_width):
            shift[k] = np.float64(bias_appeal[item[k], mod])
        if trust >= 0:
            for k in range(padded_width):
                shift[k] -= np.float64(satiation_trust[user[k], trust])
        for k in range(padded_width):
            misreading[k] = drawn(quantiles, NORMAL, mix(key[k], np.uint64(mod)))
        for k in range(padded_width):
            counts = np.float64((attended[k] >> np.uint64(mod)) & np.uint64(1))
            share[k] = knowledge[k] * weights[kind[k], n_facets + mod] * counts
            root_share[k] = root_knowledge[k] * weights[kind[k], first_root + mod] * counts
        for p in range(np.uint32(modalities[mod].first_cue), np.uint32(modalities[mod].end_cue)):
            f = np.int64(cues[p].facet)
            column, width, offset = cues[p].column, facets[f].width, facets[f].offset
            t, root_t = cues[p].precision, cues[p].root_precision
            if cues[p].timed == 1:
                t *= glance
                root_t *= root_glance
            if column >= 0:
                for k in range(padded_width):
                    x[k] = dot(taste, user[k], offset, vectors, item[k], column, width)
                match_all(padded_width, x, facets[f].saturation, facets[f].scale)
            else:
                for k in range(padded_width):
                    x[k] = np.float64(published_counters[item[k], np.int64(cues[p].readout)])
            first, signal, doubt = f * SIDE_BY_SIDE, cues[p].signal, cues[p].doubt
            if signal == 1.0 and doubt == 0.0:
                for k in range(padded_width):
                    precision[first + k] += t * share[k]
                    reading[first + k] += t * share[k] * (x[k] + shift[k]) + root_t * root_share[k] * misreading[k]
            else:
                for k in range(padded_width):
                    gain = believed(t * share[k], signal, doubt)
                    precision[first + k] += t * share[k] * gain * signal
                    reading[first + k] += gain * (
                        t * share[k] * (x[k] + shift[k]) + root_t * root_share[k] * misreading[k]
                    )


@inlined
def _combine(padded_width: int, plays: Plays, precision: Real, reading: Real, numbers: Numbers) -> None:
    """Set the beliefs' means and variances from the sums over cues, facet by facet."""
    types, weights, user_params, quantiles = numbers.types, numbers.weights, numbers.user_params[0], numbers.quantiles
    key, kind, mean, variance = plays.key, plays.kind, plays.belief, plays.variance
    common = float_buffer()
    for k in range(padded_width):
        common[k] = user_params.root_common_error * drawn(quantiles, NORMAL, mix(key[k], COMMON_KEY))
        mean[k] = types[kind[k]].prior
        own = user_params.idiosyncratic * types[kind[k]].idiosyncratic
        variance[k] = own * own
    for f in range(numbers.facets.shape[0]):
        first = f * SIDE_BY_SIDE
        for k in range(padded_width):
            facet_mean, facet_variance = combined(
                precision[first + k], reading[first + k], user_params.common_error, common[k]
            )
            w = weights[kind[k], f]
            mean[k] += w * facet_mean
            variance[k] += w * w * facet_variance
