#!/usr/bin/env bash
# A field with quotes behind backslashes, as dumps of MySQL (Book-Crossing) have it, is another id in each of three readers,
# and none of them says a word. Exits 0 while they differ.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check pandas==2.3.3 polars==2.1.0 duckdb==2.0.1
cd "$dir"
venv/bin/python - <<'PY'
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

Path("x.csv").write_text('"User-ID";"ISBN";"Book-Rating"\n"1";"034545104X";"0"\n"2";"\\"0432534220\\"";"6"\n"3";"0155061224";"5"\n')
found = {
    "pandas": pd.read_csv("x.csv", sep=";")["ISBN"][1],
    "polars": pl.read_csv("x.csv", separator=";")["ISBN"][1],
    "duckdb": duckdb.sql("select ISBN from read_csv('x.csv')").fetchall()[1][0],
}
print({"pandas": pd.__version__, "polars": pl.__version__, "duckdb": duckdb.__version__}, found)
assert found == {"pandas": '\\0432534220\\""', "polars": "\\0432534220\\", "duckdb": '"0432534220"'}
PY
