"""Looking into a workspace after a night: its files, its manifests, its rows, its ledger, its mail. Changes nothing."""

import datetime as dt
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from vesper.load import read_workspace
from vesper.tables.declare import METADATA
from warehouse.lake import Lake, Snapshot
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.handover_schema import NOTICE
from warehouse.ledger.schema import MESSAGE, RUN, SNAPSHOT, SNAPSHOT_PART
from warehouse.runner import Runner

Manifest = dict[str, dict[str, str]]


def files(root: Path) -> dict[str, str]:
    """Every file of the lake with the hash of its bytes."""
    lake = root / ".vesper" / "lake"
    found = sorted(lake.rglob("*.parquet"))
    return {str(file.relative_to(lake)): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def engine_of(root: Path) -> sa.Engine:
    return open_ledger(read_workspace(root).ledger_url)


def manifest(root: Path, on: dt.date | None = None) -> Manifest:
    """Hash by part by table: of what is in force, or as of a business date."""
    engine = engine_of(root)
    lake = Lake(root / ".vesper" / "lake", engine)
    found = {}
    for table in lake.tables():
        snapshot = _snapshot(lake, table, on)
        if snapshot:
            found[table] = {part.key: part.sha256 for part in lake.parts(snapshot)}
    engine.dispose()
    return found


def _snapshot(lake: Lake, table: str, on: dt.date | None) -> Snapshot | None:
    return lake.as_of(table, on) if on else lake.in_force(table)


def table(root: Path, name: str, on: dt.date | None = None) -> pa.Table:
    """All rows of a table: of what is in force, or as of a business date."""
    engine = engine_of(root)
    lake = Lake(root / ".vesper" / "lake", engine)
    snapshot = _snapshot(lake, name, on)
    assert snapshot is not None, f"{name} was never published"
    declared = METADATA.tables.get(name)
    if declared is not None and (declared.info["patched"] or declared.info["derived"]):
        with Runner(lake) as runner:
            runner.bind_snapshot(declared, snapshot)
            found = runner.arrow(sa.select(declared).order_by(*[declared.c[key] for key in declared.info["grain"]]))
        engine.dispose()
        return found
    parts = lake.files(lake.parts(snapshot))
    engine.dispose()
    # DuckDB marks a column "not null" in a file that has no null in it.
    return (
        pa.concat_tables([pq.read_table(part) for part in parts], promote_options="default") if parts else pa.table({})
    )


def rows(root: Path, name: str, on: dt.date | None = None) -> list[dict[str, Any]]:
    return list(table(root, name, on).to_pylist())


def ledger_rows(root: Path, of: sa.Table) -> list[tuple[Any, ...]]:
    engine = engine_of(root)
    with reading(engine) as connection:
        found = [tuple(row) for row in connection.execute(sa.select(of).order_by(*of.primary_key))]
    engine.dispose()
    return found


def snapshots(root: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """All snapshot and part rows of the ledger."""
    return ledger_rows(root, SNAPSHOT), ledger_rows(root, SNAPSHOT_PART)


def messages(root: Path) -> dict[str, str]:
    """State by message id."""
    return {row[0]: row[MESSAGE.c.keys().index("state")] for row in ledger_rows(root, MESSAGE)}


def letters(root: Path) -> dict[str, str]:
    """State of the notices to sales by the letter that they went with."""
    column = NOTICE.c.keys().index
    rows = ledger_rows(root, NOTICE)
    return {row[column("letter_id")]: row[column("state")] for row in rows if row[column("letter_id")]}


def runs(root: Path, state: str) -> list[str]:
    """The stages of all runs in a state, in the order of their start."""
    engine = engine_of(root)
    query = sa.select(RUN.c.stage).where(RUN.c.state == state).order_by(RUN.c.started_at)
    with reading(engine) as connection:
        found = list(connection.scalars(query))
    engine.dispose()
    return found


def mails(sink: Path) -> Counter[str]:
    """How often each message id arrived."""
    return Counter(file.name.split(".")[0] for file in sink.glob("*.eml"))


def mails_of(root: Path) -> Counter[str]:
    return mails(root / ".vesper" / "sink")


def notices(root: Path) -> list[str]:
    """The bodies of the notices that the owner got through the loopback mail."""
    import email
    import email.policy

    found = sorted((root / ".vesper" / "notices").glob("*.eml"))
    letters = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found]
    return [str(letter["To"]) + "\n" + letter.get_content() for letter in letters]
