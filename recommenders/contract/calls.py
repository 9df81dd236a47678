"""Calls of a plug-in's code: whatever it raises becomes the contract's own line, which says where in its file."""

from __future__ import annotations

import sys
import traceback
from opcode import opmap
from pathlib import Path
from types import TracebackType
from typing import Any

from recommenders.contract.errors import OnPurpose, RecommenderError

_MOST_SIGNS = 300


class calling:  # noqa: N801  # a context manager, written as a class because it is entered for every batch
    """Guard a call of a recommender's method: what it raises, `sys.exit` too, is raised as a RecommenderError.

    Errors that are raised on purpose pass as they are, and so does the user's own Ctrl-C.

    Args:
        who: a recommender, or what it is called.
        method: that is called.
    """

    __slots__ = ("_method", "_who")

    def __init__(self, who: Any, method: str) -> None:
        self._who, self._method = who, method

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or not is_a_plugins(error):
            return
        who = self._who
        name = who if isinstance(who, str) else shown_name(who)
        module = getattr(who, "__module__", None)
        wrong = f"{self._method} raises {said(error)}{_place(error, module)}"
        raise RecommenderError(f"recommender {name}", wrong, "--debug shows the whole trace") from error


def shown_name(recommender: Any) -> str:
    """Return the name of a recommender or of a class of them, or what Python calls the class where it has none."""
    kind = recommender if isinstance(recommender, type) else type(recommender)
    return str(getattr(recommender, "name", None) or kind.__name__)


def is_a_plugins(error: BaseException) -> bool:
    """Tell whether an error is a plug-in's own doing: neither raised on purpose for the user, nor the user's Ctrl-C."""
    if isinstance(error, KeyboardInterrupt):
        return _raised_in_code(error)
    return not isinstance(error, OnPurpose)


def said(error: BaseException) -> str:
    """Return an error's kind and text in one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= _MOST_SIGNS else f"{text[:_MOST_SIGNS]} ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _raised_in_code(error: BaseException) -> bool:
    """Tell whether a raise statement raised an error: a signal arrives at any other instruction."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def _place(error: BaseException, module: str | None) -> str:
    """Return the line that raised: the last one in the plug-in's own file, or else the last of all."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename != __file__]
    own = getattr(sys.modules.get(module or ""), "__file__", None)
    found = [each for each in frames if each.filename == own] or frames
    return f" ({Path(found[-1].filename).name}, line {found[-1].lineno}, in {found[-1].name})" if found else ""
