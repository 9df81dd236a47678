"""Beliefs by their closed form, and what shown numbers are worth, written a second time and in another way."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.engine.randomness import KNOWLEDGE, PERCEPTION, table_points
from simulator.engine.tables.tables import NORMAL
from tests.laws.harness import CLOCK, Bench, from_table, luck_of


def _rule(of: Bench, kind: int) -> Any:
    """What the scenario says of a type: an item type, or a kind of parents that a stage shows."""
    name, scenario = of.compiled.names.types[kind], of.compiled.scenario
    return scenario.item_types[name] if name in scenario.item_types else scenario.parents[name]


def _is_parent(of: Bench, item: int) -> bool:
    return of.compiled.names.types[int(of.items.state["type"][item])] not in of.compiled.scenario.item_types


def _reads(of: Bench, kind: int, modality: int) -> float:
    """By what factor a modality is read more exactly of items of a type, as the scenario says."""
    ratio = _rule(of, kind).precisions.get(of.compiled.names.modalities[modality])
    return 1.0 if ratio is None else float(ratio.value)


def _weights(of: Bench, rule: Any) -> Any:
    """Weights of all facets for an item type: roots of shares times ratios, and together the variance of the shares."""
    facets = of.compiled.scenario.facets
    ratios = [rule.weights[name].value if name in rule.weights else 1.0 for name in facets]
    raw = np.sqrt([facet.share.value for facet in facets.values()]) * ratios
    return raw * np.sqrt(sum(facet.share.value for facet in facets.values()) / (raw**2).sum())


def _weight(of: Bench, kind: int, facet: int) -> float:
    """What a facet's match is worth for items of a type."""
    name = of.compiled.names.facets[facet]
    scenario, rule = of.compiled.scenario, _rule(of, kind)
    if hasattr(rule, "weights"):
        return float(_weights(of, rule)[facet])
    # a parent: as its children, as far as they share the facet with it
    shared = rule.shares[name].value if name in rule.shares else 0.0
    own = [each for key, each in scenario.item_types.items() if rule.types is None or key in rule.types]
    mean = np.average([_weights(of, each)[facet] for each in own], weights=[each.share.value for each in own])
    return float(np.sqrt(shared) * mean)


def worth_by_hand(of: Bench, user: int, item: int, read: int, clock: float) -> float:
    """Worth of the numbers in `read` (bits of modalities) to a user, beside what is usual, at `clock`."""
    names, scenario, items, users = of.compiled.names, of.compiled.scenario, of.items, of.users
    kind = _rule(of, int(items.state["type"][item]))
    belongs = {name for shown in of.compiled.shown_parents for name in scenario.parents[shown].modalities}
    total = 0.0
    for a, name in enumerate(names.attribute_effects):
        if not read >> names.modalities.index(name) & 1:
            continue
        if (name in belongs) != _is_parent(of, item) and belongs:
            continue  # a parent's number is worth something once, and its children's are not read of it
        shown: Any = scenario.modalities[name]
        per = shown.per.value if shown.per else 1.0
        if shown.kind == "promise":
            promise = scenario.promises[shown.promise]
            p = list(scenario.promises).index(shown.promise)
            seconds = float(items.promised[item, p]) + float(users.promised[user, p]) + promise.padding.value
            if of.compiled.plan.announced["travels"][p]:
                way = np.linalg.norm(items.place[item].astype(float) - users.place[user].astype(float))
                seconds += way / scenario.places.speed.value
            draw = luck_of(of.seed, PERCEPTION, user, item, 1 << 22)
            spread = promise.spread.quantile(_steps(draw)) if promise.spread else 1.0
            worth = (
                shown.weight.value
                * (seconds * float(spread) - float(of.compiled.plan.attribute_effects["usual"][a]))
                / per
            )
        elif shown.kind == "distance":
            way = np.linalg.norm(items.place[item].astype(float) - users.place[user].astype(float))
            usual = min(0.5214 * scenario.places.side.value, scenario.places.reach.value * 2.0 / 3.0)
            worth = shown.weight.value * (way - usual) / per
        elif shown.shows == "published_at":
            lost = 1.0 - 2.0 ** (-(clock - float(items.published[item])) / kind.half_life.value)
            worth = shown.weight.value * lost
        else:
            value = float(items.attributes[item, names.attributes.index(shown.shows)])
            usual = float(np.mean(kind.attributes[shown.shows].quantile(table_points())))
            worth = shown.weight.value * (value - usual) / (per * (usual if shown.relative else 1.0))
        total += worth * float(users.traits[user, a])
    return total + siblings_by_hand(of, user, item, read, clock)


def siblings_by_hand(of: Bench, user: int, item: int, read: int, clock: float) -> float:
    """What an item gains or loses by its siblings that a user had, as far as what is read tells whose it is."""
    names, scenario = of.compiled.names, of.compiled.scenario
    kind = names.types[int(of.items.state["type"][item])]
    if of.compiled.shown_parents:
        return 0.0  # no scenario with such parents has siblings that are worth anything
    for parent in scenario.parents.values():
        again = parent.repetition
        if again is None or (parent.types is not None and kind not in parent.types):
            continue
        told_by = parent.modalities if again.revealed_by is None else again.revealed_by
        if not any(read >> names.modalities.index(name) & 1 for name in told_by):
            continue
        rows = of.users.parent_history[user]
        own = rows[(rows["parent"] == of.items.parent[item]) & (rows["amount"] > 0)]
        amount = float((own["amount"] * 0.5 ** ((clock - own["at"]) / again.half_life.value)).sum())
        return float(again.worth.value * (1.0 - (1.0 - again.first.value) ** amount))
    return 0.0


def _steps(draw: Any) -> Any:
    """The quantile that a table of 4,096 gives for a luck."""
    return table_points()[int(draw) >> 52]


def belief_by_hand(
    of: Bench, user: int, item: int, attended: int, glance: float, clock: float = CLOCK
) -> tuple[float, float]:
    """Belief of a user about an item from the general formula for jointly normal cues; mean and variance.

    A facet's true match is standard normal to the user; its cues are that match plus errors of covariance
    diag(1 / t) + c. The posterior is computed by inverting that matrix, which is not how the engine does it. The
    numbers that are attended to count as they are.
    """
    plan = of.compiled.plan
    items, user_params = of.items, plan.user_params[0]
    kind = int(items.state["type"][item])
    knowledge = float(
        from_table(plan.quantiles[plan.types["knowledge"][kind]], luck_of(of.seed, KNOWLEDGE, user, kind))
    )

    def normal(what: int) -> float:
        return float(from_table(plan.quantiles[NORMAL], luck_of(of.seed, PERCEPTION, user, item, what)))

    common = normal(1 << 21) * float(user_params["root_common_error"])
    mean, variance = (
        float(plan.types["prior"][kind]),
        0.0 if _is_parent(of, item) else float(user_params["idiosyncratic"]) ** 2,
    )
    for f, facet in enumerate(plan.facets):
        precisions, readings = [], []
        for m in range(of.modalities):
            if not attended >> m & 1:
                continue
            for cue in plan.cues[plan.modalities["first_cue"][m] : plan.modalities["end_cue"][m]]:
                if cue["facet"] != f:
                    continue
                t = float(cue["precision"]) * knowledge * (glance if cue["timed"] else 1.0) * _reads(of, kind, m)
                if cue["column"] >= 0:
                    taste = of.users.taste[user, facet["offset"] : facet["offset"] + facet["width"]].astype(np.float64)
                    x = float(taste @ items.vectors[item, cue["column"] : cue["column"] + facet["width"]])
                    x = float(facet["scale"]) * x / (1.0 + float(facet["saturation"]) * abs(x))
                else:
                    x = float(items.published_counters[item, cue["readout"]])
                trust = int(of.compiled.plan.modalities["trust"][m])
                learned = float(of.users.satiation_trust[user, trust]) if trust >= 0 else 0.0
                shift = float(items.bias_appeal[item, m]) - learned
                signal, doubt = float(cue["signal"]), float(cue["doubt"])  # as its readers expect them
                precisions.append(signal**2 / (1.0 / t + doubt))
                readings.append((x + shift + normal(m) / np.sqrt(t)) / signal + common)
        weight = _weight(of, kind, f)
        if not precisions:
            variance += weight**2
            continue
        errors = np.diag(1.0 / np.array(precisions)) + float(user_params["common_error"])
        pull = np.linalg.solve(errors, np.ones(len(precisions)))
        certainty = 1.0 + pull.sum()
        mean += weight * float(pull @ np.array(readings)) / certainty
        variance += weight**2 / certainty
    mean, variance = recalled_by_hand(of, user, item, attended, clock, mean, variance)
    return mean + worth_by_hand(of, user, item, attended, clock), variance


def basket_by_hand(of: Bench, user: int, parent: int, attended: int, cards: np.ndarray, clock: float = CLOCK) -> float:
    """Belief about a basket, dtype CARD: the mean of what its items are believed to be, and the parent's numbers once.

    What was read of the parent, and of its basket as a whole (`attended`), was read of every item.
    """
    taken = cards[cards["taken"] == 1]
    alone = [belief_by_hand(of, user, int(card["item"]), int(card["attended"]), 1.0, clock)[0] for card in taken]
    return float(np.mean(alone)) + worth_by_hand(of, user, parent, attended, clock)


def recalled_by_hand(
    of: Bench, user: int, item: int, attended: int, clock: float, mean: float, variance: float
) -> tuple[float, float]:
    """A belief together with what the user remembers of the item, as two normal cues weighed by their precisions."""
    remembered = getattr(_rule(of, int(of.items.state["type"][item])), "remembered", None)
    rows = of.users.item_memory[user]
    if remembered is None:
        return mean, variance
    subject = (1 << 31) + int(of.items.state["creator"][item]) if remembered.of == "creator" else item
    own = rows[(rows["item"] == subject) & (rows["at"] > 0)]
    by = of.compiled.names.modalities if remembered.revealed_by is None else remembered.revealed_by
    told = any(attended >> of.compiled.names.modalities.index(modality) & 1 for modality in by)
    if not told or len(own) == 0:
        return mean, variance
    precision = remembered.precision.value * 0.5 ** ((clock - float(own["at"][0])) / remembered.half_life.value)
    total = precision + 1.0 / variance
    return (precision * float(own["worth"][0]) + mean / variance) / total, 1.0 / total
