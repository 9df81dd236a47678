"""The words of a knock-out: its verdicts, why they are what they are, and all of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis.knockout.measures import ATTENDED, SAW, SEEN
from analysis.knockout.report import Judgment, Knockout
from analysis.knockout.why import before_a_choice, in_words

NOBODY = "nobody saw it"


def saw_it(found: Knockout) -> str:
    """Return how many decisions saw the modality, in words."""
    saw, attended = found.why[SAW], found.why[ATTENDED]
    if found.why[SEEN] == 0:
        return NOBODY
    if not before_a_choice(found.plan.scenario, found.plan.modality):
        before = "before a choice, " + NOBODY
    else:
        before = "it can be seen before a choice"
    if math.isnan(saw):
        return f"{before}; nobody decided on anything"
    return f"{before}; of what was decided on, {saw:.1%} had shown it by then, and {attended:.1%} had it attended to"


def verdict_lines(found: Knockout) -> str:
    """Return the verdicts, one line each, then why."""
    plan = found.plan
    lines = []
    for arm in plan.arms:
        lines.append(f"{plan.scenario.scenario} · {plan.modality} · {arm.name}")
        for effect in dict.fromkeys(each.effect.name for each in found.judgments if each.recommender == arm.name):
            own = [each for each in found.judgments if each.recommender == arm.name and each.effect.name == effect]
            lines.append(f"  {effect}: {own[0].effect.says}")
            lines += [f"    {each.measure}: {each.says}{_amount(each)}" for each in own]
    if not plan.readable:
        lines.append(f"  no recommender is handed {plan.modality}: it is a number, or has no features")
    lines += ["why", f"  {saw_it(found)}", *(f"  {line}" for line in in_words(plan.scenario, plan.modality))]
    return "\n".join(lines) + "\n"


def _amount(judgment: Judgment) -> str:
    verdict = judgment.verdict
    if math.isnan(verdict.difference):
        return ""
    low, high = verdict.interval
    interval = "" if math.isnan(low) else f" [{low:.4g}, {high:.4g}]"
    bound = "" if verdict.bound is None else f", bound {verdict.bound:.3g}"
    return f" · {judgment.control:.4g} to {judgment.treated:.4g}: {verdict.difference:+.4g}{interval}{bound}"


def as_json(found: Knockout, asked: Mapping[str, object]) -> dict[str, object]:
    """Return all that was found, for `knockout.json`."""
    return {
        **asked,
        "verdicts": [
            {"recommender": each.recommender, "effect": each.effect.name, "says": each.effect.says,
             "measure": each.measure, "control": _number(each.control), "treated": _number(each.treated),
             "difference": _number(each.verdict.difference), "low": _number(each.verdict.interval.low),
             "high": _number(each.verdict.interval.high), "p": _number(each.verdict.p),
             "p_holm": _number(each.verdict.p_adjusted), "bound": each.verdict.bound, "n": each.verdict.n,
             "verdict": str(each.word), "seeds_it_would_take": each.verdict.seeds}
            for each in found.judgments
        ],
        "why": {"measured": {name: _number(value) for name, value in found.why.items()}, "seen": saw_it(found),
                "scenario": in_words(found.plan.scenario, found.plan.modality)},
        "not_moved": found.plan.left_out,
    }  # fmt: skip


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
