"""Whether a scenario hangs together, beyond what its schema can say of one section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulator.errors import InputError
from simulator.scenario.checks.blocks import check_blocks
from simulator.scenario.checks.criteria import check_criteria, check_sorting
from simulator.scenario.checks.provenance import check_provenance
from simulator.scenario.checks.references import check_names
from simulator.scenario.life_cycle import check_cycle, possible_events
from simulator.scenario.messages import nearest
from simulator.scenario.schema.contexts import check_contexts
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario

_TOLERANCE = 1e-6  # of shares that add up to 1: far above rounding, far below a typing error
_DAY = 86400.0


def check_scenario(scenario: Scenario) -> None:
    """Check that a scenario hangs together.

    Raises InputError (file, key, value, what would be right) at the first of: a share that does not add up, a name
    that does not exist, a stage without parameters, successor, way in or way out, an event without a row in
    `observation`, a label of unknown events, a number without its source.
    """
    _check_shares(scenario)
    check_names(scenario)
    check_criteria(scenario)
    check_sorting(scenario)
    check_blocks(scenario)
    check_cycle(scenario)
    _check_observation(scenario)
    _check_labels(scenario)
    _check_times(scenario)
    check_contexts(scenario.shown, scenario.contexts)
    check_provenance(scenario)


def _check_sum(scenario: Scenario, what: str, shares: Iterable[Number]) -> None:
    total = sum(share.value for share in shares)
    if abs(total - 1) > _TOLERANCE:
        raise InputError(scenario.shown, f"{what} add up to {total:.6g}", "expected 1")


def _check_shares(scenario: Scenario) -> None:
    def shares_of(table: Mapping[str, object]) -> list[Number]:
        return [share for each in table.values() if isinstance(share := getattr(each, "share", None), Number)]

    facets = [*shares_of(scenario.facets), scenario.idiosyncratic.share]
    _check_sum(scenario, "facets: shares with that of idiosyncratic", facets)
    _check_sum(scenario, "item_types: shares", shares_of(scenario.item_types))
    _check_sum(scenario, "devices: shares", shares_of(scenario.devices))
    if scenario.user.groups:
        _check_sum(scenario, "user.groups: shares", shares_of(scenario.user.groups))
    own = [stage.entry for stage in scenario.stages.values() if stage.entry is not None]
    if own:
        _check_sum(scenario, "stages: shares of entry", own)
    for name, stage in scenario.stages.items():
        for outcome, successor in stage.next.items():
            if isinstance(successor, dict):
                _check_sum(scenario, f"stages.{name}.next.{outcome}: shares", successor.values())


def _check_observation(scenario: Scenario) -> None:
    events = possible_events(scenario)
    for event, happens in events.items():
        if happens and event not in scenario.observation:
            right = "the life cycle can emit it, so expected a row that says who observes it (observer: none if nobody)"
            raise InputError(scenario.shown, f"observation.{event} is missing", right)
    for event in scenario.observation:
        if event not in events:
            raise InputError(scenario.shown, f"observation.{event}: no stage emits it", nearest(event, [*events]))
    for name, modality in scenario.modalities.items():
        for key in ("counts", "averages"):
            counted = getattr(modality, key, None)
            if counted is not None:
                _check_recorded(scenario, f"modalities.{name}.{key}", counted)


def _check_recorded(scenario: Scenario, key: str, event: str) -> None:
    """The platform can count only what it has a record of."""
    known = [name for name, row in scenario.observation.items() if row.observer != "none"]
    if event not in known:
        raise InputError(scenario.shown, f"{key} = {event}: nobody records it", nearest(event, known))


def item_columns(scenario: Scenario) -> list[str]:
    """Public numbers of an item that labels and criteria may name."""
    columns = {"published_at"}
    for item_type in scenario.item_types.values():
        columns |= {*item_type.attributes, *(["duration"] if item_type.duration is not None else [])}
    for parent in scenario.parents.values():
        columns |= {*parent.attributes}
    return sorted(columns)


def _check_labels(scenario: Scenario) -> None:
    platform = scenario.platform
    if platform.label not in platform.labels:
        right = nearest(platform.label, [*platform.labels])
        raise InputError(scenario.shown, f"platform.label = {platform.label}", right)
    columns = item_columns(scenario)
    for name, label in platform.labels.items():
        for event in label.events:
            _check_recorded(scenario, f"platform.labels.{name}.events", event)
        if label.or_item is not None and label.or_item not in columns:
            wrong = f"platform.labels.{name}.or_item = {label.or_item}"
            raise InputError(scenario.shown, wrong, nearest(label.or_item, columns))
    for measure in scenario.measures:
        if scenario.measures.count(measure) > 1:
            raise InputError(scenario.shown, f"measures: {measure} is repeated", "expected every measure once")


def _check_times(scenario: Scenario) -> None:
    clock, user = scenario.clock, scenario.user
    if clock.tick.value <= 0:
        raise InputError(scenario.shown, "clock.tick.value = 0", "expected a positive time")
    if clock.starts_at.value >= _DAY:
        wrong = f"clock.starts_at = {clock.starts_at.value:g} s"
        raise InputError(scenario.shown, wrong, "expected an hour of the day")
    for key, profile, length in (
        ("user.hours", user.hours, 24),
        ("user.weekdays", user.weekdays, 7),
        ("supply.hours", scenario.supply.hours, 24),
    ):
        if profile is not None and len(profile.profile) != length:
            wrong = f"{key}.profile has {len(profile.profile)} numbers"
            raise InputError(scenario.shown, wrong, f"expected {length}")
