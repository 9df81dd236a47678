"""A world: one run of one scenario with one platform, from its beginning or from its last checkpoint to its horizon."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import Recommender
from recommenders.rehearsal import rehearse
from simulator.config import RunConfig
from simulator.engine.jit.compile import source_hash
from simulator.engine.jit.precompile import Ahead
from simulator.engine.tables.tables import Array, People, Tally, Visits
from simulator.engine.visit.advance import advance, first_arguments
from simulator.errors import InputError, RunInterrupted
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.platform.counters import Readouts
from simulator.platform.oracle import ORACLES, Oracle
from simulator.platform.service import Platform, create_recommender
from simulator.population.catalog import draw_catalog
from simulator.population.interests import Interests, topical
from simulator.population.parent_rows import Menus, asked_for
from simulator.population.setting import Setting
from simulator.population.users import draw_people
from simulator.records.checkpoint import last_checkpoint, read_checkpoint, under, write_checkpoint
from simulator.records.log_writer import KEPT, PLATFORM, LogWriter, drop_parts_after, read_parts
from simulator.records.manifest import RunFacts, write_items, write_results
from simulator.records.measures import Outcome, check_measures, event_counts, measure
from simulator.records.platform_log import PlatformMemory
from simulator.records.result import RunResult
from simulator.records.run_folder import claim_folder, remove_partials, write_config
from simulator.runtime.cases import Cases
from simulator.runtime.clock import Clock, Order
from simulator.runtime.progress import Progress
from simulator.runtime.rounds import Rounds
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario

Report = Callable[[Progress], None]


def run_world(
    config: RunConfig,
    recommender: object | None = None,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> RunResult:
    """Run one world to its horizon.

    Args:
        config: a completed configuration; with `resume` set, the run in that folder is continued.
        recommender: a recommender object, in place of the configuration's name.
        report: called after every tick and when a model is fitted.
        stop: asked after every tick; when it says so, a checkpoint is written and RunInterrupted raised.

    Raises:
        InputError: something that was given is wrong.
        RunInterrupted: stopped; the folder holds a checkpoint.
    """
    begun = time.perf_counter()
    scenario = load_scenario(config.scenario, config.scenario_changes)
    check_scenario(scenario)
    compiled = compile_scenario(scenario)
    check_measures(compiled)
    check_times(config, scenario)
    world = World(config, compiled, _plugin(config, scenario, recommender), report, begun)
    try:
        world.live(stop)
        return world.finish()
    finally:
        world.close()


def _plugin(config: RunConfig, scenario: Scenario, given: object | None) -> Recommender | str:
    """The recommender to run, made before anything is written; an oracle is still only a name."""
    if given is None:
        name = config.recommender or scenario.defaults.recommender
        if name in ORACLES:
            return name
        return create_recommender(name, config.recommender_parameters, scenario, config.seed)
    if not isinstance(given, Recommender):
        raise InputError(
            "recommender",
            f"{given!r} is no recommender",
            "an object of a class derived from recommenders.contract.Recommender",
        )
    return given


def set_up(config: RunConfig, compiled: Compiled, say: Callable[[str], None]) -> Setting:
    """Make the setting that a configuration asks for."""
    if config.catalog is not None:
        from simulator.grounding.setting import ground_setting  # reads files and estimates: only where it is wanted

        return ground_setting(config, compiled, say)
    defaults = compiled.scenario.defaults
    horizon = config.horizon or defaults.horizon
    catalog = draw_catalog(compiled, config.items or defaults.items, horizon, config.seed)
    people = draw_people(compiled, catalog.goods, config.users or defaults.users, config.seed)
    return Setting(compiled, catalog, people, None, horizon, {"catalog": "drawn from the scenario"})


def check_times(config: RunConfig, scenario: Scenario) -> None:
    """Everything that happens at ticks must fall on ticks."""
    tick = scenario.clock.tick.value
    own = scenario.platform
    times = {
        "first_fit" if config.first_fit else f"{scenario.shown}: platform.first_fit": config.first_fit or own.first_fit,
        "refit" if config.refit else f"{scenario.shown}: platform.refit": config.refit or own.refit,
        "checkpoint": config.checkpoint,
    }
    for where, seconds in times.items():
        if seconds < tick or (seconds / tick) != int(seconds / tick):
            raise InputError(
                where,
                f"{seconds:g} s is no multiple of the tick",
                f"a multiple of {tick:g} s (clock.tick of the scenario)",
            )
    if (tick * 1024.0) != int(tick * 1024.0):
        raise InputError(scenario.shown, f"clock.tick = {tick:g} s", "a multiple of 1/1024 s")


class World:
    """One world, its state and its log. Use `run_world`."""

    def __init__(
        self,
        config: RunConfig,
        compiled: Compiled,
        plugin: Recommender | str,
        report: Report | None,
        begun: float,
        tap: Callable[[Array], None] | None = None,
    ) -> None:
        self.config, self.compiled = config, compiled
        self._report, self._begun = report, begun
        self.horizon = float(config.horizon or compiled.scenario.defaults.horizon)
        self._ahead = Ahead()
        self._ahead.order(advance, *first_arguments(compiled.plan))
        self.setting: Setting = set_up(config, compiled, self._say_setting)
        self.horizon = float(config.horizon or self.setting.horizon)
        self.compiled = self.setting.compiled
        names = compiled.names
        self.names = {"surface": names.surfaces, "device": names.devices, "stage": names.stages, "event": names.events}
        if not isinstance(plugin, str):
            plugin.check(self.setting.catalog.public)  # before anything is written
        learns = not isinstance(plugin, str) and plugin.learns
        catalog = self.setting.catalog
        self.memory = PlatformMemory(self.names, len(self.people.state), catalog.n_items) if learns else None
        if self.memory is not None and self.setting.warm is not None:
            self.memory.take_columns(self.setting.warm)
        self.folder = self._open_folder()
        self.log = LogWriter(self.folder, config.log, self.names, self.horizon, self.memory, tap)
        goods = catalog.goods
        who = Oracle(plugin, self.compiled, self.people, goods, config.seed) if isinstance(plugin, str) else plugin
        self.platform = Platform(
            compiled.scenario,
            who,
            self.setting.catalog.public,
            self.memory,
            config.seed,
            0.0 if self.setting.warm is not None else config.first_fit or compiled.scenario.platform.first_fit,
        )
        self._asked_for = asked_for(self.compiled, goods)
        self.menus: Menus | None = None
        if len(goods.menu):
            self.menus = Menus(self.compiled, goods, catalog.published_at, catalog.withdrawn_at, config.seed)
        self.readouts = Readouts(self.compiled, goods)
        self.rounds = Rounds(self.compiled, self.people, goods, config.seed, config.threads, config.batch, self.log)
        self.cases: Cases | None = None
        if compiled.world is not None:
            self.cases = Cases(
                self.compiled.scenario, compiled.world, self.compiled.plan, self.people, goods, catalog.n_creators,
                goods.parent, catalog.published_at, self.horizon, config.seed, self.rounds.visits.soonest(self.people),
            )  # fmt: skip
            self.cases.prepare(self._ahead, self.rounds.output)
        if isinstance(plugin, Recommender) and plugin.learns and type(plugin).__module__.startswith("recommenders."):
            self._ahead.rehearse(rehearse, plugin)  # what others do at a fit is their own business
        self.interests: Interests | None = None
        if compiled.scenario.declared_interests is not None:
            criteria = self.rounds.criteria
            own = topical(self.compiled, self.people.taste) if criteria is None else criteria.taste
            self.interests = Interests(self.compiled, self.people, goods, own, config.seed)
            self.rounds.stated = self.interests.stated
        self.now = 0.0
        self._next_checkpoint = 1
        self._candidates = self._on_offer(0.0)[1]
        if config.resume is not None:
            self._resume()

    @property
    def people(self) -> People:
        """The users."""
        return self.setting.people

    # ---- living

    def live(self, stop: Callable[[], bool] | None) -> None:
        """Run from `now` to the horizon. Raises RunInterrupted when `stop` says so, after a checkpoint."""
        tick = self.compiled.scenario.clock.tick.value
        refit = self.config.refit or self.compiled.scenario.platform.refit
        clock = Clock(self.now)

        def next_of(period: float, first: float) -> float:
            missed = max(int(np.ceil((self.now - first) / period)), 0)
            return first + missed * period

        def live_on(time: float) -> None:
            self._tick(time, min(time + tick, self.horizon))
            if stop is not None and stop():
                self._checkpoint()
                raise RunInterrupted(f"at {self.now / 3600.0:.2f} h of simulated time")

        clock.every(tick, self.now, Order.PUBLISH, self._publish)
        clock.every(tick, self.now, Order.TICK, live_on)
        first_fit = self.platform.first_fit
        clock.every(refit, next_of(refit, first_fit), Order.FIT, self._fit)
        if self.folder is not None:
            period = self.config.checkpoint
            clock.every(period, next_of(period, period), Order.CHECKPOINT, lambda time: self._checkpoint())
        # What exists now lives to the end: collecting it again and again only costs. A world that has ended leaves no
        # circle of objects, so there is nothing to collect before.
        gc.freeze()
        try:
            clock.run(self.horizon)
        finally:
            clock.close()

    def _publish(self, time: float) -> None:
        """What everybody can see from now on: new items, and counters."""
        self._ahead.ready(advance)
        self.now = time
        offered, candidates = self._on_offer(time)
        if len(candidates) == 0:
            raise InputError(
                "catalog",
                f"no item is on offer at {time:g} s",
                "more items=, or a scenario with fewer fresh ones, or longer lifetimes",
            )
        counters, gone = self.rounds.counters, None
        self.readouts.publish(counters, offered)
        if self.cases is not None:
            self.cases.publish(time)
            gone = self.cases.spent(time)
            left = candidates[~gone[candidates]]
            if len(left):  # what is sold out or filled is not offered, as far as was known at the tick
                candidates = left
        if not np.array_equal(candidates, self._candidates):  # else the very array, by which lists are known again
            self._candidates = candidates
        if self.menus is not None:
            self.menus.publish(counters, gone)
        if self.rounds.editors is not None:
            self.rounds.editors.publish(time, self._candidates, counters)
        if self.platform.takes_updates:
            self._settle()
            self.platform.update(time)

    def _on_offer(self, time: float) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """All that is published and not withdrawn, and what of it a slate can be made of, rising."""
        offered = self.setting.catalog.available(time)
        return offered, offered if self._asked_for.all() else offered[self._asked_for[offered]]

    def _fit(self, time: float) -> None:
        if self.platform.fitted_at and self.platform.fitted_at[-1] >= time:
            return  # resumed at this very time: the model of the checkpoint is the one
        self._settle()
        self._ahead.close()  # what it has not come to by now is compiled where it is called
        if self.memory is not None:
            self._say(f"fitting {self.platform.recommender.name}")
        self.platform.fit(time)

    def _settle(self) -> None:
        """Everything recorded so far is in the platform's memory."""
        self.rounds.flush()
        if self.log.recording:
            self.log.drain()

    def by_rounds(self) -> Iterator[npt.NDArray[np.int64]]:
        """Live from `now` to the horizon, and stop wherever rows wait for slates, as in `Rounds.rounds_of`.

        For whoever answers in the recommender's place, from `Platform.version` 1 on; nothing is checkpointed.
        """
        refit = self.config.refit or self.compiled.scenario.platform.refit
        tick, next_fit = self.compiled.scenario.clock.tick.value, self.platform.first_fit
        while self.now < self.horizon:
            start, end = self.now, min(self.now + tick, self.horizon)
            self._publish(start)
            if start >= next_fit:
                self._fit(start)
                next_fit += refit
            yield from self.rounds.rounds_of(self._windows(start, end))
            self._end_tick(end)

    @property
    def candidates(self) -> npt.NDArray[np.int32]:
        """Items that can be shown in this tick, rising."""
        return self._candidates

    def _windows(self, start: float, end: float) -> list[float]:
        """Ends of the windows that a tick is cut into, s."""
        width = (end - start) / self.config.window
        inner = [start + np.floor(width * k * 1024.0) / 1024.0 for k in range(1, self.config.window)]
        return [float(w) for w in [*inner, end]]

    def _tick(self, start: float, end: float) -> None:
        self.rounds.tick(
            self._windows(start, end), self._candidates, self.platform.answer, lambda: self.platform.version
        )
        self._end_tick(end)

    def _end_tick(self, end: float) -> None:
        if self.cases is not None:
            self.cases.post(self.rounds.messages())
            self.cases.run(end, self.rounds.output, self.rounds.wrote)
        if self.interests is not None:
            self.interests.live(self.now, end, self.rounds.output, self.rounds.wrote)
        self.now = end
        self._say("")

    def _say(self, note: str) -> None:
        if self._report is not None:
            events = int(self.rounds.tallies[Tally.EVENT : Tally.VALUE].sum())
            self._report(Progress(self.now, self.horizon, events, time.perf_counter() - self._begun, note))

    def _say_setting(self, note: str) -> None:
        if self._report is not None:
            self._report(Progress(0.0, self.horizon, 0, time.perf_counter() - self._begun, note))

    # ---- folder and checkpoints

    def _open_folder(self) -> Path | None:
        if self.config.resume is not None:
            folder = Path(self.config.resume)
            remove_partials(folder)
            return folder
        if self.config.output is None:
            return None
        folder = claim_folder(Path(self.config.output))
        write_config(folder, replace(self.config, output=None, horizon=self.horizon))
        write_items(folder, self.setting.catalog.public)
        return folder

    def _checkpoint(self) -> None:
        if self.folder is None:
            return
        self.rounds.flush()
        index = self._next_checkpoint
        self.log.close_parts(index)
        users, rows = self.rounds.visits.compacted(self.people)
        arrays: dict[str, npt.NDArray[Any]] = {"time": np.array([self.now]), "engine": np.array([source_hash()])}
        arrays |= {f"people/{name}": array for name, array in self.people._asdict().items()}
        arrays |= {f"visits/{name}": array for name, array in rows._asdict().items()}
        arrays |= {"visits/users": users, "tallies": self.rounds.tallies, "counters": self.rounds.counters}
        for kind, part in self._parts().items():
            arrays |= {f"{kind}/{name}": array for name, array in part.state().items()}
        for kind, totals in self.log.totals.items():
            arrays[f"log/{kind}"] = np.array([totals.rows, totals.hash], dtype=np.uint64)
        write_checkpoint(self.folder, index, arrays)
        self._next_checkpoint = index + 1

    def _parts(self) -> dict[str, Any]:
        """What has a state of its own beside users, visits and counts, by its name in a checkpoint."""
        parts = {
            "platform": self.platform,
            "sent": self.rounds.sent,
            "cases": self.cases,
            "interests": self.interests,
            "editors": self.rounds.editors,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def _resume(self) -> None:
        folder = self.folder
        if folder is None:
            return
        index = last_checkpoint(folder)
        drop_parts_after(folder, index or 0)
        self.log.index = (index or 0) + 1
        if index is None:
            return  # stopped before its first checkpoint: it begins again
        arrays = read_checkpoint(folder, index)
        if str(arrays["engine"][0]) != source_hash():
            raise InputError(
                str(folder), "was begun by another version of the engine", "the version that began it, or a new run"
            )
        self.now = float(arrays["time"][0])
        for name, array in self.people._asdict().items():
            array[...] = arrays[f"people/{name}"]
        rows = Visits(*(arrays[f"visits/{name}"] for name in Visits._fields))
        self.rounds.visits.restore(self.people, arrays["visits/users"], rows)
        self.rounds.restore(arrays["tallies"], arrays["counters"])
        for kind, part in self._parts().items():
            part.restore(under(arrays, f"{kind}/"))
        for kind, totals in self.log.totals.items():
            totals.rows, totals.hash = (int(x) for x in arrays[f"log/{kind}"])
        if self.memory is not None:
            self.memory.read(read_parts(folder, PLATFORM if self.config.log != "metrics" else KEPT))
        self._next_checkpoint = index + 1

    # ---- the end

    def finish(self) -> RunResult:
        """Close the logs, compute the measures, write the results."""
        self.now = self.horizon
        self.rounds.flush()
        self.log.close_parts(self._next_checkpoint)
        catalog, compiled = self.setting.catalog, self.compiled
        outcome = Outcome(
            compiled,
            self.rounds.tallies,
            self.rounds.counters[:, 0],
            catalog.goods.facts["creator"],
            self.people,
            self.horizon,
            self.cases.world.counts if self.cases is not None else None,
        )
        metrics = measure(outcome)
        platform = self.platform
        facts = RunFacts(
            compiled.scenario, self.config.seed, len(self.people.state), catalog.n_items, self.horizon,
            platform.recommender, platform.fitted_at, platform.version, self.setting.facts, event_counts(outcome),
            time.perf_counter() - self._begun, self.log,
        )  # fmt: skip
        manifest = write_results(self.folder, facts, metrics)
        return RunResult(metrics, manifest, self.folder, self.log.tables, catalog.public.columns)

    def close(self) -> None:
        """Stop the threads, whatever happened."""
        gc.unfreeze()
        self._ahead.close()
        self.log.abandon()
        self.rounds.close()
