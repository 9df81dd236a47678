"""What check_scenario refuses: each case is the shipped scenario with one thing spoiled."""

from typing import Any

import pytest

from simulator.errors import InputError
from simulator.scenario.checks.check import WRONG, breaches, check_scenario
from simulator.scenario.life_cycle import entries, possible_events
from simulator.scenario.load import available_scenarios, load_scenario


def _number(value: float, unit: str = "share") -> dict[str, Any]:
    return {"value": value, "unit": unit, "from": "estimate"}


@pytest.mark.parametrize("name", available_scenarios())
def test_shipped_scenarios_hang_together(name):
    check_scenario(load_scenario(name))


def test_what_the_life_cycle_can_emit():
    scenario = load_scenario("shortvideo")
    assert entries(scenario) == ["feed", "discover", "search"]
    assert set(possible_events(scenario)) == set(scenario.observation)


TELLING = {"signal": _number(1, "correlation"), "precision": _number(1, "1/utility^2")}
STAGE = {"kind": "respond", "surface": "fullscreen", "next": {"continue": "feed", "detour": "page", "leave": "exit"}}


def _measured(reading: str, **given: object) -> dict[str, object]:
    return {"targets.valid_play_rate.measure": {"reading": reading, **given}}


CASES: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    # shares
    ({"facets.topic.share": _number(0.99)}, (), "facets: shares with that of idiosyncratic add up to 1."),
    ({"item_types.howto.share": _number(0.99)}, (), "item_types: shares add up to 1."),
    ({"devices.pc.share": _number(0.99)}, (), "devices: shares add up to 1."),
    ({"stages.feed.entry": _number(0.01)}, (), "stages: shares of entry add up to 0."),
    ({"stages.react.next.continue": {"feed": _number(0.4)}}, (), "stages.react.next.continue: shares add"),
    # names
    ({"satiation_facet": "topics"}, (), "satiation_facet names topics, which does not exist; did you mean topic?"),
    ({"satiation_facet": "style"}, (), "satiation_facet = style has no clusters"),
    ({"user.interests": _number(9999, "clusters")}, (), "user.interests.value = 9999; expected 1 to "),
    ({"modalities.author.tells": {"mood": TELLING}}, (), "modalities.author.tells names mood"),
    ({"modalities.likes.averages": "like"}, (), "modalities.likes: a readout; expected either counts or averages"),
    ({"surfaces.discover.shows.browse": ["cover", "captoin"]}, (),
     "surfaces.discover.shows.browse names captoin, which does not exist; did you mean caption?"),
    ({"surfaces.discover.shows.browse": ["cover", "cover"]}, (), "surfaces.discover.shows.browse repeats a modality"),
    ({"surfaces.discover.visible": {"phone": 4}}, (), "surfaces.discover.visible.pc is missing"),
    ({"surfaces.discover.visible.tv": 4}, (), "surfaces.discover.visible names tv"),
    ({"surfaces.discover.hidden": {"phone": ["video"]}}, (), "surfaces.discover.hidden.phone names video"),
    ({"surfaces.fullscreen.shows.browse": ["cover"]}, (),
     "surfaces.fullscreen.shows.browse on a surface with layout autoplay; expected []"),
    ({"surfaces.discover.editorial": {"slots": 30, "every": _number(1, "h"), "picks": "best"}}, (),
     "surfaces.discover.editorial.slots = 30; expected at most"),
    ({"stages.preview.surface": "discovery"}, (), "stages.preview.surface names discovery"),
    ({}, ("stages.preview.surface",), "stages.preview.surface is missing"),
    ({"stages.watch.about": "last"}, (), "stages.watch.about: a consume stage asks for no slate; expected a browse"),
    ({}, ("surfaces.fullscreen.shows.respond",), "surfaces.fullscreen.shows.respond is missing; stage react"),
    ({"item_types.howto.weights": {"mood": _number(1, "ratio")}}, (), "item_types.howto.weights names mood"),
    # blocks
    ({}, ("consume.watch",), "consume.watch is missing; stage watch of kind consume needs its parameters"),
    ({}, ("browse.discover",), "browse.discover is missing"),
    ({"item_types.howto.duration": None}, (), "item_types.howto.duration is missing; stage watch plays items"),
    ({"respond.react.followed_bonus": None}, (), "respond.react.followed_bonus is missing; respond.react.acts.follow"),
    ({"consume.watch.pause": _number(0.1)}, (), "stages.watch.next.pause is missing; consume.watch.pause needs it"),
    # the life cycle
    ({}, ("stages.watch.next.skip",), "stages.watch.next.skip is missing; expected a successor for each of"),
    ({"stages.watch.next.skipp": "react"}, (),
     "stages.watch.next.skipp: consume has no such outcome; did you mean skip?"),
    ({"stages.watch.next.skip": "recat"}, (), "stages.watch.next.skip = recat; did you mean react?"),
    ({"stages.watch.starts": {"skip": "deliver"}}, (), "stages.watch.starts.skip = deliver; did you mean discover?"),
    ({"stages.watch.events": {"confirm": "order"}}, (), "stages.watch.events.confirm: not an outcome in next"),
    ({"stages.discover.next.select": "watch"}, (), "stages.preview is never reached; expected a way to it"),
    ({"stages.feed.next": {"select": "watch", "exhausted": "feed", "leave": "feed"},
      "stages.react.next": {"continue": "feed", "detour": "page", "leave": "feed"}}, (),
     "stages.feed never ends; expected a way"),
    ({}, ("stages.feed.entry", "stages.discover.entry", "stages.search.entry"), "stages: no stage has an entry"),
    ({}, ("stages.react.next.detour",),
     "stages.react.next.detour is missing; respond.react.acts: one with detour needs it"),
    ({"respond.react.acts.profile_visit.detour": False}, (),
     "respond.react.acts: one with detour is missing; stages.react.next.detour needs it"),
    ({"stages.page.children_of": "creater"}, (),
     "stages.page.children_of names creater, which does not exist; did you mean creator?"),
    # observation, labels
    ({}, ("observation.like",), "observation.like is missing; the life cycle can emit it"),
    ({"observation.likes": {"observer": "none"}}, (), "observation.likes: no stage emits it; did you mean like?"),
    ({"observation.like": {"observer": "none"}}, (), "modalities.likes.counts = like: nobody records it"),
    ({"platform.label": "long_views"}, (), "platform.label = long_views; did you mean long_view?"),
    ({"platform.labels.like.events": ["hesitate"]}, (),
     "platform.labels.like.events = hesitate: nobody records it"),
    ({"platform.labels.long_view.or_item": "length"}, (), "platform.labels.long_view.or_item = length"),
    ({"measures": ["plays", "visits", "plays"]}, (), "measures: plays is repeated"),
    ({f"respond.react.acts.{act}.positive": False for act in ("like", "comment", "share", "follow")}, (),
     "measures: positive_interaction_rate, and no act is positive; expected positive: true"),
    # times
    ({"clock.tick": _number(0, "min")}, (), "clock.tick.value = 0; expected a positive time"),
    ({"clock.starts_at": _number(24, "h")}, (), "clock.starts_at = 86400 s; expected an hour of the day"),
    ({"user.hours.profile": [1.0] * 7}, (), "user.hours.profile has 7 numbers; expected 24"),
    # provenance
    ({"clock.tick": {**_number(15, "min"), "see": "B33"}}, (), "clock.tick.see = B33; expected a key of the sources"),
    ({"targets.valid_play_rate.see": "kuairand"}, (), "targets.valid_play_rate.see = kuairand"),
    # what targets measure
    (_measured("visits_with", events=["likes"]), (),
     "targets.valid_play_rate.measure.events names likes, which does not exist; did you mean like?"),
    (_measured("followed", events=["like"], by=["order"]), (), "targets.valid_play_rate.measure.by names order"),
    (_measured("visits_with", events=["like"], devices=["tv"]), (), "targets.valid_play_rate.measure.devices names tv"),
    (_measured("visits_with", events=["like"], types=["song"]), (), "targets.valid_play_rate.measure.types names song"),
    (_measured("items", attribute="price", quantile=0.5), (), "targets.valid_play_rate.measure.attribute names price"),
    (_measured("mean", events=["like"], late=True), (), "targets.valid_play_rate.measure.late: nothing is promised"),
    (_measured("age", events=["like"], quantile=0.5), (),
     "targets.valid_play_rate.unit = share; expected a unit of time: that is what age gives"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "delete", "line"), CASES)
def test_one_thing_spoiled_is_one_clear_line(spoiled, changes, delete, line):
    scenario = spoiled(changes, delete)
    with pytest.raises(InputError) as error:
        check_scenario(scenario)
    assert str(error.value).startswith(f"scenarios/shortvideo.yaml: {line}")
    assert "\n" not in str(error.value)


def test_a_stage_that_nothing_leads_to(spoiled):
    respond = load_scenario("shortvideo").respond["react"].model_dump(by_alias=True, exclude_none=True)
    scenario = spoiled({"stages.lost": STAGE, "respond.lost": respond})
    with pytest.raises(InputError, match=r"stages\.lost is never reached; expected a way to it from an entry \(feed"):
        check_scenario(scenario)


def test_an_event_that_cannot_happen_needs_no_row(spoiled):
    check_scenario(spoiled({"consume.watch.seek": _number(0, "probability")}, delete=("observation.seek",)))


def test_a_block_without_a_stage(spoiled):
    scenario = spoiled()
    block = scenario.model_copy(update={"consume": {**scenario.consume, "wach": scenario.consume["watch"]}})
    with pytest.raises(InputError, match=r"consume\.wach: no stage of kind consume is called so; did you mean watch"):
        check_scenario(block)


def test_all_breaches_of_the_first_topic_that_has_any_are_found(spoiled):
    """What a later topic would say of them is not asked: its rules count on the names."""
    wrong = {
        "satiation_facet": "topics", "stages.preview.surface": "discovery", "surfaces.discover.visible.tv": 4,
        "clock.tick": _number(0, "min"),
    }  # fmt: skip
    found = [wrong.split(" names ")[0] for wrong, _ in breaches(WRONG, spoiled(wrong))]
    assert found == ["satiation_facet", "surfaces.discover.visible", "stages.preview.surface"]


@pytest.mark.parametrize("name", available_scenarios())
def test_a_scenario_that_hangs_together_breaks_no_rule(name):
    assert list(breaches(WRONG, load_scenario(name))) == []
