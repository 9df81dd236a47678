"""Small worlds with cases for tests: a scenario with one fulfilment of our own, and decisions that we make up."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np

from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.case_tables import Count
from simulator.engine.tables.tables import EVENT, MAX_SCREEN, N_TALLIES, NO_CASE, SCRATCH_WIDTH, Array, Output
from simulator.engine.visit.due import BLOCK
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.users import draw_users
from simulator.runtime.cases import Cases
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario, scenario_from
from simulator.scenario.strict_yaml import load_yaml

BASE = "ecommerce"


@cache
def _base() -> tuple[dict[str, Any], dict[str, str]]:
    scenario = load_scenario(BASE)
    return load_yaml(str(scenario.path), BASE), scenario.sources


def claim(value: float, unit: str) -> dict[str, Any]:
    """A number of the world."""
    return {"value": value, "unit": unit, "from": "estimate"}


def exponential(mean: float) -> dict[str, Any]:
    """An exponential distribution of seconds."""
    return {"dist": "exponential", "mean": mean, "unit": "s", "from": "estimate"}


class TinyWorld:
    """Cases of a scenario whose stage `delivery` has these steps and these resources, and nothing after it."""

    def __init__(
        self,
        steps: list[dict[str, Any]],
        resources: dict[str, Any],
        users: int = 50,
        items: int = 20,
        horizon: float = 1e9,
        seed: int = 1,
        delivery: dict[str, Any] | None = None,
        edits: dict[str, Any] | None = None,
        ends: bool = True,
        population: int | None = None,
    ) -> None:
        base, sources = _base()
        content = copy.deepcopy(base)
        content["fulfil"]["delivery"] = {"steps": steps, **(delivery or {})}
        content["resources"] = resources
        for target in content["targets"].values():  # what they are compared with does not happen here
            target.pop("measure", None)
        del content["commit"]["checkout"]["bracket"]
        for spare in ("spare", "tried"):
            del content["stages"][spare], content["fulfil"][spare]
        content["fulfil"]["send_back"]["steps"] = [{"step": "back", "delay": exponential(60.0)}]
        del content["modalities"]["delivery_date"]
        del content["respond"]["verdict"]["lateness"]
        content["promises"] = {}
        for surface in content["surfaces"].values():
            for shown in surface["shows"].values():
                if "delivery_date" in shown:
                    shown.remove("delivery_date")
        expires = "expires_after" in (delivery or {})
        if expires:
            content["observation"]["expired"] = {"observer": "none"}
        for step in steps:
            if "event" in step:
                content["observation"].setdefault(step["event"], {"observer": "none"})
        for event in ("reserved", "shipped", "delivered", "promised"):
            if event not in [step.get("event") for step in steps]:
                del content["observation"][event]
        if ends:
            content["stages"]["delivery"]["next"] = {"refused": "exit", "cancelled": "exit"}
            if expires:
                content["stages"]["delivery"]["next"]["expired"] = "exit"
            content["stages"]["delivery"]["next"]["done"] = {
                "exit": claim(0.999999, "share"), "use": claim(0.000001, "share"),
            }  # fmt: skip
        for path, value in (edits or {}).items():
            *way, last = path.split(".")
            place = content
            for key in way:
                place = place[key]
            place[last] = value
        scenario = scenario_from(content, "tiny", sources)
        check_scenario(scenario)
        self.compiled = compile_scenario(scenario)
        catalog = draw_catalog(self.compiled, items, 86400.0, seed)
        self.catalog = catalog
        self.users = draw_users(self.compiled, catalog.items, users, seed)
        assert self.compiled.world is not None
        self.earliest = np.full(-(-users // BLOCK), -np.inf)
        self.cases = Cases(
            scenario, self.compiled.world, self.compiled.plan, self.users, catalog.items, catalog.n_creators,
            catalog.items.parent, catalog.published_at, horizon, seed, self.earliest, population,
        )  # fmt: skip
        self.stage = self.compiled.names.stages.index("delivery")
        self.tallies = np.zeros(N_TALLIES, dtype=np.int64)
        self.counters = np.zeros((items, 1 + len(self.compiled.names.counters)), dtype=np.int64)
        self._decided = np.zeros(users, dtype=np.uint32)
        self._records: list[Array] = []
        self._buffer: Array = np.zeros(0, dtype=EVENT)
        self.recording = True

    def decide(self, times: Any, users: Any, items: Any, amount: int = 1) -> None:
        """Post one case per row, of so many units; a user's cases are numbered in the order of the rows."""
        messages = np.zeros(len(times), dtype=CASE)
        messages["created"] = np.floor(np.asarray(times) * 1024.0) / 1024.0
        messages["user"], messages["item"] = users, items
        order = np.argsort(messages["user"], kind="stable")
        own = messages["user"][order]
        firsts = np.flatnonzero(np.concatenate([[True], own[1:] != own[:-1]]))
        messages["case"][order] = np.arange(len(own)) - np.repeat(firsts, np.diff(np.append(firsts, len(own))))
        messages["case"] += self._decided[messages["user"]]
        self._decided += np.bincount(messages["user"], minlength=len(self._decided)).astype(np.uint32)
        messages["parent_case"], messages["amount"], messages["stage"] = NO_CASE, amount, self.stage
        self.cases.post(messages)

    def run(self, end: float) -> None:
        """Let everything happen up to `end`."""
        self.cases.run(end, self._output, self._wrote)

    def _output(self, room: int) -> Output:
        self._buffer = np.zeros(4096 if self.recording else 0, dtype=EVENT)
        return Output(self._buffer, self.tallies, self.counters, np.zeros((MAX_SCREEN, SCRATCH_WIDTH)))

    def _wrote(self, n: int) -> None:
        if n:
            self._records.append(self._buffer[:n].copy())

    @property
    def records(self) -> Array:
        """Everything recorded so far."""
        return np.concatenate(self._records) if self._records else np.zeros(0, dtype=EVENT)

    def times(self, event: str) -> dict[tuple[int, int], float]:
        """When an event of each case, (user, case), happened."""
        rows = self.records[self.records["event"] == self.compiled.names.codes[event]]
        return {(int(u), int(c)): float(t) for u, c, t in zip(rows["user"], rows["case"], rows["time"], strict=True)}

    def unit(self, resource: str, number: int = 0) -> Array:
        """State of one unit of a resource."""
        row = self.cases.shared.resources[list(self.compiled.scenario.resources).index(resource)]
        return self.cases.case_state.units[int(row["first_unit"]) + number]

    def count(self, what: Count) -> int:
        """One of the world's counts."""
        return int(self.cases.case_state.counts[what])
