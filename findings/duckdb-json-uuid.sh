#!/usr/bin/env bash
# DuckDB reads text that looks like a UUID as UUID from lines of JSON, so that ids which differ in case become one user;
# from CSV, in the same version, it leaves the same ids as they are. Exits 0 while it does so.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1
cd "$dir"
venv/bin/python - <<'PY'
import json
from pathlib import Path

import duckdb

ids = ["0E984725-C51C-4BF4-9960-E1C80E27ABA0", "0e984725-c51c-4bf4-9960-e1c80e27aba0"]
Path("x.jsonl").write_text("".join(json.dumps({"user": user, "item": 1}) + "\n" for user in ids))
Path("x.csv").write_text("user,item\n" + "".join(f"{user},1\n" for user in ids))
found = {
    file: duckdb.sql(f"select typeof(any_value(user)), count(distinct user) from read_{kind}('{file}')").fetchall()[0]
    for file, kind in (("x.jsonl", "json"), ("x.csv", "csv"))
}
print("duckdb", duckdb.__version__, found)
assert found == {"x.jsonl": ("UUID", 1), "x.csv": ("VARCHAR", 2)}
PY
