"""All classics on one data set, beside the published mean ranks: measures with intervals, ranks, times.

    python -m benchmarks.classics DATA_FOLDER SPLIT OUTPUT.json [NAMES by comma]
    python -m benchmarks.classics table OUTPUT.json ...        the tables of benchmarks/classics.md

Settings are the defaults. A recommender that needs ratings where there are none is listed as such.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from recommenders.contract.errors import RecommenderError
from recommenders.evaluation.dataset import read_dataset
from recommenders.evaluation.protocol import evaluate
from recommenders.evaluation.splits import SPLITS

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


RANKED = ("recall@10", "ndcg@10", "recall@20", "ndcg@20", "mrr@10", "map@10")


def table(*outputs: str) -> None:
    """Print one table per data set, and the ranks over data sets and measures beside the published ones."""
    merged: dict[str, dict[str, dict]] = {}
    for output in outputs:
        content = json.loads(Path(output).read_text())
        rows = {name: row for name, row in content["rows"].items() if name in PUBLISHED}
        merged.setdefault(f"{content['data']}, split {content['split']}", {}).update(rows)
    ranks: dict[str, list[int]] = {}
    for data, rows in merged.items():
        print(f"\n## {data}\n\n| | Recall@10 | NDCG@10 | Recall@20, 95 % interval | NDCG@20 | fit, s |")
        print("|---|---|---|---|---|---|")
        done = {name: row for name, row in rows.items() if "test" in row}
        for name, row in sorted(done.items(), key=lambda each: -each[1]["test"]["recall@20"]):
            t, (low, high) = row["test"], row["intervals"]["recall@20"]
            interval = f"{t['recall@20']:.4f} [{low:.4f}, {high:.4f}]"
            print(
                f"| `{name}` | {t['recall@10']:.4f} | {t['ndcg@10']:.4f} | {interval} | {t['ndcg@20']:.4f} "
                f"| {row['fit_seconds']:.1f} |"
            )
        print(
            f"\nNeed ratings: {', '.join(sorted(set(rows) - set(done))) or 'none left out'}. "
            f"Not run: {', '.join(sorted(set(PUBLISHED) - set(rows))) or 'none'}."
        )
        for measure in RANKED:
            for place, name in enumerate(sorted(done, key=lambda each: -done[each]["test"][measure]), 1):
                ranks.setdefault(name, []).append(place)
    print("\n## Ranks over data sets and measures\n\n| | published mean | mean | least | greatest |")
    print("|---|---|---|---|---|")
    for name, published in PUBLISHED.items():
        if name in ranks:
            mine = ranks[name]
            print(f"| `{name}` | {published} | {sum(mine) / len(mine):.1f} | {min(mine)} | {max(mine)} |")


if __name__ == "__main__":
    table(*sys.argv[2:]) if sys.argv[1] == "table" else main(*sys.argv[1:])
