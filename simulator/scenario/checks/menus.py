"""Stages that show parents, the children of one (`children_of`), the rest of a slate (`queue_of`), and baskets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.scenario.checks.rules import Breaches, Engine
from simulator.scenario.life_cycle import CREATOR, successors
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario


def menus(scenario: Scenario) -> Breaches:
    """Yield stages with menus, queues and parents that lack something that goes with these."""
    for name, stage in scenario.stages.items():
        key, level = f"stages.{name}", stage.shows_parents
        if level is not None and scenario.parents[level].knowledge is None:
            yield f"parents.{level}.knowledge is missing", f"{key} shows {level}: expected how well users judge one"
        if level in scenario.item_types:
            yield f"parents.{level}: an item type is called so, and {key} shows it", "expected another name"
        if stage.children_of is not None and stage.queue_of is not None:
            yield f"{key}.children_of beside queue_of", "one of the two"
        its_cards = "queue_of" if stage.queue_of is not None else "children_of"
        if (stage.card_event is None) != (stage.children_of is None and stage.queue_of is None):
            there, missing = ("card_event", "children_of") if stage.card_event else (its_cards, "card_event")
            yield f"{key}.{missing} is missing", f"{key}.{there} needs it"
        if stage.ordered_by is not None and stage.children_of is None:
            yield f"{key}.children_of is missing", f"{key}.ordered_by needs it"
        if stage.card_event == "impression":
            yield f"{key}.card_event = impression", "expected a name of its own: impressions are of slates"


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield what this version cannot run of parents, menus, queues and baskets."""
    shown = {stage.shows_parents for stage in scenario.stages.values() if stage.shows_parents is not None}
    for name, stage in scenario.stages.items():
        key = f"stages.{name}"
        if stage.shows_parents is not None and stage.children_of is not None:
            yield f"{key}.children_of beside shows_parents: this version cannot run it yet", "one of the two"
        of_browsing = [
            each for each in ("shows_parents", "children_of", "queue_of") if getattr(stage, each) is not None
        ]
        if stage.kind != "browse" and of_browsing:
            yield f"{key}: a {stage.kind} with {of_browsing[0]}", "browse stages only"
        if stage.shows_parents is not None:
            yield from _level(scenario, name)
        if stage.children_of is not None:
            yield from _cards(scenario, name, "children_of")
            yield from _within(scenario, name, shown)
        if stage.queue_of is not None:
            yield from _cards(scenario, name, "queue_of")
            yield from _queue_of(scenario, name)
        if name in scenario.browse and scenario.browse[name].picks is not None:
            yield from _picks(scenario, engine, name, shown)
        if name in scenario.browse and scenario.browse[name].reopen is not None:
            yield from _reopen(scenario, name)
    if len(scenario.item_types) + len(shown) > engine.types:
        yield f"item_types and parents that are shown: more than {engine.types}", f"at most {engine.types}"
    levels: dict[str, str | None] = {}
    for stage in scenario.stages.values():
        surface = stage.surface
        edited = stage.kind == "browse" and surface is not None and scenario.surfaces[surface].editorial is not None
        if edited and levels.setdefault(str(surface), stage.shows_parents) != stage.shows_parents:
            yield f"surfaces.{surface}.editorial for items and for parents", "a surface for each"


def _layout(scenario: Scenario, name: str) -> str | None:
    surface = scenario.stages[name].surface
    return scenario.surfaces[surface].layout if surface is not None else None


def _after(scenario: Scenario, name: str, *outcomes: str) -> Iterator[str]:
    return (following for outcome, following in successors(scenario.stages[name]) if outcome in outcomes)


def _level(scenario: Scenario, name: str) -> Breaches:
    """Yield what cannot be done with a parent that is shown: play it, or consume it."""
    key = f"stages.{name}.shows_parents"
    if _layout(scenario, name) == "autoplay":
        yield f"{key} on a surface that plays by itself", "cards: a parent cannot be played"
    waiting, reached = list(_after(scenario, name, "select")), set()
    while waiting:
        following = waiting.pop()
        if following in reached or following not in scenario.stages:
            continue
        reached.add(following)
        kind = scenario.stages[following].kind
        if kind == "consume":
            yield f"{key}: its parents would be consumed in {following}", "a stage within the parent"
        if kind in ("inspect", "commit"):
            waiting += _after(scenario, following, "accept")  # which keeps the parent in hand


def _cards(scenario: Scenario, name: str, which: str) -> Breaches:
    """Yield what neither a menu (`children_of`) nor a queue (`queue_of`) can have."""
    stage, block, key = scenario.stages[name], scenario.browse.get(name), f"stages.{name}"
    if stage.surface is None or block is None or _layout(scenario, name) == "autoplay":
        yield f"{key}.{which} on a surface without cards", "a list or a grid"
        return
    if scenario.surfaces[stage.surface].editorial is not None:
        wrong = f"surfaces.{stage.surface}.editorial, where stages.{name} has {which}"
        yield wrong, "a surface without editorial slots"
    if block.suffices is not None:
        yield f"browse.{name}.suffices: this version cannot run it yet beside {which}", "none"
    begins = stage.entry is not None and stage.entry.value > 0
    if begins or any(each.stage == name for each in scenario.outreach.values()):
        yield f"{key}.{which}: visits begin there, before there is anything to show", "another entry"
    for outcome in ("exhausted", "leave"):
        for following in _after(scenario, name, outcome):
            after = scenario.stages.get(following)
            if after is not None and (
                after.kind != "browse" or after.children_of is not None or after.queue_of is not None
            ):
                wrong = f"{key}.next.{outcome} = {following}: nothing was chosen there"
                yield wrong, "a stage with slates, or exit"
    for criterion, row in scenario.criteria.items():
        if name in (row.stated_in or []):
            yield f"criteria.{criterion}.stated_in = {name}: nobody is asked there", "a stage with slates"


def _queue_of(scenario: Scenario, name: str) -> Breaches:
    """Yield what a queue cannot be: it is what a slate of items still has to come."""
    stage, key = scenario.stages[name], f"stages.{name}.queue_of"
    if stage.shows_parents is not None:
        yield f"{key} beside shows_parents: this version cannot run it yet", "one of the two"
    of = scenario.stages[str(stage.queue_of)]
    if of.children_of is not None or of.queue_of is not None:
        yield f"{key} = {stage.queue_of}: it asks for no slate", "a stage with slates"
    if of.shows_parents is not None:
        yield f"{key} = {stage.queue_of}: this version cannot run it yet", "a stage with slates of items"


def _within(scenario: Scenario, name: str, shown: set[str]) -> Breaches:
    """Yield ways to a menu on which no parent is chosen, and promises of another thing than what is decided on."""
    for other, before in scenario.stages.items():
        for outcome, following in successors(before):
            if following == name and before.kind == "browse" and outcome != "select":
                yield f"stages.{other}.next.{outcome} = {name}: no parent is chosen there", "another stage"
    within, block = scenario.stages[name].children_of, scenario.browse.get(name)
    if within is None or within not in shown or block is None or block.picks is not None:
        return
    if any(scenario.modalities[modality].kind == "promise" for modality in scenario.parents[within].modalities):
        wrong = f"stages.{name}.children_of: the promises of {within} are not those of the child that is chosen"
        yield wrong, f"browse.{name}.picks, so that {within} is what is decided on"


def _picks(scenario: Scenario, engine: Engine, name: str, shown: set[str]) -> Breaches:
    """Yield baskets that are of nothing, too large, or of no use."""
    within, picks, key = scenario.stages[name].children_of, scenario.browse[name].picks, f"browse.{name}.picks"
    assert picks is not None
    if within is None:
        yield from _picks_of_slates(scenario, name)
    elif within == CREATOR:
        wrong = f"{key}: this version cannot run it yet within {CREATOR}"
        yield wrong, f"stages.{name}.children_of, a kind of parent"
    elif within not in shown:
        yield f"{key}: no stage shows {within}, whose the basket is", f"a stage with shows_parents: {within}"
    number = picks.number
    most = number.quantile(np.full(1, engine.highest_quantile))[0] if isinstance(number, Distribution) else number.value
    if round(float(most)) > engine.picks:
        yield f"{key}.number reaches {float(most):g}", f"at most {engine.picks}"
    for following in _after(scenario, name, "select"):
        block = scenario.commit.get(following)
        if block is None:
            if within is not None or following not in scenario.consume:
                right = "a commit stage" if within is not None else "a commit or a consume stage"
                yield f"stages.{name}.next.select = {following}: it has no use for a basket", right
            continue
        if block.bracket is not None and within is None:
            yield f"commit.{following}.bracket after {key}: this version cannot run it yet", "none"
        if block.basket is not None:
            yield f"commit.{following}.basket after {key}", "one of the two"
        if block.defer is not None:
            yield f"commit.{following}.defer after {key}: this version forgets baskets", "none"


def _picks_of_slates(scenario: Scenario, name: str) -> Breaches:
    """Yield slates of which nothing can be taken one by one, and picks that would never have their turn."""
    stage, block, key = scenario.stages[name], scenario.browse[name], f"browse.{name}.picks"
    for other, there in (
        ("queue_of", stage.queue_of is not None),
        ("shows_parents", stage.shows_parents is not None),
        ("suffices", block.suffices is not None),
    ):
        if there:
            yield f"{key} beside {other}: this version cannot run it yet", "one of the two"
    if _layout(scenario, name) not in ("grid", "list", "carousel", "single"):
        yield f"{key} on a surface without cards", "a list or a grid"
    following = list(_after(scenario, name, "select"))
    played = [each for each in following if each in scenario.consume]
    if played and len(played) < len(following):
        yield f"stages.{name}.next.select: some picks are decided on together and others played", "one of the two"
    for each in played:
        for verdict in _after(scenario, each, "complete", "skip"):
            if verdict in scenario.respond and name not in _after(scenario, verdict, "continue"):
                wrong = f"stages.{verdict}.next.continue does not lead to {name}"
                yield wrong, f"{name}: what was picked there and has had no turn is played next"


def _reopen(scenario: Scenario, name: str) -> Breaches:
    """Yield ways back to what nobody remembers, and what this version cannot open again."""
    stage, key = scenario.stages[name], f"browse.{name}.reopen"
    kept = [kind.remembered for kind in scenario.item_types.values() if kind.remembered is not None]
    if not any(each.of == "item" for each in kept):
        yield f"{key}: nothing is remembered item by item", "item_types.X.remembered, of: item"
    for there in ("children_of", "queue_of", "shows_parents"):
        if getattr(stage, there) is not None:
            yield f"{key} beside {there}: this version cannot run it yet", "a stage with slates of items"
    if any(parent.remembered is not None for parent in scenario.parents.values()):
        yield f"{key} beside parents.X.remembered: this version cannot run it yet", "one of the two"
