"""The life cycle as a graph: ways through it, and what visits and cases of this version can walk through."""

from __future__ import annotations

from simulator.scenario.checks.rules import Breaches, Engine
from simulator.scenario.life_cycle import beside_visits, closure, entries, started, successors
from simulator.scenario.messages import nearest
from simulator.scenario.schema.scenario import AttributeModality, HazardConsume, Scenario
from simulator.scenario.schema.stages import OUTCOMES, RARE_OUTCOMES, TERMINALS


def outcomes(scenario: Scenario) -> Breaches:
    """Yield outcomes without a successor, successors without an outcome, and both where they do not exist."""
    known = [*scenario.stages, *TERMINALS]
    for name, stage in scenario.stages.items():
        key = f"stages.{name}"
        if name in TERMINALS:
            yield key, "expected another name: this one means an end"
        required, allowed = OUTCOMES[stage.kind], [*OUTCOMES[stage.kind], *RARE_OUTCOMES[stage.kind]]
        for outcome in required:
            if outcome not in stage.next:
                yield f"{key}.next.{outcome} is missing", f"expected a successor for each of {', '.join(required)}"
        for outcome in stage.next:
            if outcome not in allowed:
                yield f"{key}.next.{outcome}: {stage.kind} has no such outcome", nearest(outcome, allowed)
        for part, table in (("wait", stage.wait), ("events", stage.events), ("starts", stage.starts)):
            for outcome in table:
                if outcome not in stage.next:
                    yield f"{key}.{part}.{outcome}: not an outcome in next", nearest(outcome, [*stage.next])
        for outcome, successor in successors(stage):
            if successor not in known:
                part = "starts" if stage.starts.get(outcome) == successor else "next"
                yield f"{key}.{part}.{outcome} = {successor}", nearest(successor, known)
        for outcome, first in stage.starts.items():
            if first in TERMINALS:
                yield f"{key}.starts.{outcome} = {first}", "expected a stage"


def ways(scenario: Scenario) -> Breaches:
    """Yield stages to which no way leads, and from which there is no way out."""
    begin = entries(scenario)
    if not begin:
        yield "stages: no stage has an entry", "expected at least one with entry above 0"
        return
    ahead = {
        name: {*(after for _, after in successors(stage)), *started(scenario, name)}
        for name, stage in scenario.stages.items()
    }
    behind: dict[str, set[str]] = {name: set() for name in (*ahead, *TERMINALS)}
    for name, following in ahead.items():
        for after in following:
            behind[after].add(name)
    reached, ending = closure(begin, ahead), closure(TERMINALS, behind)
    for name in scenario.stages:
        if name not in reached:
            yield f"stages.{name} is never reached", f"expected a way to it from an entry ({', '.join(begin)})"
        if name not in ending:
            yield f"stages.{name} never ends", "expected a way from it to exit"


def unsupported_in_visits(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield what visits of this version cannot do."""
    beside = beside_visits(scenario)
    attributes = {each for kind in scenario.item_types.values() for each in kind.attributes}
    for name, stage in scenario.stages.items():
        key, block = f"stages.{name}", scenario.consume.get(name)
        for options in stage.next.values():
            if len(options) > engine.alternatives and not isinstance(options, str):
                yield f"{key}.next has {len(options)} alternatives", f"at most {engine.alternatives}"
        if name in beside:
            continue
        if stage.kind not in engine.visit_outcomes:
            right = "a stage that the `starts` of a commit leads to"
            yield f"{key}.kind = {stage.kind}: this version runs it in a case only", right
            continue
        possible = engine.visit_outcomes[stage.kind]
        for part, written, allowed, right in (
            ("next", stage.next, possible, ", ".join(possible)),
            ("wait", stage.wait, ("defer", "pause"), "only defer, pause"),
            ("starts", stage.starts, ("confirm",), "only confirm"),
        ):
            for outcome in written:
                if outcome not in allowed:
                    yield f"{key}.{part}.{outcome}: this version cannot run it yet", right
        for outcome, wait in stage.wait.items():
            if stage.next[outcome] != name or wait.visit != "later":
                right = f"{name} itself, with wait.{outcome}.visit = later"
                wrong = f"{key}.next.{outcome} = {stage.next[outcome]}"
                yield wrong, f"{right}: what is put off is taken up where it was left"
        for outcome, following in successors(stage):
            if following == "gone":
                yield f"{key}.next.{outcome} = gone: this version runs it in a case only", "exit"
        if stage.surface is None:
            yield f"{key}.surface is missing", "a surface: the stages of a visit are on a screen"
        elif stage.kind == "browse" and scenario.surfaces[stage.surface].layout not in engine.layouts:
            wrong = f"surfaces.{stage.surface}.layout = {scenario.surfaces[stage.surface].layout}"
            yield f"{wrong}: this version cannot run it yet", f"one of {', '.join(engine.layouts)}"
        if block is not None and not isinstance(block, HazardConsume):
            yield f"consume.{name}.model = {block.model}: this version runs it in a case only", "hazard"
        elif block is not None:
            after = stage.next["complete"]
            if after not in [*scenario.respond] or stage.next["skip"] != after:
                yield f"{key}.next", "one respond stage after both complete and skip in this version"
            if block.paywall is not None:
                shown = scenario.modalities[block.paywall.modality]
                if isinstance(shown, AttributeModality) and shown.shows not in attributes:
                    wrong = f"consume.{name}.paywall.modality shows {shown.shows}: this version cannot run it yet"
                    yield wrong, "an attribute of item types"
                if block.pause is not None:
                    yield f"consume.{name}.paywall beside pause: this version cannot run it yet", "one of the two"


def unsupported_in_cases(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield what cases of this version cannot do: they go on without their users, and pass a stage once."""
    beside, possible = beside_visits(scenario), engine.case_outcomes
    for name, stage in scenario.stages.items() if beside else ():
        key = f"stages.{name}"
        for outcome in possible.get(stage.kind, ()):
            for following in (after for each, after in successors(stage) if each == outcome):
                kind = scenario.stages[following].kind if following not in TERMINALS else None
                if kind is not None and kind not in possible:
                    right = f"a stage of kind {', '.join(possible)}, or an end: a case goes on without its user"
                    yield f"{key}.next leads a case to {following}, which is a {kind}", right
        if name not in beside:
            continue
        if stage.kind not in possible:
            right = f"one of {', '.join(possible)}"
            yield f"{key}.kind = {stage.kind}: a case goes on without its user", right
        if stage.wait or stage.starts:
            part = "wait" if stage.wait else "starts"
            yield f"{key}.{part}: this version runs it in visits only", f"a stage without {part}"
        if "detour" in stage.next:
            yield f"{key}.next.detour: a case goes on without its user", "a stage without detour"
        if stage.kind == "consume" and scenario.consume[name].model != "experience":
            yield f"consume.{name}.model = {scenario.consume[name].model}", "experience, in a case"
    ahead = {name: [after for _, after in successors(scenario.stages[name])] for name in sorted(beside)}
    for name, next_ones in ahead.items():
        if name in closure(next_ones, ahead):
            right = "a stage of its own for what comes after it: a case passes a stage once"
            yield f"stages.{name}: a case comes back to it", right
