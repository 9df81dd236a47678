"""The schema: keys become attributes, values SI, and whatever is wrong one line."""

import json

import pytest

from simulator.errors import InputError
from simulator.scenario.checks.provenance import claims_in
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import content_hash, scenario_json_schema
from simulator.scenario.strict_yaml import load_yaml

HERE = "scenarios/shortvideo.yaml: "


def test_shortvideo_by_its_keys():
    scenario = load_scenario("shortvideo")
    written = load_yaml(scenario.path)
    tick = written["clock"]["tick"]
    assert (scenario.clock.tick.unit, scenario.clock.tick.provenance) == (tick["unit"], tick["from"])
    assert scenario.clock.tick.value == tick["value"] * {"min": 60, "h": 3600}[tick["unit"]]
    assert scenario.browse["discover"].continue_.value == written["browse"]["discover"]["continue"]["value"]
    back = written["user"]["return_after"]
    assert back["unit"] == "h"
    assert (scenario.user.return_after.scale, scenario.user.return_after.shape) == (3600 * back["scale"], back["shape"])
    assert scenario.stages["feed"].next == written["stages"]["feed"]["next"]
    assert scenario.facets["topic"].clusters == written["facets"]["topic"]["clusters"]


def test_settings_are_seconds_and_targets_stay_as_written(spoiled):
    scenario = spoiled({"platform.refit": "6h", "defaults.horizon": "2d", "platform.first_fit": 90})
    assert scenario.platform.refit == 21600
    assert scenario.defaults.horizon == 172800
    assert scenario.platform.first_fit == 90
    target = {"value": 106.9, "unit": "min", "see": "B0"}
    assert spoiled({"targets.minutes": target}).targets["minutes"].value == 106.9


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("user.budget.median", -2, "user.budget.median = -2; expected a positive number of seconds"),
        ("clock.tick.value", -1, "clock.tick.value = -1; expected a number of minutes that is not negative"),
        ("consume.watch.seek.value", 1.2, "consume.watch.seek.value = 1.2; expected a probability between 0 and 1"),
        ("facets.topic.share.value", "0.3", "facets.topic.share.value = 0.3; expected a number"),
        ("facets.topic.share.value", True, "facets.topic.share.value = true; expected a number"),
        ("facets.topic.dimensions", 1.5, "facets.topic.dimensions = 1.5; expected a whole number"),
        ("facets.topic.dimensions", 0, "facets.topic.dimensions = 0; expected greater than 0"),
        ("user.budget.unit", "secs", "user.budget.unit = secs; expected"),
        ("user.budget.unit", "utility", "user.budget.unit = utility; expected a unit of time"),
        ("browse.discover.temperature.value", 0, "browse.discover.temperature.value = 0; expected a positive number"),
        ("user.bugdet", 3, "user.bugdet; unknown key; did you mean budget?"),
        ("users", 3, "users; unknown key; did you mean user?"),
        ("surfaces.discover.layout", "gird", "surfaces.discover.layout = gird; did you mean grid?"),
        ("stages.watch.kind", "consum", "stages.watch.kind = consum; did you mean consume?"),
        ("modalities.likes.kind", "readuot", "modalities.likes.kind = readuot; expected one of image"),
        ("clock.tick.from", "guess", "clock.tick.from = guess; expected one of sourced, calibrated, estimate"),
        ("clock.tick.from", "sourced", "clock.tick.see is missing; a number that is sourced needs a key"),
        ("clock.tick.from", "calibrated", "clock.tick.see is missing; a number that is calibrated needs"),
        ("platform.refit", "six hours", "platform.refit = six hours; expected a duration"),
        ("platform.refit", 0, "platform.refit = 0; expected a duration"),
        ("defaults.horizon", "-2d", "defaults.horizon = -2d; expected a duration"),
        ("user.hours.profile", [1, 2], "user.hours.profile = a list of 2 numbers; expected 24"),
        ("targets.long_view_rate.value", 1.5, "targets.long_view_rate.value = 1.5; expected a share between 0 and 1"),
        ("stages.Feed!", {"kind": "browse", "next": {}}, "key stages.Feed!; expected a name"),
        ("observation.hesitate.lag", {"value": 1, "unit": "s", "from": "estimate"}, "observation.hesitate.lag; nobody"),
        ("observation.like.lag", None, "observation.like.lag is missing; an event that the platform records needs"),
        ("stages.feed", 3, "stages.feed = 3; expected a table of keys"),
        ("measures", "plays", "measures = plays; expected a list"),
    ],
)
def test_what_is_wrong_is_one_line_with_key_and_value(spoiled, path, value, line):
    with pytest.raises(InputError) as error:
        spoiled({path: value})
    assert str(error.value).startswith(HERE + line)
    assert "\n" not in str(error.value)
    assert "more error" not in str(error.value)


def test_a_missing_key(spoiled):
    with pytest.raises(InputError, match=r"user\.patience is missing"):
        spoiled(delete=("user.patience",))
    with pytest.raises(InputError, match=r"clock\.tick\.from is missing"):
        spoiled(delete=("clock.tick.from",))


def test_several_errors_are_counted(spoiled):
    with pytest.raises(InputError, match=r"clock\.tick\.value = -1; .* \(and 2 more errors\)"):
        spoiled({"clock.tick.value": -1, "user.budget.median": -2, "user.churn.value": 3})


def test_a_lag_may_be_a_distribution(spoiled):
    lag = {"dist": "lognormal", "median": 2, "sigma": 1, "unit": "min", "from": "estimate"}
    assert spoiled({"observation.like.lag": lag}).observation["like"].lag.median == 120
    lag = {"dist": "lognormal", "median": -2, "sigma": 1, "unit": "min", "from": "estimate"}
    with pytest.raises(InputError, match=r"observation\.like\.lag\.median = -2; expected a positive number of minutes"):
        spoiled({"observation.like.lag": lag})


def test_shares_of_successors(spoiled):
    half = {"value": 0.5, "unit": "share", "from": "estimate"}
    scenario = spoiled({"stages.react.next.continue": {"feed": half, "discover": half}})
    assert scenario.stages["react"].next["continue"]["feed"].value == 0.5


def test_nothing_can_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        load_scenario("shortvideo").clock.tick.value = 3


def test_every_number_of_the_file_is_found_by_the_walk():
    scenario = load_scenario("shortvideo")
    content = {key: value for key, value in load_yaml(scenario.path).items() if key != "verdicts"}  # a choice is none
    written = json.dumps(content)  # which takes apart what aliases make one
    assert len(dict(claims_in(scenario))) == written.count('"from": ')


def test_the_hash_is_that_of_the_content():
    assert content_hash({"a": 1, "b": {"c": 2.0}}) == content_hash({"b": {"c": 2}, "a": 1.0})
    assert content_hash({"a": 1}) != content_hash({"a": 2})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})


def test_the_json_schema_knows_keys_and_closed_sets():
    schema = json.loads(json.dumps(scenario_json_schema()))
    assert "continue" in schema["$defs"]["BrowseParameters"]["properties"]
    assert "from" in schema["$defs"]["Number"]["required"]
    assert schema["$defs"]["Stage"]["properties"]["kind"]["enum"][0] == "browse"
    assert schema["additionalProperties"] is False
