"""One line in a library's own words: what it raises becomes a refusal, what it prints and warns of one warning."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar

from recommenders.contract import RecommenderError

T = TypeVar("T")
LONGEST = 200  # signs of a library's words that are handed on


class LibraryWarning(UserWarning):
    """Something that another library said while its model was made, trained or asked."""


class OwnWords:
    """Calls into a library for one model, and hands on what is said there.

    Args:
        where: how errors begin.
        package: the library, as installed.
        model: the model's name.
    """

    def __init__(self, where: str, package: str, model: str) -> None:
        self.where = where
        self.who = f"{package} {_version(package)} {model}"
        self._said = False

    def call(self, what: str, do: Callable[..., T], *arguments: Any) -> T:
        """Return ``do(*arguments)``; what the library says meanwhile is one warning, once in the life of a model.

        Raises:
            RecommenderError: whatever it raises, in one line with the library's name, version, model and words.
        """
        try:
            with _heard() as (warned, printed):
                found = do(*arguments)
        except RecommenderError:
            raise
        except (Exception, SystemExit) as error:  # a library may raise anything, and one of them calls exit()
            lacking = error.name if isinstance(error, ModuleNotFoundError) else None
            needs = f"; expected the package {lacking} to be installed" if lacking else ""
            raise RecommenderError(self.where, f"{self.who} fails when it {what}: {in_words(error)}{needs}") from error
        self._hand_on(what, warned, printed)
        return found

    def _hand_on(self, what: str, warned: list[str], printed: list[str]) -> None:
        said = [*dict.fromkeys(warned), *printed[-1:]]
        if said and not self._said:
            self._said = True
            lines = len(warned) + len(printed)
            more = f" (and {lines - 1} more {'line' if lines == 2 else 'lines'})" if lines > 1 else ""
            # To whoever made the recommender nothing points: a line of this package would be no help.
            warnings.warn(f"{self.who} says when it {what}: {said[0]}{more}", LibraryWarning, stacklevel=2)


def in_words(error: BaseException) -> str:
    """Return an exception in one line: its type, and what it says.

    >>> in_words(ValueError("no such\\n  thing"))
    'ValueError: no such thing'
    """
    text = _short(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _short(text: str) -> str:
    line = re.sub(r"\x1b\[[0-9;]*m|\s+", lambda found: "" if found[0].startswith("\x1b") else " ", text).strip()
    return line if len(line) <= LONGEST else line[: LONGEST - 4].rstrip() + " ..."


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


@contextlib.contextmanager
def _heard() -> Iterator[tuple[list[str], list[str]]]:
    """Yield two lists that, at the end, hold the lines of all Python warnings and of all that was printed."""
    warned: list[str] = []
    printed: list[str] = []
    with tempfile.TemporaryFile() as file:
        with warnings.catch_warnings(record=True) as caught, _redirected(file):
            # Whatever the filters of this process: those that it has for this package's own line are what counts.
            warnings.simplefilter("default")
            warnings.simplefilter("ignore", DeprecationWarning)  # for whoever writes the library
            yield warned, printed
        warned += [_short(str(each.message)) for each in caught]
        file.seek(0)
        printed += [_short(line) for line in re.split(r"[\r\n]", file.read().decode(errors="replace")) if line.strip()]


@contextlib.contextmanager
def _redirected(file: IO[bytes]) -> Iterator[None]:
    """Send to a file what is printed; compiled code knows no ``sys.stdout``, only the two descriptors."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        with open(file.fileno(), "w", errors="replace", closefd=False) as text:
            for number in kept:
                os.dup2(file.fileno(), number)
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
                yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C has kept back would come out later, where it does not belong
        for number, own in kept.items():
            os.dup2(own, number)
            os.close(own)
