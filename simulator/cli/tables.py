"""Plain text tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

Cell = str | int | float | None


def number_text(value: float) -> str:
    """Return a number with four figures; whole numbers with separators; `-` where there is none.

    >>> number_text(1234567), number_text(0.0215361), number_text(12.0), number_text(float("nan"))
    ('1,234,567', '0.02154', '12', '-')
    """
    if not math.isfinite(value):
        return "-"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def format_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Lay out rows under a header: text to the left, numbers to the right; no trailing newline.

    >>> print(format_table(["measure", "value"], [["plays", 1200], ["skip_rate", 0.25]]))
    measure    value
    ----------------
    plays      1,200
    skip_rate   0.25
    """
    texts = [[_cell_text(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(header), *texts]) for column in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[column], int | float | None) for row in rows) for column in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), "-" * (sum(widths) + 2 * (len(widths) - 1)), *(line(each) for each in texts)])


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return cell if isinstance(cell, str) else number_text(cell)
