"""Cues: what their readers expect of them."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.plan.compiler import compile_scenario
from simulator.scenario.load import load_scenario


@pytest.mark.parametrize(("discount", "signal", "doubt"), [(1.0, 0.4, 0.84), (0.5, 0.7, 0.51), (0.0, 1.0, 0.0)])
def test_readers_expect_of_a_published_number_what_it_is_said_to_tell(discount, signal, doubt):
    """Half a discount goes half the way; at face value, a number that the platform counts is taken for the truth."""
    number = {"value": 0.4, "unit": "correlation", "from": "estimate"}
    changes = {"modalities.rating.tells.quality.signal": number, "discount": discount}
    compiled = compile_scenario(load_scenario("ecommerce", changes))
    cues = compiled.plan.cues
    rating = cues[cues["readout"] >= 0]
    assert len(rating) == 1
    np.testing.assert_allclose((rating["signal"][0], rating["doubt"][0]), (signal, doubt))


def test_a_published_number_without_a_signal_is_taken_at_face_value():
    cues = compile_scenario(load_scenario("fooddelivery", {"modalities.rating.tells.quality.signal": None})).plan.cues
    rating = cues[cues["readout"] >= 0]
    assert (rating["signal"][0], rating["doubt"][0]) == (1.0, 0.0)
