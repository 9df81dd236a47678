"""One strict reader for YAML files and for values on the command line.

It follows the core schema of YAML 1.2 and closes the traps of PyYAML, which follows 1.1: ``1e-3`` is a number,
``12:30`` and ``2024-01-31`` are texts, ``on``, ``off``, ``yes`` and ``no`` are texts (only true and false are
booleans), and a key that occurs twice is an error instead of a silent overwrite. ``010`` is an error, because it is 8
to some readers and 10 to others. Tags (``!!int``), merge keys (``<<``) and keys that are not texts are errors; an alias
is allowed only where it can neither refer to itself nor multiply, that is outside of every anchored value.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import InputError

_DEEPEST = 50  # levels of nesting; far beyond any honest file, far below the interpreter's recursion limit
_LONGEST_NUMBER = 40  # characters; the interpreter refuses to convert very long ones

_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INTEGER = re.compile(r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_NOT_FINITE = re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$")
_LEADING_ZERO = re.compile(r"^[-+]?0[0-9]+$")


class _Problem(yaml.MarkedYAMLError):
    """What is wrong and what would be right, at a place in the text."""

    def __init__(self, wrong: str, right: str, mark: Any) -> None:
        super().__init__(problem=wrong, problem_mark=mark)
        self.right = right


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the resolvers of YAML 1.2's core schema and strict mappings."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._inside_anchor = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            if self._inside_anchor:
                wrong = f"alias *{event.anchor} inside an anchored value"
                raise _Problem(wrong, "expected a plain value there", event.start_mark)
            return super().compose_node(parent, index)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _Problem(f"tag {tag!r}", "expected a value without a tag", event.start_mark)
        if self._depth >= _DEEPEST:
            raise _Problem(f"nested more than {_DEEPEST} levels deep", "expected a flatter value", event.start_mark)
        anchored = int(getattr(event, "anchor", None) is not None)
        self._depth += 1
        self._inside_anchor += anchored
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._inside_anchor -= anchored
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                shown = key_node.value if isinstance(key_node, yaml.ScalarNode) else "a list or a table"
                right = "expected a text as key; put it in quotes"
                raise _Problem(f"key {shown} is not a text", right, key_node.start_mark)
            if key == "<<" and key_node.style is None:
                raise _Problem("merge key <<", "expected the merged keys written out", key_node.start_mark)
            if key in result:
                raise _Problem(f"key {key!r} is repeated", "expected every key once", key_node.start_mark)
            result[key] = self.construct_object(value_node, deep=True)
        return result


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    return loader.construct_mapping(node)


def _construct_list(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(child, deep=True) for child in node.value]


def _construct_number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = node.value
    if len(text) > _LONGEST_NUMBER:
        raise _Problem(f"a number of {len(text)} characters", f"expected at most {_LONGEST_NUMBER}", node.start_mark)
    if _LEADING_ZERO.match(text):
        plain = str(int(text, 10))
        raise _Problem(
            f"{text} is ambiguous: {plain} to some readers, octal to others",
            f"expected {plain} for the number or '{text}' in quotes for the text",
            node.start_mark,
        )
    if _INTEGER.match(text):
        return int(text, 0)
    return float(text.replace(".", "", 1)) if _NOT_FINITE.match(text) else float(text)


def _construct_boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return bool(node.value.lower() == "true")


_Loader.yaml_implicit_resolvers = {}  # not those of YAML 1.1
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NOT_FINITE, list("-+."))
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:seq", _construct_list)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_number)
_Loader.add_constructor("tag:yaml.org,2002:bool", _construct_boolean)


def _read(text: str, where: str, lines: bool) -> object:
    """Return the value that ``text`` means; an InputError names ``where`` and, if ``lines``, the line in it."""
    try:
        loader = _Loader(text)
        try:
            value: object = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where}, line {mark.line + 1}" if lines and mark is not None else where
        right = error.right if isinstance(error, _Problem) else "expected valid YAML"
        raise InputError(place, error.problem or error.context or "not readable", right) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        place = f"{where}, line {line}" if lines else where
        raise InputError(place, f"character {ord(text[error.position]):#06x}", "expected printable text") from error
    return value


def parse_value(text: str, where: str = "value") -> object:
    """Read one value of the command line, for example ``1e-3``, ``[1, 2]``, ``on`` or ``14d``.

    Raises InputError, naming ``where``, if the text is not valid YAML.

    >>> parse_value("1e-3"), parse_value("12:30"), parse_value("on"), parse_value("true")
    (0.001, '12:30', 'on', True)
    """
    return _read(text, where, lines=False)


@lru_cache(maxsize=64)
def _file_content(text: str, where: str) -> object:
    """Return what a file says; a text that was read before is not read again."""
    return _read(text, where, lines=True)


def load_yaml(path: str | Path, shown: str | None = None) -> dict[str, Any]:
    """Read a file whose top level is a table of keys.

    ``shown`` is how messages call the file (default: the path). Raises InputError for a file that is missing or not
    readable, that is not UTF-8 or not valid YAML (with the line), or whose top level is something else.
    """
    path = Path(path)
    where = shown or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(where, "no such file", "expected a YAML file") from error
    except IsADirectoryError as error:
        raise InputError(where, "is a folder", "expected a YAML file") from error
    except UnicodeDecodeError as error:
        raise InputError(where, f"byte {error.start} is not UTF-8", "expected a text file in UTF-8") from error
    except OSError as error:
        raise InputError(where, f"cannot be read ({error.strerror})", "expected a readable YAML file") from error
    value = deepcopy(_file_content(text, where))
    if not isinstance(value, dict):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise InputError(where, f"holds {found}", "expected a table of keys at the top level")
    return value
