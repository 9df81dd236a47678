"""A world: one run of one scenario with one platform, from its beginning or from its last checkpoint to its horizon."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommenders.contract import Recommender, calling, sealed
from recommenders.contract.stopping import Stopped, stopping_by
from recommenders.rehearsal import rehearse
from simulator.config import RunConfig
from simulator.engine.jit.precompile import BackgroundCompiler
from simulator.engine.tables.tables import TICKS_PER_SECOND, Array, Tally, Users
from simulator.engine.visit.advance import advance, first_arguments
from simulator.errors import InputError, RunInterrupted
from simulator.part import Part, Published
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.platform.counters import PublishedCounters
from simulator.platform.oracle import ORACLES, Oracle
from simulator.platform.past import past_counts
from simulator.platform.policies import Policies, create_policies, create_recommender
from simulator.platform.service import Platform
from simulator.population.interests import Interests, topical
from simulator.population.parent_rows import Menus, recommendable
from simulator.population.setting import Setting
from simulator.records.beginning import begin_folder
from simulator.records.checkpoint import Checkpoint
from simulator.records.lock import FolderLock
from simulator.records.log_writer import LogWriter
from simulator.records.manifest import RunFacts, write_items, write_results
from simulator.records.measures import Outcome, check_measures, event_counts, measure, measure_targets
from simulator.records.needed_rows import needed_rows
from simulator.records.parts import drop_parts_after
from simulator.records.platform_log import PlatformMemory
from simulator.records.result import RunResult
from simulator.records.run_folder import remove_partials
from simulator.runtime.cases import Cases
from simulator.runtime.checkpointing import Checkpointing
from simulator.runtime.clock import Clock, Order
from simulator.runtime.earlier_log import with_log_from
from simulator.runtime.finished import finished_run
from simulator.runtime.identity import Identity, identity_of, take_up
from simulator.runtime.progress import Progress
from simulator.runtime.request_groups import Rows
from simulator.runtime.rounds import Rounds
from simulator.runtime.tick_times import check_policies, check_times
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.durations import HOUR
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario
from simulator.setting_up import hand_out, set_up

Report = Callable[[Progress], None]


def run_world(
    config: RunConfig,
    recommender: object | None = None,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
    watch: Callable[[World], None] | None = None,
) -> RunResult:
    """Run one world to its horizon.

    Args:
        config: a completed configuration; with `resume` set, the run in that folder is continued.
        recommender: a recommender object, in place of the configuration's name.
        report: called after every tick and when a model is fitted.
        stop: asked after every tick; when it says so, a checkpoint is written and RunInterrupted raised.
        watch: shown the world after every tick, for what no log has; it changes nothing.

    A run that has ended already is left as it is, and its result is read.

    Raises:
        InputError: something that was given is wrong; or what is resumed is damaged, or not what it was.
        RunInterrupted: stopped; the folder holds a checkpoint.
    """
    begun = time.perf_counter()
    with FolderLock() as lock:
        if config.resume is not None:
            ended = finished_run(config)
            if ended is None:
                lock.take(config.resume)
                ended = finished_run(config)  # by whoever held the lock until now
            if ended is not None:
                return ended
        scenario = load_scenario(config.scenario, config.scenario_changes)
        check_scenario(scenario)
        compiled = compile_scenario(scenario)
        check_measures(compiled)
        check_times(config, scenario)
        plugin, policies = _plugin(config, scenario, recommender), create_policies(scenario, config.seed)
        try:
            world = World(
                config, compiled, plugin, report, begun, lock=lock,
                found=None if config.resume is None else take_up(config, scenario, plugin, policies),  # large: not kept
                policies=policies,
            )  # fmt: skip
            return _lived(world, stop, watch)
        except MemoryError as error:
            raise InputError("memory", str(error) or "there is no more", "fewer users= or items=") from error


def _lived(world: World, stop: Callable[[], bool] | None, watch: Callable[[World], None] | None) -> RunResult:
    def after_a_tick() -> bool:
        if watch is not None:
            watch(world)
        return stop is not None and stop()

    try:
        with stopping_by(stop):
            world.live(after_a_tick)
        return world.finish()
    except Stopped as stopped:  # the tick is not over: what is on disk is the state before it
        raise RunInterrupted(f"in the middle of a fit, at {world.now / HOUR:.2f} h of simulated time") from stopped
    finally:
        world.close()


def _plugin(config: RunConfig, scenario: Scenario, given: object | None) -> Recommender | str:
    """Return the recommender to run, made before anything is written; an oracle is still only a name."""
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


class World:
    """One world, its state and its log. Use `run_world`.

    Args:
        config, compiled, plugin: what is run.
        report: as there.
        begun: when, by `time.perf_counter`.
        tap: shown all rows of the log as they come.
        lock: takes the folder that is made; what is resumed is locked already.
        found: the checkpoint of this run to go on from.
        policies: the platform's own, of stages that the recommender does not serve; None: made here.
    """

    def __init__(
        self,
        config: RunConfig,
        compiled: Compiled,
        plugin: Recommender | str,
        report: Report | None,
        begun: float,
        tap: Callable[[Array], None] | None = None,
        lock: FolderLock | None = None,
        found: Checkpoint | None = None,
        policies: Policies | None = None,
    ) -> None:
        self.config, self._report, self._begun = config, report, begun
        self.now, self.horizon = 0.0, float(config.horizon or compiled.scenario.defaults.horizon)
        # 1. Kernels compile in the background while the setting is drawn.
        self._compiler = BackgroundCompiler()
        self._compiler.submit(advance, *first_arguments(compiled.plan))
        # 2. Who and what is there.
        self.setting: Setting = set_up(config, compiled, lambda note: self._say(note, 0))
        self.compiled = compiled = self.setting.compiled
        self.horizon = float(config.horizon or self.setting.horizon)
        # 3. What the platform remembers, and what is written; a plug-in that lacks something says so before.
        self.policies = create_policies(compiled.scenario, config.seed) if policies is None else policies
        asked = [each for each in (plugin, *self.policies.each) if isinstance(each, Recommender)]
        learners = [each for each in asked if each.learns]
        if config.log_from is not None:
            self.setting = with_log_from(self.setting, config, [each.name for each in learners])
        catalog, users, items = self.setting.catalog, self.users, self.setting.catalog.items
        self._past = past_counts(compiled, users, items, config.seed)
        self.setting, public = hand_out(self.setting, config)
        for each in asked:
            with calling(each, "check"):
                each.check(public)
        names = compiled.names.by_column
        if learners:
            check_policies(config, compiled.scenario, self.horizon)
        memory: PlatformMemory | None = None
        if learners:
            needed = needed_rows(learners, names, public)
            memory = PlatformMemory(names, len(users.state), catalog.n_items, needed)
        if memory is not None and self.setting.warm is not None:
            memory.take_columns(self.setting.warm)
        self.identity: Identity = {}
        self.folder = self._open_folder(plugin, lock, found)
        self.log = LogWriter(self.folder, config.log, names, self.horizon, memory, tap)
        # 4. Who lives, visits by rounds and cases by events; and who answers requests.
        servers = self.policies.servers(len(compiled.plan.stages))
        self.rounds = Rounds(compiled, users, items, config.seed, config.threads, config.batch, self.log, servers)
        who = Oracle(plugin, compiled, users, items, config.seed) if isinstance(plugin, str) else plugin
        first_fit = 0.0 if self.setting.warm is not None else config.first_fit or compiled.scenario.platform.first_fit
        self.platform = Platform(
            compiled.scenario, who, public, memory, config.seed, first_fit, self.rounds.settle, self.policies,
        )  # fmt: skip
        self.cases: Cases | None = None
        if compiled.world is not None:
            self.cases = Cases(
                compiled.scenario, compiled.world, compiled.plan, users, items, catalog.n_creators, items.parent,
                catalog.published_at, self.horizon, config.seed, self.rounds.visits.earliest(users),
            )  # fmt: skip
            self.cases.prepare(self._compiler, self.rounds.output)
        for learner in learners:
            if type(learner).__module__.startswith("recommenders."):
                self._compiler.warm_up(rehearse, learner)  # what others do at a fit is their own business
        interests: Interests | None = None
        if compiled.scenario.declared_interests is not None:
            criteria = self.rounds.criteria
            own = topical(compiled, users.taste) if criteria is None else criteria.taste
            interests = Interests(compiled, users, items, own, config.seed)
            self.rounds.stated = interests.stated
        menus: Menus | None = None
        if len(items.menu):
            menus = Menus(compiled, items, catalog.published_at, catalog.withdrawn_at, config.seed)
        # 5. All parts, in the order in which they publish at a tick.
        parts: dict[str, Part | None] = {
            "counters": PublishedCounters(compiled, items),
            "cases": self.cases,
            "menus": menus,
            "editors": self.rounds.editors,
            "interests": interests,
            "platform": self.platform,
            "recently_shown": self.rounds.recently_shown,
        }
        self.parts: dict[str, Part] = {name: part for name, part in parts.items() if part is not None}
        # 6. Where it goes on.
        self._recommendable = recommendable(compiled, items)
        self._candidates = sealed(self._on_offer(0.0)[1])
        self.checkpoints = Checkpointing(self.folder, self.identity, users, self.rounds, self.log, self.parts)
        if found is not None:
            self.now = self.checkpoints.restore(found)

    @property
    def users(self) -> Users:
        """Return the users."""
        return self.setting.users

    @property
    def candidates(self) -> npt.NDArray[np.int32]:
        """Return the items that can be shown in this tick, rising."""
        return self._candidates

    # ---- living

    def live(self, stop: Callable[[], bool] | None) -> None:
        """Run from `now` to the horizon. Raises RunInterrupted when `stop` says so, after a checkpoint."""
        # What exists now lives to the end: collecting it again and again only costs. A world that has ended leaves no
        # circle of objects, so there is nothing to collect before.
        gc.freeze()
        with closing(self.by_rounds(stop)) as rounds:
            for waiting in rounds:
                self.rounds.serve(waiting, self._candidates, self.platform.answer, self.platform.version)

    def by_rounds(self, stop: Callable[[], bool] | None = None) -> Generator[Rows, None, None]:
        """Live from `now` to the horizon, and yield the rows that wait for slates, round by round, in order of users.

        Whoever asks for the next round has handed slates to all rows of this one, with the platform's answers or in
        its place. Raises RunInterrupted when `stop`, asked after every tick, says so, after a checkpoint.
        """
        tick = self.compiled.scenario.clock.tick.value
        refit = self.config.refit or self.compiled.scenario.platform.refit
        clock = Clock(self.now)

        def next_of(period: float, first: float) -> float:
            missed = max(int(np.ceil((self.now - first) / period)), 0)
            return first + missed * period

        def live_on(time: float) -> Generator[Rows, None, None]:
            yield from self._tick(time, min(time + tick, self.horizon))
            if stop is not None and stop():
                self.checkpoints.write(self.now)
                raise RunInterrupted(f"at {self.now / HOUR:.2f} h of simulated time")

        clock.every(tick, self.now, Order.PUBLISH, self._publish)
        clock.every(refit, next_of(refit, self.platform.first_fit), Order.FIT, self._fit)
        if self.folder is not None:
            period = self.config.checkpoint
            clock.every(period, next_of(period, period), Order.CHECKPOINT, self.checkpoints.write)
        clock.every(tick, self.now, Order.TICK, live_on)
        try:
            for action, time in clock.due(self.horizon):
                yield from action(time) or ()
        finally:
            clock.close()

    def _publish(self, time: float) -> None:
        """Make known to everybody what can be seen from now on: new items, and what every part shows."""
        self._compiler.wait(advance)
        self.now = time
        counters = self.rounds.counters if self._past is None else self._past + self.rounds.counters
        published = Published(time, counters, *self._on_offer(time))
        if len(published.candidates) == 0:
            raise InputError(
                "catalog",
                f"no item is on offer at {time:g} s",
                "more items=, or a scenario with fewer fresh ones, or longer lifetimes",
            )
        for part in self.parts.values():
            part.publish(published)
        # Where nothing has changed the very array stays: lists of candidates are known again by it.
        if not np.array_equal(published.candidates, self._candidates):
            self._candidates = sealed(published.candidates)

    def _on_offer(self, time: float) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return all that is published and not withdrawn, and what of it a slate can be made of, rising."""
        offered = self.setting.catalog.available(time)
        return offered, offered if self._recommendable.all() else offered[self._recommendable[offered]]

    def _fit(self, time: float) -> None:
        """Fit the recommender, unless the model of the checkpoint was fitted at this very time."""
        if self.platform.fitted_at and self.platform.fitted_at[-1] >= time:
            return
        self.rounds.settle()
        self._compiler.close()  # what it has not come to by now is compiled where it is called
        if self.platform.recommender.learns:
            self._say(f"fitting {self.platform.recommender.name}")
        self.platform.fit(time)

    def _tick(self, start: float, end: float) -> Generator[Rows, None, None]:
        """Let users live from `start` to `end`, s, and then the world."""
        width = (end - start) / self.config.window
        inner = [
            start + np.floor(width * k * TICKS_PER_SECOND) / TICKS_PER_SECOND for k in range(1, self.config.window)
        ]
        yield from self.rounds.rounds_of([float(w) for w in [*inner, end]])
        for part in self.parts.values():
            part.end_tick(start, end, self.rounds)
        self.now = end
        self._say("")

    def _say(self, note: str, events: int | None = None) -> None:
        """Report how far the run has come."""
        if self._report is not None:
            if events is None:
                events = int(self.rounds.tallies[Tally.EVENT : Tally.VALUE].sum())
            self._report(Progress(self.now, self.horizon, events, time.perf_counter() - self._begun, note))

    # ---- its folder, and the end

    def _open_folder(self, plugin: Recommender | str, lock: FolderLock | None, found: Checkpoint | None) -> Path | None:
        """Make the run's folder, or take up the one that is resumed; None where nothing is written."""
        output = self.config.output if self.config.resume is None else self.config.resume
        written = (self.setting.catalog.public, self.setting.source_ids)
        if output is None:
            return None
        config = replace(self.config, output=None, horizon=self.horizon)
        if found is None:
            self.identity = identity_of(config, self.compiled.scenario, plugin, self.policies)
            return begin_folder(output, lock or FolderLock(), config, self.identity, *written)
        self.identity = found.manifest["identity"]
        remove_partials(output)
        drop_parts_after(output, found.index)
        write_items(output, *written, self.config.features)  # lost or not: it follows from the rest
        return output

    def finish(self) -> RunResult:
        """Close the logs, compute the measures, write the results."""
        self.now = self.horizon
        self.checkpoints.close_log()
        catalog, compiled, platform = self.setting.catalog, self.compiled, self.platform
        outcome = Outcome(
            compiled,
            self.rounds.tallies,
            self.rounds.counters[:, 0],
            catalog.items.state["creator"],
            self.users,
            self.horizon,
            self.cases.case_state.counts if self.cases is not None else None,
            self.cases.hours_of_day(self.horizon) if self.cases is not None else {},
        )
        metrics = measure(outcome)
        facts = RunFacts(
            compiled.scenario, self.config.seed, self.users.state["gone"] != 0, catalog.n_items, self.horizon,
            platform.recommender, platform.fitted_at, platform.version, self.setting.facts, event_counts(outcome),
            time.perf_counter() - self._begun, self.log, self.identity, outcome.hours,
            measure_targets(outcome), self.policies.told(),
        )  # fmt: skip
        manifest = write_results(self.folder, facts, metrics)
        return RunResult(metrics, manifest, self.folder, self.log.tables, catalog.public.columns)

    def close(self) -> None:
        """Stop the threads, whatever happened."""
        gc.unfreeze()
        self._compiler.close()
        self.log.abandon()
        self.rounds.close()
