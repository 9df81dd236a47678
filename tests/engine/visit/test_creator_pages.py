"""Creators' pages: an act leads to them, and they show what one creator made; and what a search for a topic finds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.tables.tables import BY_CREATOR
from simulator.errors import InputError
from simulator.part import Published
from simulator.plan.compiler import compile_scenario
from simulator.platform.counters import PublishedCounters
from simulator.population.catalog import TrueCatalog, draw_catalog
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import compiled_of, edited, number
from tests.laws.plugins import Spy

NAME = "shortvideo"
WORLD: dict[str, Any] = {"users": 200, "items": 400, "horizon": "1d", "first_fit": "12h", "seed": 4}
OFTEN = {"respond.react.acts.profile_visit.base": number(0.2, "probability")}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, TrueCatalog, Spy]:
    path = edited(tmp_path_factory.mktemp("pages"), OFTEN, NAME)
    spy = Spy(seed=1)
    result = simulator.run(str(path), spy, **WORLD, serves="all")
    truth = result.truth.sort_values(["user", "session", "time"], kind="stable").reset_index(drop=True)
    return truth, draw_catalog(compile_scenario(load_scenario(path)), 400, 86400.0, 4), spy


def pages(truth: pd.DataFrame) -> pd.DataFrame:
    """The cards of pages, with what was watched before the page was opened, and when the page was."""
    visit = [truth["user"], truth["session"]]
    asked = (truth["event"] == "profile_visit").astype(int)
    watched = truth["item"].where(asked == 1).groupby(visit).ffill()
    page = asked.groupby(visit).cumsum()
    cards = truth[truth["event"] == "profile_card"].copy()
    cards["of"], cards["page"] = watched[cards.index].astype(int), page[cards.index]
    return cards


def test_a_page_shows_what_the_creator_of_the_video_made_and_nobody_recommends_there(lived):
    truth, catalog, spy = lived
    creator = catalog.items.state["creator"]
    cards = pages(truth)
    assert len(cards) > 1000
    assert (creator[cards["item"]] == creator[cards["of"]]).all()
    assert (cards["item"] != cards["of"]).all()
    assert (cards["propensity"] == 1).all()
    assert set(cards["stage"]) == {"page"}
    codes = {code for requests in spy.asked for code in np.unique(requests.stage)}
    assert compiled_of(NAME).names.stages.index("page") not in codes


def test_the_newest_come_first_and_each_once(lived):
    truth, catalog, _ = lived
    tick = compiled_of(NAME).scenario.clock.tick.value
    cards = pages(truth)
    out = np.ceil(catalog.published_at / tick)
    assert (catalog.published_at[cards["item"]] <= cards["time"]).all()
    for _, page in cards.groupby(["user", "session", "page"]):
        assert not page["item"].duplicated().any()
        assert (np.diff(out[page.sort_values("position")["item"]]) <= 0).all()


def test_what_was_just_played_is_not_on_the_page(lived):
    truth, _, _ = lived
    plays = truth[truth["event"].isin(["skip", "complete"])].groupby(["user", "session"])
    ring = 64
    cards = pages(truth)
    for visit, page in cards.groupby(["user", "session"]):
        played = plays.get_group(visit)
        for time, shown in page.groupby("time"):
            last = played[played["time"] < time]["item"].to_numpy()[-ring:]
            assert not set(last) & set(shown["item"])


def test_the_act_leads_there_and_the_visit_goes_on_from_it(lived):
    truth, catalog, _ = lived
    follows = truth["event"].astype(str).groupby([truth["user"], truth["session"]]).shift(-1)
    acts = {"like", "comment", "share", "follow", "hate", "profile_visit"}
    turned = (truth["event"] == "profile_visit") & ~follows.isin(acts)
    creator = catalog.items.state["creator"]
    alone = np.bincount(creator)[creator[truth["item"].where(turned, 0).astype(int)]] == 1
    after = follows[turned & ~alone].value_counts()
    # a card, the end of the visit, or the feed where everything of the creator was just watched or is not out yet
    assert after.get("profile_card", 0) > 0.5 * after.sum()
    assert set(after.index) <= {"profile_card", "leave", "impression"}
    assert "profile_card" not in set(follows[turned & alone])
    slates = [truth["user"], truth["session"], truth["request"]]
    from_slate = truth["stage"].isin(["search", "discover"]).groupby(slates).transform("any")
    picked = truth[(truth["event"] == "open") & (truth["propensity"] == 1) & ~from_slate]
    assert len(picked) > 20
    shown = pages(truth).groupby(["user", "session"])["item"].agg(set)
    assert all(row.item in shown[row.user, row.session] for row in picked.itertuples())


def test_menus_of_creators_lie_behind_each_other_from_the_end(lived):
    _, catalog, _ = lived
    items = catalog.items
    creator = items.state["creator"]
    for c in range(int(creator.max()) + 1):
        row = items.menus[len(items.menus) - 1 - c]
        assert row[3] == BY_CREATOR
        np.testing.assert_array_equal(np.sort(items.menu[row[0] : row[1]]), np.flatnonzero(creator == c))


def test_an_order_of_pages_has_to_be_known(tmp_path):
    path = edited(tmp_path, {"stages.page.ordered_by": "oldest"})
    with pytest.raises(InputError, match=r"stages\.page\.ordered_by names oldest"):
        check_scenario(load_scenario(path))


def test_an_act_leads_nowhere_in_a_case(tmp_path):
    content = json.loads(edited(tmp_path, {}, "ecommerce").read_text())
    name, block = next(iter(content["respond"].items()))
    block["acts"]["recommend"] = {
        "base": number(0.1, "probability"), "slope": number(1, "1/utility"), "detour": True,
    }  # fmt: skip
    content["stages"][name]["next"]["detour"] = "exit"
    content["observation"]["recommend"] = {"observer": "none"}
    path = tmp_path / "edited.yaml"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"stages\.{name}\.next\.detour: a case goes on without its user"):
        compile_scenario(load_scenario(path))


def test_baskets_are_not_filled_on_a_page(tmp_path):
    path = edited(tmp_path, {})
    content = json.loads(path.read_text())
    content["browse"]["page"]["picks"] = {"number": number(2, "items"), "event": "like"}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"browse\.page\.picks: this version cannot run it yet within creator"):
        compile_scenario(load_scenario(path))


def test_a_search_is_told_to_the_platform_and_answered_by_topic(lived):
    truth, catalog, spy = lived
    search = compiled_of(NAME).names.stages.index("search")
    topic = catalog.items.state["topic"]
    asked = 0
    for requests in spy.asked:
        told = requests.criteria[:, 0]
        assert np.isnan(told[requests.stage != search]).all()
        assert not np.isnan(told[requests.stage == search]).any()
        if (requests.stage == search).any():
            asked += 1
            same = topic[requests.candidates] == told[requests.stage == search][0]
            assert same.mean() > 0.4  # precision 0.8, of few
    assert asked > 10
    found = truth[(truth["stage"] == "search") & (truth["event"] == "impression")]
    assert set(np.unique(found["visible"])) == {
        sum(1 << compiled_of(NAME).names.modalities.index(m) for m in ("cover", "plays"))
    }


def test_a_cover_counts_plays_to_the_end(monkeypatch):
    counted: list[np.ndarray] = []
    publish = PublishedCounters.publish

    def keep(self: PublishedCounters, published: Published) -> None:
        counted.append(published.counters.copy())
        publish(self, published)

    monkeypatch.setattr(PublishedCounters, "publish", keep)
    new = {"scenario.supply.past": None}  # nothing was counted before
    truth = simulator.run(NAME, "random", users=60, items=100, horizon="12h", seed=1, **new).truth
    compiled = compiled_of(NAME)
    last = 12 * 3600.0 - compiled.scenario.clock.tick.value
    ended = truth[(truth["event"] == "complete") & (truth["time"] < last)]
    assert len(ended) > 500
    column = 1 + compiled.names.counters.index("complete")
    np.testing.assert_array_equal(counted[-1][:, column], np.bincount(ended["item"], minlength=100))
