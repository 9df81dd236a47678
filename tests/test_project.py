"""The files round the code say the same as the code: what is packaged, and under which version."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("package", ["simulator", "recommenders", "analysis"])
def test_installed_packages_say_that_they_are_typed(package):
    assert (ROOT / package / "py.typed").exists()
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"][package]
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]
    assert package in PROJECT["tool"]["mypy"]["files"]
