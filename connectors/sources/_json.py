"""JSON objects as rows of text: nested names joined by an underscore, numbers as they were written. Shared by files and interfaces."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sources._unreadable import Said, _

DEEPEST = 64


class NoRow(Exception):
    """A JSON text or value that is no row; `what` says why, to follow upon the name of the place."""

    def __init__(self, wrong: str, **facts: Any) -> None:
        self.what = Said(wrong, facts)
        super().__init__(str(self.what))


def parsed(text: str) -> Any:
    """A JSON text with its numbers as text (13800000000 stays whole, 2.50 keeps its zero). Raises NoRow for what is no JSON."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        why, at = error.msg, error.colno
    except (RecursionError, UnicodeEncodeError) as error:
        is_deep = isinstance(error, RecursionError)
        raise NoRow(_("is nested too deeply") if is_deep else _("escapes half a character")) from None
    else:
        return value
    raise NoRow(_("is not valid JSON ({why} at character {at})"), why=why, at=at)


def flat_row(value: Any) -> dict[str, str | None]:
    """An object as columns and cells. Raises NoRow when it is no object, or cannot be laid out as one row."""
    if not isinstance(value, dict):
        raise NoRow(_("is not a JSON object"))
    cells = list(_flat(value, "", 0))
    row = dict(cells)
    if len(cells) != len(row):
        raise NoRow(_("names one column twice once nested names are joined by an underscore"))
    return row


def _flat(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str | None]]:
    if depth > DEEPEST:
        raise NoRow(_("is nested too deeply"))
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}_", depth + 1)
        else:
            yield f"{prefix}{key}", _text(inner)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
