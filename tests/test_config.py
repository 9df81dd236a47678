"""Settings: what each may be, how defaults are filled in, and that what is written down is read back the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from recommenders.contract.names import nearest
from simulator.cli.arguments import read_arguments, single_settings
from simulator.config import RunConfig, complete, resolve
from simulator.errors import InputError
from simulator.scenario.durations import duration_text, exact_duration, parse_duration

DEFAULTS = {"recommender": "itemknn", "users": 3000, "items": 10000, "horizon": 172800.0}


def test_settings_of_every_kind():
    config = resolve(
        [
            ("scenario", "./hotel.yaml"),
            ("recommender", "my.models:Mine"),
            ("recommender.neighbors", 50),
            ("recommender.weights", [0.5, 1]),
            ("users", 2000),
            ("items", 1e3),
            ("horizon", "14d"),
            ("seed", 7),
            ("output", "runs/a"),
            ("log", "metrics"),
            ("checkpoint", 600),
            ("catalog", None),
        ]
    )
    assert config == RunConfig(
        scenario="./hotel.yaml",
        recommender="my.models:Mine",
        recommender_parameters={"neighbors": 50, "weights": [0.5, 1]},
        users=2000,
        items=1000,
        horizon=14 * 86400.0,
        seed=7,
        output=Path("runs/a"),
        log="metrics",
        checkpoint=600.0,
    )
    assert type(config.items) is int


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, value)
            for name in ("users", "items", "threads", "window", "batch")
            for value in (0, -1, 1.5, True, "5", [5])
        ],
        ("users", 2**32),
        ("users", 1e12),
        ("threads", 257),
        ("horizon", "1ns"),
        ("first_fit", -6),
        ("refit", 1e-300),
        ("items", 2**31),
        ("seed", -1),
        ("seed", 2**63),
        *[
            (name, value)
            for name in ("horizon", "checkpoint")
            for value in (0, -1, "-2d", "2 weeks", "d", "1e6d", True, float("nan"), float("inf"), [])
        ],
        ("log", "everything"),
        ("log", 1),
        ("scenario", ""),
        ("scenario", 5),
        ("recommender", 5),
        ("output", 5),
        ("output", " "),
        ("catalog", "no/such/folder"),
    ],
)
def test_wrong_values_are_named(name, value):
    pairs = {"scenario": "hotel", name: value}
    with pytest.raises(InputError) as caught:
        resolve(pairs.items(), where="here")
    assert str(caught.value).startswith(f"here: {name} = {value}; expected ")


def test_unknown_repeated_and_missing():
    with pytest.raises(
        InputError, match=r"unknown setting 'usrs'; did you mean users\? There are: scenario, recommender, users"
    ):
        resolve([("scenario", "hotel"), ("usrs", 3)])
    with pytest.raises(InputError, match="users is given twice"):
        resolve([("scenario", "hotel"), ("users", 3), ("users", 3)])
    with pytest.raises(InputError, match=r"recommender\.a is given twice"):
        resolve([("scenario", "hotel"), ("recommender.a", 3), ("recommender.a", 4)])
    with pytest.raises(InputError, match="names no parameter"):
        resolve([("scenario", "hotel"), ("recommender.", 3)])
    with pytest.raises(InputError, match="no scenario is given"):
        resolve([("users", 3)])
    with pytest.raises(InputError, match="unknown setting 'recommender_parameters'"):
        resolve([("scenario", "hotel"), ("recommender_parameters", {})])


def test_resume_stands_alone_but_for_what_cannot_change_a_result():
    config = resolve([("resume", "runs/a"), ("threads", 2), ("window", 3), ("batch", 4)])
    assert (config.resume, config.threads, config.window, config.batch) == (Path("runs/a"), 2, 3, 4)
    for name, value in (("scenario", "hotel"), ("seed", 0), ("recommender.neighbors", 3), ("output", "b")):
        with pytest.raises(InputError, match=f"so {name} cannot be given"):
            resolve([("resume", "runs/a"), (name, value)])


def test_defaults_fill_only_what_is_open(tmp_path):
    assert complete(RunConfig(scenario="hotel"), DEFAULTS) == RunConfig(
        scenario="hotel", recommender="itemknn", users=3000, items=10000, horizon=172800.0
    )
    given_all = RunConfig(scenario="hotel", recommender="random", users=1, items=2, horizon=3.0)
    assert complete(given_all, DEFAULTS) == given_all
    real = complete(RunConfig(scenario="hotel", catalog=tmp_path), DEFAULTS)
    # a real catalog knows its items and users, and its log how long a run should be
    assert (real.recommender, real.users, real.items, real.horizon) == ("itemknn", None, None, None)


def test_a_wrong_default_names_the_scenario():
    with pytest.raises(InputError, match="hotel: defaults: users = 0"):
        complete(RunConfig(scenario="hotel"), {**DEFAULTS, "users": 0})


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
scalars = st.one_of(
    texts, st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
configs = st.builds(
    RunConfig,
    scenario=texts.map(str.strip),
    recommender=st.none() | texts.map(str.strip),
    recommender_parameters=st.dictionaries(
        st.from_regex(r"[a-z_]+", fullmatch=True), scalars | st.lists(scalars, max_size=3), max_size=3
    ),
    users=st.none() | st.integers(1, 2**32 - 2),
    horizon=st.none() | st.floats(1e-3, 1e9),
    seed=st.integers(0, 2**63 - 1),
    output=st.none() | texts.map(str.strip).map(Path),
    log=st.sampled_from(["full", "platform", "metrics"]),
    checkpoint=st.floats(1e-3, 1e9),
)


@given(configs)
def test_what_is_written_as_yaml_is_read_back_the_same(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(config.to_yaml())
    assert RunConfig.from_yaml(path) == config


@given(configs)
def test_what_is_written_as_arguments_is_read_back_the_same(config):
    assert resolve(single_settings(read_arguments(config.to_arguments()).pairs)) == config


@pytest.mark.parametrize(
    "word", ["on", "no", "null", "true", "1e3", "010", "12:30", ".nan", "-", "~", "a: b", "# x", "2024-01-31"]
)
def test_words_that_yaml_could_take_for_something_else(word, tmp_path):
    config = RunConfig(scenario="hotel", output=Path(word), recommender_parameters={"name": word})
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert RunConfig.from_yaml(tmp_path / "config.yaml") == config


def test_what_cannot_be_written_is_refused():
    with pytest.raises(InputError, match=r"cannot be written to config\.yaml"):
        RunConfig(scenario="hotel", recommender_parameters={"model": object()}).to_yaml()


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("scenario: hotel\nusers: 0\n")
    with pytest.raises(InputError) as caught:
        RunConfig.from_yaml(path)
    assert str(caught.value) == f"{path}: users = 0; expected a whole number of at least 1"


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig(scenario="hotel").seed = 3  # type: ignore[misc]


def test_nearest_name():
    assert nearest("recomender", ["users", "recommender"]) == "recommender"
    assert nearest("zzz", ["users", "recommender"]) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14d", 1209600),
        ("6h", 21600),
        ("30min", 1800),
        ("45s", 45),
        ("250ms", 0.25),
        ("1.5 h", 5400),
        ("90", 90),
        (90, 90),
        ("1e3s", 1000),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_exact_durations_lose_nothing(seconds):
    assert parse_duration(exact_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.6, "1min"),
        (3599.9, "1h"),
        (3600, "1h"),
        (3599.4, "59min 59s"),
        (86399, "1d"),
        (90061, "1d 1h"),
        (172800, "2d"),
    ],
)
def test_durations_for_people(seconds, text):
    assert duration_text(seconds) == text


def test_a_parameter_of_the_recommender_needs_no_prefix_where_no_setting_has_its_name():
    short = resolve([("scenario", "shortvideo"), ("recommender", "itemknn"), ("neighbors", 50)])
    assert short.recommender_parameters == {"neighbors": 50}
    with pytest.raises(InputError, match=r"recommender\.neighbors is given twice"):
        resolve([("scenario", "a"), ("recommender", "itemknn"), ("neighbors", 5), ("recommender.neighbors", 6)])
    with pytest.raises(InputError, match="unknown setting 'neighbors'"):
        resolve([("scenario", "a"), ("recommender", "popularity"), ("neighbors", 5)])
    with pytest.raises(InputError, match="unknown setting 'neighbors'"):
        resolve([("scenario", "a"), ("neighbors", 5)])


def test_a_label_is_a_choice_of_the_run():
    assert resolve([("scenario", "a"), ("label", "like")]).scenario_changes == {"platform.label": "like"}
    with pytest.raises(InputError, match=r"scenario\.platform\.label is given twice"):
        resolve([("scenario", "a"), ("label", "like"), ("scenario.platform.label", "order")])


@pytest.mark.parametrize("name", ["catalog", "log_from"])
def test_what_no_file_can_be_called_is_not_there(name):
    with pytest.raises(InputError, match=rf"{name} = a+; expected .*; nothing is there"):
        resolve([("scenario", "news"), (name, "a" * 300)])
