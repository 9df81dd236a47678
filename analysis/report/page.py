"""The comparison page: one self-contained HTML file without a script; of each scenario, what was found and on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from analysis.offline_vs_online import OFFLINE, BothWays
from analysis.report.pictures import funnel, life_cycle, two_rankings
from analysis.statistics import t_interval
from simulator.scenario.checks.provenance import provenance_summary
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import measures_of, role_of

STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:16px;font:15px/1.5 system-ui,Helvetica,Arial,sans-serif}
body{color:#1c2733;background:#fff}
h1{font-size:26px;margin:8px 0}h2{font-size:21px;margin:44px 0 4px;border-top:2px solid #1c2733;padding-top:12px}
h3{font-size:16px;margin:26px 0 6px}p{max-width:74ch}nav a{margin-right:12px;display:inline-block}
nav{margin-bottom:14px}.wide{overflow-x:auto}table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:3px 9px;text-align:right;border-bottom:1px solid #e3e7eb;white-space:nowrap}
th:first-child,td:first-child{text-align:left}td.yes{background:#dfeaf7;text-align:center}td.no{color:#b6bec6;text-align:center}
small,.quiet{color:#5b6875}details{margin:8px 0}pre{overflow-x:auto;font-size:12px;background:#f6f7f9;padding:8px}
svg{max-width:none;display:block}a{color:#2b5f93}
"""


@dataclass(frozen=True)
class Section:
    """Hold what the page says of one scenario.

    Attributes:
        scenario: the scenario.
        found: both ways of judging.
        events: (event, happened, recorded) over the logging recommender's worlds, summed.
        lived: the measure of what users lived through.
        configuration: one of the runs' configurations, as YAML.
        titles: titles of some items, where the catalog has them.
    """

    scenario: Scenario
    found: BothWays
    events: Sequence[tuple[str, int, int]]
    lived: str
    configuration: str
    titles: Sequence[str] = ()


def page(sections: Sequence[Section], seeds: Sequence[int], command: str) -> str:
    """Return the whole page as HTML."""
    links = " ".join(f'<a href="#{s.scenario.scenario}">{escape(s.scenario.title)}</a>' for s in sections)
    body = [
        "<h1>What recommenders are worth, scenario by scenario</h1>",
        f"<p>{len(sections)} scenarios, {len(seeds)} simulated worlds of each per recommender (seeds "
        f"{escape(', '.join(map(str, seeds)))}). <i>Offline</i>: trained and judged on a platform's log. <i>Lived</i>: "
        "trained on what its own platform could log, and judged by what users went through. Intervals are 95 % over "
        "seeds (Student's t); a world is the unit, not a user.</p>",
        f"<nav>{links}</nav>",
        _overview(sections),
        *(_section(each) for each in sections),
        f"<h2>How this page was made</h2><pre>{escape(command)}</pre>",
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>Beholder: a comparison of scenarios</title><link rel="icon" href="data:,"><style>{STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def _overview(sections: Sequence[Section]) -> str:
    rows = []
    for each in sections:
        tau, interval = each.found.agreement(each.lived)
        offline, lived = _means(each)
        rows.append([
            f'<a href="#{each.scenario.scenario}">{escape(each.scenario.title)}</a>',
            escape(max(offline, key=lambda name: offline[name])) if offline else "-",
            escape(max(lived, key=lambda name: lived[name])) if lived else "-",
            _with_interval(tau, interval.low, interval.high),
        ])  # fmt: skip
    header = ["scenario", f"best offline ({OFFLINE[0]})", "best lived", "agreement of ranks (Kendall's tau)"]
    return f'<div class="wide">{_table(header, rows)}</div>'


def _means(section: Section) -> tuple[dict[str, float], dict[str, float]]:
    """Return the means over seeds of both ways, by recommender."""
    frame = section.found.offline
    offline = frame[frame["measure"] == OFFLINE[0]].groupby("recommender")["value"].mean()
    lived = section.found.lived.worlds(section.lived).mean()
    return (
        {str(name): float(value) for name, value in offline.items() if np.isfinite(value)},
        {str(name): float(value) for name, value in lived.items() if np.isfinite(value)},
    )


def _section(each: Section) -> str:
    scenario, found = each.scenario, each.found
    offline, lived = _means(each)
    tau, interval = found.agreement(each.lived)
    counts = provenance_summary(scenario)
    parts = [
        f'<h2 id="{scenario.scenario}">{escape(scenario.title)}</h2>',
        f"<p>{escape(scenario.summary)}</p>",
        f'<h3>Life cycle</h3><div class="wide">{life_cycle(scenario)}</div>',
        f'<h3>What is visible where</h3><div class="wide">{_visible(scenario)}</div>',
        "<h3>From impression to feedback, and what the log missed</h3>",
        f'<p class="quiet">All worlds of {escape(found.logging)}; lengths grow with the root of the number.</p>',
        f'<div class="wide">{funnel(each.events, max((n for _, n, _ in each.events), default=0))}</div>',
        "<h3>Ranks, offline and lived</h3>",
        f"<p>Offline: {OFFLINE[0]} on the log of {escape(found.logging)} ({escape(found.split)} split, positives: "
        f"{escape(found.label)}). Lived: {escape(each.lived)}. Kendall's tau {_with_interval(tau, *interval)}.</p>",
        f'<div class="wide">{two_rankings(offline, lived)}</div>',
        *(
            f"<p><small>{escape(name)} has no offline figure: {escape(why)}</small></p>"
            for name, why in found.failed.items()
        ),
        f'<h3>Measures</h3><div class="wide">{_measures(each)}</div>',
        "<h3>What this rests on</h3>",
        f"<p>{counts['sourced']} numbers are sourced, {counts['calibrated']} calibrated on targets, "
        f"{counts['estimate']} are estimates.</p>",
        "<details><summary>Known figures beside this scenario</summary>"
        f'<div class="wide">{_targets(each)}</div></details>',
        f"<details><summary>Configuration of one world</summary><pre>{escape(each.configuration)}</pre></details>",
    ]
    if each.titles:
        parts.append(f"<p><small>Items of the catalog: {escape(' · '.join(each.titles))}</small></p>")
    return "\n".join(parts)


def _visible(scenario: Scenario) -> str:
    """Return the modalities by stages and devices: whether they are on the screen."""
    shown = [
        (name, device)
        for name, stage in scenario.stages.items()
        if stage.surface is not None and stage.kind in scenario.surfaces[stage.surface].shows
        for device in scenario.devices
    ]
    header = ["", *(f"{name.replace('_', ' ')}<br><small>{device}</small>" for name, device in shown)]
    rows = [
        [modality.replace("_", " "), *(_cell(scenario, modality, *each) for each in shown)]
        for modality in scenario.modalities
    ]
    return _table(header, rows)


def _cell(scenario: Scenario, modality: str, stage: str, device: str) -> str:
    kind = scenario.stages[stage].kind
    surface = scenario.surfaces[scenario.stages[stage].surface or ""]
    there = modality in surface.shows[kind] and modality not in surface.hidden.get(device, [])
    if kind == "browse" and surface.visible.get(device, 0) == 0:
        there = False
    return '<td class="yes">shown</td>' if there else '<td class="no">-</td>'


def _measures(each: Section) -> str:
    names = each.found.lived.recommenders
    rows = []
    for measure in each.found.lived.measures:
        worlds = each.found.lived.worlds(measure)
        cells = [measure.replace("_", " ")]
        for name in names:
            values = worlds[name].dropna().to_numpy() if name in worlds else np.empty(0)
            cells.append(_with_interval(float(values.mean()), *t_interval(values)) if values.size else "-")
        rows.append(cells)
    return _table(["measure", *(escape(name) for name in names)], rows)


def _targets(each: Section) -> str:
    rows = []
    measured = {m: each.found.lived.worlds(m) for m in each.found.lived.measures}
    named = measures_of(each.scenario.targets)
    for name, target in each.scenario.targets.items():
        measure = named.get(name)
        lived = measured[measure][each.found.logging].mean() if measure in measured else None
        here = "no measure of it" if lived is None else f"{lived:.4g}"
        rows.append(
            [
                escape(name.replace("_", " ")),
                f"{target.value:g} {escape(target.unit)}",
                here,
                role_of(name),
                escape(str(target.see)),
            ]
        )
    return _table(["figure", "known", f"here, with {escape(each.found.logging)}", "role", "source"], rows)


def _with_interval(value: float, low: float, high: float) -> str:
    if not np.isfinite(value):
        return "-"
    if not np.isfinite(low):
        return f"{value:.4g}"
    return f"{value:.4g} <small>[{low:.4g}, {high:.4g}]</small>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table; cells that are `<td` already stay as they are, and callers escape their texts."""
    head = "".join(f"<th>{each}</th>" for each in header)
    lines = ["".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
