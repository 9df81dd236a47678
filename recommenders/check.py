"""``check_recommender``: does a recommender keep the contract? For authors of plug-ins, and for our own tests.

    from recommenders.check import check_recommender
    check_recommender(lambda: MyRecommender(seed=1, label=Label("like", ("like",))))

Each check runs on small synthetic platforms: an ordinary one; one without any record; one user; one item; a user whom
the log has never met; fewer candidates than places. The first rule that is broken raises; silence means that it passed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    Lists,
    PlatformLog,
    Recommender,
    RecommenderError,
    Requests,
    Slates,
    compressed,
    slates_of,
    validate_slates,
)
from recommenders.saving import load, save

Factory = Callable[[], Recommender]

MODALITIES = ("cover", "caption", "audio", "video", "image")
"""Modalities that the synthetic catalogs offer unless others are asked for."""


@dataclass(frozen=True)
class World:
    """A small synthetic platform: its catalog, its log, and a batch of requests."""

    catalog: Catalog
    log: PlatformLog
    requests: Requests


def synthetic_world(
    n_users: int = 40,
    n_items: int = 120,
    n_events: int = 1500,
    n_requests: int = 37,
    slate_size: int = 10,
    n_candidates: int | None = None,
    seed: int = 0,
    label: Label | None = None,
    modalities: tuple[str, ...] = MODALITIES,
) -> World:
    """A platform on which ``label`` (if any) makes about half of the events positive; the last user has no events."""
    random = np.random.default_rng(seed)
    label = label or Label("click", ("click",))
    columns: dict[str, np.ndarray] = {
        "duration": random.uniform(5, 100, n_items).astype(np.float32),
        "creator": random.integers(0, max(n_items // 3, 1), n_items).astype(np.uint32),
        "type": random.integers(0, 2, n_items).astype(np.uint8),
        "published_at": random.uniform(-1e5, 0, n_items),
    }
    if label.or_item is not None and label.or_item not in columns:
        columns[label.or_item] = np.full(n_items, label.at_least, np.float32)
    features = {name: random.normal(size=(n_items, 6)).astype(np.float32) for name in modalities}
    events = ("impression", *label.events)
    time = np.sort(random.uniform(0, 1e5, n_events))
    value = random.uniform(0.5, 1.5, n_events) * (label.at_least or 1.0)
    log = PlatformLog.from_columns(
        {
            "time": time,
            "logged_at": time + 1,
            "user": random.integers(0, max(n_users - 1, 1), n_events).astype(np.uint32),
            # Squared uniforms: some items are popular, many are not.
            "item": (n_items * random.uniform(size=n_events) ** 2).astype(np.uint32),
            "event": random.integers(0, len(events), n_events).astype(np.uint8),
            "value": value.astype(np.float32),
        },
        {"surface": ("feed",), "device": ("phone",), "stage": ("watch",), "event": events},
        n_users,
        n_items,
    )
    requests = _requests(random, n_users, n_items, n_requests, slate_size, n_candidates or n_items)
    return World(Catalog(n_items, columns, features), log, requests)


def _requests(
    random: np.random.Generator, n_users: int, n_items: int, n: int, slate_size: int, n_candidates: int
) -> Requests:
    recent = random.integers(-1, n_items, (n, 6)).astype(np.int32)
    start, sent = compressed(recent)
    so_far = random.integers(0, 6, n)
    there = np.arange(5) < so_far[:, None]
    users = random.integers(0, n_users, n).astype(np.uint32)
    users[-1] = n_users - 1  # whom the log has never met
    about = np.where(np.arange(n) % 3 == 0, recent[:, 0], NO_ITEM).astype(np.int32)  # some stand next to an item
    return Requests(
        key=random.integers(0, 2**63, n).astype(np.uint64),
        user=users,
        session=random.integers(0, 9, n).astype(np.uint32),
        request=random.integers(0, 9, n).astype(np.uint32),
        time=random.uniform(1e5, 2e5, n),
        surface=np.zeros(n, np.uint8),
        device=np.zeros(n, np.uint8),
        stage=np.zeros(n, np.uint8),
        recent_start=start,
        recent_items=sent,
        events_item=np.where(there, random.integers(0, n_items, (n, 5)), NO_ITEM).astype(np.int32),
        events_value=np.where(there, random.uniform(0, 1.5, (n, 5)), np.nan).astype(np.float32),
        candidates=np.sort(random.permutation(n_items)[:n_candidates]).astype(np.int32),
        slate_size=slate_size,
        about=about,
        context=np.where(np.arange(n) % 4 == 0, 1, -1).astype(np.int8),
    )


def check_recommender(factory: Factory, modalities: tuple[str, ...] = MODALITIES) -> None:
    """Run all checks on what ``factory`` makes; it must make an equal, unfitted recommender at every call.

    Raises:
        RecommenderError: on the first rule that is broken, with the name of the check.
    """
    first = factory()
    _check_declarations(first)
    try:
        _check_behaviour(factory, first.label, modalities)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise _broken(first, f"it changes what it was given ({error})", "copy what you want to change") from error


def _check_behaviour(factory: Factory, label: Label | None, modalities: tuple[str, ...]) -> None:
    worlds = {
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
    for what, sizes in worlds.items():
        world = synthetic_world(**sizes, label=label, modalities=modalities)
        if what == "no requests":
            world = replace(world, requests=world.requests.take(slice(0, 0)))
        recommender = _fitted(factory, world)
        _check_slates(recommender, world, what)
        again = replace(world, requests=replace(world.requests, seen="allow"))
        _check_slates(recommender, again, f"{what}, seen items allowed")
    ordinary = synthetic_world(label=label, modalities=modalities)
    _check_inputs_unchanged(factory, ordinary)
    _check_determinism(factory, ordinary)
    _check_batches(factory, ordinary)
    _check_lists(factory, ordinary)
    _check_refit(factory, ordinary, synthetic_world(seed=1, label=label, modalities=modalities))
    _check_state(factory, ordinary)
    _check_saved(factory, ordinary)


def _fitted(factory: Factory, world: World) -> Recommender:
    recommender = factory()
    recommender.check(world.catalog)
    recommender.fit(world.log, world.catalog)
    return recommender


def _broken(recommender: Recommender, what: str, right: str) -> RecommenderError:
    return RecommenderError(f"check_recommender: {recommender.name}", what, right)


def _check_declarations(recommender: Recommender) -> None:
    if not recommender.name:
        raise _broken(recommender, f"{type(recommender).__name__} has no name", "set the class attribute `name`")
    if recommender.reproducibility not in ("exact", "same machine", "none"):
        raise _broken(
            recommender, f"reproducibility is {recommender.reproducibility!r}", "exact, same machine, or none"
        )
    if not isinstance(recommender.learns, bool):
        raise _broken(recommender, f"learns is {recommender.learns!r}", "expected True or False")
    if not isinstance(recommender.takes_lists, bool):
        raise _broken(recommender, f"takes_lists is {recommender.takes_lists!r}", "expected True or False")


def _check_slates(recommender: Recommender, world: World, what: str) -> None:
    requests = world.requests
    slates = recommender.recommend(requests)
    validate_slates(slates, requests, world.catalog.n_items, f"{recommender.name} ({what})")
    for row in range(len(requests)):
        recent = set(requests.recent[row].tolist()) - {NO_ITEM}
        eligible = len(set(requests.candidates.tolist()) - recent)
        shown = [item for item in slates.items[row].tolist() if item in recent]
        if len(shown) > max(0, requests.filled - eligible):
            raise _broken(
                recommender,
                f"with {what}, request {row} got {shown}, shown lately, though {eligible} other candidates were left",
                "items in `recent` come only when the candidates run out",
            )


def _check_inputs_unchanged(factory: Factory, world: World) -> None:
    arrays = {f"requests.{name}": array for name, array in world.requests.arrays().items()}
    arrays |= {f"catalog.columns.{name}": array for name, array in world.catalog.columns.items()}
    arrays |= {f"catalog.features.{name}": array for name, array in world.catalog.features.items()}
    arrays |= {f"log.{name}": array for name, array in vars(world.log).items() if isinstance(array, np.ndarray)}
    before = {name: array.copy() for name, array in arrays.items()}
    recommender = _fitted(factory, world)
    recommender.recommend(world.requests)
    for name, array in arrays.items():
        if array.tobytes() != before[name].tobytes():
            raise _broken(recommender, f"it changed {name}", "copy what you want to change")


def _check_determinism(factory: Factory, world: World) -> None:
    recommender = _fitted(factory, world)
    if recommender.reproducibility == "none":
        return
    slates = recommender.recommend(world.requests)
    right = "draw only from the request's key and the seed, or declare reproducibility = 'none'"
    if not _equal(slates, recommender.recommend(world.requests)):
        raise _broken(recommender, "asked twice the same, it answers differently", right)
    if not _equal(slates, _fitted(factory, world).recommend(world.requests)):
        raise _broken(recommender, "two that were made and fitted alike answer differently", right)


def _check_batches(factory: Factory, world: World) -> None:
    recommender = _fitted(factory, world)
    if recommender.reproducibility == "none":
        return
    requests = world.requests
    whole = recommender.recommend(requests)
    n = len(requests)
    for what, rows in (
        ("alone", [np.arange(r, r + 1) for r in range(n)]),
        ("in two parts", [np.arange(n // 3), np.arange(n // 3, n)]),
        ("in reverse", [np.arange(n)[::-1]]),
    ):
        for part in rows:
            alone = recommender.recommend(requests.take(part))
            expected = Slates(whole.items[part], None if whole.propensity is None else whole.propensity[part])
            if not _equal(alone, expected):
                raise _broken(
                    recommender,
                    f"the same requests asked {what} get other slates than in one batch",
                    "a slate must be a function of its own request; or declare reproducibility = 'none'",
                )


def _check_lists(factory: Factory, world: World) -> None:
    """Check that requests of several lists in one batch get what those of each list get by themselves."""
    recommender, n = _fitted(factory, world), len(world.requests)
    candidates = world.requests.candidates
    own = [candidates, candidates[::2], candidates[:1]]
    ends = np.cumsum([each.size for each in own])
    bounds = np.stack([ends - [each.size for each in own], ends], axis=1)
    lists = Lists(np.concatenate(own), bounds, np.sort(np.arange(n) % len(own)))
    requests = replace(world.requests, several=lists)
    whole = slates_of(recommender, requests)
    validate_slates(whole, requests, world.catalog.n_items, f"{recommender.name} (several lists)")
    if recommender.reproducibility == "none":
        return
    for first, last, alone in requests.by_list():
        if not _equal(recommender.recommend(alone), whole.part(first, last)):
            raise _broken(
                recommender,
                "requests of several lists get other slates in one batch than list by list",
                "the same slates, -1 where a list has fewer items than there are places; or no takes_lists",
            )


def _check_refit(factory: Factory, world: World, other: World) -> None:
    recommender = _fitted(factory, other)
    if recommender.reproducibility == "none":
        return
    recommender.recommend(other.requests)
    recommender.fit(world.log, world.catalog)
    if not _equal(recommender.recommend(world.requests), _fitted(factory, world).recommend(world.requests)):
        raise _broken(recommender, "fitted again, it remembers the first fit", "`fit` must start anew")


def _check_state(factory: Factory, world: World) -> None:
    recommender = _fitted(factory, world)
    state = recommender.state()
    for name, array in state.items():
        if not isinstance(array, np.ndarray) or array.dtype == object:
            raise _broken(recommender, f"state()[{name!r}] is {type(array).__name__}", "expected plain numpy arrays")
    kept = {name: array.copy() for name, array in state.items()}
    again = factory()
    again.restore(kept)
    if recommender.reproducibility == "none":
        again.recommend(world.requests)
        return
    if not _equal(again.recommend(world.requests), recommender.recommend(world.requests)):
        raise _broken(recommender, "restored from its state, it answers differently", "put all it learns in `state`")


def _check_saved(factory: Factory, world: World) -> None:
    recommender = _fitted(factory, world)
    kind = type(recommender)
    importable = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
    if not importable or recommender.reproducibility == "none":
        return  # a class made inside a function or a session has no name to be loaded by
    with tempfile.TemporaryDirectory() as folder:
        save(recommender, folder)
        loaded = load(folder)
    if loaded.parameters() != recommender.parameters():
        raise _broken(recommender, "saved and loaded, it has other parameters", "return them all in `parameters`")
    if not _equal(loaded.recommend(world.requests), recommender.recommend(world.requests)):
        raise _broken(recommender, "saved and loaded, it answers differently", "put all it learns in `state`")


def _equal(one: Slates, other: Slates) -> bool:
    if not np.array_equal(one.items, other.items) or (one.propensity is None) != (other.propensity is None):
        return False
    if one.propensity is None or other.propensity is None:
        return True
    return np.array_equal(one.propensity, other.propensity, equal_nan=True)
