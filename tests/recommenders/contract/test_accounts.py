"""What recommenders say of themselves: a wrong count or parameter is one line, wherever it is asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recommenders.check import check_recommender
from recommenders.contract import Places, RecommenderError, parameters_of, places_of
from recommenders.evaluation.protocol import fit_for
from recommenders.models.random import Random
from recommenders.saving import save


class Saying(Random):
    """Says what a test wants of its places and parameters."""

    name = "saying"

    def __init__(self, places=None, parameters=None, **given):
        super().__init__(**given)
        self._said = places, parameters

    def places(self):
        return self._said[0]() if callable(self._said[0]) else self._said[0]

    def parameters(self):
        return {} if self._said[1] is None else self._said[1]


@pytest.mark.parametrize(
    ("places", "why"),
    [
        (7, r"places\(\) is an int; expected Places"),
        ((1, 0, 0), r"places\(\) is a tuple; expected Places"),
        (Places(-1, 0, 0), "falling counts"),
        (Places(3, 4, 0), "falling counts"),
        (Places(3, math.nan, None), "falling counts"),
        (lambda: [][0], r"places raises IndexError: .*test_accounts\.py, line"),
    ],
)
def test_wrong_counts_are_one_line_and_found_by_the_check(places, why):
    with pytest.raises(RecommenderError, match=rf"^recommender saying: .*{why}") as caught:
        places_of(Saying(places))
    assert "\n" not in str(caught.value)
    with pytest.raises(RecommenderError, match=why):
        check_recommender(lambda: Saying(places))


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"f": min}, r"parameters\(\)\['f'\] is a builtin_function_or_method; expected plain values by name"),
        ({3: 1}, r"parameters\(\) has the key 3"),
        ([1], r"parameters\(\) is a list"),
    ],
)
def test_parameters_that_cannot_be_written_are_refused_before_the_folder_is_made(parameters, why, tmp_path):
    with pytest.raises(RecommenderError, match=rf"^recommender saying: {why}"):
        save(Saying(parameters=parameters), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_right_ones_come_through():
    said = Saying(Places(np.int64(5), 2, 1), {"k": np.int64(3), "text": "x", "all": (1, 2)})
    assert places_of(said) == Places(5, 2, 1)
    assert parameters_of(said)["all"] == (1, 2)
    check_recommender(lambda: Saying(Places(0, 0, 0)))


def test_the_protocol_asks_before_it_fits(monkeypatch):
    monkeypatch.setattr("recommenders.evaluation.protocol.create", lambda *_, **__: Saying(parameters={"f": min}))
    with pytest.raises(RecommenderError, match=r"parameters\(\)\['f'\]"):
        fit_for("saying", {}, None, 0)
