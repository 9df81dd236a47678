"""The comparison page: one self-contained HTML file without a script; of each scenario, what was found and on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

from analysis.offline_vs_online import OFFLINE, BothWays
from analysis.report.differences import differences
from analysis.report.pictures import funnel, life_cycle, two_rankings
from analysis.statistics import Interval, mean, t_interval
from analysis.verdicts.ranges import within
from analysis.verdicts.winner import FEW, Winner
from recommenders.contract.places import BEARABLE
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
        fallbacks: recommender to the share of places that popularity filled in its stead, over its worlds.
    """

    scenario: Scenario
    found: BothWays
    events: Sequence[tuple[str, int, int]]
    lived: str
    configuration: str
    titles: Sequence[str] = ()
    fallbacks: Mapping[str, float] = field(default_factory=dict)


def page(sections: Sequence[Section], seeds: Sequence[int], command: str) -> str:
    """Return the whole page as HTML."""
    links = " ".join(f'<a href="#{s.scenario.scenario}">{escape(s.scenario.title)}</a>' for s in sections)
    body = [
        "<h1>What recommenders are worth, scenario by scenario</h1>",
        f"<p>{len(sections)} scenarios, {len(seeds)} simulated worlds of each per recommender (seeds "
        f"{escape(', '.join(map(str, seeds)))}). <i>Offline</i>: trained and judged on a platform's log. <i>Lived</i>: "
        "trained on what its own platform could log, and judged by what users went through. Intervals are 95 % over "
        "seeds (Student's t), cut where a measure ends, as a share does at 0 and 1; a world is the unit, not a user. A "
        "winner is named only where its paired differences to every other surely exclude zero, all pairs together.</p>",
        *_marked(len(seeds)),
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
    rows = [
        [
            f'<a href="#{each.scenario.scenario}">{escape(each.scenario.title)}</a>',
            escape(each.found.best_offline().says),
            escape(_lived_words(each)),
            _agreement(each),
        ]
        for each in sections
    ]
    header = ["scenario", f"best offline ({OFFLINE[0]})", "best lived", "agreement of ranks (Kendall's tau)"]
    return f'<div class="wide">{_table(header, rows)}</div>'


def _lived_words(each: Section) -> str:
    found = each.found.best_lived(each.lived)
    return f"{each.lived} is not better either way" if found is None else found.says


def _agreement(each: Section) -> str:
    tau, interval = each.found.agreement(each.lived)
    shown = _with_interval(tau, interval, "no seed in which three recommenders differ both ways")
    return f"{shown} †" if 0 < each.found.correlations(each.lived)["kendall"].count() < FEW else shown


def _marked(seeds: int) -> list[str]:
    if seeds >= FEW:
        return []
    return [f"<p><b>Few seeds.</b> Figures of fewer than {FEW} seeds are marked †: take them as a sketch.</p>"]


def tables(sections: Sequence[Section]) -> dict[str, pd.DataFrame]:
    """Return what the page shows as tables, by name: worlds, offline, means, differences, winners, fallbacks."""
    means: list[dict[str, object]] = []
    winners: list[dict[str, object]] = []
    for each in sections:
        name = each.scenario.scenario
        for measure in each.found.lived.measures:
            worlds = each.found.lived.worlds(measure)
            for arm in worlds:
                values = worlds[arm].dropna().to_numpy(dtype=np.float64)
                low, high = within(measure, t_interval(values))
                means.append({"scenario": name, "recommender": arm, "measure": measure, "n": values.size,
                              "mean": mean(values), "low": low, "high": high})  # fmt: skip
        offline: Winner | None = each.found.best_offline()
        for way, found in (("offline", offline), (each.lived, each.found.best_lived(each.lived))):
            if found is not None:
                winners.append({"scenario": name, "by": way, "winner": found.name, "among": " ".join(found.among),
                                "n": found.n, "words": found.says})  # fmt: skip
    by_popularity = [(s.scenario.scenario, arm, share) for s in sections for arm, share in s.fallbacks.items()]
    return {
        "worlds": pd.concat([each.found.lived.frame for each in sections], ignore_index=True),
        "offline": pd.concat([each.found.offline.assign(scenario=each.scenario.scenario) for each in sections]),
        "means": pd.DataFrame(means),
        "differences": pd.concat(
            [
                differences(each.scenario, each.found.lived, each.found.logging).assign(scenario=each.scenario.scenario)
                for each in sections
            ]
        ),
        "winners": pd.DataFrame(winners),
        "fallbacks": pd.DataFrame(by_popularity, columns=["scenario", "recommender", "share"]),
    }


def figures(each: Section) -> dict[str, str]:
    """Return a section's figures as SVG, by name."""
    return {
        "life_cycle": life_cycle(each.scenario),
        "funnel": funnel(each.events, max((n for _, n, _ in each.events), default=0)),
        "ranks": two_rankings(*_means(each)),
    }


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
    drawn = figures(each)
    counts = provenance_summary(scenario)
    parts = [
        f'<h2 id="{scenario.scenario}">{escape(scenario.title)}</h2>',
        f"<p>{escape(scenario.summary)}</p>",
        f'<h3>Life cycle</h3><div class="wide">{drawn["life_cycle"]}</div>',
        f'<h3>What is visible where</h3><div class="wide">{_visible(scenario)}</div>',
        "<h3>From impression to feedback, and what the log missed</h3>",
        f'<p class="quiet">All worlds of {escape(found.logging)}; lengths grow with the root of the number.</p>',
        f'<div class="wide">{drawn["funnel"]}</div>',
        "<h3>Ranks, offline and lived</h3>",
        f"<p>Offline: {OFFLINE[0]} on the log of {escape(found.logging)} ({escape(found.split)} split, positives: "
        f"{escape(found.label)}). Lived: {escape(each.lived)}. Kendall's tau {_agreement(each)}.</p>",
        f"<p>Best offline: {escape(found.best_offline().says)}. Best lived: {escape(_lived_words(each))}. The order of "
        "the lines is that of the means, decided or not.</p>",
        f'<div class="wide">{drawn["ranks"]}</div>',
        *(
            f"<p><small>{escape(name)} has no offline figure: {escape(why)}</small></p>"
            for name, why in found.failed.items()
        ),
        *(
            f"<p><small>{escape(name)} gave no score for {share:.1%} of its places: popularity filled them.</small></p>"
            for name, share in each.fallbacks.items()
            if share > BEARABLE
        ),
        f'<h3>Measures</h3><div class="wide">{_measures(each)}</div>',
        f"<h3>Differences to {escape(found.logging)} in the same worlds</h3>",
        "<p>In the unit of the measure. Verdicts are one family: a bound is what the scenario declares too small to "
        "matter.</p>",
        f'<div class="wide">{_differences(each)}</div>',
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
            values = worlds[name].dropna().to_numpy(dtype=np.float64) if name in worlds else np.empty(0)
            shown = _with_interval(mean(values), within(measure, t_interval(values)), "in no world there is any")
            cells.append(f"{shown} †" if 0 < values.size < FEW else shown)
        rows.append(cells)
    return _table(["measure", *(escape(name) for name in names)], rows)


def _differences(each: Section) -> str:
    rows = [
        [
            escape(str(row["measure"]).replace("_", " ")),
            escape(str(row["recommender"])),
            _with_interval(row["difference"], Interval(row["low"], row["high"]), "no world has both values"),
            escape(str(row["bound"])),
            escape(str(row["verdict"])),
        ]
        for row in differences(each.scenario, each.found.lived, each.found.logging).to_dict("records")
    ]
    return _table(["measure", "recommender", "difference", "bound", "verdict"], rows)


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


def _with_interval(value: float, interval: Interval, missing: str) -> str:
    """Write a value with its interval, or why there is none."""
    low, high = interval
    if not np.isfinite(value):
        return f"- <small>({escape(missing)})</small>"
    if not np.isfinite(low):
        return f"{value:.4g}"
    return f"{value:.4g} <small>[{low:.4g}, {high:.4g}]</small>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table; cells that are `<td` already stay as they are, and callers escape their texts."""
    head = "".join(f"<th>{each}</th>" for each in header)
    lines = ["".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
