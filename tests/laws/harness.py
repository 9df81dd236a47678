"""Worlds for tests of the laws: scenarios with edits, and single stages of a life cycle driven without a platform.

`Stage` puts users on the threshold of one stage with a state that the test chooses, and lets the engine's own kernel
take exactly that step. What comes out is what they decided.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.engine.randomness import DECISION, KNOWLEDGE, OBSERVATION, PERCEPTION
from simulator.engine.tables.tables import (
    CASE,
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Items,
    Output,
    Plan,
    StageKind,
    Status,
    Users,
    Visits,
)
from simulator.engine.visit.advance import advance, parts_of, room_needed
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.parent_rows import levels_of
from simulator.population.users import draw_users
from simulator.runtime.visit_table import VisitTable
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.strict_yaml import load_yaml

SEED = 5
CLOCK = 36000.0
BRIEF = 1.0 / 1024.0
"""The shortest time that any step takes: a window of this length lets every row take one step."""

FIXED = ("outside_option", "threshold")
"""Keys of what a stage demands of an item, whatever can be seen."""

# ---- scenarios with edits -------------------------------------------------------------------------------------------


def edited(folder: Path, edits: Mapping[str, object], name: str = "shortvideo") -> Path:
    """A copy of a packaged scenario in `folder` with some of its values replaced; keys are dotted paths."""
    original = Path(str(load_scenario(name).path))
    content: dict[str, Any] = load_yaml(original, name)
    for path, value in edits.items():
        place = content
        *parents, last = path.split(".")
        for key in parents:
            place = place[key]
        if last in FIXED and "search_cost" in place:  # a demand that is fixed, in place of one that adapts
            place[last] = place.pop("search_cost")
        assert last in place, f"{path} is no key of {name}: the edit would change nothing"
        place[last] = value
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "edited.yaml"
    copy.write_text(json.dumps(content))  # JSON is YAML
    shutil.copy(original.with_name(f"{original.stem}.sources.yaml"), folder / "edited.sources.yaml")
    return copy


def spoilt(folder: Path, path: str, value: object, name: str) -> Path:
    """A copy of a packaged scenario in `folder` with the key at a dotted path set, whether it was there or not."""
    copy = edited(folder, {}, name)
    content = json.loads(copy.read_text())
    place = content
    *parents, last = path.split(".")
    for key in parents:
        place = place[key]
    place[last] = value
    copy.write_text(json.dumps(content))
    return copy


def number(value: float, unit: str) -> dict[str, object]:
    """A number as a scenario writes it."""
    return {"value": value, "unit": unit, "from": "estimate"}


@cache
def runnable() -> tuple[str, ...]:
    """Packaged scenarios that this version of the engine can run."""
    found = []
    for name in available_scenarios():
        try:
            compile_scenario(load_scenario(name))
        except InputError as error:
            if "cannot run it yet" not in str(error):
                raise
        else:
            found.append(name)
    assert found, "no packaged scenario can be run"
    return tuple(found)


# ---- keyed luck, written a second time in numpy ---------------------------------------------------------------------

Keys = npt.NDArray[np.uint64]


def mixed(h: Any, key: Any) -> Keys:
    """One more key into a chain of hashes, for arrays; must agree with `simulator.engine.randomness.mix` to the bit."""
    with np.errstate(over="ignore"):
        h = (np.asarray(h, dtype=np.uint64) ^ np.asarray(key, dtype=np.uint64)) * np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(33)
        h = (h + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xC4CEB9FE1A85EC53)
        return np.asarray(h ^ (h >> np.uint64(29)))


def luck_of(seed: int, purpose: int, *keys: Any) -> Keys:
    """The end of a chain (seed, purpose, keys ...)."""
    h = mixed(mixed(np.uint64(0x9E3779B97F4A7C15), seed), purpose)
    for key in keys:
        h = mixed(h, key)
    return h


def decision(visit: Any, request: Any, slot: Any, what: Any) -> Keys:
    """Key of one decision under the key of a visit."""
    parts = [np.asarray(x, dtype=np.uint64) << np.uint64(s) for x, s in ((request, 24), (slot, 8), (what, 0))]
    return mixed(visit, parts[0] | parts[1] | parts[2])


def as_uniform(h: Any) -> npt.NDArray[np.float64]:
    """Hashes as uniforms in [0, 1)."""
    return (np.asarray(h, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def from_table(quantiles: npt.NDArray[np.float32], h: Any) -> npt.NDArray[np.float64]:
    """Draws from a table of 4,096 quantiles by the top 12 bits of hashes."""
    return quantiles[(np.asarray(h, dtype=np.uint64) >> np.uint64(52)).astype(np.int64)].astype(np.float64)


# ---- logs -----------------------------------------------------------------------------------------------------------


def in_order(log: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by key, so that two logs can be compared."""
    keys = ["user", "session", "request", "position", "time", "event", "item"]
    return log.assign(event=log["event"].astype(str)).sort_values(keys, kind="stable").reset_index(drop=True)


def assert_same_log(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Same rows after sorting by key, every value exactly equal."""
    assert len(one) > 0, "an empty log shows nothing"
    pd.testing.assert_frame_equal(in_order(one), in_order(other), check_exact=True)


# ---- one stage at a time --------------------------------------------------------------------------------------------


def bits(array: np.ndarray) -> bytes:
    """The values of an array as bytes, field by field: what pads a row is nobody's decision."""
    if array.dtype.names is None:
        return np.ascontiguousarray(array).tobytes()
    return b"".join(np.ascontiguousarray(array[name]).tobytes() for name in array.dtype.names)


@dataclass(frozen=True)
class After:
    """What a step left behind."""

    rows: np.ndarray  # VISIT
    users: Users
    records: np.ndarray  # EVENT
    tallies: np.ndarray
    counters: np.ndarray
    messages: np.ndarray  # CASE: what the world was told
    menu: np.ndarray  # CARD: menus that were opened, and the baskets from them

    def bits(self) -> bytes:
        """Everything that was decided, as bytes: rows, records, sums, messages, and what stayed with the users."""
        parts = [self.rows, *self.users, self.records, self.tallies, self.counters, self.messages, self.menu]
        return b"".join(bits(part) for part in parts)


@dataclass(frozen=True)
class Bench:
    """A scenario with users and items, and the tables that the kernel reads."""

    compiled: Compiled
    users: Users
    items: Items
    seed: int = SEED

    @property
    def modalities(self) -> int:
        """How many modalities there are."""
        return len(self.compiled.names.modalities)

    def visible(self, stage: int, device: int) -> int:
        """Bit mask of what a stage shows on a device."""
        return int(self.compiled.plan.screens[stage, device, 0])

    def shown(self, stage: int) -> np.ndarray:
        """Rows that cards of a stage can show: items, or parents; in a menu, children of any parent will do."""
        row, levels = self.compiled.plan.stages[stage], levels_of(self.compiled, self.items)
        return np.flatnonzero(levels == row["shows_parents"]) if row["children_of"] < 0 else self.items.menu

    def holds_baskets(self, stage: int) -> bool:
        """Whether what is decided on at a stage is a basket from a menu."""
        plan = self.compiled.plan
        menus = (plan.stages["children_of"] >= 0) & (plan.stages["picks"] >= 0)
        return bool((plan.alternatives[menus, 0] == stage).any())

    def with_plan(self, **tables: np.ndarray) -> Bench:
        """The same users and items in a scenario with other tables."""
        return replace(self, compiled=replace(self.compiled, plan=self.compiled.plan._replace(**tables)))

    def with_items(self, items: Items) -> Bench:
        """The same users before other items."""
        return replace(self, items=items)


@cache
def compiled_of(name: str) -> Compiled:
    """Tables of a scenario, by name or path."""
    return compile_scenario(load_scenario(name))


@cache
def bench(name: str, users: int = 600, items: int = 200) -> Bench:
    """Users and items of a scenario, with some history, so that no part of their state is at its neutral value."""
    compiled = compiled_of(name)
    if compiled.shown_parents:
        items *= 8  # enough parents for a slate
    all_items = draw_catalog(compiled, items, 86400.0, SEED).items
    all_users = draw_users(compiled, all_items, users, SEED)
    generator = np.random.default_rng(SEED)
    all_users.satiation_trust[:] = generator.uniform(0.0, 0.4, all_users.satiation_trust.shape)
    all_users.state["satiated_at"] = CLOCK - 300.0
    all_users.state["visits"] = 3
    all_items.published_counters[:] = generator.normal(size=all_items.published_counters.shape)
    all_items.published[:] = CLOCK - generator.uniform(2.0, 5.0, all_items.published.shape) * 86400.0
    if all_users.parent_history.size:
        all_users.parent_history["parent"] = generator.permuted(
            np.tile(np.arange(all_items.parent.max() + 1), (users, 1)), axis=1
        )[:, : all_users.parent_history.shape[1]]
        all_users.parent_history["amount"] = generator.choice([0.0, 0.4, 1.0, 1.7], all_users.parent_history.shape)
        all_users.parent_history["at"] = CLOCK - generator.uniform(0.0, 1e5, all_users.parent_history.shape)
    if all_users.item_memory.size:
        subjects = np.arange(items)
        if (compiled.plan.types["known"][list(compiled.shown_parents.values())] > 0).any():
            subjects = np.flatnonzero(levels_of(compiled, all_items) >= 0)
        all_users.item_memory["item"] = generator.permuted(np.tile(subjects, (users, 1)), axis=1)[
            :, : all_users.item_memory.shape[1]
        ]
        if (compiled.plan.types["known_of"] == 1).any():  # of every creator that there is, as far as there is room
            creators = 1 + int(all_items.state["creator"].max())
            all_users.item_memory["item"] = (1 << 31) + (np.arange(all_users.item_memory.shape[1]) % creators).astype(
                np.uint32
            )
        all_users.item_memory["worth"] = generator.normal(size=all_users.item_memory.shape)
        all_users.item_memory["at"] = np.where(
            generator.random(all_users.item_memory.shape) < 0.8, CLOCK - 1e4 * generator.random(), 0.0
        )
    attribute_effects = compiled.plan.attribute_effects
    for aside in attribute_effects[(attribute_effects["promise"] >= 0) & (attribute_effects["limit"] == 0)]:
        for promised in (all_items.promised, all_users.promised):
            promised[:, aside["promise"]] = aside["usual"] * generator.uniform(0.1, 0.9, len(promised))
    if compiled.plan.attribute_effects[
        "apart"
    ].any():  # all in one corner: what goes away from there goes away from everybody
        all_users.place[:] = 0.0
    return Bench(compiled, all_users, all_items)


def _strangers_first(of: Bench, items: np.ndarray) -> np.ndarray:
    """The same items, the first of every parent before all siblings: what a card does to the next is another test."""
    parent = np.where(of.items.parent[items] < 0, -1 - items, of.items.parent[items])
    first = np.zeros(len(items), dtype=bool)
    first[np.unique(parent, return_index=True)[1]] = True
    return items[np.argsort(~first, kind="stable")]


def threshold(of: Bench, stage: int, device: int, slate: np.ndarray | None = None) -> Visits:
    """A row per user about to take their step of `stage`, in the order of users.

    Browse finds a fresh slate; inspect an item that was just picked; consume an item whose play begins, picked or not;
    respond a play that has just ended. What was attended to before is a part of what the stage itself shows.
    """
    plan, n = of.compiled.plan, len(of.users.state)
    generator = np.random.default_rng(1)
    table = VisitTable(of.compiled.largest_slate, of.compiled.largest_menu)
    all_users = Users(*(array.copy() for array in of.users))
    all_users.state["due"] = CLOCK
    chosen = table.due(all_users, np.inf)
    rows = Visits(*(array[chosen] for array in table.rows))
    v = rows.state
    assert (v["user"] == np.arange(n)).all()
    size = int(plan.stages["slate"][stage])
    items = slate
    if items is None:
        items = np.stack([_strangers_first(of, generator.permutation(of.shown(stage)))[:size] for _ in range(n)])
    if plan.stages["children_of"][stage] >= 0:
        rows.menu["item"][:, :size] = items
        v["inside"], v["menu_n"], v["menus"] = 1, size, 1
    else:
        rows.slate["item"][:, :size] = items
        rows.slate["propensity"][:, :size] = 0.25
    users = np.arange(n)
    v["decisions"], v["observations"] = luck_of(of.seed, DECISION, users, 3), luck_of(of.seed, OBSERVATION, users, 3)
    v["perceptions"], v["knowing"] = luck_of(of.seed, PERCEPTION, users), luck_of(of.seed, KNOWLEDGE, users)
    seen = of.visible(stage, device)
    v["visit"], v["request"], v["status"], v["device"], v["stage"] = 3, 2, Status.ACTIVE, device, stage
    v["clock"], v["start"] = CLOCK, CLOCK - 60.0
    v["budget"], v["tolerance"] = 900.0, 20.0
    v["haste"], v["mindful"], v["elsewhere"] = 1.0, 1.0, -1.0  # no context
    queue_of = int(plan.stages["queue_of"][stage])
    v["slate_stage"], v["slate_n"] = stage if queue_of < 0 else queue_of, size
    v["utility"], v["belief"] = generator.normal(size=(2, n))
    v["belief_sd"] = 0.8
    kind = plan.stages["kind"][stage]
    if kind != StageKind.BROWSE:
        v["item"], v["slot"], v["position"], v["propensity"] = rows.slate["item"][:, 0], 0, size, 0.25
        v["picked"] = 1
        v["attended"] = np.where(generator.uniform(size=n) < 0.5, seen & generator.integers(0, 64, n), 0)
    if plan.stages["children_of"][stage] >= 0 or of.holds_baskets(stage):  # a parent, and its menu
        v["item"], v["slot"], v["propensity"], v["picked"] = generator.choice(parents_of(of), n), 0, 0.25, 1
    if of.holds_baskets(stage):
        rows.menu["item"][:, :2] = generator.choice(of.items.menu, (n, 2))
        rows.menu["taken"][:, :2] = 1
        rows.menu["attended"][:, :2] = seen & generator.integers(0, 64, (n, 2))
        v["menu_n"], v["taken"], v["menus"] = 2, 2, 1
    if kind == StageKind.CONSUME:
        v["playing"] = 2
        v["picked"] = generator.integers(0, 2, n)
        v["attended"] *= v["picked"]
    if kind == StageKind.RESPOND:
        v["attended"] = seen & generator.integers(0, 64, n)
        v["judged"], v["known"], v["tolerated"] = 1, 1, 0.0
        v["lived"], v["expected"], v["satisfaction"] = generator.normal(0.0, 2.0, (3, n))
    return rows


def parents_of(of: Bench) -> np.ndarray:
    """Rows from which a menu can be opened: all parents that some stage shows; where none does, their children."""
    parents = np.flatnonzero(levels_of(of.compiled, of.items) >= 0)
    return parents if len(parents) else of.items.menu


def _alone(plan: Plan, stage: int) -> Plan:
    """The same stage, followed by a request for a slate where something would be read at once."""
    kinds, following = plan.stages["kind"], plan.alternatives.copy()
    menus = (plan.stages["children_of"] >= 0) | (plan.stages["queue_of"] >= 0)
    at_once = np.isin(kinds, (StageKind.INSPECT, StageKind.COMMIT)) | menus
    reads = (following[stage] >= 0) & at_once[following[stage]]
    following[stage][reads] = int(np.flatnonzero(kinds == StageKind.BROWSE)[0])
    return plan._replace(alternatives=following)


def step(of: Bench, rows: Visits, room: int = 48, whole: bool = True) -> After:
    """Every row takes one step; `rows` and the users of the bench are left as they are.

    A closer look and a decision are taken to their ends, or with `whole` off only up to where all has been read.
    """
    users = Users(*(array.copy() for array in of.users))
    after = Visits(*(array.copy() for array in rows))
    n = len(after.state)
    needed = room_needed(of.compiled.largest_slate, of.compiled.largest_menu, of.compiled.most_responses)
    records = np.zeros(room * n + needed, dtype=EVENT)
    counters = np.zeros((len(of.items.state), 1 + len(of.compiled.names.counters)), dtype=np.int64)
    tallies, scratch = np.zeros(N_TALLIES, np.int64), np.zeros((MAX_SCREEN, SCRATCH_WIDTH))
    messages, told = np.zeros(n + needed if of.compiled.world is not None else 0, dtype=CASE), np.zeros(1, np.int64)

    def lived(todo: np.ndarray, end: float, written: int) -> int:
        out = Output(records[written:], tallies, counters, scratch, messages, told)
        done, more = advance(
            of.seed, todo, 0, end, needed, plan, users, of.items, after, out, *parts_of(of.compiled.plan)
        )
        assert done == len(todo), "more records than there was room for"
        return written + more

    stage = int(rows.state["stage"][0])
    kind = of.compiled.plan.stages["kind"][stage]
    slow = kind in (StageKind.INSPECT, StageKind.COMMIT)  # they end at times of their own
    plan = _alone(of.compiled.plan, stage) if slow or kind == StageKind.RESPOND else of.compiled.plan
    written = lived(np.arange(n, dtype=np.int64), CLOCK + BRIEF, 0)
    if slow and whole:
        for k in np.flatnonzero((after.state["stage"] == stage) & (after.state["playing"] != 0)):
            written = lived(np.array([k], dtype=np.int64), float(after.state["clock"][k]) + BRIEF, written)
        assert not ((after.state["stage"] == stage) & (after.state["playing"] != 0)).any(), "a look without an end"
    return After(after.state, users, records[:written], tallies, counters, messages[: told[0]], after.menu)
