"""Bad tails: what everybody dislikes, by as much as was said, and as far as it can be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.population.bad_tails import in_tail
from simulator.population.catalog import draw_catalog
from simulator.population.users import draw_users
from tests.laws.harness import edited, number
from tests.plan.test_groups import compiled

NAME = "shortvideo"
SEED = 3
N_ITEMS, N_USERS = 6000, 400


def with_tail(folder: Path, share: float, worth: Any, facet: str = "quality", **own: Any) -> Path:
    path = edited(folder, {}, NAME)
    content = json.loads(path.read_text())
    tail = {"share": number(share, "share"), "worth": worth}
    content["facets"][facet] |= {"bad_tail": tail, **own}
    path.write_text(json.dumps(content))
    return path


def without_tail(folder: Path) -> Path:
    path = edited(folder / "plain", {}, NAME)
    content = json.loads(path.read_text())
    content["facets"]["quality"].pop("bad_tail", None)
    path.write_text(json.dumps(content))
    return path


def drawn(path: Path | str) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """The compiled scenario, its items, tastes, and what facets are worth, (users, items)."""
    own = compiled(path)
    items = draw_catalog(own, N_ITEMS, 86400.0, SEED).items
    taste = draw_users(own, items, N_USERS, SEED).taste.astype(np.float64)
    worth = np.zeros((N_USERS, N_ITEMS))
    for f, shape in enumerate(own.facets):
        part = slice(shape.offset, shape.offset + shape.width)
        x = taste[:, part] @ items.vectors[:, part].T.astype(np.float64)
        row = own.plan.facets[f]
        worth += own.plan.weights[items.state["type"], f] * row["scale"] * x / (1.0 + row["saturation"] * np.abs(x))
    return own, items, taste, worth


@pytest.mark.parametrize("worth", [-2.0, -0.5])
def test_what_is_in_the_tail_is_worth_so_much_less_to_everybody(tmp_path, worth):
    _, items, _, usual = drawn(without_tail(tmp_path))
    own, _, _, found = drawn(with_tail(tmp_path, 0.2, number(worth, "utility")))
    bad = in_tail(own, own.names.facets.index("quality"), items.state["type"], SEED)
    assert abs(bad.mean() - 0.2) < 4.5 * np.sqrt(0.16 / N_ITEMS)
    lost = (found - usual)[:, bad].mean(axis=1)
    assert lost.mean() == pytest.approx(worth, rel=0.12)
    assert (lost < 0.4 * worth).all()  # everybody dislikes it
    assert lost.std() < 0.3 * abs(worth)


def test_the_others_stay_as_they_are_and_their_worth_has_the_same_spread(tmp_path):
    _, items, _, usual = drawn(without_tail(tmp_path))
    own, those, _, found = drawn(with_tail(tmp_path, 0.3, number(-2, "utility")))
    bad = in_tail(own, own.names.facets.index("quality"), items.state["type"], SEED)
    assert np.array_equal(items.vectors[~bad], those.vectors[~bad])
    idiosyncratic = own.scenario.idiosyncratic.share.value
    for worth in (usual, found[:, ~bad]):
        assert np.sqrt(np.mean(worth**2) + idiosyncratic) == pytest.approx(1.0, abs=0.06)
    share = bad.mean()
    assert found.var() == pytest.approx(found[:, ~bad].var() + share * (1 - share) * 4.0, rel=0.15)


def test_a_tail_may_have_depths(tmp_path):
    depths = {"dist": "uniform", "low": -3, "high": -1, "unit": "utility", "from": "estimate"}
    _, items, _, usual = drawn(without_tail(tmp_path))
    own, _, _, found = drawn(with_tail(tmp_path, 0.3, depths))
    bad = in_tail(own, own.names.facets.index("quality"), items.state["type"], SEED)
    lost = (found - usual).mean(axis=0)[bad]
    assert lost.mean() == pytest.approx(-2.0, rel=0.12)
    assert lost.std() == pytest.approx(2.0 / np.sqrt(12.0), rel=0.15)


def test_contents_show_it_by_their_signal(tmp_path):
    own, items, _, _ = drawn(without_tail(tmp_path))
    _, those, _, _ = drawn(with_tail(tmp_path, 0.3, number(-2, "utility")))
    for cue in own.cues:
        shape = own.facets[cue.facet]
        moved = [
            those.vectors[:, first : first + shape.dimensions] - items.vectors[:, first : first + shape.dimensions]
            for first in (cue.column, shape.offset)
        ]
        np.testing.assert_allclose(moved[0], cue.signal * moved[1], atol=1e-4)
        assert np.any(moved[1] != 0.0) == (shape.name == "quality")


@pytest.mark.parametrize("key", ["weights", "types"])
def test_a_type_may_have_no_tail(tmp_path, key):
    path = with_tail(tmp_path, 0.5, number(-2, "utility"))
    content = json.loads(path.read_text())
    if key == "weights":
        content["item_types"]["howto"]["weights"] = {"quality": number(0, "ratio")}
    else:
        content["facets"]["quality"]["bad_tail"]["types"] = ["entertainment"]
    path.write_text(json.dumps(content))
    _, items, _, _ = drawn(without_tail(tmp_path))
    own, those, _, _ = drawn(path)
    howto = items.state["type"] == own.names.types.index("howto")
    moved = (items.vectors != those.vectors).any(axis=1)
    assert not moved[howto].any()
    assert moved[~howto].mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("facet", "worth", "own", "line"),
    [
        ("style", number(-1, "utility"), {}, "facets.style.bad_tail, where agreement is 0.2; expected an agreement"),
        ("quality", number(1, "utility"), {}, "facets.quality.bad_tail.worth.value = 1; expected at least -1000 and"),
        ("quality", number(-1, "share"), {}, "facets.quality.bad_tail.worth"),
        ("quality", number(-1, "utility"), {"saturation": number(0.2, "1/utility")}, "where matches level off"),
    ],
)
def test_what_is_no_bad_tail_is_refused(tmp_path, facet, worth, own, line):
    with pytest.raises(InputError) as error:
        compiled(with_tail(tmp_path, 0.2, worth, facet, **own))
    assert line in str(error.value)


def test_shown_parents_have_none_yet(tmp_path):
    path = edited(tmp_path, {}, "fooddelivery")
    content = json.loads(path.read_text())
    facet = next(name for name, each in content["facets"].items() if each["agreement"]["value"] >= 0.5)
    content["facets"][facet]["bad_tail"] = {"share": number(0.1, "share"), "worth": number(-1, "utility")}
    content["facets"][facet]["saturation"]["value"] = 0
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="where parents are shown: this version cannot run it yet"):
        compiled(path)
