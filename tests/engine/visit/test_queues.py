"""Queues and pages: what is still to come of a slate, and the episodes of a show, from which one is played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import bench, edited, number, spoilt, step, threshold

NAME = "audio"
WORLD: dict[str, Any] = {"users": 300, "items": 800, "horizon": "3d", "first_fit": "1d", "seed": 3}
SLATE = ["user", "session", "request"]


def share(value: float) -> dict[str, object]:
    return number(value, "share")


OFTEN = {
    "stages.react.next.continue": {"radio": share(0.3), "queue": share(0.3), "show_page": share(0.4)},
    "item_types.music.share": share(0.5), "item_types.episode.share": share(0.5),
    "browse.queue.outside_option": number(0.2, "utility"), "browse.show_page.outside_option": number(0.2, "utility"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = edited(tmp_path_factory.mktemp("queues"), OFTEN, NAME)
    return simulator.run(path, "random", **WORLD).truth.sort_values("time", kind="stable")


def played(truth: pd.DataFrame) -> pd.DataFrame:
    """The beginnings of plays."""
    return truth[truth["case"].notna() & truth["event"].isin(["impression", "open"])]


# ---- a queue --------------------------------------------------------------------------------------------------------


def test_a_queue_shows_what_its_slate_still_has_to_come_with_its_propensities(lived):
    cards = lived[(lived["event"] == "queue_card") & (lived["stage"] == "queue")]
    assert len(cards) > 500
    starts = played(lived).set_index([*SLATE, "position"])
    for (user, session, request), own in cards.groupby(SLATE):
        assert (own["propensity"] > 0).all()
        for card in own.itertuples():
            key = (user, session, request, card.position)
            if key in starts.index:  # what was shown there is what plays there, later
                start = starts.loc[[key]]
                assert len(start) == 1
                assert start["item"].iloc[0] == card.item
                assert start["time"].iloc[0] > card.time
                assert start["propensity"].iloc[0] == card.propensity


def test_what_is_chosen_in_a_queue_is_played_next_and_what_came_before_it_is_passed_over(lived):
    from_queue = played(lived)[lambda t: t["event"] == "open"]
    cards = lived[lived["event"] == "queue_card"]
    both = from_queue.merge(cards, on=[*SLATE, "position", "item"], suffixes=("", "_card"))
    both = both[both["time"] >= both["time_card"]]
    assert len(both) > 50
    assert (both["position"] > 0).mean() > 0.3
    places = played(lived)[lambda t: t["position"] < 10].groupby(SLATE)["position"]
    assert places.apply(lambda own: (np.diff(own) > 0).all()).mean() > 0.95  # later ones come later; see pages below


def test_nobody_opens_the_queue_of_another_stage_or_without_a_screen(lived):
    cards = lived[lived["event"] == "queue_card"]
    assert (cards["device"] != "car").all()
    keys = set(cards[SLATE].itertuples(index=False, name=None))
    asked = lived[(lived["event"] == "impression") & lived["stage"].isin(["home", "search"])]
    assert len(asked) > 100
    assert not keys & set(asked[SLATE].itertuples(index=False, name=None))


def test_closing_a_queue_goes_on_where_the_slate_was():
    of = bench(NAME)
    stage = of.compiled.names.stages.index("queue")
    stages = of.compiled.plan.stages.copy()
    demands = of.compiled.plan.demands.copy()
    demands[stage] = 50.0  # nothing is good enough
    stages["carries_on"][stage] = 0.0
    of = of.with_plan(stages=stages, demands=demands)
    rows = threshold(of, stage, 0)
    after = step(of, rows)
    assert len(after.records) > 0
    assert (after.rows["position"] == rows.state["position"]).all()
    radio = of.compiled.names.stages.index("radio")
    assert (after.rows["stage"] == radio).all()
    assert (after.rows["slate_stage"] == radio).all()
    assert (after.rows["request"] == rows.state["request"]).all()


# ---- a page of one show ---------------------------------------------------------------------------------------------


def test_a_page_shows_the_episodes_of_the_show_just_heard_the_newest_first(lived, tmp_path):
    cards = lived[lived["event"] == "episode_card"]
    assert len(cards) > 300
    compiled = compile_scenario(load_scenario(edited(tmp_path, OFTEN, NAME)))
    catalog = draw_catalog(compiled, WORLD["items"], 3 * 86400.0, WORLD["seed"])
    show = catalog.public.columns["show"][cards["item"].to_numpy(dtype=np.int64)]
    assert (show >= 0).all(), "songs have no page"
    tick = load_scenario(NAME).clock.tick.value
    appeared = np.ceil(catalog.published_at[cards["item"].to_numpy(dtype=np.int64)] / tick)
    pages = cards.assign(show=show, appeared=appeared).sort_values(["user", "session", "position"])
    before = dict(list(lived[lived["event"].isin(["skip", "complete"])].groupby(["user", "session"])))
    for (user, session), own in pages.groupby(["user", "session"]):
        heard = before[user, session]
        for card in own.itertuples():
            last = heard[heard["time"] <= card.time]["item"].iloc[-1]
            assert catalog.public.columns["show"][int(last)] == card.show
        for _, screen in own.groupby("time"):
            assert (np.diff(screen["appeared"]) <= 0).all()
            assert screen["show"].nunique() == 1
    assert (cards["propensity"] == 1).all()


def test_places_of_pages_are_behind_those_of_the_slate_so_that_every_play_has_luck_of_its_own(lived):
    cards = lived[lived["event"] == "episode_card"]
    starts = played(lived)
    assert not starts.duplicated([*SLATE, "position"]).any(), "two plays of one visit under one key"
    from_page = starts.merge(cards, on=[*SLATE, "position", "item"])
    assert len(from_page) > 30
    assert (from_page["event_x"] == "open").all()


# ---- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("stages.queue.queue_of", "up_next", "stages.queue.queue_of = up_next: it asks for no slate"),
        ("stages.queue.shows_parents", "show", "parents.show.knowledge is missing"),
        ("stages.queue.queue_of", "listen", "stages.queue.queue_of names listen"),
        ("stages.queue.card_event", None, "stages.queue.card_event is missing"),
        ("stages.queue.children_of", "show", "stages.queue.children_of beside queue_of"),
        ("stages.queue.next.leave", "show_page", "stages.queue.next.leave = show_page: nothing was chosen there"),
        ("stages.queue.entry", number(0.0, "share"), None),
        ("surfaces.queue.layout", "autoplay", "surfaces.queue.shows.browse on a surface with layout autoplay"),
        ("stages.show_page.ordered_by", "nowest", "stages.show_page.ordered_by names nowest"),
        ("criteria.query.stated_in", ["queue"], "criteria.query.stated_in = queue: nobody is asked there"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(tmp_path, path, value, line):
    def checked() -> None:
        scenario = load_scenario(spoilt(tmp_path, path, value, NAME))
        check_scenario(scenario)
        compile_scenario(scenario)

    if line is None:
        checked()
        return
    with pytest.raises(InputError) as error:
        checked()
    assert line in str(error.value)
    assert "\n" not in str(error.value)
