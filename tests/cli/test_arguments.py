"""What the command line does: outputs, exit codes, one-line errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recommenders.contract.errors import RecommenderError
from simulator import __main__ as entry
from simulator.config import RunConfig
from simulator.errors import InputError, OutputError, RunInterrupted
from tests.fake_world import FakeWorld, stand_in

SCENARIO = "shortvideo"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeWorld:
    return stand_in(monkeypatch, tmp_path)


def test_a_run_prints_its_measures_and_exits_with_zero(world, capsys):
    assert entry.main([f"scenario={SCENARIO}", "users=5", "seed=3"]) == 0
    printed = capsys.readouterr()
    assert "skip_rate   0.25" in printed.out
    assert "regret         -" in printed.out
    assert "written to runs/shortvideo-itemknn-s3" in printed.out
    config = world.configs[0]
    assert (config.users, config.items, config.seed, config.recommender) == (5, 6000, 3, "itemknn")
    assert config.horizon == 2 * 86400


def test_a_run_says_with_what_log_it_began_and_whose_features_were_blinded(world, capsys):
    told = {"rows": 1234, "run": "runs/a", "rows_on_items_to_come": 5, "learners": ["itemknn", "popularity"]}
    world.facts = {"log_from": told, "blinded_features": {"cover": "shuffle", "audio": "noise"}}
    assert entry.main([f"scenario={SCENARIO}"]) == 0
    said = capsys.readouterr().err
    assert "began with 1,234 rows of runs/a (5 on items to come left out), read by itemknn, popularity\n" in said
    assert "blinded for recommenders: the features of cover (shuffle), audio (noise)\n" in said
    world.facts["log_from"] = told | {"learners": []}
    entry.main([f"scenario={SCENARIO}"])
    assert "read by nobody: none of this run's recommenders learns from a log" in capsys.readouterr().err


def test_the_default_output_takes_the_next_free_name_and_a_given_one_is_kept(world):
    Path("runs/shortvideo-random-s0").mkdir(parents=True)
    entry.main([f"scenario={SCENARIO}", "recommender=random"])
    entry.main([f"scenario={SCENARIO}", "recommender=random", "output=mine"])
    assert [config.output for config in world.configs] == [Path("runs/shortvideo-random-s0-2"), Path("mine")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no scenario is given"),
        (["users=3"], "no scenario is given"),
        (["scenario=shortvido"], "did you mean shortvideo?"),
        (["scenario=./absent.yaml"], "absent.yaml: no such file"),
        ([f"scenario={SCENARIO}", "recommender=itemnn"], "did you mean itemknn?"),
        ([f"scenario={SCENARIO}", "usrs=3"], "did you mean users?"),
        ([f"scenario={SCENARIO}", "users=0"], "users = 0; expected a whole number of at least 1"),
        ([f"scenario={SCENARIO}", "horizon=-2d"], "horizon = -2d; expected a positive duration"),
        ([f"scenario={SCENARIO}", "catalog=absent"], "catalog = absent; expected an existing folder"),
        ([f"scenario={SCENARIO}", "log=ful"], "log = ful; expected one of full, platform, metrics"),
        ([f"scenario={SCENARIO}", "users=010"], "users=010: 010 is ambiguous"),
        (["resume=absent"], "is no run to resume"),
        (["resume=absent", "seed=3"], "seed cannot be given"),
        (["-m", "resume=absent"], "leave out -m"),
        (["-m", f"scenario={SCENARIO}", "workers=0"], "workers = 0; expected a whole number of at least 1"),
        (["check"], "check was given 0 files"),
        (["doctor", "now"], "doctor takes no argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(words, message, world, capsys):
    assert entry.main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1]
    assert lines[-1].startswith("error: ")
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    assert world.configs == []


def test_without_a_scenario_it_lists_what_there_is(world, capsys):
    entry.main([])
    assert SCENARIO in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [OutputError("x", "the disk is full"), RecommenderError("y", "wrong"), InputError("z", "wrong")]
)
def test_errors_on_purpose_during_a_run(error, world, capsys):
    world.raises = error
    assert entry.main([f"scenario={SCENARIO}"]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"error: {error}"
    with pytest.raises(type(error)):
        entry.main([f"scenario={SCENARIO}", "--debug"])


def test_a_fault_of_ours_is_not_dressed_up_as_bad_input(world):
    world.raises = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        entry.main([f"scenario={SCENARIO}"])


def test_an_interrupted_run_says_how_to_resume(world, capsys):
    world.raises = RunInterrupted("checkpoint at 6h")
    assert entry.main([f"scenario={SCENARIO}", "output=my runs/a"]) == 130
    assert "python -m simulator resume='my runs/a'" in capsys.readouterr().err


def test_resume_takes_the_configuration_of_the_run(world):
    folder = Path("old")
    folder.mkdir()
    before = RunConfig(
        scenario=SCENARIO, recommender="random", users=7, items=9, horizon=60.0, output=folder, threads=2
    )
    (folder / "config.yaml").write_text(before.to_yaml())
    assert entry.main(["resume=old", "batch=64"]) == 0
    config = world.configs[0]
    assert (config.users, config.resume, config.output, config.threads, config.batch) == (7, folder, folder, 2, 64)


def test_show_prints_the_configuration_and_runs_nothing(world, capsys):
    assert entry.main([f"scenario={SCENARIO}", "recommender.neighbors=7", "--show"]) == 0
    shown = Path("shown.yaml")
    shown.write_text(capsys.readouterr().out)
    config = RunConfig.from_yaml(shown)
    assert (config.recommender, config.recommender_parameters) == ("itemknn", {"neighbors": 7})
    assert world.configs == []
    assert not Path("runs").exists()


def test_help_names_every_setting(capsys):
    assert entry.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in RunConfig().settings())


def test_list_names_scenarios_and_recommenders(capsys):
    assert entry.main(["--list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (SCENARIO, "itemknn", "random", "popularity"))


def test_schema_is_json(capsys):
    assert entry.main(["schema"]) == 0
    assert "properties" in json.loads(capsys.readouterr().out)


def test_check_accepts_our_scenario(capsys, repository):
    assert entry.main(["check", str(repository / "scenarios" / f"{SCENARIO}.yaml")]) == 0
    assert "is sound" in capsys.readouterr().out
