"""All classics on one data set, beside the published mean ranks: measures with intervals, ranks, times.

    python -m benchmarks.classics DATA_FOLDER SPLIT OUTPUT.json [NAMES by comma]

Settings are the defaults. A recommender that needs ratings where there are none is listed as such.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from recommenders.dataset import read_dataset
from recommenders.errors import RecommenderError
from recommenders.protocol import evaluate
from recommenders.splits import SPLITS

PUBLISHED = {  # mean rank over data sets and measures in the published comparison of 20 classics
    "itemknn": 2.3, "p3alpha": 4.2, "slimbpr": 4.7, "ease": 5.3, "rp3beta": 6.0, "puresvd": 6.0, "slim": 7.0,
    "ials": 7.0, "nmf": 7.1, "userknn": 7.6, "funk": 9.4, "popularity": 10.4, "asysvd": 10.7, "bpr": 11.2,
    "multvae": 11.7, "uneurec": 12.3, "globaleffects": 13.3, "coclustering": 14.9, "random": 16.2, "slopeone": 16.7,
}  # fmt: skip


def main(folder: str, split_name: str, output: str, names: str = "") -> None:
    """Evaluate and print; results so far are in the output file after each recommender."""
    data = read_dataset(folder)
    split = SPLITS[split_name](data, 0)
    rows: dict[str, dict[str, object]] = {}
    for name in names.split(",") if names else PUBLISHED:
        began = time.perf_counter()
        try:
            found = evaluate(data, split, name)
            rows[name] = {
                "test": found.test.means,
                "intervals": found.test.intervals,
                "fit_seconds": found.fit_seconds,
                "recommend_seconds": found.test.seconds,
                "test_users": int(found.test.users.size),
            }
            means, (low, high) = found.test.means, found.test.intervals["recall@20"]
            figures = " ".join(f"{means[m]:.4f}" for m in ("recall@10", "ndcg@10", "recall@20", "ndcg@20"))
            print(f"{name:<14} {figures} [{low:.4f}, {high:.4f}] fit {found.fit_seconds:.1f} s", flush=True)
        except RecommenderError as error:
            rows[name] = {"refused": str(error)}
            print(f"{name:<14} refused: {error}", flush=True)
        rows[name]["seconds"] = time.perf_counter() - began
        Path(output).write_text(json.dumps({"data": data.name, "split": split_name, "rows": rows}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
