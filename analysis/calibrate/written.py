"""Numbers where a scenario's file has them: found by path, and put in place with all around them kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from simulator.errors import InputError


@dataclass(frozen=True)
class Change:
    """Hold what a number of a file becomes: its value, and the target that it is calibrated to."""

    value: float
    see: str


class File:
    """Hold a scenario file as text, and where in it each number stands.

    A number may stand once and count at several paths: where an alias repeats what an anchor named.
    """

    def __init__(self, text: str, shown: str) -> None:
        self.text, self.shown = text, shown
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        self._nodes: dict[str, yaml.Node] = dict(_below(root, "")) if root is not None else {}

    def has(self, path: str) -> bool:
        """Tell whether a number is written at a path."""
        return isinstance(self._nodes.get(path), yaml.ScalarNode)

    def written(self, path: str) -> float:
        """Return the number at a path, as it is written. Raises InputError where the file has it at another."""
        return float(self._scalar(path).value)

    def same(self, path: str) -> list[str]:
        """Return all paths of the number that is written at a path, in the order of the file."""
        place = self._scalar(path)
        return [each for each, node in self._nodes.items() if node is place]

    def changed(self, changes: Mapping[str, Change]) -> str:
        """Return the text with numbers, by their paths, in place, each as calibrated to its target."""
        edits: dict[int, tuple[int, str]] = {}
        for path, change in changes.items():
            scalar = self._scalar(path)
            edits[scalar.start_mark.index] = (scalar.end_mark.index, shown_number(change.value))
            claim = self._nodes[path.rpartition(".")[0]]
            assert isinstance(claim, yaml.MappingNode), "a number has keys"
            keys = {key.value: (key, value) for key, value in claim.value}
            key, origin = keys["from"]
            words = "calibrated"
            if "see" in keys:
                old = keys["see"][1]
                edits[old.start_mark.index] = (old.end_mark.index, change.see)
            else:
                words += (
                    f", see: {change.see}" if claim.flow_style else f"\n{' ' * key.start_mark.column}see: {change.see}"
                )
            edits[origin.start_mark.index] = (origin.end_mark.index, words)
        text = self.text
        for start in sorted(edits, reverse=True):
            end, new = edits[start]
            text = text[:start] + new + text[end:]
        return text

    def _scalar(self, path: str) -> yaml.ScalarNode:
        node = self._nodes.get(path)
        if not isinstance(node, yaml.ScalarNode):
            raise InputError(self.shown, f"{path} is not written there", "expected a file with today's keys")
        return node


def shown_number(value: float) -> str:
    """Return a number as it is written to a file: nothing that was simulated is lost.

    >>> shown_number(0.25), shown_number(2.0), shown_number(1e-7)
    ('0.25', '2', '1e-07')
    """
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _below(node: yaml.Node, path: str) -> Iterator[tuple[str, yaml.Node]]:
    """Yield every node below one with its path, those of aliases at each of their places."""
    if path:
        yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _below(value, f"{path}.{key.value}".lstrip("."))
    elif isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            yield from _below(each, f"{path}.{index}")
