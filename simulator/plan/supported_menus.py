"""What this version cannot run of stages that show parents, menus, queues, and baskets: refused by name."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.engine.randomness import table_points
from simulator.engine.tables.codes import MOST_PICKS
from simulator.errors import InputError
from simulator.scenario.life_cycle import CREATOR, successors
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario

_MOST_TYPES = 32  # they are bits of a word


def refuse_levels(scenario: Scenario) -> None:
    """Raises InputError for what cannot run, with the key that says it."""
    shown = {stage.level for stage in scenario.stages.values() if stage.level is not None}
    for name, stage in scenario.stages.items():
        key = f"stages.{name}"
        if stage.level is not None and stage.within is not None:
            _refuse(scenario, f"{key}.within beside level: this version cannot run it yet", "one of the two")
        of_browsing = [each for each in ("level", "within", "rest_of") if getattr(stage, each) is not None]
        if stage.kind != "browse" and of_browsing:
            _refuse(scenario, f"{key}: a {stage.kind} with {of_browsing[0]}", "browse stages only")
        if stage.level is not None:
            _refuse_at_level(scenario, name)
        if stage.within is not None:
            _refuse_menu(scenario, name, "within")
            _refuse_within(scenario, name, shown)
        if stage.rest_of is not None:
            _refuse_menu(scenario, name, "rest_of")
            _refuse_rest_of(scenario, name)
    for name, block in scenario.browse.items():
        if block.picks is not None:
            _refuse_picks(scenario, name, shown)
    if len(scenario.item_types) + len(shown) > _MOST_TYPES:
        _refuse(scenario, f"item_types and parents that are shown: more than {_MOST_TYPES}", f"at most {_MOST_TYPES}")
    for name, criterion in scenario.criteria.items():
        if shown and criterion.on == "item_type":
            _refuse(
                scenario, f"criteria.{name}.on = item_type: this version cannot run it yet beside stages with a level",
                "a facet, an attribute or a promise",
            )  # fmt: skip
        for stage_name in criterion.stated_in or []:
            if scenario.stages[stage_name].within is not None or scenario.stages[stage_name].rest_of is not None:
                _refuse(
                    scenario, f"criteria.{name}.stated_in = {stage_name}: nobody is asked there", "a stage with slates"
                )
    levels: dict[str, str | None] = {}
    for stage in scenario.stages.values():
        surface = stage.surface
        edited = stage.kind == "browse" and surface is not None and scenario.surfaces[surface].editorial is not None
        if edited and levels.setdefault(str(surface), stage.level) != stage.level:
            _refuse(scenario, f"surfaces.{surface}.editorial for items and for parents", "a surface for each")


def _refuse(scenario: Scenario, wrong: str, right: str) -> None:
    raise InputError(scenario.shown, wrong, right)


def _refuse_at_level(scenario: Scenario, name: str) -> None:
    stage, key = scenario.stages[name], f"stages.{name}"
    if stage.surface is not None and scenario.surfaces[stage.surface].layout == "autoplay":
        _refuse(scenario, f"{key}.level on a surface that plays by itself", "cards: a parent cannot be played")
    waiting, seen = list(_after(scenario, name, "select")), set()
    while waiting:
        following = waiting.pop()
        if following in seen or following not in scenario.stages:
            continue
        seen.add(following)
        kind = scenario.stages[following].kind
        if kind == "consume":
            _refuse(scenario, f"{key}.level: its parents would be consumed in {following}", "a stage within the parent")
        if kind in ("inspect", "commit"):
            waiting += [after for outcome, after in successors(scenario.stages[following]) if outcome in _GOES_ON]


_GOES_ON = ("accept",)  # outcomes of a visit's stages that keep the parent in hand


def _after(scenario: Scenario, name: str, outcome: str) -> Iterator[str]:
    for each, following in successors(scenario.stages[name]):
        if each == outcome:
            yield following


def _refuse_menu(scenario: Scenario, name: str, which: str) -> None:
    """What neither a menu (`within`) nor a queue (`rest_of`) can have."""
    stage, block, key = scenario.stages[name], scenario.browse.get(name), f"stages.{name}"
    if stage.surface is None or block is None or scenario.surfaces[stage.surface].layout == "autoplay":
        _refuse(scenario, f"{key}.{which} on a surface without cards", "a list or a grid")
        return
    if scenario.surfaces[stage.surface].editorial is not None:
        what = f"surfaces.{stage.surface}.editorial, where stages.{name} has {which}"
        _refuse(scenario, what, "a surface without editorial slots")
    if block.suffices is not None:
        _refuse(scenario, f"browse.{name}.suffices: this version cannot run it yet beside {which}", "none")
    begins = stage.entry is not None and stage.entry.value > 0
    if begins or any(each.stage == name for each in scenario.outreach.values()):
        _refuse(scenario, f"{key}.{which}: visits begin there, before there is anything to show", "another entry")
    for outcome in ("exhausted", "leave"):
        for following in _after(scenario, name, outcome):
            after = scenario.stages.get(following)
            if after is not None and (after.kind != "browse" or after.within is not None or after.rest_of is not None):
                _refuse(
                    scenario, f"{key}.next.{outcome} = {following}: nothing was chosen there",
                    "a stage with slates, or exit",
                )  # fmt: skip


def _refuse_rest_of(scenario: Scenario, name: str) -> None:
    """A queue is what a slate of items still has to come."""
    stage, key = scenario.stages[name], f"stages.{name}.rest_of"
    if stage.level is not None:
        _refuse(scenario, f"{key} beside level: this version cannot run it yet", "one of the two")
    of = scenario.stages[str(stage.rest_of)]
    if of.within is not None or of.rest_of is not None:
        _refuse(scenario, f"{key} = {stage.rest_of}: it asks for no slate", "a stage with slates")
    if of.level is not None:
        _refuse(scenario, f"{key} = {stage.rest_of}: this version cannot run it yet", "a stage with slates of items")


def _refuse_within(scenario: Scenario, name: str, shown: set[str]) -> None:
    stage, block, key = scenario.stages[name], scenario.browse[name], f"stages.{name}"
    for other, before in scenario.stages.items():
        for outcome, following in successors(before):
            chosen = before.kind != "browse" or outcome == "select"
            if following == name and not chosen:
                _refuse(scenario, f"stages.{other}.next.{outcome} = {name}: no parent is chosen there", "another stage")
    promised = stage.within in shown and any(
        scenario.modalities[modality].kind == "promise" for modality in scenario.parents[stage.within or ""].modalities
    )
    if promised and block.picks is None:
        _refuse(
            scenario, f"{key}.within: the promises of {stage.within} are not those of the child that is chosen",
            f"browse.{name}.picks, so that {stage.within} is what is decided on",
        )  # fmt: skip


def _refuse_picks(scenario: Scenario, name: str, shown: set[str]) -> None:
    stage, picks, key = scenario.stages[name], scenario.browse[name].picks, f"browse.{name}.picks"
    assert picks is not None
    if stage.within is None or stage.within == CREATOR:
        where = "on slates" if stage.within is None else f"within {CREATOR}"
        _refuse(scenario, f"{key}: this version cannot run it yet {where}", f"stages.{name}.within, a kind of parent")
    if stage.within not in shown:
        _refuse(
            scenario,
            f"{key}: no stage shows {stage.within}, whose the basket is",
            f"a stage with level: {stage.within}",
        )
    most = picks.number.quantile(table_points()).max() if isinstance(picks.number, Distribution) else picks.number.value
    if round(float(most)) > MOST_PICKS:
        _refuse(scenario, f"{key}.number reaches {float(most):g}", f"at most {MOST_PICKS}")
    for following in _after(scenario, name, "select"):
        block = scenario.commit.get(following)
        if block is None:
            _refuse(scenario, f"stages.{name}.next.select = {following}: it has no use for a basket", "a commit stage")
            return
        if block.basket is not None:
            _refuse(scenario, f"commit.{following}.basket after {key}", "one of the two")
        if block.defer is not None:
            _refuse(scenario, f"commit.{following}.defer after {key}: this version forgets baskets", "none")
