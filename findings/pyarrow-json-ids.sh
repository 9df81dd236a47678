#!/usr/bin/env bash
# pyarrow.json and pyarrow.csv read whole numbers from 2**63 on as float64, though they know uint64: hashes as ids become
# one. In JSON, text that is a date with a zone in every row becomes a time without one, so that the two ids below become
# one, while a single other text in the column leaves all as they are. Exits 0 while it does so.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.1
cd "$dir"
venv/bin/python - <<'PY'
import io
import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.json


def read(*ids):
    rows = "".join(json.dumps({"id": each}) + "\n" for each in ids)
    column = pa.json.read_json(io.BytesIO(rows.encode()))["id"]
    return str(column.type), len(column.unique())


hashes = 2**63 + 1, 2**63 + 2
texts = "2018-01-01T00:00:00+02:00", "2017-12-31T22:00:00Z"
in_csv = pa.csv.read_csv(io.BytesIO("id\n{}\n{}\n".format(*hashes).encode()))["id"]
found = read(*hashes), (str(in_csv.type), len(in_csv.unique())), read(*texts), read(*texts, "x")
print("pyarrow", pa.__version__, found)
assert found == (("double", 1), ("double", 1), ("timestamp[s]", 1), ("string", 3))
PY
