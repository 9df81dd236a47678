"""Settings for all tests: property tests are repeatable in CI, and real data is found in one place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real data sets (BEHOLDER_DATA); tests that need one are skipped where it is absent."""
    folder = Path(os.environ.get("BEHOLDER_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set BEHOLDER_DATA to its folder")
    return folder
