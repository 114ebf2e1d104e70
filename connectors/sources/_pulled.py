"""What a source gave when it was asked: the cursor it reached, and the Parquet file it lands as.

What belongs here: values of cursors, and one whole file or none. What does not: how a kind of system is asked (`sql.py`, `http.py`), and which night
it belongs to (tasks/fetch.py). A system's `pull` yields tables of text and returns the cursor that they reach.
"""

import datetime as dt
import json
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.sources._columns import FILE, SOURCE_ROW, tidy_name
from connectors.sources._unreadable import Said, _
from vesper.language import Translate
from vesper.model.pull import VARIABLE

KEY = b"vesper"
OURS = (SOURCE_ROW, FILE)


class NotFetched(Exception):
    """A source that could not be asked: why, in a sentence without an address, a header or a value."""

    def __init__(self, message: str, **facts: Any) -> None:
        self.sentence = Said(message, facts)
        super().__init__(str(self.sentence))

    def said(self, translate: Translate) -> str:
        """The sentence in a language."""
        return self.sentence.said(translate)


@dataclass(frozen=True)
class Cursor:
    """The last value seen of a growing column, with its type, so that it is asked for as what it was."""

    kind: str
    text: str

    @classmethod
    def of(cls, value: Any) -> "Cursor":
        kind = next((name for name, (is_of, _read) in _KINDS.items() if is_of(value)), "text")
        return cls(kind, value.isoformat() if kind in ("instant", "day") else str(value))

    @property
    def value(self) -> Any:
        return _KINDS[self.kind][1](self.text)


_KINDS: dict[str, tuple[Callable[[Any], bool], Callable[[str], Any]]] = {
    "instant": (lambda value: isinstance(value, dt.datetime), dt.datetime.fromisoformat),
    "day": (lambda value: type(value) is dt.date, dt.date.fromisoformat),
    "integer": (lambda value: isinstance(value, int), int),
    "decimal": (lambda value: isinstance(value, Decimal), Decimal),
    "number": (lambda value: isinstance(value, float), float),
    "text": (lambda value: True, str),
}


@dataclass(frozen=True)
class Asked:
    """What a landed file says of the asking: the night, what was asked for (a hash), and the cursor reached."""

    on: str
    of: str
    cursor: Cursor | None


Pulling = Generator[pa.Table, None, Cursor | None]


@dataclass(frozen=True)
class Request:
    """One asking. `since` is where the last one ended, `until` the cut-off (UTC): what changed later waits for the next night.

    `columns` are those that the source declares, for an answer without a row; `zone` is that of times without one.
    """

    since: Cursor | None
    until: dt.datetime
    zone: str
    columns: tuple[str, ...]
    environment: Mapping[str, str]

    def filled(self, text: str) -> str:
        """A text with its ${variables} put in. Raises NotFetched for one that is not set."""

        def put(found: Any) -> str:
            name = found[1]
            if not self.environment.get(name):
                raise NotFetched(
                    _("the variable {name} of the environment is not set; set it and run again"), name=name
                )
            return self.environment[name]

        return VARIABLE.sub(put, text)

    def is_after(self, value: Any) -> bool:
        """Whether a cursor's value is an instant after the cut-off. What is no instant is never after it."""
        moment = moment_of(value, self.zone)
        return moment is not None and moment > self.until


def moment_of(value: Any, zone: str) -> dt.datetime | None:
    """The UTC instant (naive) of a cursor's value, None when it is none."""
    if isinstance(value, str) and "-" in value:
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, dt.datetime):
        return None
    try:
        aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
        return aware.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        return None


def land(path: Path, pulling: Pulling, on: dt.date, of: str, since: Cursor | None) -> int:
    """Write what a system gives as a landed file, whole or not at all; returns its number of rows.

    The file says which night asked, and which cursor was reached: the one before where nothing came.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        count = _written(draft, pulling, on, of, since)
        _synced(draft)
        draft.replace(path)
        _synced(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _written(draft: Path, pulling: Pulling, on: dt.date, of: str, since: Cursor | None) -> int:
    writer, count = None, 0
    try:
        while True:
            try:
                table = next(pulling)
            except StopIteration as end:
                reached = end.value or since
                break
            writer = writer or pq.ParquetWriter(draft, table.schema, compression="zstd")
            writer.write_table(table)
            count += table.num_rows
        if writer is None:
            raise ValueError("a system yields at least one table, if only with its columns")
        writer.add_key_value_metadata({KEY.decode(): json.dumps(asdict(Asked(on.isoformat(), of, reached)))})
    finally:
        if writer:
            writer.close()
    return count


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def asked(path: Path) -> Asked | None:
    """What a landed file says of its asking; None for a file that no asking made or that cannot be read."""
    try:
        told = json.loads((pq.read_metadata(path).metadata or {})[KEY])
        cursor = told["cursor"]
        return Asked(told["on"], told["of"], Cursor(cursor["kind"], cursor["text"]) if cursor else None)
    except (KeyError, TypeError, ValueError, OSError, pa.ArrowInvalid):
        return None


def landing_name(name: str) -> str:
    """A column's name as it lands: tidy, and none that Vesper uses itself."""
    tidy = tidy_name(name)
    return f"{tidy}_" if tidy in OURS else tidy
