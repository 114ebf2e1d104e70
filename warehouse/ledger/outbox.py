"""Messages in the ledger: planned in bulk, read when due, counted, copied for the lake.

What belongs here: what stands in `message` and `refusal` before and after the wire. What does not: claims, the step over the wire (`dispatch.py`),
consent (`consent.py`), the stop switch (`send_stop.py`), and any address: the ledger holds its hash only.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.marts.message import RAW_MESSAGE
from warehouse.ledger.engine import reading
from warehouse.ledger.planned import PLANNED as PLANNED
from warehouse.ledger.planned import Recorded as Recorded
from warehouse.ledger.planned import record as record
from warehouse.ledger.schema import MESSAGE, REFUSAL, SUPPRESSION

CLAIMED, SENDING = "claimed", "sending"
ACCEPTED, REJECTED, UNKNOWN, REFUSED, ABANDONED = "accepted", "rejected", "unknown", "refused", "abandoned"
AWAITING = "awaiting_confirmation"
"""It goes out with others as one call, or when an employee confirms it; until it did, it touched nobody."""
BATCH = 5000


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
    content_id: str | None = None
    variant: str | None = None
    definition_hash: str | None = None
    zone: str | None = None
    inbox_id: int | None = None
    fence: int = 0
    attempts: int = 0

    def again(self, not_before: dt.datetime, attempts: int | None = None) -> "Due":
        """The same message, waiting until another instant; after so many wire calls."""
        return replace(self, not_before=not_before, attempts=self.attempts if attempts is None else attempts)


@dataclass(frozen=True)
class Standing:
    """How many messages of a campaign stand in a state for a reason; `next_at` is when the first of them may go (R113)."""

    campaign_id: str
    state: str
    reason: str | None
    people: int
    next_at: dt.datetime | None


def is_due(engine: sa.Engine, until: dt.datetime, channel: str | None = None) -> bool:
    """Whether any planned message, or any of one channel, may go by an instant."""
    waiting = sa.select(MESSAGE.c.message_id).where(MESSAGE.c.state == PLANNED, MESSAGE.c.not_before <= until)
    if channel is not None:
        waiting = waiting.where(MESSAGE.c.channel == channel)
    with reading(engine) as connection:
        return connection.execute(waiting.limit(1)).first() is not None


def channels(engine: sa.Engine) -> list[str]:
    """Channels that any message has ever been planned for."""
    with reading(engine) as connection:
        return sorted(connection.scalars(sa.select(MESSAGE.c.channel).distinct()))


def standing(engine: sa.Engine) -> list[Standing]:
    """Every message counted by campaign, state and reason: planned and waiting until when, sent, refused (R113)."""
    key = (MESSAGE.c.campaign_id, MESSAGE.c.state, MESSAGE.c.reason)
    next_at = sa.func.min(sa.case((MESSAGE.c.state == PLANNED, MESSAGE.c.not_before)), type_=sa.DateTime)
    counted = sa.select(*key, sa.func.count(), next_at).group_by(*key).order_by(*key)
    with reading(engine) as connection:
        return [Standing(*row) for row in connection.execute(counted)]


def messages_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every message, to be bound as `raw_vesper__message`: without what only a worker asks, such as leases."""
    return table_as_arrow(engine, MESSAGE, [MESSAGE.c[c.name] for c in RAW_MESSAGE.c])


def suppressions_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every suppressed address, to be bound as `raw_vesper__suppression`."""
    return table_as_arrow(engine, SUPPRESSION)


def refusals_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every refusal, to be bound as `raw_vesper__refusal`."""
    return table_as_arrow(engine, REFUSAL)


_ARROW = {
    sa.String: pa.string(),
    sa.Text: pa.string(),
    sa.Integer: pa.int32(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
}


def table_as_arrow(engine: sa.Engine, table: sa.Table, columns: Sequence[sa.Column[Any]] = ()) -> pa.Table:
    """All rows in the order of the primary key; the types hold for an empty table, too."""
    chosen = columns or list(table.c)
    schema = pa.schema([(c.name, _ARROW[type(c.type)]) for c in chosen])
    with reading(engine) as connection:
        rows = connection.execute(sa.select(*chosen).order_by(*table.primary_key)).mappings()
        batches = [pa.RecordBatch.from_pylist([dict(row) for row in part], schema) for part in rows.partitions(BATCH)]
    return pa.Table.from_batches(batches, schema)
