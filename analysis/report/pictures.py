"""Small pictures as SVG text: a life cycle as a graph, bars for a funnel, and two rankings side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from simulator.scenario.life_cycle import entries, started, successors
from simulator.scenario.schema.scenario import Scenario

INK, QUIET, LINE, MISSED, SEEN = "#1c2733", "#5b6875", "#8a96a3", "#e4b07a", "#4f7fb0"
KINDS = {
    "browse": "#dfeaf7", "inspect": "#e8e3f5", "commit": "#f7dfe4", "fulfil": "#e9e9e4", "consume": "#e2f1e3",
    "respond": "#fbeed3",
}  # fmt: skip
_BOX, _HIGH, _ACROSS, _DOWN = 124, 44, 218, 78


def _text(x: float, y: float, words: str, size: int = 12, colour: str = INK, anchor: str = "middle") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def _frame(width: float, height: float, parts: Sequence[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    inside = "\n".join(parts)
    return f'{head} style="width:{width:.0f}px"><title>{escape(title)}</title>{inside}</svg>'


def columns_of(scenario: Scenario) -> dict[str, int]:
    """Count how many steps each stage is from where visits begin."""
    depth = dict.fromkeys(entries(scenario), 0)
    queue = list(depth)
    while queue:
        name = queue.pop(0)
        for _, follower in _ways(scenario, name):
            if follower in scenario.stages and follower not in depth:
                depth[follower] = depth[name] + 1
                queue.append(follower)
    return depth


def _ways(scenario: Scenario, name: str) -> list[tuple[str, str]]:
    """Return (outcomes, successor) of a stage; outcomes that lead to the same are joined."""
    ways: dict[str, list[str]] = {}
    for outcome, follower in successors(scenario.stages[name]):
        ways.setdefault(follower, []).append(outcome)
    for follower in started(scenario, name):
        ways.setdefault(follower, []).append("a case")
    return [(", ".join(dict.fromkeys(outcomes)), follower) for follower, outcomes in ways.items()]


def life_cycle(scenario: Scenario) -> str:
    """Draw the stages by kind, from left to right as far as they are from the beginning, and what leads where.

    Ways back and round are drawn below and above, ways out of the visit are left out (every stage has one).
    """
    depth = columns_of(scenario)
    rows: dict[int, int] = {}
    place: dict[str, tuple[float, float]] = {}
    for name, column in depth.items():
        row = rows.get(column, 0)
        rows[column] = row + 1
        place[name] = (20 + column * _ACROSS, 46 + row * _DOWN)
    tip = f"tip-{scenario.scenario}"
    head = f'<marker id="{tip}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    parts = [f'<defs>{head}<path d="M0,0 8,4 0,8z" fill="{LINE}"/></marker></defs>']
    deepest = 46.0 + _DOWN * max(rows.values())
    bends = 0
    for name, start in place.items():
        for words, follower in _ways(scenario, name):
            if follower not in place or follower == name:
                continue
            end = place[follower]
            back = end[0] < start[0]
            path, label = _arrow(start, end, words, deepest + 8 + 17 * bends)
            bends += back
            parts.append(
                f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.2" marker-end="url(#{tip})"/>{label}'
            )
    for name, (x, y) in place.items():
        stage = scenario.stages[name]
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_HIGH}" rx="8" fill="{KINDS[stage.kind]}" stroke="{LINE}"/>'
        )
        parts.append(_text(x + _BOX / 2, y + 19, name.replace("_", " "), 13))
        parts.append(_text(x + _BOX / 2, y + 35, stage.kind, 10, QUIET))
        if depth[name] == 0:
            parts.append(_text(x + _BOX / 2, y - 6, "a visit begins", 10, QUIET))
    width = 40 + _BOX + _ACROSS * max(depth.values())
    return _frame(width, deepest + 20 + 17 * bends, parts, f"Life cycle of {scenario.title}")


def _arrow(start: tuple[float, float], end: tuple[float, float], words: str, below: float) -> tuple[str, str]:
    """Return path and label of a way from one box to another: forward, within a column, or back along `below`."""
    (x, y), (tx, ty) = start, end
    middle = _HIGH / 2
    if tx > x:
        out, into = x + _BOX, tx
        path = f"M{out} {y + middle} C{out + 40} {y + middle},{into - 40} {ty + middle},{into} {ty + middle}"
        return path, _text((out + into) / 2, (y + ty) / 2 + middle - 5, words, 10, QUIET)
    if tx == x:
        path = f"M{x + 30} {y + (_HIGH if ty > y else 0)} L{x + 30} {ty + (0 if ty > y else _HIGH)}"
        return path, _text(x + 34, (y + ty + _HIGH) / 2 + 3, words, 10, QUIET, "start")
    right, left = x + _BOX / 2, tx - 13
    down = f"M{right} {y + _HIGH} C{right} {below},{right - 10} {below},{right - 30} {below}"
    up = f"L{left + 10} {below} Q{left} {below},{left} {below - 10} L{left} {ty + middle} L{tx} {ty + middle}"
    return f"{down} {up}", _text((x + tx) / 2 + _BOX / 2, below - 3, words, 10, QUIET)


def funnel(rows: Sequence[tuple[str, int, int]], most: int) -> str:
    """Draw bars of events: all that happened, and within it what was recorded; lengths by the root of the share.

    Args:
        rows: (event, happened, recorded), in the order of drawing.
        most: the number that fills the width.
    """
    parts = []
    for k, (name, happened, recorded) in enumerate(rows):
        y = 8 + 24 * k
        whole, part = (320 * (n / most) ** 0.5 if most else 0.0 for n in (happened, recorded))
        parts.append(_text(150, y + 13, name.replace("_", " "), 12, INK, "end"))
        parts.append(f'<rect x="158" y="{y}" width="{whole:.1f}" height="17" rx="2" fill="{MISSED}"/>')
        parts.append(f'<rect x="158" y="{y}" width="{part:.1f}" height="17" rx="2" fill="{SEEN}"/>')
        missed = happened - recorded
        words = f"{happened:,}" + (f" · {missed:,} never recorded" if missed else "")
        parts.append(_text(164 + whole, y + 13, words, 11, QUIET, "start"))
    return _frame(700, 16 + 24 * len(rows), parts, "Events that happened, and those that the platform recorded")


def two_rankings(offline: Mapping[str, float], lived: Mapping[str, float]) -> str:
    """Draw recommenders from best to worst offline (left) and online (right), each joined by a line."""
    left = sorted(offline, key=lambda name: -offline[name])
    right = sorted(lived, key=lambda name: -lived[name])
    parts = [_text(220, 14, "offline", 11, QUIET, "end"), _text(400, 14, "lived", 11, QUIET, "start")]
    for names, x, anchor, values in ((left, 220, "end", offline), (right, 400, "start", lived)):
        for k, name in enumerate(names):
            words = f"{name}  {values[name]:.4g}" if anchor == "end" else f"{values[name]:.4g}  {name}"
            parts.append(_text(x, 36 + 22 * k, words, 12, INK, anchor))
    for name in left:
        if name in right:
            a, b = 32 + 22 * left.index(name), 32 + 22 * right.index(name)
            colour = SEEN if left.index(name) == right.index(name) else MISSED
            parts.append(f'<path d="M226 {a} L394 {b}" stroke="{colour}" stroke-width="2"/>')
    return _frame(620, 30 + 22 * max(len(left), len(right), 1), parts, "Ranks offline and lived")
