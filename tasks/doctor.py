"""`vesper doctor`: what is wrong with this machine and this workspace, each with what to do. It changes nothing.

What belongs here: one function for each thing looked at. What does not: mending, and judging data (the gates do). No check may stop the
others: a check that fails itself is a finding, too.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import shutil
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.sql import Unanswered, open_to_read, published
from vesper.check import check
from vesper.clock import cutoff_at, local_time
from vesper.language import Translate, translator
from vesper.load import read_workspace
from vesper.model.workspace import Workspace
from vesper.problem import DefinitionsInvalid
from warehouse.house import House
from warehouse.ledger.engine import MIGRATIONS, reading
from warehouse.ledger.schema import RUN
from warehouse.part import Part

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
PINNED = ("prefect", "fastapi", "sqlalchemy", "duckdb")
GIGABYTE = 1 << 30
SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was seen, and what to do if anything."""

    ok: bool
    what: str
    todo: str = ""


@dataclass(frozen=True)
class Patient:
    """A workspace under examination. `is_deep` hashes every file."""

    house: House
    is_deep: bool
    _: Translate


def doctor(root: Path, deep: bool = False) -> list[Finding]:
    """Everything looked at, in a fixed order: machine, settings, definitions, ledger, lake, runs, landing, server, mail.

    `deep` hashes every file in force instead of looking at names and sizes. What cannot be looked at, such as the ledger before the first
    night, is one finding, and the rest is looked at all the same.
    """
    root = Path(root).resolve()
    try:
        workspace = read_workspace(root)
    except DefinitionsInvalid as invalid:
        _ = translator("zh_CN")
        problems = [Finding(False, str(problem)) for problem in invalid.problems]
        return [*python(_), *packages(_), *problems]
    _ = translator(workspace.company.language)
    outside: list[Callable[[], Iterator[Finding]]] = [
        lambda: python(_),
        lambda: packages(_),
        lambda: settings(workspace, _),
        lambda: definitions(root, _),
        lambda: inside(root, deep, _),
        lambda: run_lock_free(workspace, _),
        lambda: server(workspace, _),
        lambda: mail(workspace, _),
    ]
    return [finding for look in outside for finding in _guarded(look, _)]


def inside(root: Path, deep: bool, _: Translate) -> Iterator[Finding]:
    """What stands in the workspace's two stores."""
    try:
        with open_to_read(root) as house:
            patient = Patient(house, deep, _)
            first = _guarded(lambda: ledger(patient), _)
            yield from first
            # Without a whole ledger of this version, nothing behind it can be looked at.
            looks = (lake, disk, runs, landing) if all(finding.ok for finding in first) else ()
            for look in looks:
                yield from _guarded(partial(look, patient), _)
    except Unanswered as none_yet:
        yield Finding(True, str(none_yet))


def _guarded(look: Callable[[], Iterator[Finding]], _: Translate) -> list[Finding]:
    found: list[Finding] = []
    try:
        for finding in look():
            found.append(finding)
    except Exception as error:  # one check that cannot be made must not hide the others
        what = _("a check could not be made: {error}").format(error=f"{type(error).__name__}: {str(error)[:200]}")
        found.append(Finding(False, what, _("Report it with this line.")))
    return found


# the machine ---------------------------------------------------------------------------------------------------------


def python(_: Translate) -> Iterator[Finding]:
    """The interpreter against requires-python."""
    from packaging.specifiers import SpecifierSet

    wanted = str(_project()["requires-python"])
    here = ".".join(map(str, sys.version_info[:3]))
    ok = here in SpecifierSet(wanted)
    todo = "" if ok else _("Make the environment anew with another Python: make PYTHON=python3.12 run")
    yield Finding(ok, f"Python {here} ({wanted})", todo)


def packages(_: Translate) -> Iterator[Finding]:
    """Every dependency against its range, without importing any: a wrong prefect, fastapi or sqlalchemy fails silently later."""
    from packaging.requirements import Requirement

    wrong = 0
    wanted = [Requirement(line) for line in _project()["dependencies"]]
    for need in wanted:
        here = _version(need.name)
        if here is None or not need.specifier.contains(here, prereleases=True):
            wrong += 1
            what = _("{name} is {here}, and Vesper needs {wanted}").format(
                name=need.name, here=here or _("not installed"), wanted=need.specifier
            )
            yield Finding(False, what, _("Install what requirements.lock names."))
    if not wrong:
        pinned = ", ".join(f"{name} {_version(name)}" for name in PINNED)
        yield Finding(
            True, _("{count} packages inside their ranges: {pinned}").format(count=len(wanted), pinned=pinned)
        )


def _project() -> dict[str, Any]:
    """requires-python and dependencies: of pyproject.toml in a checkout, else as they were installed."""
    if PROJECT.is_file():
        project: dict[str, Any] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
        return project
    needs = [line for line in requires("vesper") or [] if "extra ==" not in line]
    return {"requires-python": metadata("vesper")["Requires-Python"], "dependencies": needs}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# the workspace -------------------------------------------------------------------------------------------------------


def settings(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """vesper.toml was readable; what it says of clock and production."""
    clock = workspace.clock
    mode = f"{clock.mode} {clock.simulated_on}" if clock.simulated_on else clock.mode
    what = _("vesper.toml: {company}, {zone}, clock {mode}").format(
        company=workspace.company.name, zone=workspace.company.zone, mode=mode
    )
    if clock.mode == "simulated" and workspace.production:
        todo = _("Take one of the two back: a simulated night must never be production.")
        yield Finding(False, what + " " + _("and production = true"), todo)
    elif clock.mode == "simulated" and clock.simulated_on is None:
        yield Finding(False, what, _("Name the night to play: simulated_on = 2018-01-01"))
    else:
        yield Finding(True, what)


def definitions(root: Path, _: Translate) -> Iterator[Finding]:
    """What `vesper check` says."""
    problems = check(root)
    if not problems:
        yield Finding(True, _("definitions: nothing wrong"))
    for problem in problems[:SHOWN]:
        yield Finding(False, f"{problem.file}:{problem.line}: {problem.what}", problem.instead)
    if len(problems) > SHOWN:
        what = _("{count} more problems in definitions").format(count=len(problems) - SHOWN)
        yield Finding(False, what, _("Run `vesper check`."))


def run_lock_free(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """Whether a process runs here."""
    holder = _lock_holder(workspace)
    if holder:
        what = _("process {pid} runs in this workspace").format(pid=holder)
        yield Finding(False, what, _("Wait until it ends; if it hangs, stop that process and run again."))
    else:
        yield Finding(True, _("nothing runs in this workspace"))


def _lock_holder(workspace: Workspace) -> str:
    """The process that holds the run lock, empty if none does. Looking takes the lock for an instant, shared, and never waits."""
    path = workspace.store / "run.lock"
    if not path.is_file():
        return ""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip() or "?"
    return ""


# ledger and lake -----------------------------------------------------------------------------------------------------


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
    is_alive = bool(_lock_holder(patient.house.workspace))
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


# what listens --------------------------------------------------------------------------------------------------------


def server(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """The Prefect server that this workspace's server.json names."""
    file = workspace.store / "server.json"
    if not file.is_file():
        yield Finding(
            True, _("no Prefect server runs for this workspace"), _("`vesper up` starts one with the timetable.")
        )
        return
    url = ""
    with contextlib.suppress(OSError, ValueError, KeyError):
        url = str(json.loads(file.read_text(encoding="utf-8"))["api_url"])
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            if answer.status == 200:
                yield Finding(True, _("the Prefect server answers at {url}").format(url=url))
                return
    what = _("server.json names a Prefect server that does not answer: {url}").format(url=url or "?")
    yield Finding(False, what, _("Start it again with `vesper up`; nothing runs by the timetable without it."))


def mail(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """Whether a night could reach its mail server, and only one that it may reach. Nothing is sent."""
    from connectors.channels import ChannelUnreachable, opened

    if workspace.mail.server == "loopback":
        yield Finding(True, _("mail goes to a sink inside the run; none leaves this machine"))
        return
    try:
        with opened(workspace) as channel:
            channel.ready()
    except ChannelUnreachable as error:
        yield Finding(False, str(error))
    else:
        yield Finding(True, _("the mail server {server} answers").format(server=workspace.mail.server))
