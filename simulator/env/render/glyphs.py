"""A font of 4 x 6 points, so that drawing words needs no package: small letters, figures, and a few signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SCALE = 2
WIDTH, HEIGHT = 5 * SCALE, 6 * SCALE

# Rows of each glyph, four points a row as a hexadecimal figure.
_ROWS = {
    "a": "069f99", "b": "e9e99e", "c": "698896", "d": "e9999e", "e": "f8e88f", "f": "f8e888", "g": "698b97",
    "h": "99f999", "i": "e4444e", "j": "711196", "k": "9aca99", "l": "88888f", "m": "9ff999", "n": "9dfb99",
    "o": "699996", "p": "e99e88", "q": "6999b7", "r": "e99ea9", "s": "78611e", "t": "f44444", "u": "999996",
    "v": "99996a", "w": "999ff9", "x": "996699", "y": "996444", "z": "f1248f", "0": "69bd96", "1": "4c444e",
    "2": "69124f", "3": "e1611e", "4": "99f111", "5": "f8e11e", "6": "68e996", "7": "f12244", "8": "696996",
    "9": "699716", "/": "112488", "_": "00000f", "-": "00f000", ".": "000004", ":": "040040",
}  # fmt: skip


def write(picture: npt.NDArray[np.uint8], text: str, left: int, top: int, colour: tuple[int, int, int]) -> None:
    """Write `text` into `picture` (height, width, 3) from (left, top) on; what lies outside is cut off."""
    for k, letter in enumerate(text.lower()):
        for y, row in enumerate(_ROWS.get(letter, "000000")):
            bits = int(row, 16)
            for x in range(4):
                if bits >> (3 - x) & 1:
                    at_y, at_x = top + y * SCALE, left + k * WIDTH + x * SCALE
                    picture[at_y : at_y + SCALE, at_x : at_x + SCALE] = colour
