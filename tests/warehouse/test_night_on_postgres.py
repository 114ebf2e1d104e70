"""A whole night with the ledger on PostgreSQL: nothing but the URL differs, and the lake is the same, byte for byte."""

import shutil
from pathlib import Path

import pytest

from tasks.night import directly, run_night
from tests.night.looking import files, ledger_rows, manifest
from tests.small_grocer import FIRST, GrocerNights, copied
from warehouse.ledger.schema import CONSENT, POINTER, RECEIPT, SNAPSHOT_PART


@pytest.mark.slow
@pytest.mark.requirement("R62")
def test_a_night_on_postgresql_equals_the_one_on_sqlite(
    grocer_nights: GrocerNights, postgres_url: str, tmp_path: Path
) -> None:
    root = copied(grocer_nights.composed, tmp_path / "on_postgres")
    settings = root / "vesper.toml"
    settings.write_text(f'{settings.read_text(encoding="utf-8")}\n[ledger]\nurl = "{postgres_url}"\n', encoding="utf-8")
    on_sqlite = grocer_nights.after[FIRST]
    # One company, one key of address hashes, wherever its ledger stands.
    shutil.copy2(on_sqlite / ".vesper" / "secret", root / ".vesper" / "secret")
    run_night(directly, root, FIRST, False)
    assert files(root) == files(on_sqlite)
    assert manifest(root) == manifest(on_sqlite)
    for table in (POINTER, RECEIPT, SNAPSHOT_PART, CONSENT):
        assert sorted(ledger_rows(root, table)) == sorted(ledger_rows(on_sqlite, table)), table.name
    assert not (root / ".vesper" / "ledger.db").exists()
