"""Contract 2: typed settings, read-only requests, the policy for seen items, and recommenders on disk."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pytest

from recommenders.contract import Label, Recommender, RecommenderError, Settings, setting
from recommenders.registry import check_parameters, create
from recommenders.saving import load, save
from tests.recommenders.little import LIKE, ask, log_of_likes


@dataclass(frozen=True)
class OddSettings(Settings):
    depth: int = setting(meaning="how deep", low=1, high=9)
    mode: Literal["a", "b"] = setting("a", "which")
    rate: float = setting(0.5, "how fast", low=0)
    ratio: float | None = setting(None, "how much")


class Odd(Recommender):
    name = "odd"
    Config = OddSettings
    config: OddSettings


HERE = f"{__name__}:Odd"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "odd.depth: is missing; it takes: depth: int, mode: 'a' or 'b' = 'a', rate: float = 0.5"),
        ({"depth": 0}, "odd.depth: is 0; expected at least 1 and at most 9"),
        ({"depth": 1.5}, "odd.depth: is 1.5; expected int"),
        ({"depth": 1, "mode": "c"}, "odd.mode: is 'c'; expected 'a' or 'b'"),
        ({"depth": 1, "rate": float("nan")}, "odd.rate: is nan; expected at least 0"),
        ({"depth": 1, "rat": 1}, "odd.rat: is no parameter of it; did you mean 'rati?[oe]'"),
        ({"depth": 1, "ratio": "x"}, "odd.ratio: is 'x'; expected float | None"),
    ],
)
def test_wrong_settings_are_refused_when_it_is_made(given, message):
    with pytest.raises(RecommenderError, match=message):
        Odd(**given)
    with pytest.raises(RecommenderError):
        create(HERE, given)
    with pytest.raises(RecommenderError):
        check_parameters(HERE, given)


def test_settings_keep_their_types_and_defaults():
    odd = create(HERE, {"depth": 2, "rate": 1})
    assert odd.parameters() == {"depth": 2, "mode": "a", "rate": 1.0, "ratio": None}
    assert isinstance(odd.config.rate, float)


def test_every_array_of_a_request_is_read_only():
    requests = ask(5, users=(0, 1))
    for name, array in requests.arrays().items():
        assert not array.flags.writeable, name
        assert not getattr(requests.take(np.array([0])), name).flags.writeable


def test_what_a_request_was_made_of_stays_writable():
    candidates = np.arange(3, dtype=np.int32)
    replace(ask(3), candidates=candidates)
    candidates[0] = 0


def test_an_unknown_policy_is_refused():
    with pytest.raises(RecommenderError, match=r"requests\.seen: is 'never'; expected 'last' or 'allow'"):
        replace(ask(3), seen="never")


@pytest.mark.parametrize("name", ["popularity", "itemknn"])
def test_items_that_a_user_has_had_come_back_only_where_that_is_allowed(name):
    recommender = create(name, label=LIKE)
    log = log_of_likes([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 2)], n_users=3, n_items=5)
    recommender.fit(log, _catalog(5))
    requests = ask(5, users=(0,), slate_size=2)
    assert not set(recommender.recommend(requests).items[0].tolist()) & {0, 1}
    assert set(recommender.recommend(replace(requests, seen="allow")).items[0].tolist()) == {0, 1}


def test_saved_and_loaded_it_is_the_same(tmp_path):
    label = Label("like", ("like",))
    recommender = create("itemknn", {"neighbors": 2}, seed=3, label=label)
    recommender.fit(log_of_likes([(0, 0), (0, 1), (1, 1), (1, 2), (2, 0)], 3, 4), _catalog(4))
    save(recommender, tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again.name, again.seed, again.label) == ("itemknn", 3, label)
    assert again.parameters() == recommender.parameters()
    requests = ask(4, users=(0, 1, 2))
    np.testing.assert_array_equal(again.recommend(requests).items, recommender.recommend(requests).items)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["recommender.json", "state.npz"]


def test_a_folder_without_a_recommender_and_another_contract_are_refused(tmp_path):
    with pytest.raises(RecommenderError, match="holds no recommender"):
        load(tmp_path)
    save(create("random"), tmp_path)
    path = tmp_path / "recommender.json"
    now = path.read_text()
    path.write_text(now.replace('"contract": 2', '"contract": 0'))
    with pytest.raises(RecommenderError, match="was saved under contract 0; this is contract 2"):
        load(tmp_path)
    path.write_text(now.replace('"contract": 2', '"contract": 1'))  # what is kept did not change
    assert load(tmp_path).name == "random"


def _catalog(n_items):
    from recommenders.contract import Catalog

    return Catalog(n_items)


def test_an_error_travels_between_processes():
    there = pickle.loads(pickle.dumps(RecommenderError("recommender odd", "is odd", "an even one")))
    assert (str(there), there.wrong) == ("recommender odd: is odd; an even one", "is odd")
