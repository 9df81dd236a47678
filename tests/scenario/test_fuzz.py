"""Absurd scenario files: whatever `check` accepts runs, and everything else is refused in one line.

A mutant that fails here is looked at again with `mutant(n)` or `accepted_mutant(n)` of `tests.scenario.mutants`.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections import Counter

import pytest

from tests.scenario.fuzz import ACCEPTED, FAILED, PATIENCE, REFUSED, ROOT, WORLD, fuzzed


def _found(kind: str, first: int, last: int) -> Counter[str]:
    """Feed mutants `first` ... `last` - 1 and count what became of them; none may fail."""
    found: Counter[str] = Counter()
    failed = []
    for each in fuzzed(kind, first, last):
        found[each.outcome] += 1
        if each.outcome == FAILED:
            failed.append(f"{kind} {each.number}: {each.said}  after  {'; '.join(each.changes)}")
    assert failed == []
    assert found.total() == last - first
    return found


def test_three_hundred_absurd_files_are_accepted_or_refused_in_one_line():
    found = _found("check", 0, 300)
    assert min(found[ACCEPTED], found[REFUSED]) > 30


def test_what_check_accepts_runs():
    found = _found("run", 0, 6)
    assert found[ACCEPTED] >= 3


def test_messages_to_users_who_stay_away_for_good_come_to_an_end(tmp_path):
    """They are looked up one by one until the next visit, which the angriest put off for longer than any run."""
    wanted: dict[str, object] = {**WORLD, "scenario": "news", "users": 30, "output": tmp_path / "run"}
    wanted |= {"scenario.user.goodwill_loss": 3, "scenario.user.return_goodwill": 10, "scenario.user.churn": 0}
    wanted |= {"scenario.outreach.alert.opened": 0, "scenario.outreach.digest.opened": 0}
    words = [sys.executable, "-m", "simulator", *(f"{key}={value}" for key, value in wanted.items())]
    found = subprocess.run(words, cwd=ROOT, timeout=PATIENCE, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


@pytest.mark.long
def test_twenty_thousand_absurd_files():
    found = _found("check", 0, 20_000)
    warnings.warn(f"20,000 mutants: {dict(found)}", stacklevel=1)


@pytest.mark.long
def test_two_thousand_absurd_worlds():
    found = _found("run", 0, 2_000)
    warnings.warn(f"2,000 worlds: {dict(found)}", stacklevel=1)
    assert found[ACCEPTED] > 1000
