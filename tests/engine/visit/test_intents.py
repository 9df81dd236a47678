"""What visits are for: who only browses demands more, and first visits have shares of their own."""

from __future__ import annotations

import pytest

import simulator
from tests.laws.harness import edited, number

NAME = "ecommerce"
WORLD = {"users": 300, "items": 150, "horizon": "20d", "first_fit": "19d", "seed": 5}
NEVER = number(60, "utility")


def share(value):
    return number(value, "share")


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The truth of a world where only first visits are for buying."""
    intents = {
        "buying": {"share": share(0), "first": share(1), "reluctance": {}},
        "browsing": {"share": share(1), "first": share(0), "reluctance": {"checkout": NEVER}},
    }
    edits = {"user.intents": intents, "user.first_arrival.high": 3.0, "commit.checkout.defer.probability": share(0)}
    edits["commit.checkout.defer.probability"] = number(0, "probability")
    path = edited(tmp_path_factory.mktemp("first"), edits, NAME)
    return simulator.run(path, "random", **WORLD).truth


def test_who_browses_takes_nothing_to_the_end(lived):
    orders = lived[lived["event"] == "order"]
    assert len(orders) > 5
    assert (orders["session"] == 0).all()


def test_who_browses_still_opens_and_fills_carts(lived):
    later = lived[lived["session"] > 0]["event"].value_counts()
    assert later["open"] > 100
    assert later["add_to_cart"] > 10
