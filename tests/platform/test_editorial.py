"""Places that editors fill: which, with what, and how the logs say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator
from recommenders.contract import Recommender, Slates
from simulator.plan.compiler import compile_scenario
from simulator.platform.editorial import Editors, usual_worth
from simulator.population.catalog import draw_catalog
from simulator.population.users import draw_users
from simulator.scenario.load import load_scenario, scenario_from
from simulator.scenario.strict_yaml import load_yaml
from tests.published import published

NAME = "news"
WORLD: dict[str, Any] = {"users": 80, "items": 300, "horizon": "12h", "seed": 3}
RULE = {"slots": 3, "every": {"value": 2, "unit": "h", "from": "estimate"}}


def content_with(**rules: dict[str, Any]) -> dict[str, Any]:
    """News with other editorial rules by surface."""
    content = load_yaml(str(load_scenario(NAME).path), NAME)
    for surface in content["surfaces"].values():
        surface.pop("editorial", None)
    for surface, rule in rules.items():
        content["surfaces"][surface]["editorial"] = RULE | rule
    return content


def written(folder: Path, **rules: dict[str, Any]) -> Path:
    (folder / "edited.yaml").write_text(json.dumps(content_with(**rules)))
    (folder / "edited.sources.yaml").write_text(json.dumps(load_scenario(NAME).sources))
    return folder / "edited.yaml"


def share(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "share", "from": "estimate"}


def desk(**rules: dict[str, Any]) -> tuple[Editors, Any, Any, Any]:
    compiled = compile_scenario(scenario_from(content_with(**rules), NAME, load_scenario(NAME).sources))
    catalog = draw_catalog(compiled, 800, 86400.0, 1)
    users = draw_users(compiled, catalog.items, 400, 1)
    return Editors(compiled, users, catalog.items, 1), compiled, catalog, users


def test_the_newest_are_the_last_that_were_published():
    editors, compiled, catalog, _ = desk(home={"picks": "newest"})
    home = compiled.names.surfaces.index("home")
    for time in (40000.0, 80000.0):
        there = catalog.available(time)
        editors.publish(published(np.zeros((800, 2), dtype=np.int64), there, time))
        picks = editors.picks(home, there)[0]
        assert len(picks) == 3
        others = np.setdiff1d(there, picks)
        assert catalog.published_at[picks].min() >= catalog.published_at[others].max()
        assert (np.diff(catalog.published_at[picks]) <= 0).all()


def test_the_popular_are_those_with_the_most_of_what_is_shown_as_a_count():
    editors, compiled, catalog, _ = desk(home={"picks": "popular"})
    there = catalog.available(0.0)
    counters = np.random.default_rng(1).integers(0, 100, (800, 1 + len(compiled.names.counters)))
    editors.publish(published(counters, there, 0.0))
    opens = counters[:, 1 + compiled.names.counters.index("open")]
    picks = editors.picks(compiled.names.surfaces.index("home"), there)[0]
    assert opens[picks].min() >= opens[np.setdiff1d(there, picks)].max()


def test_editors_who_see_all_pick_what_users_like_best_and_blind_ones_do_not():
    rules = {"home": {"picks": "best", "precision": share(1), "slots": 25},
             "river": {"picks": "best", "precision": share(0), "slots": 25}}  # fmt: skip
    editors, compiled, catalog, users = desk(**rules)
    there = catalog.available(0.0)
    editors.publish(published(np.zeros((800, 2), dtype=np.int64), there, 0.0))
    worth = usual_worth(compiled, users.taste, catalog.items)
    seeing = worth[editors.picks(compiled.names.surfaces.index("home"), there)[0]]
    blind = worth[editors.picks(compiled.names.surfaces.index("river"), there)[0]]
    assert seeing.min() > np.quantile(worth[there], 0.9)
    assert abs(blind.mean() - worth[there].mean()) < 4 * worth.std() / 5


def test_picks_stay_for_their_time_and_what_is_withdrawn_is_taken_off():
    editors, compiled, catalog, _ = desk(home={"picks": "newest"})
    home, counters = compiled.names.surfaces.index("home"), np.zeros((800, 2), dtype=np.int64)
    there = catalog.available(36000.0)
    editors.publish(published(counters, there, 36000.0))
    first = editors.picks(home, there)[0]
    later = catalog.available(42600.0)
    assert catalog.published_at[later].max() > catalog.published_at[first].max()
    editors.publish(published(counters, later, 42600.0))
    assert np.array_equal(editors.picks(home, later)[0], first)
    without = np.setdiff1d(later, first[:1]).astype(np.int32)
    editors.publish(published(counters, without, 43190.0))
    assert np.array_equal(editors.picks(home, without)[0], first[1:])
    editors.publish(published(counters, later, 43200.0))
    assert not np.array_equal(editors.picks(home, later)[0], first)


def test_what_does_not_pass_a_filter_is_not_put_on_top():
    editors, compiled, catalog, _ = desk(home={"picks": "newest"})
    home, there = compiled.names.surfaces.index("home"), catalog.available(36000.0)
    editors.publish(published(np.zeros((800, 2), dtype=np.int64), there, 36000.0))
    picks = editors.picks(home, there)[0]
    assert np.array_equal(editors.picks(home, picks[1:2])[0], picks[1:2])
    assert len(editors.picks(compiled.names.surfaces.index("mail"), there)[0]) == 0


class Told(Recommender):
    """The first candidates; keeps what it was asked for."""

    name = "told"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int, np.ndarray]] = []

    def recommend(self, requests):
        self.asked.append((int(requests.surface[0]), requests.slate_size, requests.candidates))
        assert len(np.unique(requests.surface == requests.surface[0])) == 1
        items = np.tile(requests.candidates[: requests.slate_size], (len(requests), 1))
        return Slates(items, np.full(items.shape, 0.25, np.float32))


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    told = Told()
    path = written(tmp_path_factory.mktemp("editors"), home={"picks": "best", "precision": share(0.6)})
    return told, simulator.run(path, told, **WORLD, first_fit="10min", serves="all").truth


def test_editors_fill_the_first_places_and_the_recommender_the_rest(lived):
    told, truth = lived
    compiled = compile_scenario(load_scenario(NAME))
    home = compiled.names.surfaces.index("home")
    sizes = {surface: {size for s, size, _ in told.asked if s == surface} for surface, _, _ in told.asked}
    assert sizes[home] == {27}
    assert sizes[compiled.names.surfaces.index("river")] == {30}
    cards = truth[(truth["event"] == "impression") & (truth["policy_version"] > 0) & (truth["surface"] != "push")]
    top = (cards["surface"] == "home") & (cards["position"] < 3)
    assert top.sum() > 200
    assert (cards[top]["propensity"] == 1.0).all()
    assert (cards[~top]["propensity"] == 0.25).all()


def test_all_see_the_same_picks_until_they_are_made_anew(lived):
    _, truth = lived
    cards = truth[(truth["event"] == "impression") & (truth["surface"] == "home") & (truth["position"] < 3)]
    begun = cards.groupby(["user", "session", "request"])["time"].transform("min")
    cards = cards[(begun % 7200.0 > 60.0) & (begun % 7200.0 < 7140.0)]  # the slate is sent a little before
    by_time = cards.groupby([cards["time"] // 7200.0, "position"])["item"].nunique()
    assert (by_time <= 2).all()  # a pick may be withdrawn, and the next moves up
    assert (by_time == 1).mean() > 0.6
    assert cards.groupby("position")["item"].nunique().max() > 1


def test_nothing_is_shown_twice_in_a_slate(lived):
    _, truth = lived
    cards = truth[truth["event"] == "impression"]
    assert not cards.duplicated(["user", "session", "request", "item"]).any()


def test_a_surface_that_is_all_editors_asks_for_little(tmp_path):
    told = Told()
    path = written(tmp_path, river={"picks": "popular", "slots": 30})
    truth = simulator.run(path, told, **WORLD, first_fit="10min", serves="all").truth
    river = compile_scenario(load_scenario(path)).names.surfaces.index("river")
    asked = [size for surface, size, _ in told.asked if surface == river]
    assert len(asked) < 0.2 * len(told.asked)
    assert max(asked, default=0) < 10  # in place of what was withdrawn since the editors met
    cards = truth[(truth["event"] == "impression") & (truth["surface"] == "river")]
    assert len(cards) > 200
    assert (cards[cards["policy_version"] > 0]["propensity"] == 1.0).mean() > 0.9
