"""The project's small family of exceptions: every message says what is wrong, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable

from recommenders.contract.errors import OnPurpose
from recommenders.contract.names import unknown_name


class BeholderError(OnPurpose):
    """Base of everything that Beholder raises on purpose; the command line prints it as one line."""


class InputError(BeholderError):
    """Something that the user gave is wrong. The command line exits with code 2.

    The message has one shape everywhere: ``where: what is wrong; what would be right``.
    """

    def __init__(self, where: str, wrong: str, right: str = "") -> None:
        self.where = where
        self.wrong = wrong
        self.right = right
        super().__init__(f"{where}: {wrong}" + (f"; {right}" if right else ""))

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Let errors travel between processes."""
        return type(self), (self.where, self.wrong, self.right)


class RunInterrupted(BeholderError):
    """A run was stopped from outside after it had written a checkpoint; it can be resumed."""


class OutputError(InputError):
    """What a run writes cannot be written: a full disk, a folder without permission. Nothing half-written is left."""


def check_known(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise InputError for the first of the names that is not known: with the nearest, and all that there are."""
    there = list(known)
    for name in names:
        if name not in there:
            raise InputError(where, *unknown_name(what, name, there))
