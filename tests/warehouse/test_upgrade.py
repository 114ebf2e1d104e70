"""What an older release left is taken on by today's code: ledgers of every revision with their rows, and lakes whose tables lack a column (R120).

An older release is not at hand here, so its ledger is made by the migrations up to its revision, and its lake by taking columns away.
"""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from tasks.night import directly, run_night
from tests.night.looking import engine_of, manifest, messages, runs
from tests.small_grocer import LAST, SECOND, GrocerNights, copied
from vesper.tables.declare import METADATA
from warehouse.lake import Lake
from warehouse.ledger.engine import MIGRATIONS, connect, open_ledger, reading
from warehouse.ledger.schema import LEDGER, SNAPSHOT, SNAPSHOT_PART
from warehouse.part import fingerprint_of

pytestmark = pytest.mark.requirement("R120")

SCRIPT = ScriptDirectory(str(MIGRATIONS))
REVISIONS = [one.revision for one in SCRIPT.walk_revisions()][1:]
BEFORE_SENDING = "0005"
"""The newest revision before journeys, workers and the inbox came."""
PER_TABLE = 3
VERSION = "alembic_version"
Rows = dict[str, list[dict[str, Any]]]


def ledger_at(url: str, revision: str) -> sa.Engine:
    """An empty ledger as a release of that revision made it."""
    engine, config = connect(url), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        environment = EnvironmentContext(config, SCRIPT, fn=lambda at, _: SCRIPT._upgrade_revs(revision, at))
        environment.configure(connection=connection, render_as_batch=True)
        with environment.begin_transaction():
            environment.run_migrations()
    return engine


def tables_of(engine: sa.Engine) -> sa.MetaData:
    """The tables as they stand in the database."""
    found = sa.MetaData()
    found.reflect(engine)
    found.remove(found.tables[VERSION])
    return found


def value(column: sa.Column[Any], number: int) -> Any:
    """Something that fits a column; what refers to another table names its row of the same number."""
    for key in column.foreign_keys:
        return value(key.column, number)
    at = dt.datetime(2018, 1, number, 12)
    if isinstance(column.type, sa.Boolean):
        return number % 2 == 0
    if isinstance(column.type, sa.DateTime):
        return at
    if isinstance(column.type, sa.Date):
        return at.date()
    if isinstance(column.type, sa.Integer | sa.Numeric):
        return number
    return f"{column.name} {number}"


def fill(engine: sa.Engine) -> None:
    """Rows in every table."""
    tables = tables_of(engine).sorted_tables
    with engine.begin() as connection:
        for table in tables:
            rows = [{c.name: value(c, n) for c in table.c} for n in range(1, PER_TABLE + 1)]
            connection.execute(sa.insert(table), rows)


def kept(engine: sa.Engine, tables: sa.MetaData) -> Rows:
    """Every row in the columns of some tables."""
    with reading(engine) as connection:
        found = {
            table.name: connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            for table in tables.sorted_tables
        }
        return {name: [dict(row) for row in rows] for name, rows in found.items()}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_ledger_of_any_older_revision_keeps_every_row(ledger_url: str, revision: str) -> None:
    old = ledger_at(ledger_url, revision)
    fill(old)
    tables = tables_of(old)
    before = kept(old, tables)
    assert all(len(rows) == PER_TABLE for rows in before.values())
    old.dispose()
    engine = open_ledger(ledger_url)
    assert kept(engine, tables) == before
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, LEDGER) == []
    engine.dispose()


def downgraded(root: Path, revision: str) -> None:
    """Put the rows of a workspace's ledger into one of an older revision, as far as that has their tables and columns."""
    now, file = engine_of(root), root / ".vesper" / "older.db"
    old = ledger_at(f"sqlite:///{file}", revision)
    tables = tables_of(old).sorted_tables
    with reading(now) as source, old.begin() as target:
        for table in tables:
            rows = source.execute(sa.select(*[sa.column(c.name) for c in table.c]).select_from(sa.table(table.name)))
            if found := [dict(row) for row in rows.mappings()]:
                names = ", ".join(f":{c.name}" for c in table.c)
                # As text: what SQLite keeps comes over as it stands.
                target.execute(sa.text(f"insert into {table.name} values ({names})"), found)
    for engine in (now, old):
        engine.dispose()
    for left in (root / ".vesper").glob("ledger.db*"):
        left.unlink()
    with sa.create_engine(f"sqlite:///{file}").connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    shutil.move(file, root / ".vesper" / "ledger.db")


@pytest.mark.slow
def test_the_first_night_over_an_older_ledger_is_the_night_that_it_would_have_been(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "grocer")
    downgraded(root, BEFORE_SENDING)
    run_night(directly, root, LAST, True)
    whole = grocer_nights.after[LAST]
    assert manifest(root) == manifest(whole)
    assert messages(root) == messages(whole)


def shrunk(root: Path) -> dict[str, str]:
    """Take the last column that may be empty out of the newest files of every table; which, by table."""
    engine = engine_of(root)
    lake, taken = Lake(root / ".vesper" / "lake", engine), {}
    for name in lake.tables():
        declared, snapshot = METADATA.tables.get(name), lake.in_force(name)
        parts = [part for part in lake.parts(snapshot) if part.path]
        if declared is None or snapshot is None or not parts:
            continue
        held = set(pq.read_schema(lake.folder / parts[0].path).names)
        may_go = [c.name for c in declared.c if c.nullable and c.name in held and c.name not in declared.info["grain"]]
        if not may_go:
            continue
        taken[name] = may_go[-1]
        for part in parts:
            draft = lake.draft()
            rows = pq.read_table(lake.folder / part.path)
            pq.write_table(rows.drop_columns([may_go[-1]] if may_go[-1] in rows.column_names else []), draft)
            new = lake.settle(draft, name, part.key, part.row_count, part.recipe)
            same = SNAPSHOT_PART.c.path == part.path
            with engine.begin() as connection:
                connection.execute(sa.update(SNAPSHOT_PART).where(same).values(path=new.path, sha256=new.sha256))
        fingerprint = fingerprint_of(lake.parts(snapshot))
        mine = SNAPSHOT.c.snapshot_id == snapshot.snapshot_id
        with engine.begin() as connection:
            connection.execute(sa.update(SNAPSHOT).where(mine).values(fingerprint=fingerprint))
    engine.dispose()
    return taken


@pytest.mark.slow
def test_a_night_over_a_lake_whose_tables_lack_a_column_is_published(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "grocer")
    taken = shrunk(root)
    assert len(taken) > 20
    run_night(directly, root, LAST, True)
    assert manifest(root).keys() == manifest(grocer_nights.after[LAST]).keys()
    assert "failed" not in runs(root, "failed")
