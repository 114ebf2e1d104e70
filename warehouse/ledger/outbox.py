"""Messages in the ledger: planned in bulk, read when due, counted, copied for the lake.

What belongs here: what stands in `message` and `refusal` before and after the wire. What does not: the step over the wire (`dispatch.py`),
consent (`consent.py`), the stop switch (`send_stop.py`), and any address: the ledger holds its hash only.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import MESSAGE, REFUSAL, SUPPRESSION

INTENT = "intent"
PLANNED = "planned"
BATCH = 5000


@dataclass(frozen=True)
class Recorded:
    """What recording a plan did: messages and refusals that are new; those known from an earlier run of the night are left alone."""

    messages: int
    refusals: int


@dataclass(frozen=True, order=True)
class Due:
    """A message that waits. Its order is the order of sending: earliest first, then the smaller priority number, then the id."""

    not_before: dt.datetime
    priority: int
    message_id: str
    campaign_id: str
    contact_id: str
    step_id: str
    occurrence: int
    channel: str
    purpose: str
    address_hash: str
    stage_at_plan: str | None
    expires_at: dt.datetime

    def at(self, not_before: dt.datetime) -> "Due":
        """The same message, waiting until another instant."""
        return replace(self, not_before=not_before)


@dataclass(frozen=True)
class Standing:
    """How many messages of a campaign stand in a state for a reason; `next_at` is when the first of them may go (R113)."""

    campaign_id: str
    state: str
    reason: str | None
    people: int
    next_at: dt.datetime | None


def record(engine: sa.Engine, rows: Iterable[Any]) -> Recorded:
    """Keep a plan (rows of `vesper.send.plan`) in one transaction: intents as messages, the rest as refusals. The address is left out.

    Every unique key of `message` holds: recording a night again adds nothing, and a second message of one campaign to one contact or to
    one mailbox cannot exist.
    """
    messages: list[dict[str, Any]] = []
    refusals: list[dict[str, Any]] = []
    for row in rows:
        if row.decision == INTENT:
            messages.append(
                {c.name: getattr(row, c.name) for c in MESSAGE.c if hasattr(row, c.name)} | {"state": PLANNED}
            )
        else:
            refusals.append({c.name: getattr(row, c.name, None) for c in REFUSAL.c} | {"reason": row.decision})
    with engine.begin() as connection:
        return Recorded(_insert(connection, MESSAGE, messages), _insert(connection, REFUSAL, refusals))


def due(engine: sa.Engine, until: dt.datetime) -> list[Due]:
    """Every planned message that may go by an instant, in the order of sending."""
    names = [MESSAGE.c[name] for name in Due.__dataclass_fields__]
    waiting = sa.select(*names).where(MESSAGE.c.state == PLANNED, MESSAGE.c.not_before <= until)
    with reading(engine) as connection:
        return sorted(Due(*row) for row in connection.execute(waiting))


def standing(engine: sa.Engine) -> list[Standing]:
    """Every message counted by campaign, state and reason: planned and waiting until when, sent, refused (R113)."""
    key = (MESSAGE.c.campaign_id, MESSAGE.c.state, MESSAGE.c.reason)
    next_at = sa.func.min(sa.case((MESSAGE.c.state == PLANNED, MESSAGE.c.not_before)), type_=sa.DateTime)
    counted = sa.select(*key, sa.func.count(), next_at).group_by(*key).order_by(*key)
    with reading(engine) as connection:
        return [Standing(*row) for row in connection.execute(counted)]


def messages_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every message, to be bound as `raw_vesper__message`."""
    return _as_arrow(engine, MESSAGE)


def suppressions_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every suppressed address, to be bound as `raw_vesper__suppression`."""
    return _as_arrow(engine, SUPPRESSION)


def refusals_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every refusal, to be bound as `raw_vesper__refusal`."""
    return _as_arrow(engine, REFUSAL)


_ARROW = {
    sa.String: pa.string(),
    sa.Integer: pa.int32(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
}


def _as_arrow(engine: sa.Engine, table: sa.Table) -> pa.Table:
    """All rows in the order of the primary key; the types hold for an empty table, too."""
    schema = pa.schema([(c.name, _ARROW[type(c.type)]) for c in table.c])
    with reading(engine) as connection:
        rows = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
        batches = [pa.RecordBatch.from_pylist([dict(row) for row in part], schema) for part in rows.partitions(BATCH)]
    return pa.Table.from_batches(batches, schema)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> int:
    return sum(insert_new(connection, table, rows[at : at + BATCH]) for at in range(0, len(rows), BATCH))
