"""`vesper erase`: a person taken out of every file, every retained night and every landed copy, and the proof of it (docs/decisions/0015).

What belongs here: the order of the steps, so that a kill anywhere leaves an erasure that the next run finishes.
```
marks kept -> begun -> new files written beside the old -> committed: pointers, receipts, ledger rows, in one transaction
      -> landing files swapped, old files deleted -> searched -> done, marks deleted
```
Before the commit nothing has changed for any reader; after it every step can be done again. What does not: which rows are the person's
(`vesper/erasure.py`), writing files (`warehouse/rewrite.py`, `tasks/erase_landing.py`), the search (`tasks/erase_proof.py`).
"""

import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.erase_landing import stage, swap
from tasks.erase_person import find, folder_of, keep, kept
from tasks.erase_proof import Proof, beside, prove
from tasks.sql import declared_tables
from vesper.address import keyed_hash
from vesper.erasure import Cut, Person, cut_of, pattern_of, telling
from vesper.language import Translate, translator
from vesper.model.source import Source
from vesper.stage_report import StageFailed
from warehouse import durable
from warehouse.collect import delete_unnamed
from warehouse.house import House
from warehouse.ledger import erasure as in_ledger
from warehouse.lock import run_lock
from warehouse.rewrite import Replaced, repoint, retained, rewritten
from warehouse.runner import Runner

LAKE = "lake"
LISTS = (".csv", ".txt", ".log", ".jsonl")


def erase(root: Path, who: str, by: str, reason: str) -> str:
    """Erase a person, named by contact id or by source row (`source:key`), and answer with the proof, in markdown.

    Raises LookupError when nobody is called so, WorkspaceBusy while another process runs, and StageFailed when something of the person is
    left in a file that could not be rewritten: the sentence names the files.
    """
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        with run_lock(house.workspace.store) as fresh:
            if fresh:
                house.tidy()
            finish_erasures(house)
            with Runner(house.lake) as runner:
                erasure_id = f"e{uuid.uuid4().hex[:15]}"
                person = find(house, runner, who, _)
                contact = person.contact_ids[0] if person.contact_ids else person.names[0]
                facts = {
                    "contact_hash": keyed_hash(house.address_key, in_ledger.CONTACT, contact),
                    "by": by,
                    "reason": reason,
                }
                keep(house.workspace.store, erasure_id, facts, person)
                proof = _carry_out(house, runner, erasure_id, facts, person)
        return _answer(house, erasure_id, proof, _)
    finally:
        house.close()


def finish_erasures(house: House) -> list[str]:
    """Finish what a kill interrupted; returns the ids. Every stage calls this when it takes the run lock, before it reads anything."""
    folder = folder_of(house.workspace.store)
    left = sorted(folder.glob("*.json")) if folder.is_dir() else []
    for path in left:
        facts, person = kept(path)
        with Runner(house.lake) as runner:
            _carry_out(house, runner, path.stem, facts, person)
    return [path.stem for path in left]


def _carry_out(house: House, runner: Runner, erasure_id: str, facts: Mapping[str, Any], person: Person) -> Proof:
    state = in_ledger.state_of(house.engine, erasure_id)
    left: list[str] = []
    if state is None:
        with house.engine.begin() as connection:
            in_ledger.begin(connection, erasure_id, **facts)
    if state in (None, in_ledger.BEGUN):
        left += _commit(house, runner, erasure_id, person)
    left += swap(house, in_ledger.files_of(house.engine, erasure_id, "landing"), erasure_id)
    _sweep(house, person)
    found = prove(house, runner, person)
    proof = Proof(found.searched, sorted({*found.residue, *left}))
    in_ledger.close(house.engine, erasure_id, proof.searched, proof.residue)
    (folder_of(house.workspace.store) / f"{erasure_id}.json").unlink(missing_ok=True)
    return proof


def _commit(house: House, runner: Runner, erasure_id: str, person: Person) -> list[str]:
    """Write every new file, then let all of it become true at once. Returns the landing files that could not be rewritten."""
    sources = house.definitions_at(None).of(Source)
    replaced = _lake_files(house, runner, person, sources)
    staged = stage(house, runner, person, list(sources.values()), erasure_id)
    with house.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma secure_delete=on")  # what is overwritten is zeroed, not only unlinked
        repoint(connection, replaced)
        in_ledger.commit(connection, erasure_id, person, house.address_key, [*map(_noted, replaced), *staged.files])
    return staged.left


def _lake_files(house: House, runner: Runner, person: Person, sources: dict[str, Source]) -> list[Replaced]:
    tables = declared_tables(house)

    def cut(name: str, table: sa.Table) -> Cut | None:
        return cut_of(name, table, person, sources)

    found = retained(house.lake).items()
    return [new for name, parts in found for new in rewritten(runner, name, parts, tables.get(name), cut)]


def _noted(one: Replaced) -> in_ledger.RewrittenFile:
    return in_ledger.RewrittenFile(LAKE, one.old_path, one.new.path, one.old_sha256, one.new.sha256, one.touched)


def _sweep(house: House, person: Person) -> None:
    """Delete the files that are named no more, and what Vesper keeps beside the lake: the person's letters, tracebacks, spilled rows."""
    store = house.workspace.store
    delete_unnamed(house.lake, None)
    house.lake.sweep()
    shutil.rmtree(store / "spill", ignore_errors=True)
    shutil.rmtree(store / "faults", ignore_errors=True)
    for message_id in person.message_ids:
        for letter in (store / "sink").glob(f"{message_id}.*"):
            letter.unlink()
    for path in beside(house):
        if path.suffix in LISTS:
            _blank_lines(path, person)
    _compact(house)


def _blank_lines(path: Path, person: Person) -> None:
    """Empty the lines of a list or a log that name the person, such as the truth behind composed examples."""
    words = telling(person)
    pattern = re.compile(pattern_of(words).encode()) if words else None
    lines = path.read_bytes().split(b"\n")
    if pattern and any(pattern.search(line) for line in lines):
        durable.write(
            path, b"\n".join(b"" if pattern.search(line) else line for line in lines), path.stat().st_mode & 0o777
        )


def _compact(house: House) -> None:
    """Take overwritten pages out of an embedded ledger's file and of its log."""
    if house.engine.dialect.name != "sqlite":
        return
    raw = house.engine.raw_connection()
    try:
        for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):
            raw.cursor().execute(statement)
    finally:
        raw.close()


def _answer(house: House, erasure_id: str, proof: Proof, _: Translate) -> str:
    row = next(one for one in in_ledger.erasures(house.engine) if one["erasure_id"] == erasure_id)
    facts = {"id": erasure_id, "rows": row["row_count"], "files": row["file_count"], "searched": proof.searched}
    if proof.residue:
        sentence = _(
            "Erasure {id}: {rows} rows in {files} files were rewritten, but these files still hold the person: {left}. Delete or correct them by hand."
        )
        raise StageFailed(sentence.format(**facts, left=", ".join(proof.residue)))
    said = _(
        "Erasure {id}: {rows} rows in {files} files were rewritten; {searched} files were searched afterwards, and nothing was left."
    )
    kept = _(
        "The ledger keeps keyed hashes only: the person stays suppressed, and rows that a source sends again are excluded as erased."
    )
    return "\n\n".join([said.format(**facts), kept])


def erasures(root: Path) -> list[dict[str, Any]]:
    """Every erasure with its proof: what was rewritten, how much was searched, what was left. Holds nobody's data."""
    house = House.open(root)
    try:
        return [dict(row) for row in in_ledger.erasures(house.engine)]
    finally:
        house.close()


def readmit(root: Path, erasure_id: str, by: str, reason: str) -> str:
    """Take new rows of an erased person in again from the next night on. The addresses stay suppressed."""
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        if not in_ledger.readmit(house.engine, erasure_id, by, reason):
            raise LookupError(
                _("No erasure in force is called {id}; `vesper erase --list` shows them.").format(id=erasure_id)
            )
    finally:
        house.close()
    return _(
        "Rows of the person of erasure {id} are taken in again from the next night on; the addresses stay suppressed."
    ).format(id=erasure_id)
