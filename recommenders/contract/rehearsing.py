"""Whether a fit is a rehearsal: on next to nothing, so that all is compiled, and whatever is learned is thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


@contextmanager
def a_rehearsal() -> Iterator[None]:
    """Let everything inside know that this is a rehearsal."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)


def is_rehearsal() -> bool:
    """Return whether what is fitted now is thrown away: one epoch does then."""
    return _rehearsing.get()
