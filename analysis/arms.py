"""Arms of an experiment: a recommender, with its parameters where they are not its defaults, and what is done to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from recommenders.command_line import WHERE
from simulator.cli.arguments import split_list
from simulator.errors import InputError

SEED = "{seed}"
"""In a text of a setting: the seed of the world."""
_CALL = re.compile(r"([^()=]+)\((.*=.*)\)")


@dataclass(frozen=True)
class Arm:
    """One recommender of an experiment.

    Attributes:
        name: what tables call it.
        recommender: a registered name or an import path.
        parameters: its parameters.
        settings: of its worlds beside those that all arms share, or in their place; `{seed}` in a text stands for the
            world's.
        place: what its folders begin with; made from the name unless given.
    """

    name: str
    recommender: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    place: str = ""


def seeded(settings: Mapping[str, object], seed: int) -> dict[str, object]:
    """Return settings in whose texts the seed of a world stands in place of `{seed}`.

    >>> seeded({"log_from": "runs/seen-s{seed}", "users": 9}, 3)
    {'log_from': 'runs/seen-s3', 'users': 9}
    """
    return {key: each.replace(SEED, str(seed)) if isinstance(each, str) else each for key, each in settings.items()}


def read_arm(text: str) -> Arm:
    """Read an arm: a recommender, or a recommender with parameters in brackets; the text is the arm's name.

    Raises:
        InputError: a parameter is not `name=value`, or a value cannot be read.

    >>> arm = read_arm("itemknn(neighbors=50,shrink=1e2)")
    >>> arm.name, arm.recommender, arm.parameters
    ('itemknn(neighbors=50,shrink=1e2)', 'itemknn', {'neighbors': 50, 'shrink': 100.0})
    """
    from simulator.scenario.strict_yaml import parse_value

    match = _CALL.fullmatch(text)
    if match is None:
        return Arm(text, text)
    parameters: dict[str, object] = {}
    for part in split_list(match[2]):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not key or not value:
            raise InputError(WHERE, f"{text}: {part!r} is no parameter", "expected recommender(name=value,name=value)")
        if key in parameters:
            raise InputError(WHERE, f"{text}: {key} is given twice", "give it once")
        parameters[key] = parse_value(value, where=f"{WHERE}: {text}")
    return Arm(text, match[1].strip(), parameters)
