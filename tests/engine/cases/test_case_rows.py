"""What logs hold of cases: verdicts on what never came, promises, both sides of a match, and words beside stars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from tests.worlds import TinyWorld, claim, exponential

PROBABLE, NEVER = claim(0.999999, "probability"), claim(0.0, "probability")
HIDDEN = {"observer": "none"}


def rows(world: TinyWorld, event: str) -> np.ndarray:
    """Rows of one event, by user."""
    found = world.records
    return np.sort(found[found["event"] == world.compiled.names.codes[event]], order="user")


def refusing(worth: float, rates: bool, acts: list[str]) -> TinyWorld:
    """A world where everything is refused and its users hear of it; whoever judges complains, and rates if they may."""
    slope = claim(0.0, "1/utility")
    world = TinyWorld(
        [{"step": "accept", "delay": exponential(60.0), "passes": NEVER}], {},
        edits={
            "stages.delivery.next": {"done": "use", "refused": "verdict", "cancelled": "verdict"},
            "respond.verdict.never_came": {"worth": claim(worth, "utility"), "rates": rates, "acts": acts},
            "respond.verdict.acts": {
                "ask_support": {"base": PROBABLE, "slope": slope}, "thank": {"base": PROBABLE, "slope": slope},
            },
            "respond.verdict.returns.base": PROBABLE,
            "respond.verdict.rating.base": PROBABLE,
            "respond.verdict.rating.slope": slope,
            "observation.ask_support": HIDDEN,
            "observation.thank": HIDDEN,
        },
        ends=False,
    )  # fmt: skip
    world.decide(np.zeros(40), np.arange(40), np.zeros(40, dtype=np.int64))
    world.run(1e8)
    return world


@pytest.mark.parametrize("rates", [True, False])
def test_what_never_came_is_judged_by_what_that_is_worth(rates: bool) -> None:
    world = refusing(-3.0, rates, ["ask_support"])
    complaints, ratings = rows(world, "ask_support"), rows(world, "rate")
    assert len(complaints) == 40
    assert len(ratings) == (40 if rates else 0)
    assert (complaints["satisfaction"] < -1.0).all()
    assert (ratings["value"] <= 2.0).all()
    assert len(rows(world, "thank")) == 0  # not among the acts that they may do
    assert len(rows(world, "return")) == 0  # nothing is there to send back
    assert (world.users.state["goodwill"][:40] < world.users.state["own_goodwill"][:40]).all()


def test_the_less_it_is_worth_the_less_satisfied_they_are() -> None:
    bad, worse = (rows(refusing(worth, False, ["ask_support"]), "ask_support") for worth in (-1.0, -2.0))
    assert (worse["satisfaction"] < bad["satisfaction"]).all()


BY_WAY = {"stages.delivery.next": {"done": "use", "refused": "verdict", "cancelled": "exit"}}
NOTHING = {"worth": claim(-1.0, "utility")}


@pytest.mark.parametrize(
    ("edits", "wrong"),
    [
        (BY_WAY, "respond.verdict.never_came is missing"),
        ({"respond.verdict.never_came": NOTHING}, "respond.verdict.never_came"),
        ({**BY_WAY, "respond.verdict.never_came": {**NOTHING, "acts": ["cheer"]}}, "never_came.acts names cheer"),
        ({"fulfil.delivery.announced": "told", "observation.told": HIDDEN}, "fulfil.delivery.promise is missing"),
    ],
)
def test_what_would_be_judged_by_nothing_is_refused(edits: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        TinyWorld([{"step": "accept", "delay": exponential(60.0)}], {}, edits=edits, ends=False)


def test_a_promise_is_told_when_the_case_begins() -> None:
    steps = [{"step": "make", "event": "shipped", "delay": claim(600.0, "s")}]
    world = TinyWorld(
        steps, {}, delivery={"promise": "eta", "announced": "told"},
        edits={
            "promises.eta": {"stage": "delivery", "steps": ["make"], "padding": claim(60.0, "s")},
            "observation.told": HIDDEN,
        },
    )  # fmt: skip
    world.cases.tell_waits(0.0)
    world.decide(np.arange(30) * 10.0, np.arange(30), np.zeros(30, dtype=np.int64))
    world.run(1e6)
    told = rows(world, "told")
    assert np.array_equal(told["time"], np.arange(30) * 10.0)
    assert np.allclose(told["value"], 660.0, atol=1.0)


def test_a_judgment_and_the_match_that_it_is_about_are_logged() -> None:
    chooser = {
        "per": "creator", "facet": "quality", "agreement": claim(0.4, "share"),
        "knowledge": {"dist": "beta", "a": 4, "b": 2, "unit": "share", "from": "estimate"},
        "threshold": claim(0.5, "utility"), "temperature": claim(0.3, "utility"),
        "judgment": "judged", "match": "fits",
    }  # fmt: skip
    steps = [{"step": "choose", "event": "shipped", "delay": exponential(60.0), "chosen_by": "employer"}]
    edits = {"choosers": {"employer": chooser}, "observation.judged": HIDDEN, "observation.fits": HIDDEN}
    world = TinyWorld(steps, {}, users=400, edits=edits)
    world.decide(np.zeros(400), np.arange(400), np.arange(400) % 20)
    world.run(1e6)
    judged, fits, passed = rows(world, "judged"), rows(world, "fits"), rows(world, "shipped")["user"]
    assert np.isin(judged["user"], passed).tolist() == (judged["value"] > 0.5).tolist()
    assert np.array_equal(judged["user"], np.arange(400))
    assert 0.4 < np.corrcoef(judged["value"], fits["value"])[0, 1] < 0.95
    assert 0.4 < fits["value"].std() < 1.6  # about 1: it differs by world
    assert np.isnan(judged["logged_at"]).all()


@pytest.mark.parametrize(("slope", "low", "high"), [(0.0, 0.3, 0.5), (20.0, 0.8, 1.0)])
def test_the_more_they_felt_the_more_of_those_who_rate_write(slope: float, low: float, high: float) -> None:
    text = {"event": "review_text", "base": claim(0.4, "probability"), "slope": claim(slope, "1/utility")}
    edits = {
        "respond.verdict.rating.base": PROBABLE, "respond.verdict.rating.text": text, "observation.review_text": HIDDEN,
        "stages.delivery.next": {"done": "use", "refused": "exit", "cancelled": "exit"},
    }  # fmt: skip
    world = TinyWorld([{"step": "make", "delay": exponential(60.0)}], {}, users=400, edits=edits, ends=False)
    world.decide(np.zeros(400), np.arange(400), np.arange(400) % 20)
    world.run(1e8)
    rated, words = rows(world, "rate"), rows(world, "review_text")
    assert low < len(words) / len(rated) < high
    of_writers = rated[np.isin(rated["user"], words["user"])]
    assert np.array_equal(words["value"], of_writers["value"])
    assert np.array_equal(words["case"], of_writers["case"])
    assert np.array_equal(words["time"], of_writers["time"])
