"""Landing files during an erasure: the person's rows found in them, new files written beside them, and put in their places.

What belongs here: these three steps. What does not: how a kind of file is written (`connectors/landing_rewrite.py`) and whether a row is the
person's (`vesper/erasure.py`).
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.landing_rewrite import UTF16, NotRewritable, same_but, without
from connectors.sources import SOURCE_ROW, SourceUnreadable, landed, read
from vesper.erasure import ADDRESS_COLUMNS, Person, cut_of_rows
from vesper.model.source import Source
from warehouse import durable
from warehouse.house import House
from warehouse.ledger.erasure import RewrittenFile
from warehouse.runner import Runner

PLACE = "landing"
TEXT_FILES = ("csv", "jsonl")
SEARCHED = "landing_searched"


@dataclass
class Found:
    """The person's rows in one landing file: those that go, and those that lose some cells."""

    path: Path
    source: Source
    row_count: int
    gone: set[int] = field(default_factory=set)
    emptied: dict[int, dict[str, str | None]] = field(default_factory=dict)

    @property
    def touched(self) -> int:
        return len(self.gone) + len(self.emptied)


@dataclass
class Staged:
    """New landing files beside the old ones, and the files that could not be read or written."""

    files: list[RewrittenFile] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def search(house: House, runner: Runner, person: Person, sources: Sequence[Source]) -> Iterator[Found | str]:
    """Every landing file that holds the person; the name of each that cannot be read."""
    folder = house.workspace.landing
    for source in sources:
        try:
            paths = [one.path for one in landed(folder, source.path)]
        except SourceUnreadable as error:
            yield str(error)
            continue
        for path in paths:
            try:
                found = _in_file(runner, path, source, person)
            except SourceUnreadable:
                yield _below(path, folder)
                continue
            if found is not None and found.touched:
                yield found


def _in_file(runner: Runner, path: Path, source: Source, person: Person) -> Found | None:
    if path.stat().st_size == 0 or (source.system in TEXT_FILES and not _may_hold(path, source, person)):
        return None
    rows = read(path, source)
    return _matched(runner, path, source, person, rows)


def _may_hold(path: Path, source: Source, person: Person) -> bool:
    """Quick and never wrong about a no: whether a text file holds any of the values by which its rows could be the person's."""
    data = path.read_bytes()
    keys = [part for key in person.keys(source.id) for part in key.split("/")]
    values = [*keys, *(value.partition(":")[2] or value for _, value in person.own)]
    # A phone may be written in many ways, a wide encoding or an escape hides any text: then the rows are looked at.
    phones = any(ADDRESS_COLUMNS.get(name) == "phone" for name in source.fields) and person.values(
        "phone", "other_phone"
    )
    if phones or data[:2] in UTF16 or not all(value.isascii() for value in values):
        return True
    aside = any(row_key.rpartition(":")[0] == path.name for name, row_key in person.set_aside if name == source.id)
    low = data.lower()
    return aside or any(value.lower().encode() in low for value in values)


def _matched(runner: Runner, path: Path, source: Source, person: Person, rows: pa.Table) -> Found:
    declared = {name: each.column for name, each in source.fields.items() if each.column in rows.column_names}
    runner.bind_arrow(SEARCHED, rows, fingerprint=str(path))
    table = sa.Table(
        SEARCHED,
        sa.MetaData(),
        sa.Column(SOURCE_ROW, sa.BigInteger()),
        *[sa.Column(c, sa.String()) for c in dict.fromkeys(declared.values())],
    )
    stated = sa.select(
        table.c[SOURCE_ROW].label("row_number"),
        *[sa.cast(table.c[column], sa.String).label(name) for name, column in declared.items()],
    ).subquery("stated")
    cut = cut_of_rows(stated, person, source)
    lost = {name: value.is_distinct_from(stated.c[name]) for name, value in cut.changed.items()}
    shown = [
        stated.c.row_number,
        cut.gone.label("is_gone"),
        *[cut.changed[n].label(f"new_{n}") for n in lost],
        *[lost[n].label(f"is_new_{n}") for n in lost],
    ]
    found = Found(path, source, rows.num_rows, _aside(path, source, person))
    for row in runner.rows(sa.select(*shown).where(cut.touched)):
        _note(found, row._asdict(), declared, list(lost))
    runner.forget(SEARCHED)
    return found


def _note(found: Found, row: dict[str, Any], declared: dict[str, str], lost: list[str]) -> None:
    number = int(row["row_number"])
    if row["is_gone"] or number in found.gone:
        found.gone.add(number)
        return
    cells = {declared[name]: row[f"new_{name}"] for name in lost if row[f"is_new_{name}"]}
    if cells:
        found.emptied[number] = cells


def _aside(path: Path, source: Source, person: Person) -> set[int]:
    """Rows of the file that stood in quarantine and were the person's."""
    keys = [row_key.rpartition(":") for name, row_key in person.set_aside if name == source.id]
    return {int(number) for file, _, number in keys if file == path.name and number.isdigit()}


def stage(house: House, runner: Runner, person: Person, sources: Sequence[Source], erasure_id: str) -> Staged:
    """Write the new file of each landing file that holds the person, beside it and not yet in its place."""
    staged = Staged()
    for found in search(house, runner, person, sources):
        if isinstance(found, str):
            staged.left.append(found)
            continue
        name = _below(found.path, house.workspace.landing)
        try:
            data = without(found.path, found.source, found.gone, found.emptied)
        except (NotRewritable, SourceUnreadable):
            staged.left.append(name)
            continue
        new = _beside(found.path, erasure_id)
        durable.write(new, data, mode=found.path.stat().st_mode & 0o777)
        if not same_but(found.path, new, found.source, found.gone, found.emptied):
            new.unlink()
            staged.left.append(name)
            continue
        staged.files.append(_noted(found, name, data))
    return staged


def _noted(found: Found, name: str, data: bytes) -> RewrittenFile:
    return RewrittenFile(
        place=PLACE,
        name=name,
        new_name=name,
        old_sha256=hashlib.sha256(found.path.read_bytes()).hexdigest(),
        new_sha256=hashlib.sha256(data).hexdigest(),
        row_count=found.touched,
        source=found.source.id,
        file=found.path.name,
        size=len(data),
        rows_left=found.row_count - len(found.gone),
    )


def swap(house: House, files: Sequence[sa.RowMapping], erasure_id: str) -> list[str]:
    """Put every staged file in its place, with the old one's time of arrival; returns files that somebody changed meanwhile.

    Done again after a kill, it does what is left.
    """
    left = []
    for file in files:
        path = house.workspace.landing / file["name"]
        new = _beside(path, erasure_id)
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if now == file["old_sha256"] and new.is_file():
            arrived = path.stat()
            os.utime(new, ns=(arrived.st_atime_ns, arrived.st_mtime_ns))
            durable.flush(new)
            new.replace(path)
            durable.flush(path.parent)
        elif now not in ("", file["new_sha256"]):
            left.append(file["name"])
        new.unlink(missing_ok=True)
    return left


def _beside(path: Path, erasure_id: str) -> Path:
    """Hidden from `landed`, which takes names as they begin; the suffix stays, since readers look at it."""
    return path.with_name(f".{erasure_id}__{path.name}")


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
