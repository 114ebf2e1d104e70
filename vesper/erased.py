"""The screen that keeps erased people out: what a source sends of them again stays in no contact and shows nothing of the person.

What belongs here: recognising such a row by keyed hashes. What does not: the erasure itself (`vesper/erasure.py`), and suppression, which
holds for addresses whoever they belong to.
"""

from typing import Any

import sqlalchemy as sa

from vesper.address import hashed, hashed_address
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.ledger_copy import LEDGER_ERASED

ERASED = "erased"
RECORD = "record"
CHANNELS = {"email": "email", "phone": "sms"}
IDS = ("card", "unionid", "openid", "crm_id")
KEPT = frozenset({"source", "record_key", "received_at", "trust"})
UNKNOWN = {"phone_status": "missing", "email_status": "missing", "region_status": "none", "excluded_by": ERASED}


def screened(records: sa.FromClause) -> sa.Select[Any]:
    """core__source_record with the rows of erased people excluded by rule `erased` and emptied of everything but their key.

    `records` has the columns of core__source_record. What runs it must have the address key bound; ask only when somebody was erased,
    since every row costs some hashes.
    """
    marked = sa.select(records, _is_erased(records).label("is_erased")).subquery("marked")
    shown = []
    for column in SOURCE_RECORD.c:
        value: sa.ColumnElement[Any] = marked.c[column.name]
        if column.name not in KEPT:
            value = sa.case((marked.c.is_erased, sa.cast(UNKNOWN.get(column.name), column.type)), else_=value)
        shown.append(value.label(column.name))
    return sa.select(*shown)


def _is_erased(records: sa.FromClause) -> sa.ColumnElement[bool]:
    name = records.c.source + ":" + records.c.record_key
    found = [_is_one(RECORD, hashed(RECORD, name))]
    found += [_is_one(kind, hashed(kind, records.c[kind])) for kind in IDS]
    found += [_is_one(channel, hashed_address(channel, records.c[name])) for name, channel in CHANNELS.items()]
    return sa.or_(*found)


def _is_one(kind: str, of_row: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    known = sa.select(LEDGER_ERASED.c.hash).where(LEDGER_ERASED.c.kind == kind)
    return sa.func.coalesce(of_row.in_(known), sa.false())
