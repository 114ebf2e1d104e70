"""A workspace in a folder of copies: ledger, lake, landed files, definitions. Without the address key, which is kept apart (decision 0015).

What belongs here: which files, and their order. What does not: rows of the ledger (`ledger/copying.py`), the hold after a restore (`ledger/restore.py`).
Files of the lake are named by their content, so that a second backup into the same folder copies only what is new.
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from vesper.address import AddressKey
from vesper.clock import now
from warehouse.durable import flush, write
from warehouse.ledger.copying import copy_ledger
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.runs import vesper_version
from warehouse.ledger.schema import SNAPSHOT_PART
from warehouse.ledger.suppression import take_key

STAMP = "backup.json"
LEDGER_FILE = "ledger.db"
SETTINGS = ("vesper.toml",)
FOLDERS = ("definitions",)


class NoBackup(LookupError):
    """The folder holds no whole backup; its sentence says what is missing."""


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    at: dt.datetime
    version: str
    rows: int
    files: int


def back_up(root: Path, store: Path, engine: sa.Engine, folder: Path) -> Backup:
    """Copy a workspace into a folder; the stamp is written last, so that a folder without one is no backup.

    The caller holds the run lock: no file of the lake goes while it is copied. Messages may be sent meanwhile; the ledger is of one instant.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    at, draft = now(), folder / f".{LEDGER_FILE}.draft"
    draft.unlink(missing_ok=True)
    copy = open_ledger(f"sqlite:///{draft}")
    try:
        rows = copy_ledger(engine, copy)
        names = _lake_files(copy)
    finally:
        copy.dispose()
    copied = _copy(store / "lake", folder / "lake", names)
    copied += _copy(store / "landing", folder / "landing", _below(store / "landing"))
    _settings(root, folder)
    draft.replace(folder / LEDGER_FILE)
    flush(folder)
    made = Backup(at, vesper_version(), rows, len(names))
    stamp = {"at": at.isoformat(), "version": made.version, "rows": rows, "files": len(names), "copied": copied}
    write(folder / STAMP, json.dumps(stamp, indent=1).encode())
    return made


def read_stamp(folder: Path) -> Backup:
    """What a folder holds. Raises NoBackup."""
    try:
        said = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return Backup(dt.datetime.fromisoformat(said["at"]), said["version"], said["rows"], said["files"])
    except (OSError, ValueError, KeyError) as error:
        raise NoBackup(
            f"{folder} holds no whole backup: {STAMP} is missing or unreadable; a backup that was broken off has none"
        ) from error


def put_back(folder: Path, root: Path, store: Path, engine: sa.Engine, key: AddressKey) -> Backup:
    """Fill an empty workspace from a backup: files first, then the ledger in one transaction. Raises NoBackup, LedgerNotEmpty, AddressKeyWrong.

    Every file of the lake is there before the ledger names it, so that a kill in between leaves an empty ledger and a second try goes through.
    """
    made = read_stamp(folder)
    old = open_ledger(f"sqlite:///{folder / LEDGER_FILE}")
    try:
        take_key(old, key)
        missing = [name for name in _lake_files(old) if not (folder / "lake" / name).is_file()]
        if missing:
            raise NoBackup(f"{folder}: {len(missing)} files of the lake are missing, the first {missing[0]}")
        _copy(folder / "lake", store / "lake", _lake_files(old))
        _copy(folder / "landing", store / "landing", _below(folder / "landing"))
        for name in FOLDERS:
            if (folder / name).is_dir() and not (root / name).exists():
                shutil.copytree(folder / name, root / name, copy_function=shutil.copy2)
        copy_ledger(old, engine)
    finally:
        old.dispose()
    return made


def _lake_files(engine: sa.Engine) -> list[str]:
    """Paths below the lake that any kept snapshot names."""
    with reading(engine) as connection:
        return sorted(filter(None, connection.scalars(sa.select(SNAPSHOT_PART.c.path).distinct())))


def _below(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _settings(root: Path, folder: Path) -> None:
    for name in SETTINGS:
        shutil.copy2(root / name, folder / name)
    for name in FOLDERS:
        if (root / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(root / name, folder / name, copy_function=shutil.copy2)


def _copy(source: Path, target: Path, names: Iterable[str]) -> int:
    """Copy files that are missing or of another size, each whole and with its time of arrival; returns how many."""
    copied = 0
    for name in names:
        here, there = source / name, target / name
        if (
            there.is_file()
            and there.stat().st_size == here.stat().st_size
            and there.stat().st_mtime == here.stat().st_mtime
        ):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        draft = there.with_name(f".{there.name}.draft")
        shutil.copy2(here, draft)
        flush(draft)
        draft.replace(there)
        copied += 1
    return copied
