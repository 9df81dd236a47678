"""The command line of the analysis: tables, files, exit codes, one-line errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis import __main__ as entry, commands, grid

SCENARIO = "shortvideo"
WORLD = """
import json, pathlib, sys
given = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(given["output"])
folder.mkdir()
(folder / "config.yaml").write_text("".join(f"{k}: {v}\\n" for k, v in given.items() if k != "output"))
if given["seed"] == "13":
    sys.exit("error: unlucky")
better = {"random": 0, "popularity": 1, "itemknn": 2}[given["recommender"]]
seed = int(given["seed"])
measures = {"plays": 1000 * seed + 10 * better + (seed * better) % 3, "regret": -better, "impressions": 5000}
(folder / "metrics.json").write_text(json.dumps(measures))
(folder / "manifest.json").write_text("{}")
"""
HEAVY = ("numba", "torch", "pandas", "pyarrow", "scipy", "sklearn", "numpy")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grid, "COMMAND", (sys.executable, "-c", WORLD))
    monkeypatch.chdir(tmp_path)


def words(*more: str) -> list[str]:
    return ["experiment", f"scenario={SCENARIO}", "recommender=random,popularity,itemknn", *more]


def test_an_experiment_prints_and_writes_its_tables(capsys):
    order = "order.plays=itemknn,popularity,random"
    given = words("seed=range(6)", "measures=plays,regret", order, "workers=2", "output=all")
    assert entry.main(given) == 0
    out = capsys.readouterr().out
    assert "plays · difference to random over 6 seeds" in out
    assert "plays · itemknn > popularity > random" in out
    line = next(line for line in out.splitlines() if line.startswith("itemknn"))
    assert line.split()[:3] == ["itemknn", "6", "2,521"]
    frame = pd.read_csv("all/experiment.csv")
    assert len(frame) == 3 * 6 * 3
    paired = pd.read_csv("all/paired.csv").set_index(["measure", "recommender"])
    assert paired.loc[("plays", "itemknn"), "difference"] == pytest.approx(21)
    assert paired.loc[("plays", "itemknn"), "difference_low"] > 0
    assert paired.loc[("regret", "itemknn"), "difference"] == -2
    assert paired["n"].tolist() == [6] * 6
    assert pd.read_csv("all/ordered.csv")["verdict"].tolist() == ["holds", "holds"]
    assert entry.main(given) == 0  # all worlds are there: the same tables again
    assert capsys.readouterr().out == out


def test_a_failed_world_is_named_and_the_rest_is_kept(capsys):
    assert entry.main(words("seed=1,13", "output=all")) == 1
    said = capsys.readouterr()
    assert "3 of 6 runs failed" in said.err
    assert "unlucky" in said.err
    assert "the same command with output=all continues" in said.err
    assert said.out == ""
    assert Path("all/random-s1/metrics.json").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no command is given"),
        (["experimnt"], "unknown command 'experimnt'; did you mean experiment?"),
        (["--hlp"], "unknown flag '--hlp'; did you mean --help?"),
        (["experiment"], "an experiment needs a scenario and recommenders"),
        (["experiment", "scenario=shortvido", "recommender=random"], "unknown scenario 'shortvido'"),
        (words("usrs=3"), "unknown setting 'usrs'; did you mean users?"),
        (words("users=3,4"), "users=3,4 gives several values; only recommender and seed vary"),
        (words("users=0"), "users = 0"),
        (words("seed=a"), "seed=a; expected whole numbers"),
        (words("seed=1,1"), "seed=1,1 holds 1 twice"),
        (words("seed=1", "seed=2"), "seed is given twice"),
        (words("recommender.neighbors=5"), "cannot hold for all recommenders; give a recommender's parameters in"),
        (words("baseline=rndom"), "unknown recommender 'rndom'; did you mean random?"),
        (words("measures=play"), "unknown measure 'play'; did you mean plays?"),
        (words("order.plays=random"), "expected two or more recommenders"),
        (words("order.play=random,itemknn"), "unknown measure 'play'"),
        (words("order.plays=random,rndom"), "unknown recommender 'rndom'"),
        (words("level=95"), "level = 95; expected a share above 0 and below 1"),
        (words("workers=0"), "workers = 0; expected a whole number of at least 1"),
        (words("resume=a"), "unknown setting 'resume'"),
        (words("doctor"), "'doctor' is not key=value"),
        (["learnability"], "no run is given"),
        (["learnability", "nowhere"], "nowhere: is no run"),
        (["learnability", "nowhere", "sed=1"], "unknown setting 'sed'; did you mean seed?"),
    ],
)
def test_bad_input_is_one_clear_line(given, message, capsys):
    assert entry.main(given) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("command", entry.COMMANDS)
def test_help_names_every_setting(command):
    section = entry.HELP.split(f"\n\n{command}: ")[1].split("\n\n")[0]
    settings = getattr(commands, f"{command.capitalize()}Settings")
    assert all(f"\n  {name} " in section for name in settings.described())


def test_learnability_writes_a_table_once(capsys, monkeypatch):
    from analysis import offline

    row = {"run": "a", "label": "like", "positives": 7, "density": 0.25, "recall_popularity": 0.1}
    found = pd.DataFrame([{**row, "recall_itemknn": 0.2, "ratio": 2.0, "n_test_users": 4.0}])
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(offline, "learnability", lambda *given: asked.append(given) or found)
    assert entry.main(["learnability", "a", "b", "label=like", "seed=0", "output=b.csv"]) == 0
    assert asked == [(["a", "b"], "like", 0)]
    assert "a    like           7     0.25         0.1      0.2      2           4" in capsys.readouterr().out
    assert pd.read_csv("b.csv")["positives"].tolist() == [7]
    assert entry.main(["learnability", "a", "output=b.csv"]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    "code",
    [
        "from analysis.__main__ import main; assert main(['--help']) == 0",
        "from analysis.__main__ import main; assert main(['experiment', '--help']) == 0",
        "from analysis.__main__ import main; assert main(['experimnt']) == 2",
        "import analysis",
    ],
)
def test_heavy_packages_are_not_loaded(code, repository):
    heavy = f"import sys; {code}\nprint([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", heavy], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_lazy_names_are_there_and_unknown_ones_are_not():
    import analysis

    for name in analysis.__all__:
        assert getattr(analysis, name) is not None
        assert name in dir(analysis)
    with pytest.raises(AttributeError, match="has no attribute 'experimnt'"):
        _ = analysis.experimnt
