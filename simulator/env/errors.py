"""What is wrong with what an environment was given: the project's InputError, and Python's own classes beside it.

Gymnasium's tools and ordinary code know nothing of `simulator.errors`: they catch ValueError, and TypeError for a
keyword that a constructor does not have (TorchRL hands `frameskip=1` to every environment, and goes on without it where
that raises).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from recommenders.contract.names import unknown_name
from simulator.errors import InputError

WHERE = "environment"


class EnvInputError(InputError, ValueError):
    """Something that an environment was given is wrong."""


class UnexpectedKeywordError(EnvInputError, TypeError):
    """An environment was given a keyword argument that it does not have.

    `gymnasium.make` raises a TypeError again as one of the same type, of a longer message and nothing else.
    """

    def __init__(self, where: str, wrong: str = "", right: str = "") -> None:
        super().__init__(where, wrong, right)
        if not wrong:
            self.args = (where,)


def check_keywords(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnexpectedKeywordError, in Python's words, for the first keyword that is not known."""
    there = list(known)
    for name in given:
        if name not in there:
            raise UnexpectedKeywordError(
                WHERE, f"got an unexpected keyword argument {name!r}", unknown_name("", name, there)[1]
            )


@contextmanager
def env_input_errors() -> Iterator[None]:
    """Raise what the layers below call an InputError (a scenario that there is not) as an EnvInputError."""
    try:
        yield
    except EnvInputError:
        raise
    except InputError as error:
        raise EnvInputError(error.where, error.wrong, error.right).with_traceback(error.__traceback__) from None
