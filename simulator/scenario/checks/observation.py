"""Events, who records them, and the labels and measures that count them."""

from __future__ import annotations

from simulator.scenario.checks.references import averaged, item_numbers, recorded
from simulator.scenario.checks.rules import Breaches, Engine
from simulator.scenario.events import MOST_EVENTS, vocabulary
from simulator.scenario.life_cycle import asking_stages, own_policies, possible_events
from simulator.scenario.messages import nearest
from simulator.scenario.schema.scenario import ReadoutModality, Scenario


def observed(scenario: Scenario) -> Breaches:
    """Yield events that nobody is said to observe, rows of no event, and read-outs of what nobody records."""
    events = possible_events(scenario)
    for event, happens in events.items():
        if happens and event not in scenario.observation:
            right = "the life cycle can emit it, so expected a row that says who observes it (observer: none if nobody)"
            yield f"observation.{event} is missing", right
    for event in scenario.observation:
        if event not in events:
            yield f"observation.{event}: no stage emits it", nearest(event, [*events])
    for name, modality in scenario.modalities.items():
        if isinstance(modality, ReadoutModality):
            yield from _recorded(scenario, f"modalities.{name}.counts", modality.counts)
            yield from _recorded(scenario, f"modalities.{name}.averages", modality.averages)


def _recorded(scenario: Scenario, key: str, event: str | None) -> Breaches:
    known = recorded(scenario)
    if event is not None and event not in known:
        yield f"{key} = {event}: nobody records it", nearest(event, known)


def labels(scenario: Scenario) -> Breaches:
    """Yield labels of what nobody records or items do not have, and measures named twice."""
    platform = scenario.platform
    if platform.label not in platform.labels:
        yield f"platform.label = {platform.label}", nearest(platform.label, [*platform.labels])
    columns = item_numbers(scenario)
    for name, label in platform.labels.items():
        for event in label.events:
            yield from _recorded(scenario, f"platform.labels.{name}.events", event)
        if label.or_item is not None and label.or_item not in columns:
            yield f"platform.labels.{name}.or_item = {label.or_item}", nearest(label.or_item, columns)
    positive = any(act.positive for block in scenario.respond.values() for act in block.acts.values())
    if "positive_interaction_rate" in scenario.measures and not positive:
        right = "expected positive: true for those of respond.X.acts that it counts"
        yield "measures: positive_interaction_rate, and no act is positive", right
    for measure in dict.fromkeys(scenario.measures):
        if scenario.measures.count(measure) > 1:
            yield f"measures: {measure} is repeated", "expected every measure once"


def past(scenario: Scenario) -> Breaches:
    """Yield counts of before the run that lack the mean of their values, and items that have no age to be of."""
    before = scenario.supply.past
    if before is None:
        return
    for name, event in before.events.items():
        if (event.mean is None) == (name in averaged(scenario)):
            wrong, right = "has a mean", "nobody is shown its average, so expected no such key"
            if event.mean is None:
                wrong, right = "has no mean", "a read-out averages its values, so expected a mean"
            yield f"supply.past.events.{name} {wrong}", right
    supply = scenario.supply
    endless = [name for name, kind in scenario.item_types.items() if (kind.lifetime or supply.lifetime) is None]
    if before.since is None and supply.fresh.value <= 0 and endless:
        wrong = f"supply.past.since is missing: nothing is fresh, and {', '.join(endless)} are never withdrawn"
        yield wrong, "since when they have come"


def served(scenario: Scenario) -> Breaches:
    """Yield browse stages that ask for slates where neither the recommender nor a policy of the platform serves."""
    own, asking = own_policies(scenario), asking_stages(scenario)
    for name, policy in own.items():
        if policy is None:
            yield f"platform.serves leaves out {name}", f"name it there, or give it a policy: platform.policies.{name}"
    if len(own) == len(asking):
        yield (
            "platform.policies: every stage has one, and the recommender none",
            f"platform.serves: one of {', '.join(asking)}",
        )


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield more events than there are numbers for."""
    if len(vocabulary(scenario.observation)) > MOST_EVENTS:
        yield f"observation: {len(scenario.observation)} events", f"at most {MOST_EVENTS} in all"
