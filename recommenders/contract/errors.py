"""What goes wrong on purpose in this package: every message says where, what is wrong, and what would be right."""

from __future__ import annotations


class OnPurpose(Exception):  # the base of errors, not one of them
    """Base of everything that the project raises for its users, to be said in one line."""


class RecommenderError(OnPurpose):
    """A recommender, its parameters or its output is wrong.

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
