"""The closed part files of the logs: where they lie, what each of them holds, and whether it still does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from simulator.errors import InputError

TRUTH, PLATFORM, KEPT = "truth", "platform", "memory"
KINDS = (TRUTH, PLATFORM, KEPT)

_NAME = re.compile(r"part-(\d{5,})\.parquet")
_RIGHT = "put back what the run wrote, or begin a new run"


class PartFacts(NamedTuple):
    """Hold what the run knows of a part file that it has closed."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass
class HashedFile:
    """Write a file and hash its bytes on their way, so that nothing has to be read again.

    Without a buffer: a writer of Parquet comes with whole pages.
    """

    path: Path
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256, repr=False)

    def __post_init__(self) -> None:
        self._file = self.path.open("wb", buffering=0)

    @property
    def closed(self) -> bool:
        """Tell whether it takes no more."""
        return self._file.closed

    @property
    def sha256(self) -> str:
        """Return the hash of all that was written, in hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> int:
        """Write all of `content`."""
        rest = memoryview(content)
        while len(rest):
            rest = rest[self._file.write(rest) :]
        self._digest.update(content)
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def part_path(folder: Path, kind: str, index: int) -> Path:
    """Return the path of a part file."""
    return folder / kind / f"part-{index:05d}.parquet"


def read_parts(folder: Path, kind: str) -> list[Path]:
    """Return the part files of a log in order."""
    return sorted((folder / kind).glob("part-*.parquet"))


def drop_parts_after(folder: Path, index: int) -> None:
    """Remove the parts that were written after checkpoint `index`."""
    for kind in KINDS:
        for path in read_parts(folder, kind):
            if _number(path) > index:
                path.unlink()


def check_parts(
    folder: Path, known: Mapping[str, Sequence[PartFacts]], after: int | None, kinds: Sequence[str] = KINDS
) -> None:
    """See that the logs hold what a run wrote, byte by byte, and nothing else.

    Args:
        folder: of the run.
        known: all parts that count, by the kind of the log.
        after: parts with a higher number may be there, and do not count; None: there may be none.
        kinds: the logs to look at.

    Raises:
        InputError: naming the first part that is missing, changed, or of no run.
    """
    for kind in kinds:
        place = folder / kind
        if place.exists() and not place.is_dir():
            raise InputError(str(place), "is a file where the run has a folder of parts", _RIGHT)
        for facts in known.get(kind, ()):
            wrong = _what_is_wrong(place / facts.name, facts)
            if wrong:
                raise InputError(str(place / facts.name), wrong, _RIGHT)
        names = {facts.name for facts in known.get(kind, ())}
        for path in sorted(place.glob("*.parquet")):
            if path.name not in names and (after is None or _number(path) <= after or not path.is_file()):
                raise InputError(str(path), "is none of the parts that the run wrote", "take it away")


def _number(path: Path) -> int:
    """Return the number of a part by its name; 0 where that is none."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def _what_is_wrong(path: Path, facts: PartFacts) -> str:
    """Say in what a part differs from what was written; empty where it does not."""
    told = f"the run wrote {facts.rows:,} rows"
    if not path.is_file():
        return f"is missing; {told} there"
    try:
        size = path.stat().st_size
        if size != facts.bytes:
            return f"has {size:,} bytes, and {told} in {facts.bytes:,}"
        if file_hash(path) != facts.sha256:
            return f"has other content than the {facts.rows:,} rows that the run wrote (their hash differs)"
    except OSError as error:
        return f"cannot be read ({error.strerror or error}); {told} there"
    return ""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def told_of_parts(known: Mapping[str, Sequence[PartFacts]]) -> dict[str, list[dict[str, object]]]:
    """Describe parts as a manifest has them; `parts_told` reads them back."""
    return {kind: [facts._asdict() for facts in parts] for kind, parts in known.items()}


def parts_told(told: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, list[PartFacts]]:
    """Read what `told_of_parts` wrote. Raises TypeError or AttributeError for anything else."""
    return {kind: [PartFacts(**facts) for facts in parts] for kind, parts in told.items()}  # type: ignore[arg-type]
