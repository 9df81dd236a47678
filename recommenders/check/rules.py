"""The rules of the contract, each a function of a case: it yields what breaks it, or raises where it cannot go on."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommenders.check.worlds import World, synthetic_world
from recommenders.contract import (
    COLUMNS,
    NO_ITEM,
    Label,
    Lists,
    Recommender,
    RecommenderError,
    Requests,
    Rows,
    Settings,
    Slates,
    calling,
    places_of,
    positive_rows,
    valid_slates,
    validate_chances,
    validate_scores,
    validate_state,
)
from recommenders.saving import load, save

Factory = Callable[[], Recommender]
_CLOSE = 1e-4  # float32, and sums of many
_WRITES = ("read-only", "WRITEABLE", "mappingproxy")  # what Python and numpy say of what cannot be changed
_PLATFORMS: dict[str, dict[str, int]] = {
    "an ordinary platform": {},
    "few candidates": {"n_candidates": 25},
    "as many candidates as places": {"n_candidates": 10},
    "fewer candidates than places": {"n_candidates": 4},
    "no candidates but those shown lately": {"n_items": 12, "n_candidates": 8, "slate_size": 7},
    "an empty log": {"n_events": 0},
    "mostly cold users and items": {"n_events": 30},
    "one user": {"n_users": 1, "n_events": 60},
    "one item": {"n_items": 1, "n_events": 60},
    "one place": {"slate_size": 1},
    "no requests": {"n_requests": 1},
}


@dataclass(frozen=True)
class Breach:
    """What breaks a rule, what would be right, and on which platform it was seen."""

    what: str
    right: str
    on: str = ""

    def __str__(self) -> str:
        return f"{self.what}{f' (on {self.on})' if self.on else ''}; {self.right}"

    @classmethod
    def of(cls, error: RecommenderError, on: str = "") -> Breach:
        """Return what an error says; an attempt to write to what was given is called by its name."""
        if any(words in error.wrong for words in _WRITES):
            return cls(f"it changes what it was given: {error.wrong}", "copy what you want to change", on)
        return cls(error.wrong, error.right, on)


@dataclass(frozen=True)
class Case:
    """A recommender to be checked, made anew by `factory`, and what its platforms have."""

    factory: Factory
    label: Label | None
    modalities: tuple[str, ...]

    def world(self, **sizes: int) -> World:
        """Return a synthetic platform."""
        return synthetic_world(**sizes, label=self.label, modalities=self.modalities)

    def made(self) -> Recommender:
        """Return a new recommender. Raises RecommenderError where the factory makes none."""
        with calling("factory", "making one"):
            made: object = self.factory()
        if not isinstance(made, Recommender):
            raise RecommenderError("factory", f"it makes {made!r}", "expected a new Recommender at every call")
        return made

    def fitted(self, world: World) -> Recommender:
        """Return a new recommender that was fitted on a platform."""
        recommender = self.made()
        with calling(recommender, "check"):
            recommender.check(world.catalog)
        with calling(recommender, "fit"):
            recommender.fit(world.log, world.catalog)
        return recommender


def declarations(case: Case) -> Iterator[Breach]:
    """Check what the class says of itself."""
    made = case.made()
    if not made.name:
        yield Breach(f"{type(made).__name__} has no name", "set the class attribute `name`")
    if made.reproducibility not in ("exact", "same machine", "none"):
        yield Breach(f"reproducibility is {made.reproducibility!r}", "exact, same machine, or none")
    for flag in ("learns", "takes_lists", "takes_updates", "needs_values"):
        if not isinstance(getattr(made, flag), bool):
            yield Breach(f"{flag} is {getattr(made, flag)!r}", "expected True or False")
    if made.reads not in ("log", "positives"):
        yield Breach(f"reads is {made.reads!r}", "log, or positives")
    config: object = made.Config
    if not (isinstance(config, type) and issubclass(config, Settings)):
        yield Breach(f"Config is {config!r}", "expected a class derived from Settings")


def slates(case: Case) -> Iterator[Breach]:
    """Check slates on every platform: shapes, candidates, no item twice, propensities, items shown lately last."""
    for what, sizes in _PLATFORMS.items():
        world = case.world(**sizes)
        if what == "no requests":
            world = replace(world, requests=world.requests.take(slice(0, 0)))
        allowed = f"{what}, seen items allowed"
        for where, requests in ((what, world.requests), (allowed, replace(world.requests, seen="allow"))):
            try:
                yield from _slates(case.fitted(world), replace(world, requests=requests), where)
            except RecommenderError as error:
                yield Breach.of(error, where)


def _slates(recommender: Recommender, world: World, what: str) -> Iterator[Breach]:
    requests = world.requests
    found = valid_slates(recommender, requests, world.catalog.n_items)
    for row in range(len(requests)):
        recent = set(requests.recently_shown[row].tolist()) - {NO_ITEM}
        eligible = len(set(requests.candidates.tolist()) - recent)
        shown = [item for item in found.items[row].tolist() if item in recent]
        if len(shown) > max(0, requests.filled - eligible):
            yield Breach(
                f"request {row} got {shown}, shown lately, though {eligible} other candidates were left",
                "items in `recently_shown` come only when the candidates run out",
                what,
            )
            return


def inputs(case: Case) -> Iterator[Breach]:
    """Check that what it was given is as it was: its arrays cannot be changed, and what holds them must not be."""
    world = case.world()
    requests = world.requests.twin()
    before = {name: dict(vars(each)) for name, each in _given(world, requests).items()}
    recommender = case.fitted(world)
    with calling(recommender, "recommend"):
        recommender.recommend(requests)
    for name, each in _given(world, requests).items():
        for key, value in before[name].items():
            if vars(each).get(key) is not value:
                yield Breach(f"it changed {name}.{key}", "copy what you want to change")


def _given(world: World, requests: Requests) -> dict[str, Any]:
    return {"log": world.log, "catalog": world.catalog, "requests": requests}


def determinism(case: Case) -> Iterator[Breach]:
    """Check that the same is answered to the same."""
    world = case.world()
    recommender, n_items = case.fitted(world), world.catalog.n_items
    found = valid_slates(recommender, world.requests, n_items)
    if recommender.reproducibility == "none":
        return
    right = "draw only from the request's key and the seed, or declare reproducibility = 'none'"
    if not equal(found, valid_slates(recommender, world.requests, n_items)):
        yield Breach("asked twice the same, it answers differently", right)
    if not equal(found, valid_slates(case.fitted(world), world.requests, n_items)):
        yield Breach("two that were made and fitted alike answer differently", right)


def batches(case: Case) -> Iterator[Breach]:
    """Check that a slate is a function of its own request, whatever batch it is in."""
    world = case.world()
    recommender, requests, n_items = case.fitted(world), world.requests, world.catalog.n_items
    whole, n = valid_slates(recommender, requests, n_items), len(requests)
    if recommender.reproducibility == "none":
        return
    for what, rows in (
        ("alone", [np.arange(r, r + 1) for r in range(n)]),
        ("in two parts", [np.arange(n // 3), np.arange(n // 3, n)]),
        ("in reverse", [np.arange(n)[::-1]]),
    ):
        for part in rows:
            expected = Slates(whole.items[part], None if whole.propensity is None else whole.propensity[part])
            if not equal(valid_slates(recommender, requests.take(part), n_items), expected):
                yield Breach(
                    f"the same requests asked {what} get other slates than in one batch",
                    "a slate must be a function of its own request; or declare reproducibility = 'none'",
                )
                return


def lists(case: Case) -> Iterator[Breach]:
    """Check that requests of several lists in one batch get what those of each list get by themselves."""
    world = case.world()
    recommender, n, n_items = case.fitted(world), len(world.requests), world.catalog.n_items
    candidates = world.requests.candidates
    own = [candidates, candidates[::2], candidates[:1]]
    ends = np.cumsum([each.size for each in own])
    bounds = np.stack([ends - [each.size for each in own], ends], axis=1)
    several = Lists(np.concatenate(own), bounds, np.sort(np.arange(n) % len(own)))
    requests = replace(world.requests, several=several)
    try:
        whole = valid_slates(recommender, requests, n_items)
    except RecommenderError as error:
        yield Breach.of(error, "several lists")
        return
    if recommender.reproducibility == "none":
        return
    for first, last, alone in requests.by_list():
        if not equal(valid_slates(recommender, alone, n_items), whole.part(first, last)):
            yield Breach(
                "requests of several lists get other slates in one batch than list by list",
                "the same slates, -1 where a list has fewer items than there are places; or no takes_lists",
            )
            return


def refit(case: Case) -> Iterator[Breach]:
    """Check that fitting again forgets."""
    world, other = case.world(), case.world(seed=1)
    recommender, n_items = case.fitted(other), world.catalog.n_items
    valid_slates(recommender, other.requests, n_items)
    with calling(recommender, "fit"):
        recommender.fit(world.log, world.catalog)
    found = valid_slates(recommender, world.requests, n_items)
    if recommender.reproducibility == "none":
        return
    if not equal(found, valid_slates(case.fitted(world), world.requests, n_items)):
        yield Breach("fitted again, it remembers the first fit", "`fit` must start anew")


def reads(case: Case) -> Iterator[Breach]:
    """Check that who says to learn from positives alone learns the same where all other rows are left out."""
    made, world = case.made(), case.world()
    if not made.learns or made.reads != "positives" or made.label is None or made.reproducibility == "none":
        return
    log = world.log
    kept = positive_rows(made.label, log.names, world.catalog, Rows(log.event, log.item, log.value))
    thin = replace(log, **{column.name: getattr(log, column.name)[kept] for column in COLUMNS})
    found = [
        valid_slates(case.fitted(replace(world, log=each)), world.requests, world.catalog.n_items)
        for each in (log, thin)
    ]
    if not equal(*found):
        yield Breach("it says reads = 'positives', and learns from other rows", "reads = 'log'")


def counts(case: Case) -> Iterator[Breach]:
    """Check that its counts of places are counts, and grow by no more than the places that it fills."""
    world = case.world()
    recommender = case.fitted(world)
    before = places_of(recommender)
    filled = int((valid_slates(recommender, world.requests, world.catalog.n_items).items != NO_ITEM).sum())
    after = places_of(recommender)
    if (before is None) != (after is None):
        yield Breach("it counts places at some times only", "counts or None from `places`, always")
    elif before is not None and after is not None and after.filled < before.filled:
        yield Breach(f"it filled {filled} places and counts {after.filled - before.filled} more", "counts that go on")


def update(case: Case) -> Iterator[Breach]:
    """Check that it takes in what arrives after a fit, and still answers."""
    world = case.world()
    recommender = case.fitted(world)
    with calling(recommender, "update"):
        recommender.update(case.world(seed=1).log)
    valid_slates(recommender, world.requests, world.catalog.n_items)
    yield from ()


def state(case: Case) -> Iterator[Breach]:
    """Check that its state is plain arrays, and all that it learned."""
    world = case.world()
    recommender, n_items = case.fitted(world), world.catalog.n_items
    with calling(recommender, "state"):
        given: object = recommender.state()
    kept = {name: array.copy() for name, array in validate_state(given, recommender.name).items()}
    again = case.made()
    with calling(again, "restore"):
        again.restore(kept)
    found = valid_slates(again, world.requests, n_items)
    if recommender.reproducibility == "none":
        return
    if not equal(found, valid_slates(recommender, world.requests, n_items)):
        yield Breach("restored from its state, it answers differently", "put all it learns in `state`")


def saving(case: Case) -> Iterator[Breach]:
    """Check that it is itself when it was saved and loaded; what has no name to be loaded by is left out."""
    world = case.world()
    recommender, n_items = case.fitted(world), world.catalog.n_items
    kind = type(recommender)
    importable = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
    if not importable or recommender.reproducibility == "none":
        return  # a class made inside a function or a session has no name to be loaded by
    with tempfile.TemporaryDirectory() as folder:
        save(recommender, folder)
        loaded = load(folder)
    if loaded.parameters() != recommender.parameters():
        yield Breach("saved and loaded, it has other parameters", "return them all in `parameters`")
    if not equal(valid_slates(loaded, world.requests, n_items), valid_slates(recommender, world.requests, n_items)):
        yield Breach("saved and loaded, it answers differently", "put all it learns in `state`")


def scores(case: Case) -> Iterator[Breach]:
    """Check what it says that it ranks by: None, or numbers, and not NaN for everything."""
    world = case.world()
    recommender = case.fitted(world)
    with calling(recommender, "scores"):
        given: object = recommender.scores(world.requests)
    found = validate_scores(given, world.requests, world.catalog.n_items, recommender.name)
    if found is not None and np.isnan(found).all():
        yield Breach("its scores are NaN for every item of every request", "None where it does not rank by scores")


def chances(case: Case) -> Iterator[Breach]:
    """Check that its chances are probabilities, add up to what a slate holds, and are those of its propensities."""
    world = case.world()
    recommender, requests, n_items = case.fitted(world), world.requests, world.catalog.n_items
    found = valid_slates(recommender, requests, n_items)
    every = np.tile(requests.candidates, (len(requests), 1))
    known = [_chances(recommender, requests, items) for items in (every, found.items)]
    if known[0] is None or known[1] is None:
        return
    if np.abs(known[0].sum(axis=1) - requests.filled).max() > _CLOSE * every.shape[1]:
        yield Breach("its chances of all candidates do not add up to the places of a slate", "each item's probability")
    if found.propensity is not None and np.abs(known[1] - found.propensity).max() > _CLOSE:
        yield Breach("its chances are other than its propensities for the items of its slates", "the same probability")


def _chances(recommender: Recommender, requests: Requests, items: np.ndarray) -> np.ndarray | None:
    with calling(recommender, "chances"):
        given: object = recommender.chances(requests, items)
    return validate_chances(given, items, recommender.name)


def equal(one: Slates, other: Slates) -> bool:
    """Tell whether two answers are the same."""
    if not np.array_equal(one.items, other.items) or (one.propensity is None) != (other.propensity is None):
        return False
    if one.propensity is None or other.propensity is None:
        return True
    return np.array_equal(one.propensity, other.propensity, equal_nan=True)


RULES: dict[str, Callable[[Case], Iterator[Breach]]] = {
    each.__name__: each
    for each in (
        declarations, slates, counts, inputs, determinism, batches, lists, refit, reads, update, state, saving,
        scores, chances,
    )
}  # fmt: skip
"""All rules by name."""
