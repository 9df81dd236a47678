#!/usr/bin/env bash
# pandas joins int64 ids with uint64 ids through float64, so rows of different ids beyond 2**53 meet.
#
# Seen with pandas 2.3.3, numpy 2.4.6: `left.merge(right, on="id")`, where one table has the id as int64 and the other as
# uint64 (as Parquet files of one data set written by two programs do), joins 1152921504606846977 with
# 1152921504606846978, without a warning, and keeps the left id in the result; tables of a single row, of which a test
# is made quickly, are told apart. pyarrow's concat_tables refuses the same pair of types in its default mode.
#
# Why it matters here: data sets of interactions carry hashed ids of 64 bits, and their tables of items and of events are
# joined by them. The project reads ids as text, whatever their type, and joins by that.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet pandas==2.3.3 numpy==2.4.6
"$dir/venv/bin/python" - <<'P'
import numpy as np
import pandas as pd

def joined(events, items):
    left = pd.DataFrame({"id": np.array(events, np.int64)})
    right = pd.DataFrame({"id": np.array(items, np.uint64), "title": [f"item {each}" for each in items]})
    return left.merge(right, on="id").to_dict("records")


several, single = joined([2**60 + 1, 5], [2**60 + 2, 7]), joined([2**60 + 1], [2**60 + 2])
print("pandas", pd.__version__, "two rows:", several, "one row:", single)
assert several == [{"id": 2**60 + 1, "title": f"item {2**60 + 2}"}], "unequal ids no longer meet: out of date"
assert single == [], "a single row is no longer told apart: out of date"
P
