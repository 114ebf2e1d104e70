"""Copies of the ledger's journeys for the lake and for a turn: entries, steps, coupons and tasks as Arrow.

What belongs here: reading. What does not: keeping what a turn came to (`journey.py`).
"""

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.tables.journey import RAW_COUPON, RAW_JOURNEY_ENTRY, RAW_JOURNEY_VISIT, RAW_NURTURE_TASK
from warehouse.ledger.engine import reading
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK

BATCH = 5000
COPIES = {
    raw.name: (raw, kept)
    for raw, kept in (
        (RAW_JOURNEY_ENTRY, JOURNEY_ENTRY),
        (RAW_JOURNEY_VISIT, JOURNEY_VISIT),
        (RAW_COUPON, COUPON),
        (RAW_NURTURE_TASK, NURTURE_TASK),
    )
}
"""Tables of the ledger by the names of their copies in the lake."""
_ARROW: dict[type, pa.DataType] = {
    sa.String: pa.string(),
    sa.Integer: pa.int32(),
    sa.Boolean: pa.bool_(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
}


def copies(
    engine: sa.Engine, contact_ids: Collection[str] | None = None, of_active: bool = False
) -> dict[str, pa.Table]:
    """Entries, visits, given coupons and tasks as Arrow, by the names of their copies; of some contacts only, if they are named.

    `of_active` leaves out the visits of entries that are over, which a turn does not ask for.
    """
    found = {}
    for name, (raw, kept) in COPIES.items():
        query = sa.select(*[kept.c[c.name] for c in raw.c]).where(kept.c.contact_id.is_not(None))
        if of_active and kept is JOURNEY_VISIT:
            entry = JOURNEY_ENTRY.c
            key = (kept.c.journey_id, kept.c.contact_id, kept.c.occurrence)
            same = sa.and_(*[mine == theirs for mine, theirs in zip(key, JOURNEY_ENTRY.primary_key, strict=True)])
            query = query.join(JOURNEY_ENTRY, same).where(entry.state == "active")
        found[name] = _copied(engine, query.order_by(*kept.primary_key), kept, raw, contact_ids)
    return found


def _copied(
    engine: sa.Engine, query: sa.Select[Any], kept: sa.Table, raw: sa.Table, contact_ids: Collection[str] | None
) -> pa.Table:
    """The rows of a query in the columns of a copy; the types hold for no row, too."""
    schema = pa.schema([(c.name, _ARROW[type(c.type)]) for c in raw.c])
    ids = [None] if contact_ids is None else [sorted(contact_ids)[n : n + 500] for n in range(0, len(contact_ids), 500)]
    batches = []
    with reading(engine) as connection:
        for some in ids:
            asked = query if some is None else query.where(kept.c.contact_id.in_(some))
            for part in connection.execute(asked).partitions(BATCH):
                columns = zip(*part, strict=True)
                arrays = [pa.array(values, one.type) for values, one in zip(columns, schema, strict=True)]
                batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)
