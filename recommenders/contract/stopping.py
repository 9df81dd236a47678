"""How what takes long hears that somebody wants it to end: Ctrl-C in the middle of a fit.

A fit can take minutes, and a run that is asked to stop looks up only between ticks. Whoever runs recommenders says how
to ask (:func:`stopping_by`); what takes long asks every now and then (:func:`stop_if_asked`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from recommenders.contract.errors import OnPurpose

_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)


class Stopped(OnPurpose):
    """Raised in the middle of what was asked to end."""


@contextmanager
def stopping_by(asked: Callable[[], bool] | None) -> Iterator[None]:
    """Let everything inside hear of a wish to stop: `asked` says whether there is one."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def stop_if_asked() -> None:
    """Raise Stopped if somebody asked for an end."""
    asked = _asked.get()
    if asked is not None and asked():
        raise Stopped
