"""What the benchmarks' own code does, without measuring anything."""

from __future__ import annotations

import json
import subprocess

import pytest

from benchmarks import compare, figures, record
from benchmarks.commits import ROOT, cloned, git
from simulator import available_scenarios


@pytest.fixture
def repository_of_git():
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone of the repository")


def test_every_scenario_is_measured():
    assert {part.partition("/")[2] for part in figures.PARTS if part.startswith("engine/")} == set(
        available_scenarios()
    )


def test_sides_take_turns_part_by_part():
    asked: list[tuple[str, str]] = []

    def side(name, cost):
        def measure(part):
            asked.append((name, part))
            return {f"{part}, s": cost}

        return measure

    found = compare.alternately(["one", "two"], 2, [side("A", 1.0), side("B", 2.0)])
    assert [name for name, _ in asked] == list("ABABABAB")
    assert [part for _, part in asked] == ["one"] * 4 + ["two"] * 4
    assert found == {"one, s": ([1.0, 1.0], [2.0, 2.0]), "two, s": ([1.0, 1.0], [2.0, 2.0])}


def test_only_what_costs_more_than_is_allowed_is_marked():
    lines, marked = compare.table({"as before": ([1.0, 3.0], [2.0, 2.0]), "dearer": ([1.0, 1.0], [1.0, 1.08])})
    assert marked == 1
    assert [line.split()[-1] for line in lines[1:]] == ["1.000", "1.03"]
    assert lines[2].endswith("1.040  over 1.03")


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit) as error:
        compare.main(["HEAD", "--only", "motor"])
    assert error.value.code == 2
    assert "engine/" in capsys.readouterr().err


@pytest.mark.usefixtures("repository_of_git")
def test_a_commit_is_cloned_with_the_benchmarks_of_this_tree():
    with cloned("HEAD", "figures") as tree:
        assert subprocess.check_output(["git", "-C", tree, "rev-parse", "HEAD"], text=True).strip() == git(
            "rev-parse", "HEAD"
        )
        assert (tree / "benchmarks/figures.py").read_text() == (ROOT / "benchmarks/figures.py").read_text()
    assert not tree.exists()


def test_a_record_keeps_four_digits():
    assert record.rounded({"a": {"b": 1.23456}, "c": 1234567, "d": "x"}) == {"a": {"b": 1.235}, "c": 1234567, "d": "x"}


def test_the_history_says_which_commit_each_file_is_of():
    for path in record.HISTORY.glob("*.json"):
        found = json.loads(path.read_text())
        assert path.name == f"{found['date']}-{found['commit'][:9]}.json"
