"""The life cycle as a graph: what follows what, and which events it can give rise to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from simulator.scenario.schema.contexts import CONTEXT_EVENT
from simulator.scenario.schema.platform import EVERYTHING, Policy
from simulator.scenario.schema.scenario import ExperienceConsume, HazardConsume, Scenario
from simulator.scenario.schema.stages import Act, Stage

# Event of an outcome, where the table does not name another. Outcomes that are not here leave no trace of their own.
OUTCOME_EVENTS: dict[str, dict[str, str]] = {
    "browse": {"select": "open", "leave": "leave"},
    "inspect": {"reject": "reject", "leave": "leave"},
    "commit": {"confirm": "confirm", "abandon": "abandon", "defer": "defer"},
    "fulfil": {"done": "done", "refused": "refused", "cancelled": "cancelled", "expired": "expired"},
    "consume": {"complete": "complete", "skip": "skip", "pause": "pause"},
    "respond": {"leave": "leave", "return": "return"},
}


NEWEST = "newest"
"""An order of menus that is no event's: what came out last comes first."""

CREATOR = "creator"
"""In place of a kind of parent, what a stage is `within`: all that one creator made."""

RESUME_EVENT = "resume"
"""A play that was paused goes on; its value is where."""


def successors(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield (outcome, successor) of a stage; several per outcome where it has shares, or starts a case beside."""
    for outcome, successor in stage.next.items():
        for name in [successor] if isinstance(successor, str) else successor:
            yield outcome, name
    yield from stage.starts.items()


def started(scenario: Scenario, name: str) -> list[str]:
    """Return the first stages of the cases that a stage starts beside the visit."""
    block = scenario.commit.get(name)
    extra = [block.bracket.starts] if block is not None and block.bracket is not None else []
    return [*scenario.stages[name].starts.values(), *extra]


def entries(scenario: Scenario) -> list[str]:
    """Return the stages at which visits begin: of the users' own accord, or opened by a message from outside."""
    own = [name for name, stage in scenario.stages.items() if stage.entry is not None and stage.entry.value > 0]
    return own + [outreach.stage for outreach in scenario.outreach.values() if outreach.stage not in own]


def asking_stages(scenario: Scenario) -> list[str]:
    """Return the browse stages that ask for slates: not menus and queues, which show what is there."""
    return [
        name
        for name, stage in scenario.stages.items()
        if stage.kind == "browse" and stage.children_of is None and stage.queue_of is None
    ]


def own_policies(scenario: Scenario) -> dict[str, Policy | None]:
    """Return the platform's own policy of each asking stage that the recommender does not serve; None: nobody's."""
    asking, policies = asking_stages(scenario), scenario.platform.policies
    serves = scenario.platform.serves
    if serves is None:
        serves = [name for name in asking if name not in policies]
    elif serves == [EVERYTHING]:
        serves = asking
    return {name: policies.get(name) for name in asking if name not in serves}


def outcome_event(scenario: Scenario, name: str, outcome: str) -> str | None:
    """Return the event that an outcome of a stage is recorded as; None if it leaves no trace of its own."""
    stage = scenario.stages[name]
    if outcome in stage.events:
        return stage.events[outcome]
    block = scenario.consume.get(name)
    if isinstance(block, ExperienceConsume) and outcome == "complete":
        return block.event
    return OUTCOME_EVENTS[stage.kind].get(outcome)


def stage_events(scenario: Scenario, name: str) -> Iterator[tuple[str, bool]]:
    """Yield (event, whether it can happen as the numbers stand) of a stage."""
    stage = scenario.stages[name]
    for outcome in stage.next:
        event = outcome_event(scenario, name, outcome)
        if event is not None:
            yield event, True
    if stage.kind == "browse":
        yield stage.card_event or "impression", True
        browse = scenario.browse.get(name)
        if browse is not None and browse.picks is not None:
            yield browse.picks.event, True
        if browse is not None and browse.suffices is not None:
            yield browse.suffices.event, True
        if browse is not None and browse.reopen is not None:
            yield browse.reopen.event, True
    elif stage.kind == "inspect":
        yield "hesitate", True
        yield from ((act, True) for act in scenario.inspect[name].acts)
    elif stage.kind == "fulfil":
        yield from ((event, True) for event in _fulfilment_events(scenario, name))
    elif stage.kind == "consume":
        block = scenario.consume[name]
        if isinstance(block, HazardConsume):
            for event in ("seek", "tolerate", "unattended"):
                yield event, getattr(block, event).value > 0
        if "pause" in stage.next:
            yield RESUME_EVENT, True
        for mark in (getattr(block, each, None) for each in ("bounce", "reached", "paywall")):
            if mark is not None:
                yield mark.event, True
    elif stage.kind == "respond":
        yield from ((act, True) for act in scenario.respond[name].acts)
        rating = scenario.respond[name].rating
        if rating is not None:
            yield rating.event, True
            if rating.text is not None:
                yield rating.text.event, True


def _fulfilment_events(scenario: Scenario, name: str) -> Iterator[str]:
    """Yield the events of a fulfilment beside those of its outcomes."""
    block = scenario.fulfil[name]
    for step in block.steps:
        chooser = scenario.choosers.get(step.chosen_by or "")
        events = (step.event, *((chooser.judgment, chooser.match) if chooser is not None else ()))
        yield from (event for event in events if event is not None)
    if block.announced is not None:
        yield block.announced


def possible_events(scenario: Scenario) -> dict[str, bool]:
    """Return the events that the life cycle knows, with whether they can happen as the numbers stand."""
    events: dict[str, bool] = {}
    for name in scenario.stages:
        for event, happens in stage_events(scenario, name):
            events[event] = events.get(event, False) or happens
    declared = scenario.declared_interests
    if declared is not None and declared.event is not None:
        events[declared.event] = True
    if scenario.contexts:
        events[CONTEXT_EVENT] = True
    return events


def closure(begin: Iterable[str], ahead: Mapping[str, Iterable[str]]) -> set[str]:
    """Return all that can be reached from a beginning, which counts."""
    reached: set[str] = set()
    waiting = list(begin)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += ahead.get(name, ())
    return reached


def beside_visits(scenario: Scenario) -> set[str]:
    """Return the stages that a case walks through while its user does other things.

    They are what the `starts` of stages lead to, and all that follows from there.
    """
    ahead = {name: [after for _, after in successors(stage)] for name, stage in scenario.stages.items()}
    return closure((first for name in scenario.stages for first in started(scenario, name)), ahead) & ahead.keys()


def without_experience(scenario: Scenario) -> set[str]:
    """Return the stages that a case may come to without an experience: those on a way around every consume stage."""
    ahead = {
        name: [after for _, after in successors(stage)] if stage.kind != "consume" else []
        for name, stage in scenario.stages.items()
    }
    return closure((first for name in scenario.stages for first in started(scenario, name)), ahead) & ahead.keys()


def visit_acts(scenario: Scenario) -> dict[str, Act]:
    """Return the acts of users in their visits, which are the same in all respond stages of these."""
    beside = beside_visits(scenario)
    return next((block.acts for name, block in scenario.respond.items() if name not in beside), {})
