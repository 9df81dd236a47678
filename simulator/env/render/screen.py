"""What a user sees, drawn: the cards and slots of a device, with what each shows, and crossed out what it hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import Items
from simulator.env.render.glyphs import HEIGHT as GLYPH_HEIGHT, write
from simulator.plan.compiler import Compiled

Picture = npt.NDArray[np.uint8]

MARKS = {
    "image": "▦",
    "text": "≡",
    "video": "▶",
    "audio": "♪",
    "readout": "#",
    "attribute": "#",
    "promise": "◷",
    "distance": "#",
}
"""Sign of each kind of modality in a drawing of characters."""

_WIDTHS = {"phone": 2, "pc": 4}  # cards side by side in a grid
_PAPER, _INK, _PALE = (250, 250, 248), (40, 44, 52), (205, 205, 205)
_CROSS, _FRAME = (200, 60, 60), (120, 124, 132)
_CARD, _ROW, _GAP, _HEAD = 176, 22, 10, 24


@dataclass(frozen=True)
class Part:
    """One modality of one card."""

    name: str
    kind: str
    visible: bool


@dataclass(frozen=True)
class Card:
    """One place of a screen; `item` is None where nothing stands."""

    item: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Screen:
    """The first screen of a slate on a device."""

    stage: str
    surface: str
    layout: str
    device: str
    cards: tuple[Card, ...]

    @property
    def columns(self) -> int:
        """Return how many cards stand side by side."""
        if self.layout == "carousel":
            return max(len(self.cards), 1)
        return _WIDTHS.get(self.device, 2) if self.layout == "grid" else 1


def screen_of(compiled: Compiled, all_items: Items, stage: int, device: int, items: Sequence[int]) -> Screen:
    """Return the screen of a stage.

    Args:
        compiled: the scenario.
        items: its items, for what they have no content of.
        stage, device: codes.
        items: the slate, best first; negative where there is none.
    """
    names = compiled.names
    surface = compiled.scenario.stages[names.stages[stage]].surface or ""
    bits, places = (int(x) for x in compiled.plan.screens[stage, device])
    cards = []
    for place in range(max(places, 1)):
        item = int(items[place]) if place < len(items) and items[place] >= 0 else None
        shown = bits & ~int(all_items.state["missing"][item]) if item is not None else bits
        parts = tuple(
            Part(name, compiled.scenario.modalities[name].kind, bool(shown >> m & 1))
            for m, name in enumerate(names.modalities)
        )
        cards.append(Card(item, parts))
    layout = compiled.scenario.surfaces[surface].layout if surface else "single"
    return Screen(names.stages[stage], surface, layout, names.devices[device], tuple(cards))


def as_text(screen: Screen) -> str:
    """Return the screen as lines of characters; what is hidden stands in brackets, crossed out."""
    lines = [f"{screen.surface} ({screen.layout}) on {screen.device}, stage {screen.stage}"]
    for card in screen.cards:
        if card.item is None:
            lines.append("  [ empty ]")
            continue
        seen = " ".join(f"{MARKS.get(part.kind, '?')}{part.name}" for part in card.parts if part.visible)
        hidden = " ".join(f"✗{part.name}" for part in card.parts if not part.visible)
        lines.append(f"  [{card.item:>6}] {seen or '(nothing)'}" + (f"   hidden: {hidden}" if hidden else ""))
    return "\n".join(lines)


def as_picture(screen: Screen) -> Picture:
    """Return the screen as a picture, uint8 (height, width, 3)."""
    columns = min(screen.columns, max(len(screen.cards), 1))
    rows = -(-len(screen.cards) // columns)
    parts = max((len(card.parts) for card in screen.cards), default=0)
    height = _HEAD + parts * _ROW
    picture = np.empty((_HEAD + _GAP + rows * (height + _GAP), _GAP + columns * (_CARD + _GAP), 3), dtype=np.uint8)
    picture[:] = _PAPER
    write(picture, f"{screen.surface} / {screen.device}", _GAP, 8, _INK)
    for k, card in enumerate(screen.cards):
        left, top = _GAP + k % columns * (_CARD + _GAP), _HEAD + _GAP + k // columns * (height + _GAP)
        _frame(picture, left, top, _CARD, height, _FRAME)
        write(picture, "empty" if card.item is None else f"item {card.item}", left + 6, top + 8, _INK)
        for p, part in enumerate(card.parts):
            _part(picture, part, card.item, left + 6, top + _HEAD + p * _ROW)
    return picture


def of_one_size(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures, each on a sheet that holds the largest: screens of stages and devices differ in size."""
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    sheets = np.full((len(pictures), height, width, 3), _PAPER, dtype=np.uint8)
    for sheet, picture in zip(sheets, pictures, strict=True):
        sheet[: picture.shape[0], : picture.shape[1]] = picture
    return list(sheets)


def _part(picture: Picture, part: Part, item: int | None, left: int, top: int) -> None:
    """Draw a sign of the kind, the name, and a cross over what cannot be seen."""
    shown = part.visible and item is not None
    colour = _colour(item or 0, part.name) if shown else _PALE
    _sign(picture, part.kind, left, top, colour)
    write(picture, part.name, left + 36, top + (_ROW - GLYPH_HEIGHT) // 2 - 2, _INK if shown else _PALE)
    if not part.visible:
        _line(picture, left, top, left + 26, top + 15, _CROSS)
        _line(picture, left, top + 15, left + 26, top, _CROSS)


def _sign(picture: Picture, kind: str, left: int, top: int, colour: tuple[int, int, int]) -> None:
    if kind == "text":
        for k, width in enumerate((26, 22, 25)):
            picture[top + 2 + 5 * k : top + 4 + 5 * k, left : left + width] = colour
    elif kind == "audio":
        for k, height in enumerate((4, 10, 14, 8, 12, 6)):
            picture[top + 8 - height // 2 : top + 8 + height // 2, left + 1 + 4 * k : left + 3 + 4 * k] = colour
    elif kind in ("image", "video"):
        picture[top : top + 16, left : left + 27] = colour
        if kind == "video":
            for k in range(5):
                picture[top + 3 + k : top + 13 - k, left + 10 + 2 * k : left + 12 + 2 * k] = _PAPER
    else:
        _frame(picture, left, top + 2, 26, 12, colour)
        picture[top + 5 : top + 11, left + 3 : left + 15] = colour


def _colour(item: int, name: str) -> tuple[int, int, int]:
    """Return a colour of an item's modality, always the same."""
    draw = item * 2654435761 + sum(ord(letter) * 131**k for k, letter in enumerate(name[:4]))
    return (70 + draw % 110, 80 + draw // 7 % 110, 90 + draw // 49 % 110)


def _frame(picture: Picture, left: int, top: int, width: int, height: int, colour: tuple[int, int, int]) -> None:
    picture[[top, top + height - 1], left : left + width] = colour
    picture[top : top + height, [left, left + width - 1]] = colour


def _line(picture: Picture, x: int, y: int, to_x: int, to_y: int, colour: tuple[int, int, int]) -> None:
    steps = 2 * max(abs(to_x - x), abs(to_y - y)) + 1
    ys, xs = np.linspace(y, to_y, steps).round().astype(int), np.linspace(x, to_x, steps).round().astype(int)
    for shift in (0, 1):
        picture[ys, xs + shift] = colour
