"""Factors and designs: which worlds there are, and contrasts that give back what was planted, one number per seed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from analysis.treatments import Design, Factor, Level, compile_treatment
from simulator.errors import InputError


def factor(name: str, *levels: str) -> Factor:
    return Factor(name, tuple(Level(level) for level in levels))


def design(sizes=(2, 3, 2), seeds=(4, 7, 9), kind="grid") -> Design:
    factors = (factor(f"f{n}", *(f"f{n}l{level}" for level in range(size))) for n, size in enumerate(sizes))
    return Design(tuple(factors), tuple(seeds), kind)


def worlds_of(where: Design, value) -> dict[str, dict[str, float]]:
    """Measures of all worlds, by what `value` says of the numbers of a cell's levels and a seed."""
    numbered = {cell: tuple(f.names.index(n) for f, n in zip(where.factors, cell, strict=True)) for cell in where.cells}
    return {where.place(cell, seed): {"y": value(at, seed)} for cell, at in numbered.items() for seed in where.seeds}


NUMBERS = st.lists(st.floats(-5, 5), min_size=3, max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), NUMBERS)
def test_where_effects_add_up_main_effects_are_those_planted_and_interactions_are_nothing(effects, luck):
    where = design((3, 3, 3))
    found = worlds_of(where, lambda at, seed: sum(e[n] for e, n in zip(effects, at, strict=True)) + luck[seed % 3])
    for contrast in where.contrasts(order=3):
        if contrast.order == 1:
            (number, level), = [(n, f.names.index(c)) for n, f in enumerate(where.factors) for c in f.names[1:]
                                if contrast.name.startswith(f"{f.name}: {c} ")]  # fmt: skip
            expected = effects[number][level] - effects[number][0]
        else:
            expected = 0.0
        assert where.effect(contrast, found, "y") == pytest.approx(expected, abs=1e-9)
    assert [contrast.order for contrast in where.contrasts(order=3)] == [1] * 6 + [2] * 12 + [3] * 8


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_planted_interaction_of_any_order_is_found_and_none_of_a_higher_one(order):
    where = design((2, 2, 2, 2))
    names = [each.name for each in where.factors]

    def value(at, seed):
        return 3.0 * seed * all(at[:order]) + 100 * at[3] * (order < 4) - 7 * at[0] * (order > 1) + seed**2

    found = worlds_of(where, value)
    exact = where.effect(where.contrast(names[:order]), found, "y")
    assert exact == pytest.approx([3.0 * seed for seed in where.seeds])
    if order < 3:
        assert where.effect(where.contrast(names[: order + 1]), found, "y") == pytest.approx(0)


def test_a_main_effect_of_a_grid_counts_each_level_of_the_others_the_same_and_a_simple_one_holds_them():
    where = design((2, 3))
    found = worlds_of(where, lambda at, seed: float(at[0] * (10, 20, 60)[at[1]]))
    assert where.effect(where.contrast(["f0"]), found, "y") == pytest.approx(30)
    assert where.effect(where.contrast(["f0"], at={"f1": "f1l2"}), found, "y") == pytest.approx(60)
    assert where.effect(where.contrast({"f1": ("f1l2", "f1l1")}), found, "y") == pytest.approx(20)
    assert where.effect(where.contrast(), found, "y") == pytest.approx(15)


def test_a_world_without_a_value_leaves_its_seed_without_one():
    where = design((2,))
    found = worlds_of(where, lambda at, seed: float(at[0]))
    found[where.place(("f0l1",), 7)]["y"] = None
    assert np.array_equal(where.effect(where.contrast(["f0"]), found, "y"), [1, np.nan, 1], equal_nan=True)


def test_a_grid_runs_all_cells_and_a_paired_design_each_level_alone():
    assert design((2, 3, 2)).cells == list(product(["f0l0", "f0l1"], ["f1l0", "f1l1", "f1l2"], ["f2l0", "f2l1"]))
    paired = design((2, 3, 2), kind="paired")
    assert len(paired.cells) == 1 + 1 + 2 + 1
    found = worlds_of(paired, lambda at, seed: at[0] + 10.0 * at[1] + 100 * at[2])
    assert [c.name for c in paired.contrasts()] == ["f0: f0l1 - f0l0", "f1: f1l1 - f1l0", "f1: f1l2 - f1l0",
                                                    "f2: f2l1 - f2l0"]  # fmt: skip
    assert [paired.effect(each, found, "y")[0] for each in paired.contrasts()] == [1, 10, 20, 100]
    with pytest.raises(InputError, match=r"the design is paired and has no f0l1 \+ f1l1"):
        paired.contrast(["f0", "f1"])


def test_worlds_of_a_design_are_treated_jointly_and_named_after_what_is_done():
    def levels(*texts):
        return tuple(compile_treatment(text, "ecommerce") for text in texts)

    where = Design(
        (
            Factor("image", levels("as-it-is", "hide=image@home")),
            Factor("title", levels("as-it-is", "hide=title@home")),
        ),
        (0, 3),
    )
    worlds = {world.place: world.settings for world in where.worlds("ecommerce", {"users": 9, "log_from": "a-s{seed}"})}
    shows = "scenario.surfaces.home.shows.browse"
    arms = ("as-it-is", "hide-title-home", "hide-image-home", "hide-image-home-hide-title-home")
    assert list(worlds) == [f"{arm}-s{seed}" for arm in arms for seed in (0, 3)]
    assert worlds["as-it-is-s3"] == {"users": 9, "log_from": "a-s3", "seed": 3}
    assert worlds["hide-image-home-s0"][shows] == ["title", "price"]
    assert worlds["hide-image-home-hide-title-home-s0"][shows] == ["price"]


def test_levels_that_set_one_thing_cannot_meet():
    where = Design((Factor("a", (Level("none"), Level("x", {"users": 3}))),
                    Factor("b", (Level("no"), Level("y", {"users": 4})))), (0,))  # fmt: skip
    with pytest.raises(InputError, match=r"treatment x \+ y: users is given twice"):
        where.worlds("ecommerce", {})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: factor("a"), r"factor a: levels \(none\); expected each once"),
        (lambda: factor("a", "x", "x"), "factor a: levels x, x"),
        (lambda: Design((factor("a", "x"), factor("a", "y")), (0,)), "factors a, a; expected each once"),
        (lambda: Design((factor("a", "x"),), ()), r"seeds \(none\); expected each once"),
        (lambda: Design((factor("a", "x"),), (1, 1)), "seeds 1, 1; expected each once"),
        (lambda: Design((factor("a", "x"),), (1,), "gird"), "unknown kind 'gird'; did you mean grid?"),
        (lambda: Design((factor("a", "x=1", "x-1"),), (1,)), "two cells would share the place x-1"),
        (lambda: design().contrast(["g0"]), "unknown factor 'g0'; There are: f0, f1, f2"),
        (lambda: design().contrast({"f0": "l1"}), "unknown level 'l1'"),
        (lambda: design().contrast({"f0": "f0l0"}), "f0: f0l0 against itself"),
        (lambda: design().contrast(["f0"], at={"f0": "f0l0"}), "f0 is both compared and held"),
        (lambda: design((1, 2)).contrast(["f0"]), "f0 has one level; expected a factor with two or more"),
    ],
)
def test_what_is_no_design_or_no_contrast_of_it_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_long_names_of_levels_make_folders_that_can_be_told_apart():
    where = Design((factor("a", "x" * 300 + "1", "x" * 300 + "2"),), (0,))
    places = [where.place(cell, 0) for cell in where.cells]
    assert len(set(places)) == 2
    assert max(map(len, places)) < 80
