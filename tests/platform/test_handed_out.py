"""What a plug-in is handed cannot be changed, holds nothing that has yet to come, and leads to no truth."""

from __future__ import annotations

import types

import numpy as np
import pytest

import simulator
from recommenders.contract import NO_ITEM, Recommender, RecommenderError, Slates
from recommenders.contract.sealing import is_sealed

SCENARIOS = ("shortvideo", "ecommerce", "news", "audio", "fooddelivery", "jobs")
TINY = {"users": 40, "items": 200, "horizon": "4h", "first_fit": "2h", "refit": "1h", "serves": "all"}
LONGER = {
    "serves": "all",
    "users": 40,
    "items": 200,
    "horizon": "2d",
    "first_fit": "1d",
    "refit": "12h",
}  # whatever a tick is


class Keeper(Recommender):
    """Shows the first candidates, and keeps all that it is given."""

    name = "keeper"
    reproducibility = "exact"

    def __init__(self, **given):
        super().__init__(**given)
        self.logs, self.catalogs, self.asked = [], [], []

    def fit(self, log, catalog):
        self.logs.append(log)
        self.catalogs.append(catalog)

    def update(self, events):
        self.logs.append(events)

    def recommend(self, requests):
        _ = requests.recently_shown, requests.lists
        self.asked.append(requests)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        for first, last, own in requests.lists.each():
            best = own[: requests.slate_size]
            slates[first:last, : len(best)] = best
        return Slates(slates)


class Taker(Keeper):
    """The same, of all lists in one go."""

    takes_lists = True

    def recommend(self, requests):
        return super().recommend(requests)


def reachable(*roots):
    """Everything that attributes, items, closures and bases lead to, but for modules and classes."""
    found, todo = {}, list(roots)
    while todo:
        each = todo.pop()
        if id(each) in found or isinstance(each, types.ModuleType | type | str | bytes | int | float | None):
            continue
        found[id(each)] = each
        todo += list(vars(each).values()) if hasattr(each, "__dict__") else []
        if isinstance(each, dict | types.MappingProxyType):
            todo += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            todo += each
        elif isinstance(each, np.ndarray):
            todo.append(each.base)
        if isinstance(each, types.FunctionType):
            todo += [cell.cell_contents for cell in each.__closure__ or ()] + list(each.__defaults__ or ())
        todo += [getattr(each, name) for name in ("__self__", "__func__", "__wrapped__", "obj") if hasattr(each, name)]
    return list(found.values())


@pytest.mark.parametrize("kind", [Keeper, Taker])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_of_it_stays_as_it_is_and_leads_nowhere(scenario, kind):
    keeper = kind()
    simulator.run(scenario, keeper, **LONGER)
    assert len(keeper.catalogs) == 2
    assert keeper.asked
    for catalog in keeper.catalogs:
        assert all(is_sealed(catalog.features[name]) for name in catalog.features)
    found = reachable(keeper.logs, keeper.catalogs, keeper.asked)
    arrays = [each for each in found if isinstance(each, np.ndarray)]
    assert len(arrays) > 100
    for array in arrays:
        assert is_sealed(array)
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
    assert [each for each in found if type(each).__module__.startswith("simulator.")] == []


def test_a_log_ends_where_it_was_asked_for():
    keeper = Keeper()
    simulator.run("shortvideo", keeper, **TINY)
    fits, updates = [log for log in keeper.logs if len(log)], keeper.logs
    assert len(updates) > len(keeper.catalogs)
    for log in fits:
        for name in ("time", "logged_at", "item"):
            array, owner = getattr(log, name), getattr(log, name)
            while isinstance(owner, np.ndarray):
                owner = owner.base
            assert array.base is not None
            last = np.frombuffer(owner, array.dtype)
            assert np.array_equal(last[-len(array) :], array)  # what lies behind it in memory is nothing


class Meddler(Keeper):
    """Puts an item that is not published yet into its own request, and shows it."""

    def recommend(self, requests):
        hidden = np.setdiff1d(np.arange(200, dtype=np.int32), requests.candidates)
        self.change(requests, hidden)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        slates[:, : requests.filled] = requests.candidates[: requests.filled]
        slates[:, 0] = hidden[0]
        return Slates(slates)

    def change(self, requests, hidden):
        raise NotImplementedError


class Setting(Meddler):
    def change(self, requests, hidden):
        object.__setattr__(requests, "candidates", np.union1d(requests.candidates, hidden).astype(np.int32))
        requests.__dict__.pop("lists", None)


class Adding(Meddler):
    def change(self, requests, hidden):
        vars(requests)["lists"] = requests.lists._replace(items=np.union1d(requests.candidates, hidden))


@pytest.mark.parametrize("kind", [Setting, Adding])
def test_what_a_plug_in_does_to_its_request_changes_no_check(kind):
    with pytest.raises(RecommenderError, match="it is not a candidate"):
        simulator.run("shortvideo", kind(), **TINY)


def test_a_catalog_cannot_be_changed_for_others():
    class Selling(Keeper):
        name = "selling"

        def fit(self, log, catalog):
            object.__setattr__(catalog, "columns", {})
            object.__setattr__(catalog, "n_items", 0)
            log.names.clear()

    plain = simulator.run("shortvideo", Keeper(), **TINY)
    changed = simulator.run("shortvideo", Selling(), **TINY)
    assert changed.manifest["log"] == plain.manifest["log"]
    assert changed.items.equals(plain.items)
