"""What recommenders say of how they learn: from positives alone or from the log, and whether from updates."""

from __future__ import annotations

import pytest

from recommenders.models.factorization import PureSVD
from recommenders.registry import create
from tests.recommenders.little import LIKE


class Heir(PureSVD):
    """Learns as its base does."""


class Fitting(PureSVD):
    """Learns in another way than its base."""

    def fit(self, log, catalog):
        self.rows = len(log)
        super().fit(log, catalog)


class Learning(PureSVD):
    """Learns something else than its base."""

    def learn(self, data):
        return super().learn(data)


class Updated(PureSVD):
    """Takes in what arrives between two fits."""

    def update(self, events):
        self.rows = len(events)


def test_who_learns_in_a_way_of_its_own_reads_the_log_until_it_says_otherwise():
    assert [kind.reads for kind in (PureSVD, Heir, Fitting, Learning)] == ["positives", "positives", "log", "log"]


def test_who_has_an_update_of_its_own_takes_updates():
    assert [kind.takes_updates for kind in (PureSVD, Heir, Updated)] == [False, False, True]


@pytest.mark.parametrize(
    ("member", "reads", "takes_updates"),
    [
        ("itemknn", "positives", False),
        ("random", "positives", False),
        ("linucb", "log", False),
        (f"{__name__}:Fitting", "log", False),
        (f"{__name__}:Updated", "log", True),
    ],
)
def test_compositions_learn_as_their_members_do(member, reads, takes_updates):
    made = create("pipeline", {"recall": member, "rerank": f"exploringplaces(member={member})"}, label=LIKE)
    assert (made.reads, made.takes_updates) == (reads, takes_updates)
