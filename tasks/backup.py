"""Backup and restore of a workspace (R120).

What belongs here: the two actions and their sentences. What does not: copying (`warehouse/backup.py`), the hold (`warehouse/ledger/restore.py`).
"""

import shutil
from pathlib import Path

from vesper.language import translator
from vesper.load import read_workspace
from warehouse.backup import SETTINGS, back_up, put_back, read_stamp
from warehouse.house import House
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.restore import hold
from warehouse.lock import run_lock
from warehouse.secret import address_key, has_key


def backup(root: Path, folder: Path) -> str:
    """Copy the workspace into a folder; a second backup into the same folder adds only what is new. Raises WorkspaceBusy during a run."""
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        with run_lock(house.workspace.store):
            made = back_up(house.workspace.root, house.workspace.store, house.engine, folder)
    finally:
        house.close()
    said = _(
        "Backed up to {folder}: {rows} rows of the ledger, {files} files of the lake, landed files and definitions."
    )
    key = _(
        "The address key is not in it. Keep .vesper/secret at another place: without it no consent and no suppression can be found again."
    )
    return "\n".join([said.format(folder=folder, rows=f"{made.rows:,}", files=f"{made.files:,}"), key])


def restore(root: Path, folder: Path, by: str) -> str:
    """Fill the empty ledger and lake of a workspace from a backup; sending is on hold until `reconcile`.

    Raises NoBackup, LedgerNotEmpty, and LookupError (AddressKeyWrong) while the address key of that ledger is not at hand.
    """
    made = read_stamp(folder)
    for name in SETTINGS:
        if not (root / name).exists():
            root.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, root / name)
    workspace = read_workspace(root.resolve())
    _ = translator(workspace.company.language)
    if not has_key(workspace.store):
        raise LookupError(
            _("The address key is missing. Put .vesper/secret back from where it is kept, then restore again.")
        )
    engine = open_ledger(workspace.ledger_url)
    try:
        with run_lock(workspace.store):
            put_back(folder, workspace.root, workspace.store, engine, address_key(workspace.store))
            hold(engine, made.at, by)
    finally:
        engine.dispose()
    return _(
        "Restored what stood at {at} UTC. Sending is on hold: first `vesper reconcile` finds out what was sent since then, then `vesper resume` "
        "lets messages go. Erasures and unsubscribes since then are not in it: repeat them."
    ).format(at=f"{made.at:%Y-%m-%d %H:%M}")
