"""Parents and their children: who belongs to whom, what siblings have in common, and when they appear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from scipy.stats import kstest

import simulator
from recommenders.contract import Recommender, Slates
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.platform.counters import PublishedCounters
from simulator.population.catalog import TrueCatalog, draw_catalog
from simulator.population.parents import draw_kin
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number
from tests.platform.test_counters import in_numpy
from tests.published import published
from tests.worlds import TinyWorld

DAY = 86400.0
ALWAYS = {"dist": "constant", "value": 4, "unit": "items", "from": "estimate"}


def with_parents(folder: Path, parents: dict[str, Any], name: str = "shortvideo", **sections: Any) -> Path:
    """A scenario with these parents, and other sections as given."""
    path = edited(folder, {}, name)
    content = json.loads(path.read_text())
    content |= {"parents": parents}
    for facet in content["facets"].values():
        facet.pop("bad_tail", None)  # nothing that is a child's own beside what it shares
    for key, own in sections.items():
        content[key] |= own
    path.write_text(json.dumps(content))
    return path


def drawn(path: Path | str, n: int = 6000, horizon: float = 3 * DAY, seed: int = 1) -> tuple[Compiled, TrueCatalog]:
    scenario = load_scenario(path)
    check_scenario(scenario)
    compiled = compile_scenario(scenario)
    return compiled, draw_catalog(compiled, n, horizon, seed)


def pairs_of_siblings(catalog: TrueCatalog) -> tuple[np.ndarray, np.ndarray]:
    """Two children of each parent that has several."""
    order = np.argsort(catalog.items.parent, kind="stable")
    same = catalog.items.parent[order][1:] == catalog.items.parent[order][:-1]
    first = np.flatnonzero(same & (catalog.items.parent[order][1:] >= 0))
    return order[first], order[first + 1]


def block(compiled: Compiled, catalog: TrueCatalog, facet: str) -> np.ndarray:
    shape = compiled.facets[compiled.names.facets.index(facet)]
    return catalog.items.vectors[:, shape.offset : shape.offset + shape.dimensions].astype(np.float64)


# ---- who belongs to whom


@given(st.integers(1, 400), st.integers(0, 200), st.integers(0, 5))
def test_an_item_keeps_its_parent_when_items_are_added(n, more, seed):
    scenario = load_scenario("news")
    types = np.random.default_rng(seed).integers(0, 5, n + more)
    (few,), (many,) = draw_kin(scenario, types[:n], seed), draw_kin(scenario, types, seed)
    assert (many.parent[: len(few.parent)] == few.parent).all()
    assert (many.keys[: len(few.keys)] == few.keys).all()
    assert np.array_equal(np.unique(many.parent), np.arange(len(many.keys)))


def test_parents_have_as_many_children_as_the_scenario_says(tmp_path):
    _, catalog = drawn(with_parents(tmp_path, {"series": {"children": ALWAYS}}), n=402)
    sizes = np.bincount(catalog.items.parent)
    assert (sizes[:-1] == 4).all()
    assert sizes[-1] == 2


def test_each_type_has_parents_of_its_own_kind(tmp_path):
    kinds = list(load_scenario("shortvideo").item_types)
    parents = {
        "series": {"children": ALWAYS, "types": kinds[:1]},
        "album": {"children": {**ALWAYS, "value": 2}, "types": kinds[1:2]},
    }
    _, catalog = drawn(with_parents(tmp_path, parents))
    types, columns = catalog.items.state["type"], catalog.public.columns
    for k, name in enumerate(parents):
        assert ((columns[name] >= 0) == (types == k)).all()
        assert columns[name].dtype == np.int32
    assert ((catalog.items.parent >= 0) == (types < 2)).all()
    n = columns["series"].max() + 1
    assert (catalog.items.parent[types == 1] == n + columns["album"][types == 1]).all()


def test_recommenders_and_the_run_folder_are_told_whose_an_item_is(tmp_path):
    seen = {}

    class Reads(Recommender):
        name, reproducibility = "reads", "exact"

        def fit(self, log, catalog):
            seen.update(catalog.columns)

        def recommend(self, requests):
            return Slates(np.tile(requests.candidates[: requests.slate_size], (len(requests), 1)))

    settings = {"users": 20, "items": 120, "horizon": "6h", "first_fit": "2h", "refit": "2h"}
    simulator.run("news", Reads(), output=tmp_path / "run", **settings)
    table = pq.read_table(tmp_path / "run/items.parquet")
    assert np.array_equal(table["story"].to_numpy(), seen["story"])
    assert (seen["story"] >= 0).all()
    assert len(np.unique(seen["story"])) < 120


# ---- what siblings have in common


@pytest.mark.parametrize("one_creator", [False, True])
def test_a_shared_facet_keeps_its_variance_and_is_the_parents_in_part(tmp_path, one_creator):
    shares = {"quality": number(0.6, "share"), "style": number(0.3, "share")}
    parents = {"series": {"children": ALWAYS, "one_creator": one_creator, "shares": shares}}
    compiled, catalog = drawn(with_parents(tmp_path, parents), n=20000)
    for facet, share in (("quality", 0.6), ("style", 0.3)):
        vectors = block(compiled, catalog, facet)
        assert vectors.var(axis=0) == pytest.approx(1.0, abs=0.12)
        one, other = pairs_of_siblings(catalog)
        # siblings of one creator have something more in common, where the facet is the creator's too
        assert (vectors[one] * vectors[other]).mean() == pytest.approx(share, abs=0.04)
    assert (len(np.unique(catalog.items.state["creator"][catalog.items.parent == 7])) == 1) == one_creator


def test_what_is_not_shared_is_as_it_was_without_parents(tmp_path):
    plain = drawn("shortvideo")[1]
    parents = {"series": {"children": ALWAYS, "shares": {"quality": number(0.6, "share")}}}
    compiled, catalog = drawn(with_parents(tmp_path, parents))
    for facet in compiled.names.facets:
        same = np.array_equal(block(compiled, plain, facet), block(compiled, catalog, facet))
        assert same == (facet != "quality")
    assert np.array_equal(plain.items.state["topic"], catalog.items.state["topic"])
    assert np.array_equal(plain.published_at, catalog.published_at)


def test_children_that_share_the_topic_are_of_one_topic():
    compiled, catalog = drawn("news")
    one, other = pairs_of_siblings(catalog)
    assert len(one) > 500
    topic = catalog.items.state["topic"]
    assert (topic[one] == topic[other]).all()
    strangers = np.roll(one, len(one) // 2)
    assert (topic[one] == topic[strangers]).mean() < 0.5
    vectors = block(compiled, catalog, "topic")
    nearness = (vectors[one] * vectors[other]).mean() / vectors.var()
    assert nearness == pytest.approx(0.9, abs=0.03)


def test_a_parents_modality_is_one_and_the_same_for_its_children(tmp_path):
    name = "cover"
    parents = {"series": {"children": ALWAYS, "shares": {"topic": number(0.5, "share")}, "modalities": [name]}}
    path = with_parents(tmp_path, parents)
    content = json.loads(path.read_text())
    content["modalities"][name]["coverage"] = number(0.5, "share")
    path.write_text(json.dumps(content))
    compiled, catalog = drawn(path)
    one, other = pairs_of_siblings(catalog)
    m = compiled.names.modalities.index(name)
    items = catalog.items
    for cue in compiled.plan.cues:
        own = cue["column"] >= 0 and any(p.column == cue["column"] and p.modality == m for p in compiled.cues)
        if cue["column"] >= 0:
            part = slice(cue["column"], cue["column"] + compiled.facets[cue["facet"]].dimensions)
            assert (items.vectors[one, part] == items.vectors[other, part]).all() == own
    for k, each in enumerate(compiled.names.modalities):
        if items.bias_appeal[:, len(compiled.names.modalities) + k].std() > 0:
            appeal = items.bias_appeal[:, len(compiled.names.modalities) + k]
            assert (appeal[one] == appeal[other]).all() == (each == name)
    assert (items.bias_appeal[one, m] == items.bias_appeal[other, m]).all()
    missing = items.state["missing"] >> np.uint32(m) & 1
    assert (missing[one] == missing[other]).all()
    assert 0.4 < missing.mean() < 0.6
    for each, features in catalog.public.features.items():
        assert (features[one] == features[other]).all() == (each == name)


def test_numbers_of_a_parent_are_its_childrens(tmp_path):
    fee = {"dist": "uniform", "low": 0, "high": 10, "unit": "eur", "from": "estimate"}
    _, catalog = drawn(with_parents(tmp_path, {"series": {"children": ALWAYS, "attributes": {"fee": fee}}}))
    one, other = pairs_of_siblings(catalog)
    fees = catalog.public.columns["fee"]
    assert (fees[one] == fees[other]).all()
    assert kstest(fees[::4] / 10, "uniform").pvalue > 1e-3


def test_what_is_counted_of_a_parent_is_counted_over_its_children(tmp_path):
    path = with_parents(tmp_path, {"story": {"children": ALWAYS, "modalities": ["most_read"]}}, "news")
    compiled, catalog = drawn(path, n=403)
    counters = np.random.default_rng(2).integers(0, 9, (403, 1 + len(compiled.names.counters)))
    candidates = np.arange(0, 403, 2, dtype=np.int32)
    PublishedCounters(compiled, catalog.items).publish(published(counters, candidates))
    opened = counters[:, 1 + compiled.names.counters.index("open")]
    sums = np.bincount(catalog.items.parent, opened)[catalog.items.parent]
    shown = catalog.items.published_counters[:, compiled.names.published_counters.index("most_read")]
    assert shown == pytest.approx(in_numpy(np.log1p(sums), candidates), abs=1e-5)
    own, alone = drawn("news", n=403)
    PublishedCounters(own, alone.items).publish(published(counters, candidates))
    assert alone.items.published_counters[:, 0] == pytest.approx(in_numpy(np.log1p(opened), candidates), abs=1e-5)


# ---- when children appear


def spread_world(folder: Path, hours: float = 10.0) -> Path:
    """Parents whose children follow within some hours, at a supply of one half of the catalog a day, at any hour."""
    spread = {"dist": "uniform", "low": 0, "high": hours, "unit": "h", "from": "estimate"}
    at_once = {"dist": "constant", "value": 0, "unit": "s", "from": "estimate"}
    return with_parents(
        folder, {"series": {"children": ALWAYS, "spread": spread}},
        supply={"moderation": at_once, "fresh": number(0.5, "share")},
    )  # fmt: skip


def test_children_are_published_near_to_each_other(tmp_path):
    _, catalog = drawn(spread_world(tmp_path), n=20000)
    of_parent = [catalog.published_at[4 * k : 4 * k + 4] for k in range(5000)]
    spans = [own.max() - own.min() for own in of_parent if own.min() > 0]
    assert len(spans) > 1000
    assert max(spans) <= 10 * 3600.0
    some = sum(0 < (own > 0).sum() < 4 for own in of_parent)
    assert some > 20, "nobody joins what was there before"


def test_parents_change_neither_how_many_items_appear_nor_when(tmp_path):
    _, catalog = drawn(spread_world(tmp_path), n=40000)
    plain = 1.5 / 2.5  # of a catalog that grows by one half a day over three days
    inside = (catalog.published_at > 0) & (catalog.published_at < 3 * DAY)
    assert inside.mean() == pytest.approx(plain, abs=0.02)
    assert kstest(catalog.published_at[inside][::4] / (3 * DAY), "uniform").pvalue > 1e-3


def test_children_too_appear_at_the_hours_of_publication(tmp_path):
    path = spread_world(tmp_path)
    content = json.loads(path.read_text())
    profile = [0.0] * 6 + [1.0] * 2 + [0.0] * 8 + [3.0] * 2 + [0.0] * 6
    content["supply"]["hours"] = {"profile": profile, "unit": "relative", "from": "estimate"}
    path.write_text(json.dumps(content))
    _, catalog = drawn(path)
    starts_at = load_scenario(path).clock.starts_at.value
    inside = (catalog.published_at > 0) & (catalog.published_at < 3 * DAY)
    hours = (((catalog.published_at[inside] + starts_at) % DAY) // 3600.0).astype(int)
    assert set(hours) == {6, 7, 16, 17}


# ---- what they have in the world


def test_children_queue_for_what_their_parent_has_and_strangers_do_not():
    cook = {"dist": "constant", "value": 60, "unit": "s", "from": "estimate"}
    world = TinyWorld(
        [{"step": "cook", "uses": "kitchen", "event": "cooked"}],
        {"kitchen": {"kind": "queue", "per": "kin", "capacity": number(1, "orders"), "service": cook}},
        edits={"parents": {"kin": {"children": number(4, "items"), "one_creator": True}}},
    )
    world.decide([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3], [0, 1, 3, 4])  # three of one parent, and one of the next
    world.run(1e9)
    cooked = sorted((time, user) for (user, _), time in world.times("cooked").items())
    assert [user for _, user in cooked] == [0, 3, 1, 2]
    assert [time for time, _ in cooked] == pytest.approx([61.0, 64.0, 121.0, 181.0], abs=0.01)
    places = world.catalog.items.place
    assert (places[:4] == places[0]).all()


# ---- what is refused


LENDS = {"children": number(3, "items")}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"story": {"children": number(0.5, "articles")}}, "parents.story.children = 0.5; expected at least 1"),
    ({"story": {**LENDS, "types": ["opinion"]}}, "parents.story.types names opinion, which does not exist"),
    ({"story": {**LENDS, "shares": {"mood": number(0.5, "share")}}}, "parents.story.shares names mood"),
    ({"story": {**LENDS, "modalities": ["cover"]}}, "parents.story.modalities names cover"),
    ({"story": LENDS, "beat": LENDS}, "parents.story and parents.beat both hold items of type breaking"),
    ({"topic": LENDS}, "parents.topic: items have a column topic already"),
    ({"creator": LENDS}, "parents.creator: items have a column creator already"),
    ({"story": {**LENDS, "attributes": {"duration": number(1, "s")}}}, "parents.story.attributes.duration: items have"),
    ({"story": {**LENDS, "repetition": {"worth": number(-1, "utility"), "first": number(0.5, "share"),
                                        "half_life": number(1, "d"), "revealed_by": ["cover"]}}},
     "parents.story.repetition.revealed_by names cover"),
]  # fmt: skip


@pytest.mark.parametrize(("parents", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_wrong_parents_are_one_clear_line(tmp_path, parents, line):
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(with_parents(tmp_path, parents, "news")))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_promise_is_a_parents_only_where_a_stage_shows_it(tmp_path):
    path = with_parents(tmp_path, {"brand": {**LENDS, "modalities": ["delivery_date"]}}, "ecommerce")
    with pytest.raises(InputError, match=r"parents\.brand\.modalities: delivery_date, a promise: this version cannot"):
        compile_scenario(load_scenario(path))
