"""The grammar of the command line, and what the command line does with it: outputs, exit codes, one-line errors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.errors import RecommenderError
from simulator import __main__ as entry
from simulator import command_line, sweep
from simulator.config import RunConfig
from simulator.errors import InputError, OutputError, RunInterrupted
from simulator.progress import Progress, ProgressLine

SCENARIO = "shortvideo"


@dataclass
class FakeResult:
    metrics: dict[str, float]
    folder: Path | None


@dataclass
class FakeWorld:
    """Stands in for `simulator.world`: remembers what it was asked to run."""

    configs: list[RunConfig] = field(default_factory=list)
    raises: Exception | None = None

    def run_world(
        self, config: RunConfig, recommender: object = None, report: Any = None, stop: Any = None
    ) -> FakeResult:
        self.configs.append(config)
        if self.raises is not None:
            raise self.raises
        report(Progress(1.0, 2.0, 10, 0.5))
        return FakeResult({"plays": 1200.0, "skip_rate": 0.25, "regret": float("nan")}, config.output)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeWorld:
    fake = FakeWorld()
    module = types.ModuleType("simulator.world")
    module.run_world = fake.run_world  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simulator.world", module)
    monkeypatch.chdir(tmp_path)
    return fake


# ---- the grammar ---------------------------------------------------------------------------------------------------


def test_flags_commands_and_pairs_are_told_apart():
    arguments = command_line.read_arguments(["-m", "scenario=a,b", "--debug", "recommender.neighbors=50"])
    assert arguments.flags == {"multirun", "debug"}
    assert arguments.command is None
    assert arguments.pairs == (("scenario", "a,b"), ("recommender.neighbors", "50"))
    check = command_line.read_arguments(["check", "file=odd.yaml"])
    assert (check.command, check.operands) == ("check", ("file=odd.yaml",))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shw"], "unknown flag '--shw'; did you mean --show?"),
        (["users=1", "users=2"], "users is given twice; give it once, or -m users=1,2"),
        (["users="], "'users=' is not complete"),
        (["=3"], "'=3' is not complete"),
        (["hotel"], "did you mean scenario=hotel?"),
        (["users=3", "doctor"], "'doctor' is neither key=value"),
    ],
)
def test_words_that_make_no_sense(words, message):
    with pytest.raises(InputError) as caught:
        command_line.read_arguments(words)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ["a"]),
        ("a,b , c", ["a", "b", "c"]),
        ("range(3)", ["0", "1", "2"]),
        ("range(2,4)", ["2", "3"]),
        ("range(5, 0, -2)", ["5", "3", "1"]),
        ("range(2),7", ["0", "1", "7"]),
        ("[1,2],[3]", ["[1,2]", "[3]"]),
        ("pipeline(a,b),c", ["pipeline(a,b)", "c"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
    ],
)
def test_lists(text, values):
    assert command_line.expand_values("key", text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,,b", "has an empty part"),
        ("a,", "has an empty part"),
        ("[1,2", "does not close ]"),
        ("'a", "does not close '"),
        ("range(a)", "is no range"),
        ("range()", "is no range"),
        ("range(1,2,0)", "is no range"),
        ("range(1,2,3,4)", "is no range"),
        ("range(0)", "holds no number"),
        ("range(1000000)", "expected at most 100000"),
        ("1,2,1", "holds 1 twice"),
        ("range(3),2", "holds 2 twice"),
    ],
)
def test_broken_lists(text, message):
    with pytest.raises(InputError) as caught:
        command_line.expand_values("key", text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["1,2", "range(3)", "range(1)"])
def test_several_values_need_the_flag(text):
    with pytest.raises(InputError, match=r"gives several values; add -m"):
        command_line.single_settings([("seed", text)])


def test_values_are_read_by_the_strict_reader_and_names_as_they_stand():
    pairs = [
        ("users", "1e3"),
        ("recommender.scale", "1e-3"),
        ("recommender.flag", "on"),
        ("output", "2024"),
        ("horizon", "14d"),
    ]
    assert command_line.single_settings(pairs) == [
        ("users", 1000.0),
        ("recommender.scale", 0.001),
        ("recommender.flag", "on"),
        ("output", "2024"),
        ("horizon", "14d"),
    ]


def test_a_sweep_is_the_cross_product_with_the_last_key_fastest():
    runs = list(command_line.sweep_settings([("scenario", "a,b"), ("seed", "range(2)"), ("users", "10")]))
    assert [(dict(run)["scenario"], dict(run)["seed"]) for run in runs] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert all(dict(run)["users"] == 10 for run in runs)


@given(st.lists(st.from_regex(r"[a-z0-9_.:/]+", fullmatch=True), min_size=1, unique=True))
def test_joining_and_splitting_are_inverse(values):
    assert command_line.split_list(",".join(values)) == values


# ---- one run -------------------------------------------------------------------------------------------------------


def test_a_run_prints_its_measures_and_exits_with_zero(world, capsys):
    assert entry.main([f"scenario={SCENARIO}", "users=5", "seed=3"]) == 0
    printed = capsys.readouterr()
    assert "skip_rate   0.25" in printed.out
    assert "regret         -" in printed.out
    assert "written to runs/shortvideo-itemknn-s3" in printed.out
    config = world.configs[0]
    assert (config.users, config.items, config.seed, config.recommender) == (5, 6000, 3, "itemknn")
    assert config.horizon == 2 * 86400


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


# ---- Ctrl-C --------------------------------------------------------------------------------------------------------

WAITER = """
import sys, time
from simulator.interrupt import stop_on_signals
with stop_on_signals(lambda line: print(line, flush=True)) as stop:
    print("ready", flush=True)
    while not (stop() and "polite" in sys.argv):
        time.sleep(0.01)
print("checkpoint", flush=True)
"""


def _waiter(*words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WAITER, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks(number):
    process = _waiter("polite")
    process.send_signal(number)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.splitlines()[0].startswith("stopping: a checkpoint is written")
    assert said.splitlines()[-1] == "checkpoint"


def test_the_second_signal_ends_the_process():
    process = _waiter()
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().startswith("stopping")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == -signal.SIGINT
    process.stdout.close()


# ---- progress ------------------------------------------------------------------------------------------------------


class Terminal:
    """A stream that says whether it is a terminal and remembers what was written."""

    def __init__(self, terminal: bool) -> None:
        self.text = ""
        self._terminal = terminal
        self.encoding = "utf-8"

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_progress_is_quiet_where_there_is_no_terminal():
    stream = Terminal(False)
    with ProgressLine(stream) as line:  # type: ignore[arg-type]
        line(Progress(60.0, 120.0, 10, 1.0))
    assert stream.text == ""


def test_progress_on_a_terminal_shows_time_events_rate_and_note():
    stream = Terminal(True)
    with ProgressLine(stream) as line:  # type: ignore[arg-type]
        line(Progress(0.0, 7200.0, 1000, 1.0))
        line(Progress(7200.0, 7200.0, 5000, 3.0, "fitting"))
    last = stream.text.split("\r")[-1]
    assert "2h of 2h" in last
    assert "5,000 events" in last
    assert "2 k/s" in last  # of this process: 4,000 events in 2 s
    assert "fitting" in last


# ---- a sweep -------------------------------------------------------------------------------------------------------

WORLD = """
import json, os, pathlib, sys, time
given = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(given["output"])
folder.mkdir()
if given["seed"] == "13":
    print("error: unlucky", file=sys.stderr)
    sys.exit(2)
if given["seed"] == "14":
    os.kill(os.getpid(), 9)
if given["seed"] == "15":
    sys.exit(0)
if given["seed"] == "99":
    print("started", flush=True)
    time.sleep(60)
time.sleep(0.3 if given["seed"] == "0" else 0)
metrics = {"plays": int(given["seed"]) * 10, "threads": float(os.environ["OMP_NUM_THREADS"]), "regret": None}
(folder / "metrics.json").write_text(json.dumps(metrics))
"""
COMMAND = (sys.executable, "-c", WORLD)


def _configs(parent: Path, *seeds: int) -> list[RunConfig]:
    base = [
        RunConfig(scenario="hotel", recommender="random", users=5, items=5, horizon=60.0, seed=seed) for seed in seeds
    ]
    return sweep.place(base, parent)


def test_a_sweep_returns_records_in_order(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    done: list[int] = []
    configs = _configs(tmp_path, 0, 1, 2)
    records = sweep.sweep(configs, 2, lambda count, total, record: done.append(record.config.seed), command=COMMAND)
    assert [record.config.seed for record in records] == [0, 1, 2]
    assert [record.metrics["plays"] for record in records] == [0.0, 10.0, 20.0]
    assert all(
        record.metrics["threads"] == 1 and record.metrics["regret"] != record.metrics["regret"] for record in records
    )
    assert sorted(done) == [0, 1, 2]
    assert done[-1] != 1  # the slow first world did not hold up the second


def test_a_sweep_runs_all_and_then_names_the_failures(tmp_path):
    with pytest.raises(sweep.SweepError) as caught:
        sweep.sweep(_configs(tmp_path, 13, 14, 15, 1), 2, command=COMMAND)
    errors = [record.error for record in caught.value.records]
    assert errors[0] == "unlucky (exit code 2)"
    assert errors[1] == "it said nothing (ended by signal 9)"
    assert errors[2] is not None
    assert "was not written" in errors[2]
    assert errors[3] is None
    text = str(caught.value)
    assert text.startswith("3 of 4 runs failed")
    assert "scenario=hotel recommender=random users=5 items=5 horizon=1min seed=13: unlucky" in text


def test_a_stopped_sweep_asks_its_worlds_and_starts_no_other(tmp_path):
    begun = time.monotonic()
    with pytest.raises(sweep.SweepError) as caught:
        sweep.sweep(_configs(tmp_path, 99, 1), 1, stop=lambda: time.monotonic() > begun + 0.5, command=COMMAND)
    assert time.monotonic() - begun < 30
    assert caught.value.stopped
    assert [record.error for record in caught.value.records] == ["it said nothing (ended by signal 15)", "not started"]


def test_a_sweep_refuses_what_cannot_work(tmp_path):
    configs = _configs(tmp_path, 1, 2)
    with pytest.raises(InputError, match="nothing to run"):
        sweep.sweep([], 1)
    with pytest.raises(InputError, match="workers = 0"):
        sweep.sweep(configs, 0)
    with pytest.raises(InputError, match="two runs have the output"):
        sweep.sweep([configs[0], configs[0]], 1)
    with pytest.raises(InputError, match="has no output"):
        sweep.sweep([RunConfig(scenario="hotel")], 1)


def test_places_are_distinct_and_named_after_what_differs(tmp_path):
    base = RunConfig(scenario="./my/hotel.yaml", recommender="my.models:Mine")
    parameters = [{"rate": 0.1}, {"rate": "a b"}, {"rate": "a/b"}]
    placed = sweep.place([RunConfig(base.scenario, base.recommender, each) for each in parameters], tmp_path)
    names = [config.output.name for config in placed if config.output is not None]
    assert names == ["hotel-Mine-s0-rate0.1", "hotel-Mine-s0-ratea-b", "hotel-Mine-s0-ratea-b-2"]


def test_the_command_line_prints_one_table_for_a_sweep(world, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "COMMAND", COMMAND)
    assert (
        entry.main(
            ["-m", f"scenario={SCENARIO}", "recommender=random,itemknn", "seed=range(1,3)", "workers=2", "output=all"]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["recommender", "seed", "plays", "threads", "regret"]
    assert [line.split()[:3] for line in lines[2:6]] == [
        ["random", "1", "10"],
        ["random", "2", "20"],
        ["itemknn", "1", "10"],
        ["itemknn", "2", "20"],
    ]
    assert sorted(path.name for path in Path("all").iterdir()) == [
        "measures.csv",
        "shortvideo-itemknn-s1",
        "shortvideo-itemknn-s2",
        "shortvideo-random-s1",
        "shortvideo-random-s2",
    ]


def test_a_sweep_with_a_failure_still_prints_the_rest(world, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "COMMAND", COMMAND)
    assert entry.main(["-m", f"scenario={SCENARIO}", "seed=1,13", "output=all"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[2].split()[:2] == ["1", "10"]
    assert "1 of 2 runs failed" in printed.err
    assert "seed=13: unlucky" in printed.err


def test_a_sweep_does_not_write_into_a_folder_that_exists(world, capsys):
    Path("all").mkdir()
    assert entry.main(["-m", f"scenario={SCENARIO}", "seed=1,2", "output=all"]) == 2
    assert "all: this output exists already" in capsys.readouterr().err
