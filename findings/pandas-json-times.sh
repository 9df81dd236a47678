#!/usr/bin/env bash
# pandas.read_json takes numbers for dates by the name of their column (timestamp, date, modified, X_at, X_time) and by
# their size: where all are above 31,536,000. A log in seconds from an origin of its own is numbers in a file of its first
# year, and dates of 1971 in a file of its second. Exits 0 while it does so.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check pandas==2.3.3
cd "$dir"
venv/bin/python - <<'PY'
import json
from pathlib import Path

import pandas as pd

year = 31_536_000


def read(*times):
    rows = [{"uid": 1, "timestamp": time} for time in times]
    Path("x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(pd.read_json("x.jsonl", lines=True)["timestamp"].dtype)


found = [read(39_420, 39_625), read(year - 5, year + 5), read(year + 5, year + 10)]
print("pandas", pd.__version__, "first year, across, second year:", found)
assert found == ["int64", "int64", "datetime64[ns]"]
PY
