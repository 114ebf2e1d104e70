"""Retention and collection: which snapshots are forgotten, and which files then go (architecture, section 2).

What belongs here: the rule of what is kept, the one ledger transaction that forgets the rest, and the deleting of files that no kept part
names. What does not: how long a company keeps its nights (`vesper.toml`, read by `tasks/retention.py`), and erasure of a person.

The ledger comes first and the files after it: a kill in between leaves files that nobody names, and the next collection deletes them.
"""

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from warehouse.lake import Lake
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import POINTER, SNAPSHOT, SNAPSHOT_PART
from warehouse.lock import run_lock

RAW = "raw_"
LOCK = "run.lock"
BATCH = 500


@dataclass(frozen=True)
class Collected:
    """What one collection took away: snapshots forgotten, files deleted, and their bytes."""

    files: int
    bytes: int
    snapshots: int


def collect(lake: Lake, keep_from: dt.date, keep_raw_from: dt.date) -> Collected:
    """Forget snapshots of nights before `keep_from` (raw tables: `keep_raw_from`), then delete the files that no kept part names.

    Of every table these stay, whatever their age: the pointer's snapshot, the newest one, and the newest one before the retention, which
    the oldest kept night was computed from. Raises WorkspaceBusy while another process runs.
    """
    with run_lock(lake.folder.parent) as fresh:
        forgotten = forget(lake, keep_from, keep_raw_from)
        deleted = delete_unnamed(lake, None if fresh else _held_since(lake))
    return Collected(len(deleted), sum(deleted.values()), forgotten)


def forget(lake: Lake, keep_from: dt.date, keep_raw_from: dt.date) -> int:
    """Forget old snapshots in one ledger transaction; returns how many. What a kept snapshot holds does not change."""
    with lake.engine.begin() as connection:
        pointed = set(connection.scalars(sa.select(POINTER.c.snapshot_id)))
        count = 0
        for name, nights in _nights(connection).items():
            kept = _kept(nights, keep_raw_from if name.startswith(RAW) else keep_from, pointed)
            gone = [id for _, id in nights if id not in kept]
            if gone:
                _close_gaps(connection, name, sorted(kept))
                _delete(connection, SNAPSHOT.c.snapshot_id, gone)
                count += len(gone)
        return count


def _nights(connection: sa.Connection) -> dict[str, list[tuple[dt.date, int]]]:
    """Of every table, (business date, snapshot id) of all its snapshots."""
    nights: dict[str, list[tuple[dt.date, int]]] = defaultdict(list)
    for row in connection.execute(sa.select(SNAPSHOT.c.table_name, SNAPSHOT.c.business_on, SNAPSHOT.c.snapshot_id)):
        nights[row.table_name].append((row.business_on, row.snapshot_id))
    return nights


def _kept(nights: Sequence[tuple[dt.date, int]], keep_from: dt.date, pointed: set[int]) -> set[int]:
    """Ids that stay. The newest id stays because the open intervals of parts end in it; the eve, so that every kept night can be replayed."""
    within = {id for on, id in nights if on >= keep_from or id in pointed}
    eve = max((night for night in nights if night[0] < keep_from), default=None)
    return within | {max(id for _, id in nights)} | ({eve[1]} if eve else set())


def _close_gaps(connection: sa.Connection, table_name: str, kept: Sequence[int]) -> None:
    """Let the parts' intervals begin and end at kept snapshots; a part whose interval holds none of them goes."""
    part = SNAPSHOT_PART.c
    query = sa.select(part.part_id, part.from_snapshot, part.to_snapshot).where(part.table_name == table_name)
    gone: list[int] = []
    moved: list[dict[str, int | None]] = []
    for row in connection.execute(query):
        first, end = _first_kept(kept, row.from_snapshot), _first_kept(kept, row.to_snapshot)
        if first == end:
            gone.append(row.part_id)
        elif (first, end) != (row.from_snapshot, row.to_snapshot):
            moved.append({"id": row.part_id, "first": first, "end": end})
    _delete(connection, part.part_id, gone)
    if moved:
        new: dict[str, Any] = {"from_snapshot": sa.bindparam("first"), "to_snapshot": sa.bindparam("end")}
        connection.execute(SNAPSHOT_PART.update().where(part.part_id == sa.bindparam("id")).values(new), moved)


def _first_kept(kept: Sequence[int], snapshot_id: int | None) -> int | None:
    """The first kept snapshot from an id on; None of an open end."""
    return None if snapshot_id is None else kept[bisect_left(kept, snapshot_id)]


def _delete(connection: sa.Connection, id: sa.Column[int], gone: Sequence[int]) -> None:
    for start in range(0, len(gone), BATCH):
        connection.execute(sa.delete(id.table).where(id.in_(gone[start : start + BATCH])))


def delete_unnamed(lake: Lake, held_since: float | None) -> dict[Path, int]:
    """Delete every file of the lake that no part names; returns their sizes in bytes.

    A file written since `held_since` (seconds, as in a file's mtime) stays: a stage of the process that holds the run lock may be about to
    publish it. A ledger that knows no snapshot at all is not this lake's ledger, or not yet: nothing is deleted then.
    """
    with reading(lake.engine) as connection:
        named = set(connection.scalars(sa.select(SNAPSHOT_PART.c.path).distinct()))
        is_empty = connection.scalar(sa.select(SNAPSHOT.c.snapshot_id).limit(1)) is None
    if is_empty:
        return {}
    unnamed = (file for file in _files(lake.folder) if file.relative_to(lake.folder).as_posix() not in named)
    return _deleted(unnamed, held_since)


def _files(folder: Path) -> Iterator[Path]:
    for table in sorted(folder.iterdir()):
        if table.is_dir() and not table.name.startswith("."):
            yield from sorted(table.glob("*.parquet"))


def _deleted(files: Iterable[Path], held_since: float | None) -> dict[Path, int]:
    deleted = {}
    for file in files:
        state = file.stat()
        if held_since is None or state.st_mtime < held_since:
            file.unlink()
            deleted[file] = state.st_size
    return deleted


def _held_since(lake: Lake) -> float:
    """When this process took the run lock: it signs the lock file then."""
    return (lake.folder.parent / LOCK).stat().st_mtime
