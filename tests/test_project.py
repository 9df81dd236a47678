"""The files round the code say the same as the code: what is packaged, and under which version."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from simulator import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("package", ["simulator", "recommenders", "analysis"])
def test_installed_packages_say_that_they_are_typed(package):
    assert (ROOT / package / "py.typed").exists()
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"][package]
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]
    assert package in PROJECT["tool"]["mypy"]["files"]


def test_the_tried_versions_are_those_that_the_project_asks_for():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines), "names, and versions without local tags"
    assert lines == sorted(lines)
    tried = dict(line.split("==") for line in lines)
    extras = PROJECT["project"]["optional-dependencies"].values()
    for text in [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]:
        wanted = Requirement(text)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert wanted.specifier.contains(tried[name]), f"{text}: {tried[name]} was tried"


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["project"]["license"]


# ---- the checks have one place


def _made(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_make_check_is_the_ci_without_its_environment():
    assert _made("check") == ["bash .ci/run --here"]


def test_tests_are_run_by_the_commands_of_the_readme():
    readme, checks = (ROOT / "README.md").read_text(), (ROOT / ".ci/run").read_text()
    (test,), (long,) = _made("test"), _made("long")
    assert test in readme
    assert f'\nstep "tests" {test}\n' in checks
    assert long in readme


def test_the_checks_refuse_an_unknown_word():
    done = subprocess.run(["bash", ".ci/run", "--hree"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--here" in done.stderr


def test_hooks_run_tools_of_the_environment_that_the_checks_run_too():
    checks = (ROOT / ".ci/run").read_text()
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].removesuffix(" --fix") in checks


def test_hosted_checks_are_those_of_here_on_versions_that_are_promised():
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["checks"]
    assert "bash .ci/run" in [step.get("run") for step in job["steps"]]
    assert all(re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)
    for version in job["strategy"]["matrix"]["python"]:
        assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]
