"""Suppression lives outside every profile: an address that is kept out is known by its keyed hash alone (R90).

What belongs here: the key that all hashes of a ledger are made with, the carrying over of bare hashes, keeping addresses out. What does not:
where the key is kept (`warehouse/secret.py`), the hash itself (`vesper/address.py`), the check at the claim (`dispatch.py`).

Nothing takes an entry away: neither a merge, nor an export, nor a re-import, nor the erasure of the person touches it.
"""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy as sa

from vesper.address import ADDRESS_KEY as PADS
from vesper.address import AddressKey
from vesper.clock import now
from warehouse.ledger.consent import insert_new, is_suppressed, suppress
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import ADDRESS_KEY, CONSENT, MESSAGE, SUPPRESSION

if TYPE_CHECKING:
    from warehouse.runner import Runner

__all__ = ["AddressKeyWrong", "bind_key", "is_suppressed", "keep_out", "suppress", "take_key"]

BATCH = 5000
HASHED = (CONSENT, SUPPRESSION, MESSAGE)


class AddressKeyWrong(LookupError):
    """The key at hand is not the one that the ledger's hashes are made with; nothing that was suppressed would be found."""


def take_key(engine: sa.Engine, key: AddressKey) -> int:
    """Bind a ledger to its key, once; a ledger of bare hashes is carried over in the same transaction. Returns the rows carried over.

    Raises AddressKeyWrong when the ledger is bound to another key.
    """
    with reading(engine) as connection:
        if _is_bound(connection, key):
            return 0
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # before the first SELECT, which fixes what this transaction sees
            connection.execute(sa.text(f"lock table {ADDRESS_KEY.name} in exclusive mode"))
        if _is_bound(connection, key):
            return 0
        connection.execute(sa.insert(ADDRESS_KEY), {"key_id": key.id, "since": now()})
        return sum(_carry_over(connection, table, key) for table in HASHED)


def _is_bound(connection: sa.Connection, key: AddressKey) -> bool:
    bound = connection.scalar(sa.select(ADDRESS_KEY.c.key_id))
    if bound not in (None, key.id):
        raise AddressKeyWrong(
            f"the ledger's address hashes were made with key {bound} and this workspace has key {key.id}: put .vesper/secret back "
            "from its backup, or set VESPER_ADDRESS_KEY to the key of then; no suppression could be found with another one"
        )
    return bound is not None


def _carry_over(connection: sa.Connection, table: sa.Table, key: AddressKey) -> int:
    """Replace every bare hash of a table by the keyed hash over it. Here and not in SQL, so that the key never leaves the process."""
    identity = list(table.primary_key)
    rows = connection.execute(sa.select(*[c.label(f"old_{c.name}") for c in identity], table.c.address_hash)).all()
    here = sa.and_(*[c == sa.bindparam(f"old_{c.name}") for c in identity])
    update = sa.update(table).where(here).values(address_hash=sa.bindparam("new_hash"))
    changes = [row._asdict() | {"new_hash": key.over(row.address_hash)} for row in rows]
    for change in changes:
        del change["address_hash"]
    for start in range(0, len(changes), BATCH):
        connection.execute(update, changes[start : start + BATCH])
    return len(changes)


def bind_key(runner: "Runner", key: AddressKey) -> None:
    """Make the key readable for the Selects that hash addresses: two pads in memory; a recipe sees the key's name only."""
    inner, outer = key.pads
    pads = pa.table({"inner_pad": pa.array([inner], pa.binary()), "outer_pad": pa.array([outer], pa.binary())})
    runner.bind_arrow(PADS.name, pads, fingerprint=key.id)


def keep_out(connection: sa.Connection, addresses: Iterable[tuple[str, str]], reason: str, at: dt.datetime) -> int:
    """Suppress many (channel, address hash) at once, in the caller's transaction; returns how many were not suppressed before."""
    rows = [
        {"channel": channel, "address_hash": hashed, "reason": reason, "at": at}
        for channel, hashed in sorted(set(addresses))
    ]
    return sum(insert_new(connection, SUPPRESSION, rows[at_ : at_ + BATCH]) for at_ in range(0, len(rows), BATCH))
