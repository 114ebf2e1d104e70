"""Published parts rewritten without some rows: erasure, the one permitted change of published bytes (architecture, section 3).

What belongs here: finding the files of the lake that a cut touches, writing them anew, and pointing the manifests of every retained
snapshot at the new files. What does not: what is cut (`vesper/erasure.py`), and the order in which it becomes true (`tasks/erase.py`).

New files are written by the runner as a night would write them, so a replay after an erasure has the bytes of the rewritten manifest.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from vesper.erasure import Cut
from warehouse.lake import Lake
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import SNAPSHOT, SNAPSHOT_PART
from warehouse.part import VOID, WHOLE, Part, fingerprint_of, row_count_of
from warehouse.runner import Runner

NAME_OF_FILE = "file"
BOOKKEEPING = (NAME_OF_FILE, "source_row")  # columns by which the runner finds a row's file; raw tables have their own

CutOf = Callable[[str, sa.Table], Cut | None]
"""From a table's name and its columns at hand to what becomes of it."""


@dataclass(frozen=True)
class Replaced:
    """A file of the lake and the part that takes its place; `touched` rows went or lost their person."""

    table_name: str
    old_path: str
    old_sha256: str
    new: Part
    touched: int


def retained(lake: Lake) -> dict[str, dict[str, Part]]:
    """Every file that a retained snapshot names, by table and path."""
    part = SNAPSHOT_PART.c
    query = sa.select(part.table_name, part.part_key, part.path, part.row_count, part.sha256).where(part.path != "")
    found: dict[str, dict[str, Part]] = defaultdict(dict)
    with reading(lake.engine) as connection:
        for row in connection.execute(query.order_by(part.table_name, part.path)):
            found[row.table_name][row.path] = Part(row.part_key, row.path, row.row_count, row.sha256)
    return found


def touched_files(
    runner: Runner, name: str, files: Sequence[Path], declared: sa.Table | None, cut_of: CutOf
) -> dict[str, int]:
    """Of some files of one table those that a cut touches, by file name, with the rows it touches there."""
    wanted = _shape(f"{name}__searched", files, declared, without=BOOKKEEPING)
    held = sa.Table(
        wanted.name,
        sa.MetaData(),
        *[_copied(c) for c in wanted.c],
        sa.Column(NAME_OF_FILE, sa.String()),
        info=wanted.info,
    )
    cut = cut_of(name, held)
    if cut is None:
        return {}
    runner.bind_parquet(held, files, fingerprint=held.name, uneven=True)
    counted = sa.select(held.c[NAME_OF_FILE], sa.func.count().label("row_count")).where(cut.touched)
    rows = runner.rows(counted.group_by(held.c[NAME_OF_FILE]))
    runner.forget(held.name)
    return {row[0]: row[1] for row in rows}


def rewritten(
    runner: Runner, name: str, parts: Mapping[str, Part], declared: sa.Table | None, cut_of: CutOf
) -> Iterator[Replaced]:
    """Write anew every part of a table that a cut touches. The lake's files of before stay until they are deleted."""
    files = {path: runner.lake.folder / path for path in parts}
    touched = touched_files(runner, name, list(files.values()), declared, cut_of)
    done: dict[str, Part] = {}
    for path, part in parts.items():
        if part.key != VOID and files[path].name in touched:
            done[path] = _written(runner, name, part, declared, cut_of)
            yield Replaced(name, path, part.sha256, done[path], touched[files[path].name])
    for path, part in parts.items():
        bases = _bases(runner.lake, name, path) if part.key == VOID else set()
        if bases & done.keys():
            new = _still_void(runner, name, part, [done.get(base, parts[base]) for base in sorted(bases)])
            if new.sha256 != part.sha256:
                yield Replaced(name, path, part.sha256, new, part.row_count - new.row_count)


def _bases(lake: Lake, name: str, path: str) -> set[str]:
    """Paths of the whole parts that a void part stands on in some retained snapshot."""
    void, whole = SNAPSHOT_PART.alias("void"), SNAPSHOT_PART.alias("whole")
    query = sa.select(whole.c.path).where(
        void.c.table_name == name,
        void.c.path == path,
        whole.c.table_name == name,
        whole.c.part_key == WHOLE,
        sa.or_(void.c.to_snapshot.is_(None), whole.c.from_snapshot < void.c.to_snapshot),
        sa.or_(whole.c.to_snapshot.is_(None), void.c.from_snapshot < whole.c.to_snapshot),
    )
    with reading(lake.engine) as connection:
        return set(connection.scalars(query))


def _still_void(runner: Runner, name: str, part: Part, bases: Sequence[Part]) -> Part:
    """A void part without keys of rows that its whole holds no longer: whatever made them go, they count no row away."""
    void = _shape(f"{name}__void", [runner.lake.folder / part.path], None)
    whole = void.to_metadata(sa.MetaData(), name=f"{name}__bases")
    runner.bind_parts(void, [part])
    runner.bind_parts(whole, bases)
    kept = sa.select(void).where(sa.exists().where(*[void.c[c.name] == c for c in whole.c]))
    new = runner.write(kept, void.to_metadata(sa.MetaData(), name=name), key=part.key)
    for bound in (void, whole):
        runner.forget(bound.name)
    return new


def _written(runner: Runner, name: str, part: Part, declared: sa.Table | None, cut_of: CutOf) -> Part:
    """One part without what is cut, in its own columns and in the order of its table."""
    before = _shape(f"{name}__rewritten", [runner.lake.folder / part.path], declared)
    runner.bind_parts(before, [part])
    cut = cut_of(name, before)
    assert cut is not None
    kept = sa.select(*[cut.changed.get(c.name, c).label(c.name) for c in before.c]).where(~cut.gone)
    target = before.to_metadata(sa.MetaData(), name=name)
    new = runner.write(kept, target, key=part.key)
    runner.forget(before.name)
    return new


def _shape(name: str, files: Sequence[Path], declared: sa.Table | None, without: Iterable[str] = ()) -> sa.Table:
    """The columns that files have, with the types, the checks and the order of the table's declaration where it has one."""
    schema = pa.unify_schemas([pq.read_schema(file).remove_metadata() for file in files], promote_options="permissive")
    known = {c.name: c for c in declared.c} if declared is not None else {}
    columns = [
        _copied(known[f.name]) if f.name in known else sa.Column(f.name, _sql_type(f.type))
        for f in schema
        if f.name not in set(without)
    ]
    grain = declared.info["grain"] if declared is not None else schema.names
    personal = declared.info["personal"] if declared is not None else ()
    return sa.Table(
        name,
        sa.MetaData(),
        *columns,
        info={"grain": tuple(n for n in grain if n in schema.names), "cut": None, "personal": personal},
    )


def _copied(column: sa.Column[Any]) -> sa.Column[Any]:
    return sa.Column(column.name, column.type, info=column.info)


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    known: list[tuple[Callable[[pa.DataType], bool], sa.types.TypeEngine[Any]]] = [
        (pa.types.is_timestamp, sa.DateTime()),
        (pa.types.is_date, sa.Date()),
        (pa.types.is_boolean, sa.Boolean()),
        (pa.types.is_floating, sa.Double()),
        (pa.types.is_int32, sa.Integer()),
        (pa.types.is_integer, sa.BigInteger()),
    ]
    return next((ours for is_kind, ours in known if is_kind(kind)), sa.String())


def repoint(connection: sa.Connection, replaced: Iterable[Replaced]) -> None:
    """Let every manifest name the new files: parts, and of each snapshot the fingerprint and the count of rows. Recipes go, since they were of the old rows."""
    part = SNAPSHOT_PART.c
    tables = set()
    for one in replaced:
        values = {"path": one.new.path, "sha256": one.new.sha256, "row_count": one.new.row_count, "recipe": None}
        connection.execute(sa.update(SNAPSHOT_PART).where(part.path == one.old_path).values(values))
        tables.add(one.table_name)
    for name in sorted(tables):
        _recount(connection, name)


def _recount(connection: sa.Connection, table_name: str) -> None:
    part = SNAPSHOT_PART.c
    held = connection.execute(
        sa.select(part.part_key, part.path, part.row_count, part.sha256, part.from_snapshot, part.to_snapshot).where(
            part.table_name == table_name
        )
    ).all()
    ids = connection.execute(
        sa.select(SNAPSHOT.c.snapshot_id, SNAPSHOT.c.fingerprint).where(SNAPSHOT.c.table_name == table_name)
    )
    for id, old in ids.all():
        live = [
            Part(row.part_key, row.path, row.row_count, row.sha256)
            for row in held
            if row.from_snapshot <= id and (row.to_snapshot is None or row.to_snapshot > id)
        ]
        new = fingerprint_of(live)
        if new != old:
            values = {"fingerprint": new, "row_count": row_count_of(live), "recipe": None}
            connection.execute(sa.update(SNAPSHOT).where(SNAPSHOT.c.snapshot_id == id).values(values))
