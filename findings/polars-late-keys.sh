#!/usr/bin/env bash
# polars.read_ndjson leaves out a key that no one of the first 100 lines has, without a word; DuckDB reads it. Optional keys of
# reviews (user_id, found_funny, vote) are of that kind. Exits 0 while it does so.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check polars==2.1.0 duckdb==2.0.1
cd "$dir"
venv/bin/python - <<'PY'
import json
from pathlib import Path

import duckdb
import polars as pl


def read(n):
    rows = [{"item": k} for k in range(n)] + [{"item": n, "user_id": "u"}]
    Path("x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return pl.read_ndjson("x.jsonl").columns, duckdb.sql("select * from read_json('x.jsonl')").columns


found = read(99), read(100)
print("polars", pl.__version__, "duckdb", duckdb.__version__, found)
assert found == ((["item", "user_id"], ["item", "user_id"]), (["item"], ["item", "user_id"]))
PY
