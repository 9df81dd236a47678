"""The users of a world: tastes, traits, and where they stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import PERSON, SPACE, TASTE, normals, numbered, uniforms
from simulator.engine.tables.tables import (
    DEFERRED,
    FOLLOWED,
    ITEM_MEMORY,
    ITEMS_REMEMBERED,
    NO_CASE,
    PARENT_HISTORY,
    PARENTS_REMEMBERED,
    TOPICS_FOLLOWED,
    USER,
    Items,
    Users,
)
from simulator.engine.user.return_and_churn import after
from simulator.plan.compiler import Compiled, discount_of
from simulator.plan.groups import factor, partitions, segments
from simulator.plan.size import check_room
from simulator.population.attributes import members, places, segment_of, traits
from simulator.population.bad_tails import common_taste, direction, in_tail
from simulator.population.catalog import centres
from simulator.population.item_facts import topic_shares
from simulator.scenario.limits import INTERESTS

Float32 = npt.NDArray[np.float32]

_BLOCK = 65536  # users drawn at a time, so that a million need no more memory than they keep
_REFERENCE = 1024  # users and items on whom a match is brought to unit spread
_ARRIVAL, _PATIENCE, _GOODWILL, _PACE, _INTEREST = 0, 1, 2, 3, 16
_OWN_TOPICS = 1024  # + interest, + INTERESTS for each partition of users
_ORDER = 1024 * 1024  # + number of the group: of topics, keyed as dimensions of no block are
_GRID = 4096  # quantiles whose mean is taken for that of a distribution


def draw_tastes(compiled: Compiled, keys: npt.NDArray[np.uint64], seed: int) -> Float32:
    """Draw the tastes of the users with these keys, (n, latent_width), before they are scaled.

    A taste is a direction: partly everybody's (`agreement`), partly the user's own, which for a clustered facet is
    the sum of the centres that the user is interested in.
    """
    scenario, n = compiled.scenario, len(keys)
    taste = np.zeros((n, compiled.latent_width), dtype=np.float32)
    for f, shape in enumerate(compiled.facets):
        facet = scenario.facets[shape.name]
        common = common_taste(compiled, f, seed)
        own = normals(seed, TASTE, keys, shape.dimensions, block=f)
        if facet.clusters > 0:
            places = centres(compiled, seed, f)
            even = np.full(facet.clusters, 1.0 / facet.clusters)
            cumulative = np.cumsum(topic_shares(compiled) if shape.name == scenario.satiation_facet else even)
            for k in range(max(round(scenario.user.interests.value), 1)):
                draw = uniforms(seed, PERSON, keys, _INTEREST + k)
                found = np.minimum(np.searchsorted(cumulative, draw, side="right"), facet.clusters - 1)
                if shape.name == scenario.satiation_facet:
                    found = _of_own_topics(compiled, found, k, keys, seed)
                own += places[found]
        mixed = np.float32(np.sqrt(facet.agreement.value)) * common + np.float32(
            np.sqrt(1.0 - facet.agreement.value)
        ) * direction(own)
        taste[:, shape.offset : shape.offset + shape.dimensions] = mixed
    return taste


def _of_own_topics(
    compiled: Compiled, found: npt.NDArray[np.int64], interest: int, keys: npt.NDArray[np.uint64], seed: int
) -> npt.NDArray[np.int64]:
    """Return the topics of an interest, (n,), of which some follow the order of topics in a user's own group.

    As many are interested in the first of them as, among all others, in the topic that most items have.
    """
    user, topics = compiled.scenario.user, compiled.scenario.facets[compiled.scenario.satiation_facet].clusters
    if all(group.own_topics is None for group in user.groups.values()):
        return found
    member, number = members(user, keys, seed), 0
    for p, groups in enumerate(partitions(user)):
        draw = uniforms(seed, PERSON, keys, _OWN_TOPICS + p * INTERESTS + interest)
        for g, group in enumerate(groups):
            if group.own_topics is not None:
                order = np.argsort(uniforms(seed, SPACE, topics, _ORDER + number))
                found = np.where((member[:, p] == g) & (draw < group.own_topics.value), order[found], found)
            number += 1
    return found


def match_scales(
    compiled: Compiled, tastes: Float32, items: Items, tail_of: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the factor per latent column that gives each facet's match a mean square of 1, over 1,024 items.

    With a seed (`tail_of`) items that it drew into a bad tail of a facet are left out there.
    """
    stride = max(len(items.vectors) // _REFERENCE, 1)
    truths = items.vectors[::stride, : compiled.latent_width]
    scales = np.ones(compiled.latent_width, dtype=np.float32)
    for f, shape in enumerate(compiled.facets):
        part = slice(shape.offset, shape.offset + shape.width)
        kept = truths
        if tail_of is not None and compiled.scenario.facets[shape.name].bad_tail is not None:
            kept = truths[~in_tail(compiled, f, items.state["type"], tail_of)[::stride]]
        match = tastes[:, part].astype(np.float64) @ kept[:, part].T.astype(np.float64)
        scales[part] = 1.0 / max(float(np.sqrt(np.mean(match * match))), 1e-9)
    return scales


@kernel
def _arrive(
    due: npt.NDArray[np.float64], waiting: npt.NDArray[np.float64], hours: npt.NDArray[np.float64], starts_at: float
) -> None:
    for i in range(len(waiting)):
        due[i] = after(0.0, waiting[i], hours, starts_at)


def draw_users(compiled: Compiled, items: Items, n_users: int, seed: int) -> Users:
    """Draw `n_users` from the scenario. Memory stays at what is kept, plus one block; InputError without any."""
    check_room(compiled, "users", n_users)
    scales = reference_scales(compiled, items, seed)
    taste = np.empty((n_users, compiled.latent_width), dtype=np.float32)
    for first in range(0, n_users, _BLOCK):
        n = min(_BLOCK, n_users - first)
        taste[first : first + n] = draw_tastes(compiled, numbered(n, first), seed) * scales
    return new_people(compiled, taste, seed)


def reference_scales(compiled: Compiled, items: Items, seed: int) -> npt.NDArray[np.float32]:
    """Return the factor per latent column by which a world's tastes are scaled: that of its first 1,024 users."""
    return match_scales(compiled, draw_tastes(compiled, numbered(_REFERENCE), seed), items, seed)


def new_people(
    compiled: Compiled,
    taste: Float32,
    seed: int,
    keys: npt.NDArray[np.uint64] | None = None,
    pace: Float32 | None = None,
) -> Users:
    """Make users with these tastes, about to arrive for the first time.

    Args:
        compiled: the scenario.
        taste: (n, latent_width), scaled.
        seed: the world's seed.
        keys: of the users; without them they are keyed by their numbers.
        pace: (n,), how often each comes, over how often users do (drawn from the scenario unless given). Who has one of
            their own is met in the middle of their life: the first visit is an exponential draw of mean
            (mean of `return_after`) / pace in place of one of `first_arrival`. Of their groups, a pace that is given
            knows already.
    """
    scenario, user = compiled.scenario, compiled.scenario.user
    n_users = len(taste)
    rows = numbered(n_users) if keys is None else keys
    state = np.zeros(n_users, dtype=USER)
    of_groups = segments(user)
    state["segment"] = segment_of(user, members(user, rows, seed))
    state["patience"] = user.patience.quantile(uniforms(seed, PERSON, rows, _PATIENCE))
    state["patience"] *= np.array([factor(each, "patience") for each in of_groups])[state["segment"]]
    state["own_goodwill"] = user.goodwill.quantile(uniforms(seed, PERSON, rows, _GOODWILL))
    state["goodwill"] = state["own_goodwill"]
    state["row"], state["key"] = -1, rows
    if pace is None and (user.pace is not None or any(group.pace is not None for group in user.groups.values())):
        beside = np.array([factor(each, "pace") for each in of_groups])[state["segment"]]
        own = 1.0 if user.pace is None else user.pace.quantile(uniforms(seed, PERSON, rows, _PACE))
        pace = (beside * own).astype(np.float32)
    due = np.empty(n_users, dtype=np.float64)
    draw = uniforms(seed, PERSON, rows, _ARRIVAL)
    if pace is None:
        waiting = user.first_arrival.quantile(draw)
    else:
        between = float(user.return_after.quantile((np.arange(_GRID) + 0.5) / _GRID).mean())
        waiting = -np.log1p(-draw) * between / pace
    _arrive(due, waiting, compiled.plan.hours, float(compiled.plan.starts_at[0]))
    state["due"] = due
    topics = max(scenario.facets[scenario.satiation_facet].clusters, 1)
    remembers = PARENTS_REMEMBERED if (compiled.plan.types["kind"] >= 0).any() else 0
    state["called"] = -1
    stages = compiled.plan.stages
    puts_off = (stages["defer"] > 0).any() or (stages["pause"] > 0).any()
    puts_off |= compiled.world is not None and bool((compiled.world.stages["again_types"] != 0).any())
    deferred = np.zeros((n_users, int(puts_off)), dtype=DEFERRED)
    deferred["item"], deferred["until"] = NO_CASE, np.inf
    follows = scenario.declared_interests is not None and scenario.declared_interests.follow is not None
    satiation_trust = np.zeros((n_users, int(compiled.plan.user_params["first_topic"][0]) + topics), dtype=np.float32)
    satiation_trust[:, : int(compiled.plan.user_params["first_topic"][0])] = _expected_bias(compiled)
    return Users(
        state=state,
        taste=taste,
        satiation_trust=satiation_trust,
        followed=np.zeros((n_users, FOLLOWED + (TOPICS_FOLLOWED if follows else 0)), dtype=np.uint32),
        traits=traits(compiled, rows, seed),
        place=places(scenario, seed, PERSON, rows)[:, : 2 if scenario.places is not None else 0].copy(),
        promised=np.zeros((n_users, len(scenario.promises)), dtype=np.float32),
        parent_history=np.zeros((n_users, remembers), dtype=PARENT_HISTORY),
        item_memory=np.zeros(
            (n_users, ITEMS_REMEMBERED if (compiled.plan.types["known"] > 0).any() else 0), dtype=ITEM_MEMORY
        ),
        deferred=deferred,
        pace=np.zeros((n_users, 0), dtype=np.float32) if pace is None else pace[:, None].astype(np.float32),
    )


def _expected_bias(compiled: Compiled) -> Float32:
    """Return the bias that users expect before they have learned any, of each modality that has one, utility."""
    discount, scenario = discount_of(compiled.scenario), compiled.scenario
    expected = np.zeros(int(compiled.plan.user_params["first_topic"][0]), dtype=np.float32)
    for name, column in zip(compiled.names.modalities, compiled.plan.modalities["trust"], strict=True):
        if column >= 0:
            bias = scenario.modalities[name].bias  # type: ignore[union-attr]  # who has trust has a bias
            expected[column] = discount * float(bias.quantile((np.arange(_GRID) + 0.5) / _GRID).mean())
    return expected


def bytes_per_user(users: Users) -> float:
    """Return the memory that one user's state takes, bytes."""
    return sum(array.nbytes for array in users) / len(users.state)
