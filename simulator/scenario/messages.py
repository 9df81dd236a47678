"""One clear line from whatever the schema finds wrong: file, key, value, and what would be right."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from recommenders.contract.names import did_you_mean
from simulator.errors import InputError

_TAG = re.compile(r"<.*>|\[key\]")
_NAME = "expected a name of small letters, digits and underscores that begins with a letter"
_EXPECTED = {
    "float_type": "expected a number (1e-3 and 0.5 are numbers, a text in quotes is not)",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "bool_type": "expected true or false",
    "string_type": "expected a text; put it in quotes",
    "finite_number": "expected a finite number",
    "model_type": "expected a table of keys",
    "model_attributes_type": "expected a table of keys",
    "dict_type": "expected a table of keys",
    "list_type": "expected a list",
}


def shown_value(value: object) -> str:
    """Return a value as a message shows it: short, and as YAML would write it."""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def nearest(name: str, known: list[str]) -> str:
    """Return a hint at what may have been meant: the nearest of ``known``, then all of them."""
    return f"{did_you_mean(name, known)}expected one of {', '.join(known)}" if known else "expected none"


def _literal(value: object, expected: str) -> str:
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    return nearest(value, choices) if isinstance(value, str) else f"expected one of {', '.join(choices)}"


def _line(error: ErrorDetails) -> tuple[str, str]:
    """Return (what is wrong, what would be right) of one error."""
    context: dict[str, Any] = error.get("ctx", {})
    # tags of unions are in angle brackets: they are places in the schema, not keys of the file
    keys = [str(part) for part in error["loc"] if not _TAG.fullmatch(str(part))]
    kind, value = error["type"], error["input"]
    if kind == "scenario":
        if "value" not in context:  # a choice between models: the value is still in what was given
            if not isinstance(value, dict):
                return f"{'.'.join(keys)} = {shown_value(value)}", "expected a table of keys"
            context = {**context, "value": value.get(context["key"])}
        value = context["value"]
        path = ".".join([*keys, context["key"]] if context["key"] else keys)
        if value is ...:
            return path, context["right"]
        return (f"{path} is missing" if value is None else f"{path} = {shown_value(value)}"), context["right"]
    path = ".".join(keys)
    if kind == "missing":
        return f"{path} is missing", "expected this key"
    if error["loc"] and error["loc"][-1] == "[key]":
        long = f", of at most {context['max_length']} letters" if kind == "string_too_long" else ""
        return f"key {path}", f"{_NAME}{long}"
    if kind == "literal_error":
        return f"{path} = {shown_value(value)}", _literal(value, str(context["expected"]))
    if kind in ("too_long", "too_short"):
        most = kind == "too_long"
        right = f"expected at most {context['max_length']}" if most else f"expected at least {context['min_length']}"
        return f"{path} has {len(value)} entries", right
    if kind == "string_too_long":
        return f"{path} = {shown_value(value)}", f"expected at most {context['max_length']} letters"
    if kind == "less_than_equal":
        right = f"expected at most {context['le']}"
    elif kind == "string_pattern_mismatch":
        right = _NAME
    elif kind in _EXPECTED:
        right = _EXPECTED[kind]
    else:
        right = f"expected {error['msg'].removeprefix('Input should be ').removeprefix('Value error, expected ')}"
    return (f"{path} is empty" if value is None else f"{path} = {shown_value(value)}"), right


def as_input_error(error: ValidationError, where: str) -> InputError:
    """Return the first error of a validation as an InputError, with the number of the others."""
    errors = error.errors(include_url=False)
    wrong, right = _line(errors[0])
    more = len(errors) - 1
    if more:
        right += f" (and {more} more {'error' if more == 1 else 'errors'})"
    return InputError(where, wrong, right)
