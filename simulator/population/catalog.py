"""The catalog of a world: items, their latent vectors, the content that they show, and its features.

Drawn from the scenario here; `simulator.grounding` fills the same tables from a real folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import Catalog as PublicCatalog, LazyFeatures
from simulator.engine.randomness import CONTENT, ENCODER, LIKENESS, SPACE, SUPPLY, Keys, normals, uniforms
from simulator.engine.tables.tables import ITEM, Items
from simulator.plan.compiler import Compiled
from simulator.plan.size import check_room
from simulator.population.attributes import attributes, item_places
from simulator.population.bad_tails import shift_tails
from simulator.population.item_facts import (
    ACTIVITY,
    CREATOR_TOPIC,
    draw_coverage,
    draw_creators,
    draw_publication,
    draw_topics,
    draw_types,
)
from simulator.population.lifetimes import ages, withdrawals
from simulator.population.parent_rows import until, with_parents
from simulator.population.parents import ParentIndex, Uniforms, draw_kin, numbered_parents, parent_columns
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario

Float32 = npt.NDArray[np.float32]

_BIAS, _APPEAL = 64, 128  # + number of the modality
_NOISE_BLOCK = 64  # + facet: dimensions of an item; contents and creators have blocks of their own
_CONTENT_BLOCK = 128
_CREATOR_BLOCK = 256
_ENCODER_BLOCK = 512  # + modality: of parents


@dataclass(frozen=True)
class TrueCatalog:
    """Hold the items of a world. `items` is the truth; `public` is all that a recommender may know."""

    items: Items
    published_at: npt.NDArray[np.float64]  # (n,): s; items of before the run have 0, or minus their age
    n_creators: int
    public: PublicCatalog
    withdrawn_at: npt.NDArray[np.float64] | None = None  # (n,): s; None: nothing ever is

    @property
    def n_items(self) -> int:
        """Return how many items there are, those still to be published included."""
        return int(self.published_at.shape[0])

    def available(self, time: float) -> npt.NDArray[np.int32]:
        """Return the items published and not withdrawn by `time`, in order of number, int32 (m,)."""
        there = self.published_at <= time
        if self.withdrawn_at is not None:
            there &= time < self.withdrawn_at
        return np.flatnonzero(there).astype(np.int32)


def centres(compiled: Compiled, seed: int, facet: int) -> Float32:
    """Draw the centres that the items of a clustered facet gather round, (clusters, dimensions)."""
    shape = compiled.facets[facet]
    clusters = compiled.scenario.facets[shape.name].clusters
    return normals(seed, SPACE, max(clusters, 1), shape.dimensions, block=facet)


def draw_catalog(compiled: Compiled, n_items: int, horizon: float, seed: int) -> TrueCatalog:
    """Draw a catalog of `n_items` from the scenario.

    Args:
        compiled: the scenario.
        n_items: items in all; the share that is published during the run follows from the scenario's rate.
        horizon: length of the run, s.
        seed: the world's seed.

    Raises:
        InputError: there is no memory for so many.
    """
    check_room(compiled, "items", n_items)
    scenario = compiled.scenario

    def draw(what: int, n: int = n_items) -> Uniforms:
        return uniforms(seed, SUPPLY, n, what)

    facts = np.zeros(n_items, dtype=ITEM)
    draw_types(scenario, facts, draw)
    kin = draw_kin(scenario, facts["type"], seed)
    n_creators = max(round(scenario.supply.creators.value * n_items), 1)
    activity = scenario.supply.creator_activity.quantile(draw(ACTIVITY, n_creators))
    owners = draw_creators(facts, kin, activity, draw)
    topics = draw_topics(compiled, facts, kin, owners, draw(CREATOR_TOPIC, n_creators), draw)
    fresh, published_at = draw_publication(scenario, kin, horizon, draw)
    if scenario.supply.past is not None:
        published_at = published_at - ages(scenario, facts["type"], fresh, seed)
    draw_coverage(scenario, facts, kin, draw)
    drawn = [
        _parents(compiled, each, topic, creator, n_creators, seed)
        for each, topic, creator in zip(kin, topics, owners, strict=True)
    ]
    truth = _truth(compiled, facts, n_creators, seed, kin, drawn)
    shift_tails(compiled, facts["type"], truth, seed)
    said = contents(compiled, truth, seed)
    common = [contents(compiled, own, seed, LIKENESS, each.keys) for each, own in zip(kin, drawn, strict=True)]
    for each, told in zip(kin, common, strict=True):
        _common_contents(compiled, each, told, said)
    vectors = np.concatenate([truth, said], axis=1)
    values, worth = attributes(compiled, facts["type"], seed, kin)
    items = Items(
        facts,
        vectors,
        _colour(compiled, facts, seed, kin),
        np.zeros((n_items, max(len(compiled.names.published_counters), 1)), dtype=np.float32),
        attributes=values,
        attribute_effects=worth,
        place=item_places(scenario, seed, n_items, kin),
        promised=np.zeros((n_items, len(scenario.promises)), dtype=np.float32),
        published=published_at,
        parent=numbered_parents(kin, n_items),
    )
    withdrawn_at = until(kin, withdrawals(scenario, facts["type"], published_at, fresh, seed))
    items = with_parents(compiled, items, kin, list(zip(drawn, common, strict=True)))
    features = drawn_features(compiled, items.vectors, seed, kin)
    n_rows = len(items.state)
    return TrueCatalog(
        items, items.published, n_creators,
        public_catalog(
            items, items.published, features, compiled.names.attributes, told_topic(scenario),
            parent_columns(kin, n_rows),
        ),
        withdrawn_at,
    )  # fmt: skip


def _mixed(share: float, common: Float32, own: Float32) -> Float32:
    """Mix two numbers to unit variance, `share` of it common: sqrt(share) common + sqrt(1 - share) own."""
    both: Float32 = np.float32(np.sqrt(share)) * common + np.float32(np.sqrt(1.0 - share)) * own
    return both


def _gathered(
    compiled: Compiled, f: int, own: Float32, topic: npt.NDArray[np.integer[Any]], creator: Any, cluster_luck: Any,
    n_creators: int, seed: int,
) -> Float32:  # fmt: skip
    """Draw rows of a facet that gather round centres of clusters, or round their creator's (None: round nothing)."""
    shape = compiled.facets[f]
    facet = compiled.scenario.facets[shape.name]
    if facet.clusters > 0:
        cluster = topic.astype(np.int64)
        if shape.name != compiled.scenario.satiation_facet:
            cluster = (cluster_luck(_NOISE_BLOCK + f) * facet.clusters).astype(np.int64)
        return _mixed(facet.cohesion.value, centres(compiled, seed, f)[cluster], own)
    if creator is None:
        return own
    made = normals(seed, CONTENT, n_creators, shape.dimensions, block=_CREATOR_BLOCK + f)
    return _mixed(compiled.scenario.supply.creator_quality.value, made[creator], own)


def _truth(
    compiled: Compiled,
    facts: npt.NDArray[np.void],
    n_creators: int,
    seed: int,
    kin: Sequence[ParentIndex],
    drawn: Sequence[Float32],
) -> Float32:
    """Draw latent vectors of items, (n, latent_width): clusters by topic, a share that is the creator's or parent's."""
    n = len(facts)
    truth = np.zeros((n, compiled.latent_width), dtype=np.float32)
    for f, shape in enumerate(compiled.facets):
        own = normals(seed, CONTENT, n, shape.dimensions, block=f)
        part = slice(shape.offset, shape.offset + shape.dimensions)
        truth[:, part] = _gathered(
            compiled, f, own, facts["topic"], facts["creator"], lambda what: uniforms(seed, SUPPLY, n, what),
            n_creators, seed,
        )  # fmt: skip
        for each, of_parents in zip(kin, drawn, strict=True):
            if shape.name in each.rule.shares:
                # what a parent has of its cluster or its creator, it hands on: no child has it twice
                twice = compiled.scenario.facets[shape.name].clusters > 0 or each.rule.one_creator
                rest = own[each.children] if twice else truth[each.children, part]
                share = each.rule.shares[shape.name].value
                truth[each.children, part] = _mixed(share, of_parents[each.parent, part], rest)
    return truth


def _parents(
    compiled: Compiled, kin: ParentIndex, topic: npt.NDArray[np.int64], creator: Any, n_creators: int, seed: int
) -> Float32:
    """Draw latent vectors of the parents of one kind, (parents, latent_width), made as an item's are."""
    truth = np.zeros((len(kin.keys), compiled.latent_width), dtype=np.float32)
    for f, shape in enumerate(compiled.facets):
        own = normals(seed, LIKENESS, kin.keys, shape.dimensions, block=f)
        truth[:, shape.offset : shape.offset + shape.dimensions] = _gathered(
            compiled, f, own, topic, creator, kin.draw, n_creators, seed
        )
    return truth


def contents(
    compiled: Compiled, truth: Float32, seed: int, purpose: np.uint64 = CONTENT, keys: Keys | None = None
) -> Float32:
    """Draw each modality's content, by facets, (n, content_width): signal of the truth, the rest nuisance."""
    rows: Keys = len(truth) if keys is None else keys
    content = np.zeros((len(truth), compiled.content_width), dtype=np.float32)
    for k, cue in enumerate(compiled.cues):
        shape = compiled.facets[cue.facet]
        nuisance = normals(seed, purpose, rows, shape.dimensions, block=_CONTENT_BLOCK + k)
        said = np.float32(cue.signal) * truth[:, shape.offset : shape.offset + shape.dimensions]
        said += np.float32(np.sqrt(1.0 - cue.signal**2)) * nuisance
        first = cue.column - compiled.latent_width
        content[:, first : first + shape.dimensions] = said
    return content


def _common_contents(compiled: Compiled, kin: ParentIndex, common: Float32, said: Float32) -> None:
    """Give children the contents of their parents' modalities, which tell of the parents (`common`), in place."""
    for cue in compiled.cues:
        if compiled.names.modalities[cue.modality] in kin.rule.modalities:
            first = cue.column - compiled.latent_width
            part = slice(first, first + compiled.facets[cue.facet].width)
            said[kin.children, part] = common[kin.parent, part]


def _colour(compiled: Compiled, facts: npt.NDArray[np.void], seed: int, kin: Sequence[ParentIndex]) -> Float32:
    """Draw bias (of creators) and appeal (of items) of each modality, (n, 2 * modalities); or both of the parent."""
    n = len(facts)
    bias = np.zeros((n, len(compiled.names.modalities)), dtype=np.float32)
    appeal = np.zeros_like(bias)
    n_creators = int(facts["creator"].max()) + 1 if n else 1
    for m, name in enumerate(compiled.names.modalities):
        modality = compiled.scenario.modalities[name]
        slant: Distribution | None = getattr(modality, "bias", None)
        draws: Distribution | None = getattr(modality, "appeal", None)
        if slant is not None:
            bias[:, m] = slant.quantile(uniforms(seed, SUPPLY, n_creators, _BIAS + m))[facts["creator"]]
        if draws is not None:
            appeal[:, m] = draws.quantile(uniforms(seed, SUPPLY, n, _APPEAL + m))
        for each in kin:
            if name not in each.rule.modalities:
                continue
            if slant is not None and not each.rule.one_creator:
                bias[each.children, m] = slant.quantile(each.draw(_BIAS + m))[each.parent]
            if draws is not None:
                appeal[each.children, m] = draws.quantile(each.draw(_APPEAL + m))[each.parent]
    return np.concatenate([bias, appeal], axis=1)


def drawn_features(compiled: Compiled, vectors: Float32, seed: int, kin: Sequence[ParentIndex] = ()) -> LazyFeatures:
    """Return encoders' features of the contents: a fixed random projection, and noise for what the encoder loses."""

    def maker(m: int, dimensions: int, retention: float) -> Callable[[], Float32]:
        def make() -> Float32:
            columns = [
                np.arange(p.column, p.column + compiled.facets[p.facet].dimensions)
                for p in compiled.cues
                if p.modality == m
            ]
            said = vectors[:, np.concatenate(columns)]
            projection = normals(seed, SPACE, said.shape[1], dimensions, block=_NOISE_BLOCK + m) / np.float32(
                np.sqrt(said.shape[1])
            )
            noise = normals(seed, ENCODER, len(vectors), dimensions, block=m)
            told = said @ projection
            for each in kin:
                if compiled.names.modalities[m] in each.rule.modalities:
                    common = normals(seed, LIKENESS, each.keys, dimensions, block=_ENCODER_BLOCK + m)
                    noise[each.children] = common[each.parent]
                    noise[each.rows] = common[: len(noise[each.rows])]
                    # The same for all children to the last bit: BLAS may add up another way further down a matrix.
                    _, first, place = np.unique(each.parent, return_index=True, return_inverse=True)
                    told[each.children] = told[each.children[first]][place]
                else:
                    noise[each.rows] = 0.0  # a parent has no such modality, and so a feature of zeros
            made: Float32 = np.float32(retention) * told + np.float32(np.sqrt(1.0 - retention**2)) * noise
            return made

        return make

    makers = {}
    for m, name in enumerate(compiled.names.modalities):
        feature = getattr(compiled.scenario.modalities[name], "feature", None)
        if feature is not None:
            makers[name] = maker(m, feature.dimensions, feature.retention.value)
    return LazyFeatures(makers)


def told_topic(scenario: Scenario) -> str | None:
    """Return the name of the public column of the items' topics; None where the platform does not ask for topics."""
    topic = scenario.satiation_facet
    asked = scenario.declared_interests is not None or any(each.on == topic for each in scenario.criteria.values())
    return topic if asked else None


def public_catalog(
    items: Items,
    published_at: npt.NDArray[np.float64],
    features: Mapping[str, Float32],
    attributes: Sequence[str] = (),
    topic: str | None = None,
    parents: Mapping[str, npt.NDArray[np.int32]] | None = None,
) -> PublicCatalog:
    """Return what recommenders may know of the items: facts, features, and the numbers that are shown as they are.

    With a name for it, the items' `topic` is a public column as well: int32 codes, those that users state. Each kind of
    parent is one, under its name: int32, the number of the item's, -1 none.
    """
    columns = {
        "duration": np.ascontiguousarray(items.state["duration"]),
        "creator": np.ascontiguousarray(items.state["creator"]),
        "type": np.ascontiguousarray(items.state["type"]),
        "published_at": published_at.copy(),
    }
    columns |= {name: items.attributes[:, a].copy() for a, name in enumerate(attributes)}
    if topic is not None:
        columns[topic] = items.state["topic"].astype(np.int32)
    columns |= parents or {}
    return PublicCatalog(n_items=len(published_at), columns=columns, features=features)
