"""YAML text into plain values, and the line that each of them stands on.

What belongs here: reading YAML 1.2 strictly (no repeated keys, no times or booleans by surprise). What does not: what the values mean.
"""

import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from vesper.model.condition import Path

_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)?\.\d+|[-+]?(0|[1-9]\d*)\.")
_ODD_NUMBER = re.compile(r"[-+]?0\d+|0[xo][0-9a-fA-F]+")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class YamlFault(Exception):
    """A text that is not the YAML we read: line, what is wrong and what would be right (message ids), and their facts."""

    def __init__(self, line: int, what: str, instead: str, **facts: str | int) -> None:
        super().__init__(f"line {line}: {what.format(**facts)}")
        self.line, self.what, self.instead, self.facts = line, what, instead, facts


@dataclass(frozen=True)
class Tree:
    """A value made of mappings, lists, texts, numbers and flags, and the line of each key and list item, counted from 1."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a path; parts of it that are not in the text are passed over, so a missing key has its parent's line."""
        return self.lines.get(self.nearest(path), 1)

    def nearest(self, path: Path) -> Path:
        """The path as far as it stands in the text."""
        here: Path = ()
        for step in path:
            if (*here, step) in self.lines:
                here = (*here, step)
        return here


def fault(line: int, what: str, instead: str, **facts: str | int) -> YamlFault:
    """A YamlFault; the two texts are message ids."""
    return YamlFault(line, what, instead, **facts)


def read_yaml(text: str) -> Tree:
    """The tree of a YAML 1.2 document; dates and times stay texts. Raises YamlFault."""
    lines: dict[Path, int] = {(): 1}
    try:
        root = YAML(typ="safe").compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise fault(
            mark.line + 1 if mark else 1,
            "This is not valid YAML: {reason}.",
            "Check indentation, colons and quotes here.",
            reason=str(error.problem or error.context),
        ) from error
    except YAMLError as error:
        raise fault(
            1,
            "This is not valid YAML: {reason}.",
            "Check indentation, colons and quotes here.",
            reason=str(error).splitlines()[0],
        ) from error
    try:
        return Tree(None if root is None else _value(root, (), lines), lines)
    except RecursionError as error:
        raise fault(1, "An alias (*) contains itself.", "Write the text out instead.") from error


def _value(node: Node, path: Path, lines: dict[Path, int]) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, SequenceNode):
        lines.update({(*path, place): item.start_mark.line + 1 for place, item in enumerate(node.value)})
        return [_value(item, (*path, place), lines) for place, item in enumerate(node.value)]
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _mapping(node: MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode):
            raise fault(line, "A key must be one word.", "Check the question marks and brackets here.")
        word = str(key.value)
        if word in found:
            raise fault(
                line,
                "The key {word} stands twice; the first is on line {first}.",
                "Keep one.",
                word=word,
                first=lines[(*path, word)],
            )
        if word == "<<" and not key.style:
            raise fault(line, "Keys that are merged in (<<) are not read.", "Write them out here.")
        lines[(*path, word)] = line
        found[word] = _value(value, (*path, word), lines)
    return found


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style and node.style in "'\"|>":
        return text
    if text.lower() in _WORDS and text in (text.lower(), text.capitalize(), text.upper()):
        return _WORDS[text.lower()]
    if _ODD_NUMBER.fullmatch(text):
        raise fault(
            node.start_mark.line + 1, "{word} could be read as another number.", "Write it in quotes.", word=text
        )
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
