"""What the documentation says is true: its code runs, its commands are understood, its links and tables hold."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from analysis import __main__ as analysis_line, compare, counterfactual, elasticity, grid
from analysis.calibrate import run as calibration
from analysis.calibrate.figures import known_figures
from analysis.calibrate.worlds import on_platform
from analysis.fidelity import report as fidelity
from analysis.hardness import report as hardness
from analysis.knockout import report as knockout
from analysis.stability import report as stability
from analysis.validity import report as validity
from recommenders.__main__ import main as recommenders_main
from recommenders.check import check_recommender
from recommenders.contract import Label, Recommender
from recommenders.contract.columns import COLUMNS
from simulator import RunConfig, __main__, available_scenarios, load_scenario
from simulator.engine import randomness as draw
from simulator.engine.tables.tables import EVENT
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.records.log_writer import CODED, ONLY_TRUTH, to_table
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.checks.provenance import provenance_summary

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("**/*.md"))]
SHIPPED = "shortvideo"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

DRAFTS = [path for path in sorted((ROOT / "tests/scenario/drafts").glob("*.yaml")) if ".sources" not in path.name]


def _blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Line number and text of each fenced block of a language."""
    text = page.read_text()
    return [(text[: m.start(2)].count("\n"), m[2]) for m in _FENCE.finditer(text) if m[1] == language]


def _plugin_source() -> str:
    """The recommender that the README shows."""
    found = [text for _, text in _blocks(README, "python") if "(Recommender)" in text]
    assert len(found) == 1, "the README shows one recommender"
    return found[0]


# ---- code


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page, "python")], ids=lambda page: page.name)
def test_python_sessions_print_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what they write, they write there
    monkeypatch.syspath_prepend(str(ROOT))  # as from a clone
    sessions = [(line, text) for line, text in _blocks(page, "python") if text.startswith(">>>")]
    lines: list[str] = []
    for line, text in sessions:  # blank lines keep the page's own line numbers in a failure
        lines += [""] * (line - len(lines)) + text.splitlines() + [""]
    test = doctest.DocTestParser().get_doctest("\n".join(lines) + "\n", {}, page.name, str(page), 0)
    assert test.examples, f"{page.name} shows no session"
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert results.failed == 0, "".join(report)


def test_every_python_block_is_checked():
    plain = [text for page in PAGES for _, text in _blocks(page, "python") if not text.startswith(">>>")]
    assert plain == [_plugin_source()]


def test_the_recommender_of_the_readme_is_short_and_keeps_the_contract():
    source = _plugin_source()
    assert len(source.splitlines()) < 30
    assert source.strip() == (ROOT / "examples/acclaimed.py").read_text().split("\n", 1)[1].strip()
    namespace: dict[str, object] = {"__name__": "readme"}
    exec(source, namespace)
    made = namespace["Acclaimed"]
    assert isinstance(made, type)
    assert issubclass(made, Recommender)
    label = Label("long_view", ("skip", "complete"), 18.0, "duration")
    check_recommender(lambda: made(label=label))


def test_the_recommender_of_the_readme_runs_by_its_import_path(tmp_path):
    small = ["users=60", "items=200", "horizon=8h", "first_fit=6h", f"output={tmp_path / 'run'}"]
    words = ["-m", "simulator", f"scenario={SHIPPED}", "recommender=examples.acclaimed:Acclaimed", *small]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "impressions" in done.stdout
    assert '"versions": 1' in (tmp_path / "run/manifest.json").read_text()


# ---- commands


def _commands() -> list[tuple[str, str]]:
    """(page and line, command) of every command line; those joined by && stand for themselves."""
    found = []
    for page in PAGES:
        for first, text in _blocks(page, "sh"):
            for number, line in enumerate(text.splitlines(), first + 1):
                found += [(f"{page.name}:{number}", part.strip()) for part in line.split("&&") if part.strip()]
    return found


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with everything that the commands name: data, a scenario of one's own, a run to resume."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEHOLDER_DATA", str(tmp_path / "data"))
    (tmp_path / "data/short_video/tiktok").mkdir(parents=True)
    for known in hardness.read_real_sets().values():
        if known.data is not None:
            (tmp_path / "data" / known.data).mkdir(parents=True, exist_ok=True)
    for suffix in (".yaml", ".sources.yaml"):
        shutil.copy(ROOT / f"scenarios/{SHIPPED}{suffix}", tmp_path / f"hotel{suffix}")
    run = tmp_path / f"runs/{SHIPPED}-itemknn-s0"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(RunConfig(scenario=SHIPPED, recommender="itemknn").to_yaml())
    (tmp_path / "runs/seen").mkdir()  # whose log another world begins with
    return tmp_path


class _PlannedError(Exception):
    """Raised in place of running an experiment that was understood."""


@pytest.mark.parametrize(("where", "command"), _commands(), ids=lambda text: text if ":" in text[:20] else "")
def test_commands_are_understood(where, command, place, monkeypatch, capsys):
    words = shlex.split(os.path.expandvars(command))
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{where}: {command}"
        return
    assert words[:2] == ["python", "-m"], f"{where}: {command}"
    tool, rest = words[2], words[3:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if tool.startswith("benchmarks."):
        assert find_spec(tool) is not None, f"{where}: {command}"
    elif tool == "pip":
        if rest[1] == "-c":
            assert (ROOT / rest[2]).exists()
            rest = [rest[0], *rest[3:]]
        assert rest[:2] == ["install", "-e"]
        extras = re.fullmatch(r"\.(?:\[(.*)\])?", rest[2])
        assert extras is not None
        assert set(filter(None, (extras[1] or "").split(","))) <= set(project["project"]["optional-dependencies"])
    elif tool == "pytest":
        markers = [marker.partition(":")[0] for marker in project["tool"]["pytest"]["ini_options"]["markers"]]
        assert rest == ["-n", "2", "--dist", "loadfile"] or (rest[0] == "-m" and rest[1] in markers)
    elif tool == "recommenders":
        assert recommenders_main(rest) == 0
    elif tool == "analysis":

        def planned(scenario, arms, seeds, settings, *args, **kwargs):
            assert grid.plan(scenario, arms, seeds, settings, place / "experiment")
            raise _PlannedError

        def declared(given, seeds, *args, **kwargs):
            assert given
            assert all(list(each.worlds(seeds)) for each in given)
            raise _PlannedError

        def treated(scenario, seeds, settings, modalities, *args, **kwargs):
            assert elasticity.plan(scenario, seeds, settings, modalities)
            raise _PlannedError

        def measured(scenario, seeds, settings, *args, **kwargs):
            assert fidelity.plan(scenario, seeds, settings)
            raise _PlannedError

        def calibrated(plan, *args, **kwargs):
            assert plan.free
            raise _PlannedError

        def told(folder, scenario, names, held_out):
            return calibration.logs.FromLog("a log", known_figures(scenario, names), {}, {}, {}, on_platform)

        monkeypatch.setattr(calibration, "run", calibrated)
        monkeypatch.setattr(calibration.told, "read", told)
        monkeypatch.setattr(grid, "experiment", planned)
        monkeypatch.setattr(compare, "experiment", planned)
        monkeypatch.setattr(counterfactual, "run", declared)
        monkeypatch.setattr(elasticity, "run", treated)

        def small(scenario, seeds, settings, *args, **kwargs):
            assert validity.plan(scenario, seeds, settings)
            raise _PlannedError

        def ranked(*given, **kwargs):
            assert stability.plan(*given[:7])
            raise _PlannedError

        def beside(worlds, *args, **kwargs):
            assert worlds
            raise _PlannedError

        def knocked_out(plan, *args, **kwargs):
            assert plan.served
            raise _PlannedError

        monkeypatch.setattr(knockout, "run", knocked_out)
        monkeypatch.setattr(fidelity, "run", measured)
        monkeypatch.setattr(validity, "run", small)
        monkeypatch.setattr(stability, "run", ranked)
        monkeypatch.setattr(hardness, "run", beside)
        monkeypatch.setattr(hardness, "real", lambda folder: {})
        with pytest.raises(_PlannedError):
            analysis_line.main(rest)
    else:
        assert tool == "simulator", f"{where}: {command}"
        runs = any(word.startswith(("scenario=", "resume=")) for word in rest)
        code = __main__.main([*rest, "--show"] if runs else rest)
        assert code == 0, f"{where}: {command}\n{capsys.readouterr().err}"


def test_there_are_commands_to_check():
    assert {"README.md", "tour.md"} <= {where.partition(":")[0] for where, _ in _commands()}
    assert len(_commands()) > 15


# ---- links, names, pictures


def _anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as the usual hosts make them."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text())):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {target}"
        assert there.is_relative_to(ROOT), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(there), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_source_files_that_are_named_exist(page):
    packages = r"(?:simulator|recommenders|analysis|scenarios|examples|docs|tests)"
    for name in re.findall(rf"`({packages}/[\w/.]*)`", page.read_text()):
        assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_pictures_are_whole():
    for picture in sorted((ROOT / "docs").glob("*.svg")):
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")


# ---- tables and figures


def _table(page: Path, first_header: str) -> list[list[str]]:
    """Rows of the table whose first column has that header."""
    lines = page.read_text().splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith(f"| {first_header} |")]
    assert len(starts) == 1, f"{page.name}: one table begins with {first_header}"
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_readme_shows_the_measures_that_a_run_prints():
    table = next(text for _, text in _blocks(README, "text") if text.startswith("measure "))
    assert [line.split()[0] for line in table.splitlines()[2:]] == list(load_scenario(SHIPPED).measures)


def test_the_readme_counts_provenance_right():
    counts = provenance_summary(load_scenario(SHIPPED))
    words = " ".join(README.read_text().split())
    assert f"Of the {sum(counts.values())} numbers of short video, {counts['sourced']} are `sourced`" in words
    assert f"{counts['calibrated']} are `calibrated` and {counts['estimate']} are `estimate`" in words


def test_the_readme_says_which_scenarios_run_and_which_do_not():
    states = {row[0]: row[-1] for row in _table(README, "scenario")}
    assert {name for name, state in states.items() if state == "runs"} == set(available_scenarios())
    assert set(states.values()) == {"runs"}


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda path: path.stem)
def test_the_drafts_pass_the_checks_and_ask_for_more_than_the_engine_can_run(draft):
    scenario = load_scenario(draft)
    check_scenario(scenario)
    with pytest.raises(InputError, match="cannot run it yet"):
        compile_scenario(scenario)


def test_the_table_of_columns_is_that_of_the_logs():
    rows = _table(ROOT / "docs/engine.md", "column")
    names = dict.fromkeys(CODED, ("a",))
    both, truth = (to_table(np.zeros(0, dtype=EVENT), names, truth=truth).column_names for truth in (False, True))
    assert [row[0].strip("`") for row in rows] == truth
    public = {column.name: column for column in COLUMNS}
    assert set(truth) - set(both) == set(ONLY_TRUTH)
    for shown, kind, unit, null, log, meaning in rows:
        name = shown.strip("`")
        assert kind == EVENT[name].name
        assert log == ("both" if name in both else "truth")
        if name in public:
            column = public[name]
            assert (unit, meaning, null) == (column.unit, column.meaning, "yes" if column.nullable else ""), name


def test_the_table_of_purposes_is_that_of_the_code():
    shown = {row[0].strip("`"): int(row[1]) for row in _table(ROOT / "docs/engine.md", "purpose")}
    source = (ROOT / "simulator/engine/randomness.py").read_text()
    section = source[source.index("# Purposes:") :]
    names = re.findall(r"^([A-Z]+) = np\.uint64\(", section, re.MULTILINE)
    assert shown == {name: int(getattr(draw, name)) for name in names}


def test_every_law_test_is_named():
    page = (ROOT / "docs/engine.md").read_text()
    for path in sorted((ROOT / "tests/laws").glob("test_*.py")):
        assert f"laws/{path.name}" in page, f"docs/engine.md does not name tests/laws/{path.name}"


def test_the_changelog_says_what_changes_results():
    assert "### Results change at fixed seed" in (ROOT / "CHANGELOG.md").read_text()


def test_the_page_of_public_names_is_what_the_docstrings_say():
    command = [sys.executable, "docs/write_api.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_page_names_a_machine():
    for page in [*PAGES, *sorted((ROOT / "examples").glob("*.py")), *sorted((ROOT / "docs").glob("*.py"))]:
        assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root|mnt)/", page.read_text()), page.name
