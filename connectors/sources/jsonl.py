"""One JSON object a line, as apps and interfaces log them. Nested objects become columns joined by an underscore."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.sources._columns import text_table
from connectors.sources._encoding import text_of
from connectors.sources._unreadable import SourceUnreadable


def read(path: Path, encoding: str) -> pa.Table:
    """One JSONL file: columns in order of first appearance, values as text, `true`/`false` for booleans, null for what an object does not say.

    Numbers stay as they are written (13800000000 whole). The standard reader is used: pyarrow's would guess types and turn times into instants.
    """
    lines = text_of(path, encoding).split("\n")
    objects = [(number, _object(path, number, line)) for number, line in enumerate(lines, start=1) if line.strip()]
    if not objects:
        raise SourceUnreadable(path, "it holds no line", "deliver it again")
    names = list(dict.fromkeys(name for _, flat in objects for name in flat))
    return text_table(
        names, [[flat.get(name) for name in names] for _, flat in objects], [number for number, _ in objects]
    )


def _object(path: Path, number: int, line: str) -> dict[str, str | None]:
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise SourceUnreadable(
            path,
            f"line {number} is not valid JSON ({error.msg} at character {error.colno})",
            "deliver one object a line",
        ) from error
    if not isinstance(value, dict):
        raise SourceUnreadable(path, f"line {number} is not a JSON object", "deliver one object a line")
    flat = list(_flat(value, ""))
    if len(flat) != len(dict(flat)):
        raise SourceUnreadable(
            path,
            f"line {number} names one column twice once nested names are joined by an underscore",
            "rename one of them",
        )
    return dict(flat)


def _flat(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}_")
        else:
            yield f"{prefix}{key}", _text(inner)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
