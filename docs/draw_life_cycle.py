"""Draws docs/life_cycle.svg: the life cycle of the short video scenario, with the counts of a finished run.

python docs/draw_life_cycle.py RUN > docs/life_cycle.svg

RUN is the folder of a run with its truth log (`log=full`, the default).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pandas as pd

from simulator import load_scenario

INK, QUIET, LINE = "#1c2733", "#5b6875", "#8a96a3"
BROWSE, LOOK, CONSUME, RESPOND = "#dfeaf7", "#e8e3f5", "#e2f1e3", "#fbeed3"
HEADS = {"right": "-8,-4 -8,4", "down": "-4,-8 4,-8", "up": "-4,8 4,8"}


def text(x: float, y: float, words: str, size: int = 12, colour: str = INK, anchor: str = "middle") -> str:
    """One line of text."""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, width: float, title: str, colour: str, *lines: str) -> str:
    """A stage: its name, and what happened there."""
    height = 32 + 17 * len(lines)
    frame = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{colour}" stroke="{LINE}"/>'
    head = f'<g font-weight="bold">{text(x + width / 2, y + 21, title, 14)}</g>'
    rest = [text(x + width / 2, y + 40 + 17 * k, line) for k, line in enumerate(lines)]
    return "\n".join([frame, head, *rest])


def arrow(path: str, tip: tuple[float, float], way: str) -> str:
    """An arrow along an SVG path; `tip` is where it ends, `way` where it points."""
    line = f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
    head = f'<polygon points="0,0 {HEADS[way]}" fill="{LINE}" transform="translate({tip[0]} {tip[1]})"/>'
    return f"{line}\n{head}"


def note(x: float, y: float, words: str, anchor: str = "middle") -> str:
    """The label of an arrow."""
    return text(x, y, words, 11, QUIET, anchor)


def draw(log: pd.DataFrame, users: int, hours: float, entry: float) -> str:
    """The picture, from a truth log and the share of visits that begin in the feed."""
    events = log.groupby(["stage", "event"], observed=True).size()

    def n(stage: str, event: str) -> int:
        return int(events.get((stage, event), 0))

    cards = log[(log["stage"] == "discover") & (log["event"] == "impression")]
    acts = int((log["stage"] == "react").sum())
    plays, picked = n("watch", "skip") + n("watch", "complete"), n("watch", "open")
    visits = int(log.groupby("user")["session"].max().add(1).sum())
    swiped, ended = f"{n('watch', 'skip') / plays:.0%} swiped away", f"{n('watch', 'complete') / plays:.0%} to the end"
    liked = f"{n('react', 'like'):,} likes, {n('react', 'hate'):,} hates"
    parts = [
        text(430, 24, f"{users:,} users, {hours:.0f} hours, {visits:,} visits", 15),
        text(16, 190, "a visit", 12, INK, "start"),
        text(16, 205, "begins", 12, INK, "start"),
        arrow("M 36 174 C 36 120, 50 112, 86 112", (88, 112), "right"),
        note(22, 140, f"{entry:.0%}"),
        arrow("M 36 214 C 36 252, 50 262, 86 262", (88, 262), "right"),
        note(22, 246, f"{1 - entry:.0%}"),
        box(88, 79, 170, "feed · browse", BROWSE, "nothing is visible", f"{plays - picked:,} start by themselves"),
        arrow("M 258 112 H 346", (350, 112), "right"),
        note(302, 104, "autoplay"),
        box(350, 62, 200, "watch · consume", CONSUME, f"{plays:,} plays", swiped, ended),
        arrow("M 550 112 H 636", (640, 112), "right"),
        note(593, 104, "it ends"),
        box(640, 79, 200, "react · respond", RESPOND, liked, f"{acts:,} acts, mostly silence"),
        arrow("M 740 79 C 740 32, 173 32, 173 73", (173, 79), "down"),
        note(450, 56, "the next video"),
        arrow("M 740 145 V 172", (740, 178), "down"),
        note(752, 164, "or the visit ends", "start"),
        box(88, 229, 170, "discover · browse", BROWSE, f"{len(cards):,} covers shown", f"{share_read(cards)} read"),
        arrow("M 258 262 H 346", (350, 262), "right"),
        note(302, 254, "one is tapped"),
        box(350, 229, 200, "preview · inspect", LOOK, f"{picked + n('preview', 'reject'):,} looked at closer"),
        arrow("M 450 229 V 151", (450, 145), "up"),
        note(460, 192, f"{picked:,} played", "start"),
        arrow("M 450 278 C 450 318, 173 318, 173 301", (173, 295), "up"),
        note(318, 324, f"{n('preview', 'reject'):,} put back"),
        f'<rect x="640" y="206" width="200" height="102" rx="8" fill="none" stroke="{LINE}" stroke-dasharray="5 4"/>',
        text(740, 194, "exit"),
        text(740, 227, "never recorded", 13),
        text(740, 248, f"{n('watch', 'tolerate'):,} plays only borne"),
        text(740, 265, f"{n('watch', 'unattended'):,} that nobody watched"),
        text(740, 282, f"{n('preview', 'hesitate'):,} hesitations"),
        text(740, 299, "belief, utility, satisfaction"),
    ]
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 340" font-family="Helvetica, Arial, sans-serif">'
    white = '<rect width="860" height="340" fill="#ffffff"/>'
    return "\n".join([frame, white, *parts, "</svg>"]) + "\n"


def share_read(cards: pd.DataFrame) -> str:
    """Share of cards about which somebody formed a belief, as text."""
    return f"{cards['belief'].notna().mean():.0%}"


def main() -> int:
    """Read the run, write the picture to stdout."""
    run = Path(sys.argv[1])
    manifest = json.loads((run / "manifest.json").read_text())
    log = pd.read_parquet(run / "truth", columns=["user", "session", "stage", "event", "belief"])
    first = load_scenario(manifest["scenario"]["name"]).stages["feed"].entry
    entry = first.value if first is not None else 0.0
    sys.stdout.write(draw(log, manifest["users"], manifest["horizon_seconds"] / 3600, entry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
