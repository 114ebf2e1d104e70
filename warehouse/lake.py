"""The lake: immutable Parquet files named by their content, and the snapshots in the ledger that say which of them are a table.

Files are settled first, pointers move afterwards, all pointers of a stage in one transaction. What executes SQL stands in `runner.py`.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from vesper.clock import now
from warehouse.durable import flush
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import POINTER, SNAPSHOT, SNAPSHOT_PART
from warehouse.part import WHOLE, Part, fingerprint_of, row_count_of

SHORT_HASH = 16
BATCH = 500


@dataclass(frozen=True)
class Snapshot:
    """A table as it was published for a business date."""

    snapshot_id: int
    table_name: str
    business_on: dt.date
    row_count: int
    fingerprint: str
    recipe: str | None


@dataclass(frozen=True)
class Candidate:
    """A table about to be published: all its parts, those written now being `fresh` (the gate looks at these)."""

    table_name: str
    parts: tuple[Part, ...]
    recipe: str | None = None
    fresh: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.parts)

    @property
    def row_count(self) -> int:
        return row_count_of(self.parts)


@dataclass
class Lake:
    """Reads snapshots, settles files, publishes candidates."""

    folder: Path
    engine: sa.Engine

    def __post_init__(self) -> None:
        self.drafts.mkdir(parents=True, exist_ok=True)

    @property
    def drafts(self) -> Path:
        """Where files stand before they are named; swept at the start of a run, under the run lock."""
        return self.folder / ".tmp"

    def draft(self) -> Path:
        return self.drafts / uuid.uuid4().hex

    def sweep(self) -> None:
        """Delete drafts that a killed run left."""
        for left in self.drafts.iterdir():
            left.unlink()

    def settle(self, draft: Path, table_name: str, key: str, row_count: int, recipe: str | None = None) -> Part:
        """Make a draft durable and name it by its content; the same content lands on the same name."""
        flush(draft)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = f"{table_name}/{key}-{digest[:SHORT_HASH]}.parquet"
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)
        flush(target.parent)
        return Part(key, path, row_count, digest, recipe)

    def files(self, parts: Iterable[Part]) -> list[Path]:
        """The files of parts that hold rows."""
        return [self.folder / part.path for part in parts if part.path]

    def in_force(self, table_name: str) -> Snapshot | None:
        """The snapshot that the pointer names."""
        pointed = sa.select(POINTER.c.snapshot_id).where(POINTER.c.table_name == table_name).scalar_subquery()
        return self._first(sa.select(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == pointed))

    def as_of(self, table_name: str, on: dt.date) -> Snapshot | None:
        """The newest snapshot of the latest business date up to `on`; a late rerun of an older date never wins."""
        return self._first(
            sa.select(SNAPSHOT)
            .where(SNAPSHOT.c.table_name == table_name, SNAPSHOT.c.business_on <= on)
            .order_by(SNAPSHOT.c.business_on.desc(), SNAPSHOT.c.snapshot_id.desc())
            .limit(1)
        )

    def before(self, table_name: str, on: dt.date) -> Snapshot | None:
        """The snapshot of the night before `on`."""
        return self.as_of(table_name, on - dt.timedelta(days=1))

    def snapshot(self, snapshot_id: int) -> Snapshot | None:
        """A snapshot by its id."""
        return self._first(sa.select(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == snapshot_id))

    def parts(self, snapshot: Snapshot | None) -> tuple[Part, ...]:
        """The parts of a snapshot, in the order of their keys; none of no snapshot."""
        if snapshot is None:
            return ()
        part = SNAPSHOT_PART.c
        live = sa.or_(part.to_snapshot.is_(None), part.to_snapshot > snapshot.snapshot_id)
        query = sa.select(part.part_key, part.path, part.row_count, part.sha256, part.recipe).where(
            part.table_name == snapshot.table_name, part.from_snapshot <= snapshot.snapshot_id, live
        )
        with reading(self.engine) as connection:
            return tuple(Part(*row) for row in connection.execute(query.order_by(part.part_key)))

    def tables(self) -> list[str]:
        """Names of all tables with a pointer."""
        with reading(self.engine) as connection:
            return list(connection.scalars(sa.select(POINTER.c.table_name).order_by(POINTER.c.table_name)))

    def publish(
        self,
        candidates: Sequence[Candidate],
        business_on: dt.date,
        run_id: str,
        alongside: Sequence[Callable[[sa.Connection], None]] = (),
    ) -> None:
        """Move all pointers of a stage in one transaction, together with ledger rows that belong to them (`alongside`).

        Unchanged content of the same business date is a no-op, and a pointer never moves to an earlier date.
        """
        with self.engine.begin() as connection:
            for candidate in candidates:
                snapshot_id = _record(connection, candidate, business_on, run_id)
                _point(connection, candidate.table_name, snapshot_id, business_on)
            for step in alongside:
                step(connection)

    def _first(self, query: sa.Select[tuple[object, ...]]) -> Snapshot | None:
        with reading(self.engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return Snapshot(**{name: row[name] for name in Snapshot.__dataclass_fields__})


def _record(connection: sa.Connection, candidate: Candidate, business_on: dt.date, run_id: str) -> int:
    same = sa.select(SNAPSHOT.c.snapshot_id, SNAPSHOT.c.fingerprint).where(
        SNAPSHOT.c.table_name == candidate.table_name, SNAPSHOT.c.business_on == business_on
    )
    latest = connection.execute(same.order_by(SNAPSHOT.c.snapshot_id.desc()).limit(1)).first()
    if latest and latest.fingerprint == candidate.fingerprint:
        return int(latest.snapshot_id)
    row = {
        "table_name": candidate.table_name,
        "business_on": business_on,
        "run_id": run_id,
        "row_count": candidate.row_count,
        "fingerprint": candidate.fingerprint,
        "recipe": candidate.recipe,
        "committed_at": now(),
    }
    snapshot_id = connection.execute(SNAPSHOT.insert().values(row)).inserted_primary_key
    assert snapshot_id is not None
    _move_parts(connection, candidate, int(snapshot_id[0]))
    return int(snapshot_id[0])


def _move_parts(connection: sa.Connection, candidate: Candidate, snapshot_id: int) -> None:
    """Close the intervals of parts that went, open those of parts that came."""
    part = SNAPSHOT_PART.c
    query = sa.select(part.part_id, part.part_key, part.sha256).where(
        part.table_name == candidate.table_name, part.to_snapshot.is_(None)
    )
    live = {(row.part_key, row.sha256): row.part_id for row in connection.execute(query)}
    wanted = {(p.key, p.sha256): p for p in candidate.parts}
    gone = [part_id for key, part_id in live.items() if key not in wanted]
    for start in range(0, len(gone), BATCH):
        chosen = part.part_id.in_(gone[start : start + BATCH])
        connection.execute(SNAPSHOT_PART.update().where(chosen).values(to_snapshot=snapshot_id))
    new = [p for key, p in wanted.items() if key not in live]
    if new:
        connection.execute(SNAPSHOT_PART.insert(), [_part_row(candidate.table_name, p, snapshot_id) for p in new])


def _part_row(table_name: str, part: Part, snapshot_id: int) -> dict[str, object]:
    return {
        "table_name": table_name,
        "part_key": part.key,
        "path": part.path,
        "row_count": part.row_count,
        "sha256": part.sha256,
        "recipe": part.recipe,
        "from_snapshot": snapshot_id,
    }


def _point(connection: sa.Connection, table_name: str, snapshot_id: int, business_on: dt.date) -> None:
    mine = POINTER.c.table_name == table_name
    current = connection.execute(sa.select(POINTER.c.business_on).where(mine)).first()
    if current is None:
        connection.execute(
            POINTER.insert().values(table_name=table_name, snapshot_id=snapshot_id, business_on=business_on)
        )
    elif business_on >= current.business_on:
        connection.execute(POINTER.update().where(mine).values(snapshot_id=snapshot_id, business_on=business_on))


def empty_part(key: str = WHOLE) -> Part:
    """A part that is known to hold no row: loaded, and empty."""
    return Part(key, "", 0, hashlib.sha256(b"").hexdigest())
