"""Shares that add up, profiles of the right length, times within a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.scenario.checks.rules import TOLERANCE, Breaches, Engine, add_up
from simulator.scenario.durations import DAY
from simulator.scenario.limits import SHORTEST_TICK
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario


def _shares(key: str, table: Mapping[str, object]) -> dict[str, float]:
    each = {f"{key}.{name}.share": getattr(under, "share", None) for name, under in table.items()}
    return {path: share.value for path, share in each.items() if isinstance(share, Number)}


def wholes(scenario: Scenario) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the shares that have to add up to 1, by their paths in the file, after what they are in words."""
    facets = {**_shares("facets", scenario.facets), "idiosyncratic.share": scenario.idiosyncratic.share.value}
    yield "facets: shares with that of idiosyncratic", facets
    yield "item_types: shares", _shares("item_types", scenario.item_types)
    yield "devices: shares", _shares("devices", scenario.devices)
    groups = scenario.user.groups
    for of in dict.fromkeys(group.of for group in groups.values()):
        alike = {name: group for name, group in groups.items() if group.of == of}
        yield f"user.groups: shares{'' if of is None else f' of {of}'}", _shares("user.groups", alike)
    intents = scenario.user.intents
    if intents:
        yield "user.intents: shares", _shares("user.intents", intents)
        firsts = {
            f"user.intents.{name}.{'share' if each.first is None else 'first'}": (each.first or each.share).value
            for name, each in intents.items()
        }
        yield "user.intents: shares of first visits", firsts
    own = {f"stages.{name}.entry": each.entry.value for name, each in scenario.stages.items() if each.entry is not None}
    if own:
        yield "stages: shares of entry", own
    for name, stage in scenario.stages.items():
        for outcome, successor in stage.next.items():
            if isinstance(successor, dict):
                key = f"stages.{name}.next.{outcome}"
                yield f"{key}: shares", {f"{key}.{then}": share.value for then, share in successor.items()}
    for name, context in scenario.contexts.items():
        if context.devices:
            key = f"contexts.{name}.devices"
            yield f"{key}: shares", {f"{key}.{device}": share.value for device, share in context.devices.items()}


def shares(scenario: Scenario) -> Breaches:
    """Yield shares of a whole that do not add up to 1."""
    for what, parts in wholes(scenario):
        yield from add_up(what, parts.values())


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
    """Yield contexts whose shares of a day's hours exceed it."""
    for name, context in scenario.contexts.items():
        if len(context.hours.profile) != 24:
            yield f"contexts.{name}.hours has {len(context.hours.profile)} numbers", "expected 24"
            return
        if context.weekdays is not None and len(context.weekdays.profile) != 7:
            yield f"contexts.{name}.weekdays has {len(context.weekdays.profile)} numbers", "expected 7"
            return
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
