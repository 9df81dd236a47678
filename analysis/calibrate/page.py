"""A page of a calibration, in Markdown: what moved, what is hardly told, what it cost, and targets for judgment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from analysis.calibrate.outcome import Judged, Moved, Outcome


def page(
    outcome: Outcome, title: str, facts: Mapping[str, str], held: Mapping[str, str], unread: Mapping[str, str]
) -> str:
    """Return the page.

    Args:
        outcome: what was found.
        title: of the scenario.
        facts: lines about the run, by their name.
        held: numbers that were asked for and could not move, with why.
        unread: targets that a log does not tell, with why.
    """
    lines = [f"# Calibration: {title}", ""]
    lines += [f"- {name}: {text}" for name, text in facts.items()]
    lines += [
        f"- distance from what steers: {outcome.before:.3g} before, {outcome.after:.3g} after (1: just near enough)",
        f"- cost: {outcome.trials} scenarios, {outcome.seconds:.0f} s of CPU",
    ]
    if outcome.likelihood is not None:
        before, after = outcome.likelihood
        lines.append(f"- log-likelihood of the users who were held out: {before:.4g} before, {after:.4g} after")
    lines += ["", "## Numbers", "", *_numbers(outcome.moved)]
    lines += ["", "A width reaches two standard deviations either way, of all that the figures tell together.", ""]
    weak = [each.name for each in outcome.moved if each.weak]
    if weak:
        lines += [f"Weakly identified, known no better than half of what was supposed before: {', '.join(weak)}.", ""]
    for direction in outcome.directions:
        parts = ", ".join(f"{name} ({part:+.2f})" for name, part in direction.items())
        lines.append(f"- hardly told, together: {parts}")
    lines += ["", "## Targets that steered", "", *_targets([each for each in outcome.judged if each.role == "fit"])]
    checks = [each for each in outcome.judged if each.role == "check"]
    if checks:
        lines += ["", "## Targets that did not steer, for judgment", "", *_targets(checks)]
    for heading, found in (("Numbers that did not move", held), ("Targets that the log does not tell", unread)):
        if found:
            lines += ["", f"## {heading}", "", *(f"- {name}: {why}" for name, why in found.items())]
    return "\n".join(lines) + "\n"


def _numbers(moved: Sequence[Moved]) -> list[str]:
    rows = [
        [each.name, each.unit, _shown(each.before), _shown(each.after), _between(each.low, each.high),
         _between(each.least, each.most), each.see + (", weakly identified" if each.weak else "")]
        for each in moved
    ]  # fmt: skip
    return _table(["number", "unit", "before", "after", "width", "could be", "calibrated to"], rows)


def _targets(judged: Sequence[Judged]) -> list[str]:
    rows = [
        [each.name, each.unit, _shown(each.value), _shown(each.before), _shown(each.after),
         _parts(each.distance_before), _parts(each.distance_after), _shown(each.held_out)]
        for each in judged
    ]  # fmt: skip
    header = ["target", "unit", "value", "before", "after", "off before", "off after", "held out"]
    if all(each.held_out is None for each in judged):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _shown(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.5g}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_shown(low)} to {_shown(high)}"


def _parts(distance: float) -> str:
    return "" if math.isnan(distance) else f"{100 * distance:+.1f} %"
