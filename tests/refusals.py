"""What a command that is refused says, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.__main__ import main


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], *words: str, head: bool = False) -> str:
    """Run the command line; it must say one line about what is wrong, after at most the line of a run that begins."""
    code = main(list(words))
    said = capsys.readouterr()
    lines = said.err.strip().splitlines()
    assert code == 2, said.err
    assert said.out == ""
    if head:
        assert " · to " in lines[0]
        lines = lines[1:]
    assert len(lines) == 1, said.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in said.err
    return lines[0]
