"""What `vesper doctor` looks at in a workspace's two stores: ledger, lake, room on the disk, runs, landed files.

What belongs here: one function for each. What does not: judging data (the gates do).
"""

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from tasks.doctor_finding import Finding, Patient
from tasks.doctor_workspace import lock_holder
from tasks.sql import published
from vesper.clock import cutoff_at, local_time
from warehouse.ledger.engine import MIGRATIONS, reading
from warehouse.ledger.schema import RUN
from warehouse.part import Part

GIGABYTE = 1 << 30
SHOWN = 3
"""Tables that are named one by one."""


def ledger(patient: Patient) -> Iterator[Finding]:
    """Revision and integrity."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    _, engine = patient._, patient.house.engine
    try:
        with reading(engine) as connection:
            here = MigrationContext.configure(connection).get_current_revision()
            is_sqlite = engine.dialect.name == "sqlite"
            said = str(connection.execute(sa.text("pragma integrity_check" if is_sqlite else "select 'ok'")).scalar())
    except sa.exc.DatabaseError as error:
        what = _("the ledger cannot be read: {why}").format(why=str(error.orig).splitlines()[0])
        yield Finding(False, what, _("Restore it from the newest backup; no night can run without it."))
        return
    script = ScriptDirectory(str(MIGRATIONS))
    if said != "ok":
        what = _("the ledger is damaged: {why}").format(why=said.splitlines()[0])
        yield Finding(False, what, _("Restore it from the newest backup; no night can run without it."))
    elif here != script.get_current_head():
        what = _("the ledger stands at revision {here}, this version needs {wanted}")
        known = here is None or here in {revision.revision for revision in script.walk_revisions()}
        todo = (
            _("Back it up; the next night migrates it.") if known else _("It is of a newer Vesper: install that one.")
        )
        yield Finding(False, what.format(here=here, wanted=script.get_current_head()), todo)
    else:
        yield Finding(True, _("ledger whole, at revision {here}").format(here=here))


def lake(patient: Patient) -> Iterator[Finding]:
    """Every file of the tables in force: there, and of its content."""
    _, house = patient._, patient.house
    parts = [(name, part) for name, s in published(house).items() for part in house.lake.parts(s) if part.path]
    broken = [
        (name, part) for name, part in parts if not _is_sound(house.lake.folder / part.path, part, patient.is_deep)
    ]
    if broken:
        what = _("{count} files of tables in force are missing or damaged, first {path}").format(
            count=len(broken), path=broken[0][1].path
        )
        names = ", ".join(sorted({name for name, _part in broken})[:SHOWN])
        yield Finding(
            False, what, _("Restore them from a backup, or run the nights of {tables} again.").format(tables=names)
        )
    else:
        how = _("hashed") if patient.is_deep else _("by name and size")
        yield Finding(True, _("{count} files of tables in force are there ({how})").format(count=len(parts), how=how))


def _is_sound(file: Path, part: Part, is_deep: bool) -> bool:
    """A file is named by its content, so name and size tell nearly everything; the hash tells all."""
    if not file.is_file() or file.stat().st_size == 0 or part.sha256[:16] not in file.name:
        return False
    if not is_deep:
        return True
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == part.sha256


def disk(patient: Patient) -> Iterator[Finding]:
    """Room for one more night written anew, twice over, and never less than a gigabyte."""
    _, house = patient._, patient.house
    parts = [part for snapshot in published(house).values() for part in house.lake.parts(snapshot)]
    files = [file for file in house.lake.files(parts) if file.is_file()]
    needed = max(GIGABYTE, 2 * sum(file.stat().st_size for file in files))
    free = shutil.disk_usage(house.workspace.store).free
    what = _("{free:.1f} GB free where the lake lies").format(free=free / GIGABYTE)
    todo = _("Make room; a night may need {needed:.1f} GB.").format(needed=needed / GIGABYTE)
    yield Finding(free >= needed, what, "" if free >= needed else todo)


def runs(patient: Patient) -> Iterator[Finding]:
    """The last run of each stage, with its sentence if it did not end well."""
    _, zone = patient._, patient.house.workspace.company.zone
    last = sa.select(
        RUN, sa.func.row_number().over(partition_by=RUN.c.stage, order_by=RUN.c.started_at.desc()).label("age")
    )
    ranked = last.where(RUN.c.stage.not_like("replay %")).subquery("last")
    with reading(patient.house.engine) as connection:
        rows = connection.execute(sa.select(ranked).where(ranked.c.age == 1).order_by(ranked.c.started_at)).all()
    is_alive = bool(lock_holder(patient.house.workspace))
    for row in rows:
        state = "crashed" if row.state == "running" and not is_alive else row.state
        ok = state in ("published", "running")
        at = local_time(row.ended_at or row.started_at, zone).strftime("%Y-%m-%d %H:%M")
        what = _("{stage} {on}: {state} at {at}").format(stage=row.stage, on=row.business_on, state=_(state), at=at)
        todo = "" if ok else _("Correct what it says, then run `vesper run {stage}` again.").format(stage=row.stage)
        yield Finding(ok, what if ok or not row.sentence else f"{what}: {row.sentence}", todo)


def landing(patient: Patient) -> Iterator[Finding]:
    """Files that arrived after the last consolidated night: they wait for the next one."""
    _, workspace = patient._, patient.house.workspace
    query = sa.select(sa.func.max(RUN.c.business_on)).where(RUN.c.stage == "consolidate", RUN.c.state == "published")
    with reading(patient.house.engine) as connection:
        newest = connection.scalar(query)
    if newest is None:
        return
    since = cutoff_at(newest, workspace.company.zone)
    waiting = sorted(
        file.parent.name
        for file in workspace.landing.glob("*/*")
        if file.is_file() and not file.name.startswith(".") and _arrived(file) > since
    )
    if waiting:
        sources = ", ".join(sorted(set(waiting)))
        what = _("{count} landed files are newer than the night {on}: {sources}")
        yield Finding(
            True, what.format(count=len(waiting), on=newest, sources=sources), _("The next night takes them in.")
        )
    else:
        yield Finding(True, _("no landed file is newer than the night {on}").format(on=newest))


def _arrived(file: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC).replace(tzinfo=None)
