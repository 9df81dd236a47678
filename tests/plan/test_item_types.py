"""What item types change, and what they do not: the spread of utility, prices beside the usual ones, returns."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import compiled_of, edited, number, runnable
from tests.worlds import TinyWorld, claim


@pytest.mark.parametrize("name", runnable())
def test_utility_varies_as_much_in_every_type(name):
    compiled = compiled_of(name)
    facets, types = len(compiled.names.facets), len(compiled.scenario.item_types)  # not those of parents, an average
    spread = (compiled.plan.weights[:types, :facets] ** 2).sum(axis=1) + compiled.plan.user_params[0][
        "idiosyncratic"
    ] ** 2
    assert spread == pytest.approx(np.ones(len(spread)), abs=1e-9)


def test_weights_say_how_facets_of_a_type_count_beside_each_other():
    compiled = compiled_of("ecommerce")
    scenario, names = compiled.scenario, compiled.names
    own = compiled.plan.weights[names.types.index("apparel")]
    fit, topic = (own[names.facets.index(each)] / scenario.facets[each].share.value ** 0.5 for each in ("fit", "topic"))
    assert fit / topic == pytest.approx(scenario.item_types["apparel"].weights["fit"].value)


def test_a_price_counts_beside_what_is_usual_for_its_type(tmp_path):
    compiled = compile_scenario(load_scenario(str(edited(tmp_path, {}, "ecommerce"))))
    items = draw_catalog(compiled, 3000, 86400.0, 1).items
    worth = items.attribute_effects[:, compiled.names.attribute_effects.index("price")]
    price = items.attributes[:, compiled.names.attributes.index("price")]
    modality = compiled.scenario.modalities["price"]
    for t, name in enumerate(compiled.names.types):
        own = items.state["type"] == t
        # half as dear as usual is worth the same, whatever is usual
        usual = np.median(price[own] / (1.0 + worth[own] / modality.weight.value * modality.per.value))
        assert worth[own] == pytest.approx(
            modality.weight.value * (price[own] / usual - 1.0) / modality.per.value, abs=1e-4
        )
        assert usual == pytest.approx(price[own].mean(), rel=0.25), name


def test_what_is_relative_is_a_ratio(tmp_path):
    wrong = edited(tmp_path, {"modalities.price.per": number(10, "eur")}, "ecommerce")
    with pytest.raises(InputError, match=r"modalities\.price\.per\.unit = eur"):
        check_scenario(load_scenario(str(wrong)))


@pytest.mark.parametrize(("odds", "share"), [(0.0, 0.0), (1e9, 1.0)])
def test_types_differ_in_what_is_sent_back(odds, share):
    edits = {f"item_types.{name}.returning": claim(odds, "ratio") for name in load_scenario("ecommerce").item_types}
    world = _used(**edits)
    assert len(world.times("return")) == share * 30


@pytest.mark.parametrize("padding", [0.0, 40.0])
def test_an_order_is_worth_what_it_was_and_not_what_was_promised(padding):
    """It comes as late as the steps take, `padding` before it was promised: that much is gained."""
    shown = {
        "kind": "promise", "promise": "eta", "per": claim(10, "s"), "weight": claim(-0.5, "utility"),
        "reading": claim(0.1, "s"), "salience": claim(1, "probability"),
    }  # fmt: skip
    world = _used(
        **{
            "promises.eta": {"stage": "delivery", "steps": ["make"], "padding": claim(padding, "s")},
            "modalities.eta": shown,
            "surfaces.detail.shows.inspect": ["image", "title", "description", "price", "rating", "n_reviews", "eta"],
            "consume.use.noise": claim(0, "utility^2"),
        }
    )
    rows = world.records[world.records["event"] == world.compiled.names.codes["experience"]]
    assert len(rows) == 30
    assert rows["value"] == pytest.approx(np.full(30, 0.5 * padding / 10.0), abs=1e-5)


def _used(**edits: object) -> TinyWorld:
    """Thirty orders that are made in ten seconds, and used."""
    make = {"step": "make", "delay": {"dist": "constant", "value": 10, "unit": "s", "from": "estimate"}}
    world = TinyWorld(
        [make],
        {},
        delivery={"expires_after": claim(99999, "d"), "promise": "eta"},
        ends=False,
        edits={
            "promises.eta": {"stage": "delivery", "steps": ["make"], "padding": claim(0, "s")},
            "stages.delivery.next": {"done": "use", "refused": "exit", "cancelled": "exit", "expired": "exit"},
            "consume.use.skipped": claim(0, "probability"),
            "respond.verdict.returns.slope": claim(0, "1/utility"),
            **edits,
        },
    )
    world.cases.tell_waits(0.0)
    world.decide(np.full(30, 1.0), np.arange(30), np.arange(30) % 20)
    world.run(1e9)
    return world


def test_a_modality_of_some_types_is_missing_from_all_others():
    compiled = compiled_of("news")
    facts = draw_catalog(compiled, 2000, 86400.0, 1).items.state
    tag, breaking = compiled.names.modalities.index("breaking_tag"), compiled.names.types.index("breaking")
    has = facts["missing"] >> np.uint32(tag) & 1 == 0
    assert (has == (facts["type"] == breaking)).all()
    assert 100 < has.sum() < 500


def test_a_modality_of_a_type_that_does_not_exist_is_one_clear_line(tmp_path):
    path = edited(tmp_path, {"modalities.breaking_tag.types": ["braking"]}, "news")
    with pytest.raises(InputError, match=r"modalities\.breaking_tag\.types names braking.*breaking"):
        check_scenario(load_scenario(path))
