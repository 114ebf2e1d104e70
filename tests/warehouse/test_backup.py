"""Backup and restore (R120): everything comes back, on SQLite and on PostgreSQL; a restored ledger sends nothing until evidence was taken in."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks import ops
from tasks.backup import backup, restore
from tasks.night import directly, run_night
from tests.night.looking import engine_of, ledger_rows, mails_of, manifest, messages
from tests.small_grocer import LAST, SECOND, GrocerNights, copied
from vesper.clock import now
from warehouse.backup import STAMP, NoBackup
from warehouse.ledger.copying import LedgerNotEmpty, copy_ledger
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.restore import take_evidence, waiting_since
from warehouse.ledger.schema import LEDGER
from warehouse.ledger.send_stop import is_stopped
from warehouse.ledger.suppression import AddressKeyWrong

pytestmark = pytest.mark.requirement("R120")


@pytest.fixture
def lost(grocer_nights: GrocerNights, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A workspace whose store burnt down after the night that sends, its backup of the night before, and how it stood. The mail server lives on."""
    root, whole = tmp_path / "grocer", grocer_nights.after[LAST]
    backup(copied(grocer_nights.after[SECOND], tmp_path / "before"), tmp_path / "backup")
    (root / ".vesper").mkdir(parents=True)
    shutil.copytree(whole / ".vesper" / "sink", root / ".vesper" / "sink")
    shutil.copy2(whole / ".vesper" / "secret", root / ".vesper")
    return root, tmp_path / "backup", whole


def test_everything_comes_back(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    before = grocer_nights.after[LAST]
    backup(copied(before, tmp_path / "grocer"), tmp_path / "backup")
    fresh = tmp_path / "fresh"
    (fresh / ".vesper").mkdir(parents=True)
    shutil.copy2(before / ".vesper" / "secret", fresh / ".vesper")
    assert "reconcile" in restore(fresh, tmp_path / "backup", "ops")
    assert manifest(fresh) == manifest(before)
    ours = {"restore", "stop"}
    for table in LEDGER.sorted_tables:
        if table.name not in ours:
            assert ledger_rows(fresh, table) == ledger_rows(before, table), table.name
    assert sorted(p.name for p in (fresh / "definitions").iterdir()) == sorted(
        p.name for p in (before / "definitions").iterdir()
    )


def test_a_second_backup_copies_what_is_new(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[LAST], tmp_path / "grocer")
    backup(root, tmp_path / "backup")
    assert '"copied": 0' not in (tmp_path / "backup" / STAMP).read_text()
    backup(root, tmp_path / "backup")
    assert '"copied": 0' in (tmp_path / "backup" / STAMP).read_text()


def test_a_ledger_is_carried_between_databases(grocer_nights: GrocerNights, postgres_url: str, tmp_path: Path) -> None:
    old, server = engine_of(grocer_nights.after[LAST]), open_ledger(postgres_url)
    back = open_ledger(f"sqlite:///{tmp_path / 'back.db'}")
    assert copy_ledger(old, server) == copy_ledger(server, back) > 0
    with reading(old) as one, reading(back) as other:
        for table in LEDGER.sorted_tables:
            rows = sa.select(table).order_by(*table.primary_key)
            assert one.execute(rows).all() == other.execute(rows).all(), table.name
    with server.begin() as connection:  # numbers go on behind the copied ones
        stop = LEDGER.tables["stop"]
        row = {"scope": "send", "is_stopped": False, "by": "ops", "reason": "test", "at": now()}
        connection.execute(sa.insert(stop), row)
    with pytest.raises(LedgerNotEmpty):
        copy_ledger(old, server)
    for engine in (old, server, back):
        engine.dispose()


def test_a_restored_ledger_sends_nothing_until_it_is_reconciled(lost: tuple[Path, Path, Path]) -> None:
    root, folder, whole = lost
    arrived = mails_of(root)
    assert arrived
    restore(root, folder, "ops")
    with pytest.raises(LookupError, match="reconcile"):
        ops.resume(root, "go on", "ops")
    run_night(directly, root, LAST, True)
    assert mails_of(root) == arrived, "something left although the ledger is on hold"
    engine = engine_of(root)
    assert is_stopped(engine) and waiting_since(engine)
    done = take_evidence(engine, dict.fromkeys(arrived, dt.datetime(2018, 1, 2)), True, "the mail server", "ops")
    engine.dispose()
    assert done.found == len(arrived)
    ops.resume(root, "all mails of the lost night were found", "ops")
    run_night(directly, root, LAST, True)
    assert mails_of(root) == arrived, "a mail went out twice, or another one did"
    assert messages(root).keys() == messages(whole).keys()


def test_without_whole_evidence_what_was_due_is_unknown(lost: tuple[Path, Path, Path]) -> None:
    root, folder, _ = lost
    arrived = mails_of(root)
    restore(root, folder, "ops")
    run_night(directly, root, LAST, True)
    engine = engine_of(root)
    take_evidence(engine, {}, False, "nothing was found", "ops")
    engine.dispose()
    ops.resume(root, "the rest is unknown", "ops")
    run_night(directly, root, LAST, True)
    assert mails_of(root) == arrived
    assert set(messages(root).values()) <= {"unknown", "refused"}


def test_what_is_no_backup_is_refused(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[LAST], tmp_path / "grocer")
    with pytest.raises(NoBackup, match=STAMP):
        restore(tmp_path / "fresh", tmp_path / "nowhere", "ops")
    backup(root, tmp_path / "backup")
    with pytest.raises(LedgerNotEmpty):
        restore(root, tmp_path / "backup", "ops")
    fresh = tmp_path / "fresh"
    with pytest.raises(LookupError, match="secret"):
        restore(fresh, tmp_path / "backup", "ops")
    (fresh / ".vesper").mkdir(exist_ok=True)
    (fresh / ".vesper" / "secret").write_text("x" * 64)
    with pytest.raises(AddressKeyWrong):
        restore(fresh, tmp_path / "backup", "ops")
    one = next((tmp_path / "backup" / "lake").rglob("*.parquet"))
    one.unlink()
    shutil.copy2(root / ".vesper" / "secret", fresh / ".vesper")
    with pytest.raises(NoBackup, match="missing"):
        restore(fresh, tmp_path / "backup", "ops")
