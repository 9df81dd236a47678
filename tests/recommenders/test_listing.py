"""``python -m recommenders list``: all by name, one's settings, and the multimodal models as a table."""

from __future__ import annotations

from recommenders.__main__ import main
from recommenders.registry import available


def said(capsys, *words):
    assert main(["list", *words]) == 0
    return capsys.readouterr().out


def test_all_are_listed(capsys):
    text = said(capsys)
    assert all(f"\n{name} " in f"\n{text}" for name in available())


def test_multimodal_models_are_a_table_with_sources(capsys):
    header, *rows = said(capsys, "multimodal").splitlines()
    assert header.split()[0] == "name"
    start = header.index("source")
    by_name = {row.split()[0]: row for row in rows}
    assert {"vbpr", "bm3", "mgcn", "gume"} <= by_name.keys()
    assert "itemknn" not in by_name
    assert "lightgcn" not in by_name
    assert by_name["vbpr"][start:] == "He and McAuley, AAAI 2016"
    assert all(row[start:] for row in rows)
    assert ("content" in by_name["mgcn"], "chance" in by_name["bm3"]) == (True, True)
