"""Learning curves of `benchmarks.agents` as a picture: one line per seed.

python -m pip install matplotlib
python -m benchmarks.curves PICTURE.svg "title=FOLDER/ShortVideo" "title=FOLDER/Ecommerce"
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def main(picture: str, *panels: str) -> None:
    """Draw one panel per set of curves."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 3.6), squeeze=False)
    for panel, ax in zip(panels, axes[0], strict=True):
        title, _, stem = panel.partition("=")
        files = sorted(Path(stem).parent.glob(f"{Path(stem).name}-*-curve.csv"))
        if not files:
            raise SystemExit(f"error: {stem}: no curves there; expected files {Path(stem).name}-SEED-curve.csv")
        for file in files:
            with file.open() as lines:
                rows = list(csv.DictReader(lines))
            ax.plot([int(row["steps"]) / 1e6 for row in rows], [float(row["reward"]) for row in rows], linewidth=1)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("million steps")
        ax.spines[["top", "right"]].set_visible(False)
    plt.tight_layout()
    plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
