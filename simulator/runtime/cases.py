"""The shared world of a run: its cases, what they wait for, and what everybody can see of it at a tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.event_queue import push, without_stale
from simulator.engine.cases.promises import publish_waits
from simulator.engine.cases.resources import next_shift
from simulator.engine.cases.run import happenings_at_once, live, post
from simulator.engine.jit.precompile import BackgroundCompiler
from simulator.engine.randomness import WORLD, normals, uniforms
from simulator.engine.tables import case_tables as layout
from simulator.engine.tables.case_tables import (
    NO_ROW,
    CaseState,
    CaseTables,
    Count,
    Geography,
    Happens,
    Per,
    ResourceKind,
    WorldPlan,
)
from simulator.engine.tables.empty import NOWHERE
from simulator.engine.tables.tables import Array, Items, Output, Plan, Users, numbers_of
from simulator.part import Part, Published, Sink
from simulator.plan.fulfilment import periods_of
from simulator.population.attributes import drawn
from simulator.runtime.hours_of_day import Hours, HoursOfDay
from simulator.runtime.sharing import Sharing, most_servers, zone_rows
from simulator.scenario.schema.scenario import Scenario

_FIRST_ROOM = 256
# What is drawn under WORLD, beside the numbers of `CaseDraw`: + number of the resource.
_CAPACITY, _CLOSES, _PLACE = 1000, 2000, 3010
_CHOOSER_BLOCK, _APPLICANT_BLOCK, _COMMON_BLOCK = 700, 701, 702


class Cases(Part):
    """Cases and resources of a world. Everything that changes is in plain arrays: `case_state` is all of it.

    Args:
        scenario: for the capacities of resources, places and choosers.
        shared: the compiled world; its resources are given their units here.
        plan, users, items: of the visits.
        n_creators: creators of the catalog.
        parent: number of each item's parent, int32 (items,), -1 none.
        published_at: of the items, s, (items,): openings of an item close so long after that.
        horizon: length of the run, s.
        seed: the world's.
        earliest: of the users' visits (`VisitTable.earliest`), where such a table is what lets them arrive.
        population: users that what is given per user is counted for, where `users` are not all who share it.
    """

    def __init__(
        self,
        scenario: Scenario,
        shared: WorldPlan,
        plan: Plan,
        users: Users,
        items: Items,
        n_creators: int,
        parent: npt.NDArray[np.int32],
        published_at: npt.NDArray[np.float64],
        horizon: float,
        seed: int,
        earliest: npt.NDArray[np.float64] | None = None,
        population: int | None = None,
    ) -> None:
        self.plan, self.users, self.items, self._seed = plan, users, items, seed
        self._promising = _promising(plan, items)
        self._numbers = numbers_of(plan, users, items)
        self._earliest = np.zeros(0) if earliest is None else earliest
        first_period, periods = periods_of(scenario, horizon, seed)
        shared = shared._replace(
            resources=shared.resources.copy(),
            steps=shared.steps.copy(),
            choosers=shared.choosers.copy(),
            first_period=first_period,
            periods=periods,
        )
        everybody = len(users.state) if population is None else population
        self.geography = _geography(scenario, shared, users, items, n_creators, parent, seed, everybody)
        sharing = Sharing(scenario, everybody, items.state["creator"], items.state["type"])
        units, servers = _units(
            scenario, shared, self.geography, n_creators, len(users.state), published_at, seed, sharing
        )
        self.shared = shared
        self.case_state = CaseState(
            cases=np.zeros(0, dtype=layout.CASE),
            heap=np.zeros(1, dtype=layout.HAPPENING),
            free=np.zeros(0, dtype=np.int32),
            units=units,
            servers=np.full(servers, NO_ROW, dtype=np.int32),
            places=_server_places(scenario, self.geography, units, servers, seed),
            counts=np.zeros(layout.N_COUNTS, dtype=np.int64),
        )
        self._hours = HoursOfDay(scenario, shared, units, float(plan.starts_at[0]))
        self._waits = np.full((len(shared.parts), len(units)), np.nan, dtype=np.float32)  # what `publish` told users
        self._compiler: BackgroundCompiler | None = None
        self._make_room(_FIRST_ROOM)
        for r, resource in enumerate(shared.resources):
            if resource["n_shifts"]:
                at = next_shift(shared, r, 0.0, float(plan.starts_at[0]))
                push(self.case_state, at, r, int(Happens.SHIFT), 0, r, 0)

    def prepare(self, compiler: BackgroundCompiler, output: Callable[[int], Output]) -> None:
        """Have what `run` needs compiled beside whatever comes before its first call; `output` as there."""
        self._compiler = compiler
        compiler.submit(live, *self._arguments(0.0, output))

    @property
    def n_open(self) -> int:
        """Return how many cases have not ended."""
        return int(self.case_state.counts[Count.POSTED] - self.case_state.counts[Count.ENDED])

    def publish(self, published: Published) -> None:
        """Make waits known to everybody, and offer nothing that is sold out or filled, if anything is left."""
        self.tell_waits(published.time)
        published.gone = self.spent(published.time)
        left = published.candidates[~published.gone[published.candidates]]
        if len(left):
            published.candidates = left

    def end_tick(self, start: float, end: float, sink: Sink) -> None:
        """Take on what visits have decided, and let everything happen that happens before `end`."""
        self.post(sink.messages())
        for hour in self._hours.ends_within(start, end):
            self.run(hour, sink.output, sink.wrote)
            self._hours.note(self.case_state.units, hour)
        self.run(end, sink.output, sink.wrote)

    def hours_of_day(self, time: float) -> dict[str, Hours]:
        """Return, of every queue by its name, what its servers did by hour of the day, up to `time`, s."""
        return self._hours.told(self.case_state.units, time)

    def tell_waits(self, time: float) -> None:
        """Make what waits there are at `time` known to everybody."""
        publish_waits(self.tables(), self._promising, time, self._waits)

    def spent(self, time: float) -> npt.NDArray[np.bool_]:
        """Return the items of which nothing is left at `time`, bool (items,): stock at 0, openings filled or closed."""
        gone = np.zeros(len(self.items.state), dtype=np.bool_)
        for row in self.shared.resources:
            units = self.case_state.units[int(row["first_unit"]) : int(row["first_unit"] + row["n_units"])]
            if row["per"] == Per.ITEM and row["kind"] == ResourceKind.STOCK:
                gone |= units["level"] <= 0
            elif row["per"] == Per.ITEM and row["kind"] == ResourceKind.OPENINGS:
                gone |= (units["level"] <= 0) | (units["closes"] <= time)
        return gone

    def post(self, messages: Array) -> None:
        """Take on cases, dtype CASE (n,), in any order: they are known by (created, user, case)."""
        if len(messages) == 0:
            return
        if len(messages) > self.case_state.counts[Count.FREE]:
            self._make_room(len(messages))
        self._make_heap_room(len(messages))
        order = np.lexsort((messages["case"], messages["user"], messages["created"]))
        post(self._seed, np.ascontiguousarray(messages[order]), self.users.state, self.case_state)

    def run(self, end: float, output: Callable[[int], Output], wrote: Callable[[int], None]) -> None:
        """Let everything happen that happens before `end`, s.

        Args:
            end: a time at or after those of earlier calls.
            output: asked for a place to write to, with room for so many records.
            wrote: told how many records were written there.
        """
        if self._compiler is not None:
            self._compiler.wait(live)
        done = False
        while not done:
            self._make_heap_room(0)
            done = bool(live(*self._arguments(end, output)))
            wrote(int(self.case_state.counts[Count.RECORDS]))

    def _arguments(self, end: float, output: Callable[[int], Output]) -> tuple[Any, ...]:
        """Return the arguments of `live`."""
        return self._seed, end, self.tables(output(_FIRST_ROOM))

    def tables(self, out: Output = NOWHERE) -> CaseTables:
        """Return all that kernels of cases read and write, as it stands; `out` is where records go."""
        return CaseTables(
            self.shared, self.geography, self.case_state, self.plan, self.users, self.items, self._numbers, out,
            self._earliest,
        )  # fmt: skip

    def _make_room(self, needed: int) -> None:
        old = len(self.case_state.cases)
        size = max(old + needed, old + old // 2)
        cases = np.zeros(size, dtype=layout.CASE)
        cases[:old] = self.case_state.cases
        free = np.zeros(size, dtype=np.int32)
        n_free = int(self.case_state.counts[Count.FREE])
        free[:n_free] = self.case_state.free[:n_free]
        free[n_free : n_free + size - old] = np.arange(size - 1, old - 1, -1)
        self.case_state.counts[Count.FREE] = n_free + size - old
        self.case_state = self.case_state._replace(cases=cases, free=free)
        self._make_heap_room(0)

    def _make_heap_room(self, more: int) -> None:
        """Make room on the heap for `more` rows and for whatever one happening puts there; at first half stays free."""
        needed = more + happenings_at_once(self.shared, len(self.case_state.cases)) + 1
        n = int(self.case_state.counts[Count.HEAP])
        if n + needed <= len(self.case_state.heap):
            return
        without_stale(self.case_state)
        n = int(self.case_state.counts[Count.HEAP])
        if 2 * n + needed > len(self.case_state.heap):
            heap = np.zeros(2 * (n + needed), dtype=layout.HAPPENING)
            heap[:n] = self.case_state.heap[:n]
            self.case_state = self.case_state._replace(heap=heap)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that changes, as plain arrays."""
        arrays = self.case_state._asdict()
        arrays["heap"] = self.case_state.heap[: int(self.case_state.counts[Count.HEAP])]
        arrays |= self._hours.state()
        return arrays

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        kept = {name: np.array(arrays[name]) for name in CaseState._fields}
        kept["heap"] = np.concatenate([kept["heap"], np.zeros(1, dtype=layout.HAPPENING)])
        self.case_state = CaseState(**kept)
        self._hours.restore(arrays)
        self._waits[:] = np.nan  # told to users in another world
        self._make_heap_room(0)


def _promising(plan: Plan, items: Items) -> npt.NDArray[np.int64]:
    """Return the rows of which anything is promised, rising: all but children of parents who have all promises."""
    types = np.uint32(0)
    for p in range(items.promised.shape[1]):
        shown = plan.attribute_effects["types"][plan.attribute_effects["promise"] == p]
        types |= np.bitwise_or.reduce(shown) if len(shown) else np.uint32(0xFFFFFFFF)
    return np.flatnonzero((types >> items.state["type"].astype(np.uint32)) & np.uint32(1))


def zone_of(scenario: Scenario, place: npt.NDArray[np.float32], population: int) -> npt.NDArray[np.int32]:
    """Return the number of the zone that each place (n, 2), km, lies in: squares, row by row; 0 without places."""
    zone = np.zeros(len(place), dtype=np.int32)
    if scenario.places is not None:
        rows = zone_rows(scenario, population)
        cell = np.minimum((place / scenario.places.side.value * rows).astype(np.int32), rows - 1)
        zone[:] = cell[:, 0] * rows + cell[:, 1]
    return zone


def _geography(
    scenario: Scenario,
    shared: WorldPlan,
    users: Users,
    items: Items,
    n_creators: int,
    parent: npt.NDArray[np.int32],
    seed: int,
    population: int,
) -> Geography:
    """Return the places, zones, and who can do what, all by key."""
    zone = zone_of(scenario, users.place, population)
    qualification = qualifications(shared, users.state["key"].copy(), seed)
    width = qualification.shape[1]
    tastes = np.zeros((len(shared.choosers) * n_creators, width), dtype=np.float32)
    for k, (row, chooser) in enumerate(zip(shared.choosers, scenario.choosers.values(), strict=True)):
        row["first_row"] = k * n_creators
        part = slice(int(row["offset"]), int(row["offset"] + row["width"]))
        own = normals(seed, WORLD, n_creators, int(row["width"]), block=_CHOOSER_BLOCK)
        common = normals(seed, WORLD, 1, int(row["width"]), block=_COMMON_BLOCK)
        share = chooser.agreement.value
        tastes[k * n_creators : (k + 1) * n_creators, part] = np.sqrt(share) * common + np.sqrt(1.0 - share) * own
    return Geography(parent.astype(np.int32), zone, users.place, items.place, tastes, qualification)


def qualifications(shared: WorldPlan, keys: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.float32]:
    """Return what choosers may like of the users with these keys, float32 (n, columns of all choosers)."""
    width = int(sum(shared.choosers["width"]))
    if width == 0:
        return np.zeros((len(keys), 0), dtype=np.float32)
    return np.asarray(normals(seed, WORLD, keys, width, block=_APPLICANT_BLOCK), dtype=np.float32)


def _units(
    scenario: Scenario,
    shared: WorldPlan,
    geography: Geography,
    n_creators: int,
    n_users: int,
    published_at: npt.NDArray[np.float64],
    seed: int,
    sharing: Sharing,
) -> tuple[Array, int]:
    """Lay out every unit of every resource, then the review batches of choosers; and count the servers with places."""
    sizes = {
        Per.WORLD: 1, Per.ITEM: len(published_at), Per.CREATOR: n_creators, Per.USER: n_users,
        Per.ZONE: zone_rows(scenario, sharing.users) ** 2, Per.PARENT: int(geography.parent.max(initial=-1)) + 1,
    }  # fmt: skip
    parts, first, servers = [], 0, 0
    given: dict[str, Any] = dict(scenario.resources)
    for r, (row, (name, resource)) in enumerate(zip(shared.resources, given.items(), strict=True)):
        n = sizes[Per(int(row["per"]))]
        units = np.zeros(n, dtype=layout.UNIT)
        units["first"] = units["last"] = NO_ROW
        units["closes"] = np.inf
        draw = uniforms(seed, WORLD, n, _CAPACITY + r)
        sharing.share(resource, Per(int(row["per"])), units)
        kind = ResourceKind(int(row["kind"]))
        if kind in (ResourceKind.QUEUE, ResourceKind.SLOTS):
            units["capacity"] = sharing.whole(f"{name}.capacity", resource.capacity, draw, units)
            units["level"] = units["capacity"]
        elif kind == ResourceKind.STOCK:
            units["level"] = sharing.whole(f"{name}.initial", resource.initial, draw, units)
        else:
            units["level"] = sharing.whole(f"{name}.count", resource.count, draw, units)
            units["closes"] = drawn(resource.closes_after, uniforms(seed, WORLD, n, _CLOSES + r))
            if row["per"] == Per.ITEM:
                units["closes"] += published_at
        most = most_servers(shared, row, units)
        if getattr(resource, "slowdown", None) is not None and resource.slowdown.unit != "ratio":
            row["slowdown"] /= max(float(most.mean()), 1.0)
        if row["moves"]:
            sharing.placed(name, most)
            units["n_servers"] = most
            units["first_server"] = servers + np.concatenate([[0], np.cumsum(most)[:-1]])
            servers += int(most.sum())
        row["first_unit"], row["n_units"] = first, n
        first += n
        parts.append(units)
    for step in shared.steps:
        if step["chooser"] >= 0 and shared.choosers[step["chooser"]]["shortlist"] > 0:
            batches = np.zeros(len(published_at), dtype=layout.UNIT)
            batches["first"] = batches["last"] = NO_ROW
            chooser = list(scenario.choosers.values())[step["chooser"]]
            shared.choosers[step["chooser"]]["shortlist"] = sharing.shortlist(chooser)
            step["review_batch"] = first
            first += len(batches)
            parts.append(batches)
    return (np.concatenate(parts) if parts else np.zeros(0, dtype=layout.UNIT)), servers


def _server_places(
    scenario: Scenario, geography: Geography, units: Array, servers: int, seed: int
) -> npt.NDArray[np.float32]:
    """Draw where servers with places begin: anywhere."""
    places = np.zeros((servers, 2), dtype=np.float32)
    if scenario.places is not None and servers:
        for axis in range(2):
            places[:, axis] = scenario.places.side.value * uniforms(seed, WORLD, servers, _PLACE + axis)
    return places
