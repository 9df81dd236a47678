"""Members of compositions, as text: ``name(key=value, ...)``, values being numbers, words, or members again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recommenders.contract import Label, Recommender, RecommenderError
from recommenders.registry import create
from recommenders.values import read_value, typed


def create_member(text: str, seed: int, label: Label | None, where: str) -> Recommender:
    """Create the recommender that a text describes.

    Raises:
        RecommenderError: the brackets do not close, or the recommender refuses.
    """
    name, parameters = take_apart(text, where)
    return create(name, parameters, seed=seed, label=label)


def take_apart(text: str, where: str) -> tuple[str, dict[str, Any]]:
    """Split a text into name and parameters.

    >>> take_apart("pipeline(recall=itemknn(neighbors=5), rerank=bpr, depth=50)", "here")
    ('pipeline', {'recall': 'itemknn(neighbors=5)', 'rerank': 'bpr', 'depth': 50})
    """
    text = text.strip()
    name, bracket, inner = text.partition("(")
    if not bracket:
        return text, {}
    if not inner.endswith(")") or inner.count("(") != inner.count(")") - 1:
        raise RecommenderError(where, f"{text!r} does not close its brackets", "expected name(key=value, ...)")
    parameters: dict[str, Any] = {}
    for part in _split(inner[:-1]):
        key, sign, value = part.partition("=")
        if not sign:
            raise RecommenderError(where, f"{part.strip()!r} in {text!r} is no key=value", "expected key=value")
        parameters[key.strip()] = read_value(value.strip())
    return name.strip(), parameters


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part.strip()]


def described_file(path: Path) -> str:
    """Return the text of what a YAML file describes.

    Raises:
        RecommenderError: it cannot be read, or is not one name with parameters.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecommenderError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "expected YAML") from error
    return _text(content, str(path))


def _text(content: Any, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, dict) or len(content) != 1:
        raise RecommenderError(where, f"{content!r} is no recommender", "expected one name, its parameters below it")
    ((name, parameters),) = content.items()
    inner = [f"{key}={_value(value, where)}" for key, value in (parameters or {}).items()]
    return f"{name}({', '.join(inner)})"


def _value(value: Any, where: str) -> str:
    if isinstance(value, list):
        return "+".join(_value(each, where) for each in value)
    if isinstance(value, dict):
        return _text(value, where)
    return typed(value)
