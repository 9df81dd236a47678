"""The checks as authors of plug-ins call them: one function, or one class of tests to inherit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from recommenders.check.rules import RULES, Breach, Case, Factory
from recommenders.check.worlds import MODALITIES
from recommenders.contract import Label, Recommender, RecommenderError
from recommenders.contract.calls import shown_name
from recommenders.registry import make


def check_recommender(factory: Factory, modalities: tuple[str, ...] = MODALITIES) -> None:
    """Check all rules on what ``factory`` makes; it must make an equal, unfitted recommender at every call.

    Raises:
        RecommenderError: rules are broken; it names all breaches, each once.
    """
    _check(factory, modalities, RULES)


class RecommenderConformance:
    """Tests of the contract, one per rule, for a class of tests that inherits them.

    Attributes:
        recommender: the class to be checked.
        parameters: what it is made with, besides seed and label.
        label: what counts as a positive on the platforms of the checks.
        modalities: of the features that their catalogs have.

    Override `make` where making one takes more than that.

    >>> from recommenders.models.random import Random
    >>> class TestRandom(RecommenderConformance):
    ...     recommender = Random
    >>> TestRandom().test_slates()
    """

    recommender: ClassVar[type[Recommender]]
    parameters: ClassVar[Mapping[str, Any]] = {}
    label: ClassVar[Label] = Label("like", ("like",))
    modalities: ClassVar[tuple[str, ...]] = MODALITIES

    def make(self) -> Recommender:
        """Return a new recommender, equal to that of every other call."""
        return make(self.recommender, self.parameters, seed=1, label=self.label)

    def keeps(self, rule: str) -> None:
        """Check one rule. Raises RecommenderError with all that breaks it."""
        _check(self.make, self.modalities, [rule])

    def test_declarations(self) -> None:
        """Test that what the class says of itself is right."""
        self.keeps("declarations")

    def test_slates(self) -> None:
        """Test that slates are right on every platform."""
        self.keeps("slates")

    def test_counts(self) -> None:
        """What it counts are counts."""
        self.keeps("counts")

    def test_inputs(self) -> None:
        """Test that what the recommender is given stays as it was."""
        self.keeps("inputs")

    def test_determinism(self) -> None:
        """Test that equal requests get equal answers."""
        self.keeps("determinism")

    def test_batches(self) -> None:
        """Test that a slate is a function of its own request."""
        self.keeps("batches")

    def test_lists(self) -> None:
        """Test that requests of several lists get what each list alone would get."""
        self.keeps("lists")

    def test_refit(self) -> None:
        """Test that fitting again forgets."""
        self.keeps("refit")

    def test_reads(self) -> None:
        """Test that who says to learn from positives alone learns from nothing else."""
        self.keeps("reads")

    def test_update(self) -> None:
        """Test that the recommender takes in what arrives after a fit."""
        self.keeps("update")

    def test_state(self) -> None:
        """Test that the state is plain arrays, and all that was learned."""
        self.keeps("state")

    def test_saving(self) -> None:
        """Test that a recommender saved and loaded is the same."""
        self.keeps("saving")

    def test_scores(self) -> None:
        """Test that scores are numbers, or none."""
        self.keeps("scores")

    def test_chances(self) -> None:
        """Test that chances are those of the propensities."""
        self.keeps("chances")


def _check(factory: Factory, modalities: tuple[str, ...], rules: Iterable[str]) -> None:
    name, label, found = "recommender", None, dict[str, Breach]()
    try:
        first = Case(factory, None, modalities).made()
        name, label = shown_name(first), first.label
    except RecommenderError as error:
        rules, found = (), {"made": Breach.of(error)}
    for rule in rules:
        for breach in _broken(rule, Case(factory, label, modalities)):
            found.setdefault(re.sub(r"\d+", "#", breach.what), breach)
    if not found:
        return
    where, all_of_them = f"check_recommender: {name}", list(found.values())
    if len(all_of_them) == 1:
        raise RecommenderError(where, *str(all_of_them[0]).split("; ", 1))
    raise RecommenderError(
        where, "\n  ".join([f"breaks the contract in {len(all_of_them)} ways", *map(str, all_of_them)])
    )


def _broken(rule: str, case: Case) -> Iterable[Breach]:
    """Yield what breaks a rule; where that cannot go on, why."""
    try:
        yield from RULES[rule](case)
    except RecommenderError as error:
        yield Breach.of(error)
