"""docs/queries.md: every query of the page is run on the page's own runs, and finds what the project itself says."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import simulator
from analysis.statistics import t_interval
from simulator.__main__ import main

duckdb = pytest.importorskip("duckdb")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "queries.md").read_text()
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MEASURES = {
    "impressions", "visits", "skip_rate", "like_rate", "satisfaction", "visits_per_user_day", "minutes_per_user_day",
    "day_1_retention", "churned_share", "creator_exposure_gini",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page's commands were run."""
    made = tmp_path_factory.mktemp("queries")
    before = Path.cwd()
    os.chdir(made)
    try:
        for command in COMMANDS:
            assert main(command.replace('"', "").split()[3:]) == 0  # after python -m simulator
    finally:
        os.chdir(before)
    return made


def answers(folder, monkeypatch, wanted):
    """What the queries whose text has `wanted` find, by measure."""
    monkeypatch.chdir(folder)
    found: dict[str, float] = {}
    for query in QUERIES:
        if wanted(query):
            relation = duckdb.sql(query)
            assert relation.columns == ["measure", "value"]
            found |= dict(relation.fetchall())
    return found


def test_measures_by_sql_are_those_of_the_run(folder, monkeypatch):
    found = answers(folder, monkeypatch, lambda query: "runs/mine" in query and "platform" not in query)
    said = json.loads((folder / "runs/mine/metrics.json").read_text())
    assert set(found) == MEASURES
    for measure, value in found.items():
        assert value == pytest.approx(said[measure], rel=1e-4), measure


def test_what_the_platform_misses_is_what_nobody_logs(folder, monkeypatch):
    found = answers(folder, monkeypatch, lambda query: "platform.event" in query)
    assert found["unattended"] == found["tolerate"] == 0
    assert 0.9 < found["skip"] <= 1


def test_a_difference_by_sql_is_that_of_the_worlds(folder, monkeypatch):
    found = answers(folder, monkeypatch, lambda query: "runs/arms" in query)

    def satisfaction(arm, seed):
        return json.loads((folder / f"runs/arms/shortvideo-{arm}-s{seed}/metrics.json").read_text())["satisfaction"]

    differences = np.array([satisfaction("popularity", seed) - satisfaction("random", seed) for seed in range(5)])
    assert differences.std() > 0
    low, high = t_interval(differences)[:2]
    assert found["difference"] == pytest.approx(differences.mean(), rel=1e-4)
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=1e-3)


def test_a_run_says_who_left_for_good(tmp_path):
    run = simulator.run("shortvideo", "random", users=20, items=40, horizon="12h", output=tmp_path / "run")
    users = duckdb.sql(f"SELECT * FROM '{tmp_path}/run/users.parquet' ORDER BY \"user\"").fetchall()
    assert [user for user, _ in users] == list(range(20))
    assert sum(churned for _, churned in users) / 20 == run.metrics["churned_share"]
