"""What items are, before what they are worth: types, creators, topics, when they are published, what they lack.

Each function draws one of these for all items, under numbers of its own, so that no draw depends on another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from simulator.plan.compiler import Compiled
from simulator.population.parents import CREATOR, OWN_TOPIC, TOPIC, ParentIndex, Uniforms, published_by_parents
from simulator.scenario.activity_profiles import cumulative_activity, spread_over
from simulator.scenario.durations import DAY
from simulator.scenario.schema.scenario import Scenario

CaseDraw = Callable[[int], Uniforms]
"""Uniform numbers of all items, (n,), by what they decide under SUPPLY."""

_TYPE, _DURATION, _CREATOR, _OWN_TOPIC, _TOPIC, _FRESH, _CREATED, _MODERATION, CREATOR_TOPIC, ACTIVITY = range(10)
_COVERAGE = 500  # + number of the modality


def topic_shares(compiled: Compiled) -> npt.NDArray[np.float64]:
    """Return the share of items per cluster of the satiation facet: the k-th falls as k^-exponent."""
    scenario = compiled.scenario
    clusters = max(scenario.facets[scenario.satiation_facet].clusters, 1)
    shares: npt.NDArray[np.float64] = (
        np.arange(1, clusters + 1, dtype=np.float64) ** -scenario.supply.topic_popularity.value
    )
    return np.asarray(shares / shares.sum())


def _picked(shares: npt.NDArray[np.float64], draw: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    cumulative = np.cumsum(shares)
    return np.asarray(np.minimum(np.searchsorted(cumulative, draw * cumulative[-1], side="right"), len(shares) - 1))


def draw_types(scenario: Scenario, facts: npt.NDArray[np.void], draw: CaseDraw) -> None:
    """Fill in the type of each item, and its duration where its type has one."""
    types = list(scenario.item_types.values())
    facts["type"] = _picked(np.array([t.share.value for t in types]), draw(_TYPE))
    duration_luck = draw(_DURATION)
    for t, kind in enumerate(types):
        of_type = facts["type"] == t
        if kind.duration is not None:
            facts["duration"][of_type] = kind.duration.quantile(duration_luck[of_type])


def draw_creators(
    facts: npt.NDArray[np.void], kin: Sequence[ParentIndex], activity: Uniforms, draw: CaseDraw
) -> list[npt.NDArray[np.int64] | None]:
    """Fill in the creator of each item; return those of each kind's parents, None where children are of any creator."""
    facts["creator"] = _picked(activity, draw(_CREATOR))
    owners = [_picked(activity, each.draw(CREATOR)) if each.rule.one_creator else None for each in kin]
    for each, creator in zip(kin, owners, strict=True):
        if creator is not None:
            facts["creator"][each.children] = creator[each.parent]
    return owners


def draw_topics(
    compiled: Compiled,
    facts: npt.NDArray[np.void],
    kin: Sequence[ParentIndex],
    owners: Sequence[npt.NDArray[np.int64] | None],
    creator_luck: Uniforms,
    draw: CaseDraw,
) -> list[npt.NDArray[np.int64]]:
    """Fill in the topic of each item, often its creator's or its parent's; return those of each kind's parents."""
    supply, shares = compiled.scenario.supply, topic_shares(compiled)
    creator_topic = _picked(shares, creator_luck)
    own = draw(_OWN_TOPIC) >= supply.creator_topics.value
    items_creators = facts["creator"]
    facts["topic"] = np.where(own, _picked(shares, draw(_TOPIC)), creator_topic[items_creators])
    topics = []
    for each, creator in zip(kin, owners, strict=True):
        topic = _picked(shares, each.draw(TOPIC))
        if creator is not None:
            same = each.draw(OWN_TOPIC) < supply.creator_topics.value
            topic = np.where(same, creator_topic[creator], topic)
        if compiled.scenario.satiation_facet in each.rule.shares:
            facts["topic"][each.children] = topic[each.parent]
        topics.append(topic)
    return topics


def draw_publication(
    scenario: Scenario, kin: tuple[ParentIndex, ...], horizon: float, draw: CaseDraw
) -> tuple[npt.NDArray[np.bool_], Uniforms]:
    """Return which items are published during the run, and when each is, s: 0 for those of before."""
    supply, days = scenario.supply, horizon / DAY
    fresh_share = supply.fresh.value * days / (1.0 + supply.fresh.value * days)
    fresh = draw(_FRESH) < fresh_share
    created = draw(_CREATED) * horizon
    if supply.hours is not None:
        activity_of_day = cumulative_activity(supply.hours.profile)
        created = spread_over(draw(_CREATED), activity_of_day, horizon, scenario.clock.starts_at.value)
    published_by_parents(scenario, kin, fresh_share, horizon, draw, fresh, created)
    return fresh, np.where(fresh, created + supply.moderation.quantile(draw(_MODERATION)), 0.0)


def draw_coverage(scenario: Scenario, facts: npt.NDArray[np.void], kin: Sequence[ParentIndex], draw: CaseDraw) -> None:
    """Fill in which modalities each item lacks, bits; what belongs to a parent is there for all of its children."""
    for m, (name, modality) in enumerate(scenario.modalities.items()):
        if modality.types is not None:
            without = ~np.isin(facts["type"], [list(scenario.item_types).index(each) for each in modality.types])
            facts["missing"] |= without.astype(np.uint32) << np.uint32(m)
        if modality.coverage is not None:
            covered = draw(_COVERAGE + m)
            for each in kin:
                if name in each.rule.modalities:
                    covered[each.children] = each.draw(_COVERAGE + m)[each.parent]
            facts["missing"] |= (covered >= modality.coverage.value).astype(np.uint32) << np.uint32(m)
