"""Shares that add up, profiles of the right length, times within a day."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.scenario.checks.rules import TOLERANCE, Breaches, Engine, add_up
from simulator.scenario.durations import DAY
from simulator.scenario.limits import SHORTEST_TICK
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario


def _shares(table: Mapping[str, object]) -> list[float]:
    return [share.value for each in table.values() if isinstance(share := getattr(each, "share", None), Number)]


def shares(scenario: Scenario) -> Breaches:
    """Yield shares of a whole that do not add up to 1."""
    facets = [*_shares(scenario.facets), scenario.idiosyncratic.share.value]
    yield from add_up("facets: shares with that of idiosyncratic", facets)
    yield from add_up("item_types: shares", _shares(scenario.item_types))
    yield from add_up("devices: shares", _shares(scenario.devices))
    groups = scenario.user.groups
    for of in dict.fromkeys(group.of for group in groups.values()):
        which = "" if of is None else f" of {of}"
        yield from add_up(
            f"user.groups: shares{which}", [group.share.value for group in groups.values() if group.of == of]
        )
    intents = scenario.user.intents.values()
    if intents:
        yield from add_up("user.intents: shares", [each.share.value for each in intents])
        yield from add_up(
            "user.intents: shares of first visits", [(each.first or each.share).value for each in intents]
        )
    own = [stage.entry.value for stage in scenario.stages.values() if stage.entry is not None]
    if own:
        yield from add_up("stages: shares of entry", own)
    for name, stage in scenario.stages.items():
        for outcome, successor in stage.next.items():
            if isinstance(successor, dict):
                each = [share.value for share in successor.values()]
                yield from add_up(f"stages.{name}.next.{outcome}: shares", each)


def times(scenario: Scenario) -> Breaches:
    """Yield a clock without a tick or an hour, and profiles over a day or a week that are too long or too short."""
    if scenario.clock.tick.value <= 0:
        yield "clock.tick.value = 0", "expected a positive time"
    if scenario.clock.starts_at.value >= DAY:
        yield f"clock.starts_at = {scenario.clock.starts_at.value:g} s", "expected an hour of the day"
    for key, profile, length in (
        ("user.hours", scenario.user.hours, 24),
        ("user.weekdays", scenario.user.weekdays, 7),
        ("supply.hours", scenario.supply.hours, 24),
    ):
        if profile is not None and len(profile.profile) != length:
            yield f"{key}.profile has {len(profile.profile)} numbers", f"expected {length}"


def contexts(scenario: Scenario) -> Breaches:
    """Yield contexts whose shares of a day's hours exceed it, or whose shares of devices do not add up."""
    for name, context in scenario.contexts.items():
        if len(context.hours.profile) != 24:
            yield f"contexts.{name}.hours has {len(context.hours.profile)} numbers", "expected 24"
            return
        if context.weekdays is not None and len(context.weekdays.profile) != 7:
            yield f"contexts.{name}.weekdays has {len(context.weekdays.profile)} numbers", "expected 7"
            return
        if context.devices:
            yield from add_up(f"contexts.{name}.devices: shares", [share.value for share in context.devices.values()])
    for hour in range(24):
        total, day = max((_in_contexts(scenario, day, hour), -day) for day in range(7))
        if total > 1.0 + TOLERANCE:
            when = f"hour {hour}" if day == 0 else f"hour {hour} of weekday {1 - day}"
            wrong = f"contexts: shares of visits that begin in {when} add up to {total:.6g}"
            yield wrong, "expected at most 1; the rest has no context"


def _in_contexts(scenario: Scenario, day: int, hour: int) -> float:
    """Return the share of visits that have a context, of those that begin in an hour of a day of the week."""
    return sum(
        context.hours.profile[hour] * (1.0 if context.weekdays is None else context.weekdays.profile[day])
        for context in scenario.contexts.values()
    )


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield a tick that is no multiple of the engine's, or too short to publish anything in."""
    tick = scenario.clock.tick.value
    if not (tick * engine.ticks_per_second).is_integer():
        yield f"clock.tick = {tick:g} s", f"a multiple of 1/{engine.ticks_per_second:g} s"
    elif tick < SHORTEST_TICK:
        yield f"clock.tick = {tick:g} s", f"at least {SHORTEST_TICK:g} s"
