"""A package that is not ours registers a recommender by entry point, and its author inherits the checks."""

from __future__ import annotations

import importlib

import pytest

from recommenders.check import check_recommender
from recommenders.contract import CONTRACT_VERSION
from recommenders.registry import available, create, find

SOURCE = '''
"""Recommends what came out last."""

from dataclasses import dataclass

import numpy as np

from recommenders.contract import Settings, setting
from recommenders.models.ranker import Ranker


@dataclass(frozen=True)
class NewestSettings(Settings):
    column: str = setting("published_at", "public column that says how new an item is")


class Newest(Ranker):
    """The newest items that the user has not had."""

    name = "newest"
    needs = "nothing"
    Config = NewestSettings

    def learn(self, data):
        return {"time": data.catalog.columns[self.config.column]}

    def score(self, batch):
        return np.tile(self.learned["time"], (len(batch.requests), 1))
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    (tmp_path / "newest_package.py").write_text(SOURCE)
    about = tmp_path / "newest_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: newest-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[beholder.recommenders]\nnewest = newest_package:Newest\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()


def test_an_installed_package_registers_by_entry_point(installed):
    from recommenders.contract import Label

    assert "newest" in available()
    assert find("newest").__module__ == "newest_package"
    check_recommender(lambda: create("newest", label=Label("like", ("like",))))
    assert CONTRACT_VERSION == 2


def test_a_complete_plug_in_has_fewer_than_thirty_lines():
    assert len(SOURCE.strip().splitlines()) < 30
