"""Incidents: a campaign or journey that went wrong is paused, and its answers count nowhere from then on (R109).

What belongs here: recording one, who was reached, the messages whose answers are left out. What does not: words and files (`tasks/incident.py`), leaving
events out (`vesper/consolidate/incident.py`). An incident is never taken back; the pause is, by an act of its own (`send_stop.py`).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INCIDENT
from warehouse.ledger.send_stop import scope_of, set_stopped_in

BATCH = 50_000
FATES = {
    "accepted": "reached",
    "unknown": "unknown",
    "sending": "unknown",
    "abandoned": "unknown",
    "awaiting_confirmation": "unknown",
    "planned": "stopped",
    "claimed": "stopped",
    "rejected": "not_sent",
    "refused": "not_sent",
}
"""State of a message -> what its person is told to be: reached, of unknown fate, stopped before anything was sent, or never to be sent."""


@dataclass(frozen=True)
class Fate:
    """One message of the campaign: whose it is, and what became of it."""

    contact_id: str
    step_id: str
    fate: str
    at: dt.datetime | None


def record(engine: sa.Engine, campaign_id: str, by: str, reason: str, recorded_on: dt.date) -> int:
    """Pause a campaign or journey and record the incident, in one transaction; returns its number. What is on the wire by then goes its way."""
    row = {"campaign_id": campaign_id, "by": by, "reason": reason, "at": now(), "recorded_on": recorded_on}
    with engine.begin() as connection:
        number = connection.scalar(sa.insert(INCIDENT).values(row).returning(INCIDENT.c.incident_id))
        set_stopped_in(connection, by, reason, True, scope_of(campaign_id))
        return int(number or 0)


def fates(engine: sa.Engine, campaign_id: str) -> Iterator[Fate]:
    """Every message of a campaign or journey, in the order of its people and steps."""
    mine = sa.select(MESSAGE.c.contact_id, MESSAGE.c.step_id, MESSAGE.c.state, MESSAGE.c.sending_at)
    ordered = mine.where(MESSAGE.c.campaign_id == campaign_id).order_by(
        MESSAGE.c.contact_id, MESSAGE.c.step_id, MESSAGE.c.occurrence
    )
    with reading(engine) as connection:
        for row in connection.execute(ordered.execution_options(yield_per=BATCH)):
            yield Fate(row.contact_id, row.step_id, FATES[row.state], row.sending_at)


def messages_as_arrow(engine: sa.Engine, business_on: dt.date) -> pa.Table:
    """message_id and incident_id of the messages of all incidents that a night knows, to be bound as `raw_vesper__incident_message`."""
    first = (
        sa.select(INCIDENT.c.campaign_id, sa.func.min(INCIDENT.c.incident_id).label("incident_id"))
        .where(INCIDENT.c.recorded_on <= business_on)
        .group_by(INCIDENT.c.campaign_id)
        .subquery("first")
    )
    mine = (
        sa.select(MESSAGE.c.message_id, first.c.incident_id)
        .join(first, first.c.campaign_id == MESSAGE.c.campaign_id)
        .order_by(MESSAGE.c.message_id)
    )
    schema = pa.schema([("message_id", pa.string()), ("incident_id", pa.int32())])
    with reading(engine) as connection:
        parts = connection.execute(mine).mappings().partitions(BATCH)
        batches = [pa.RecordBatch.from_pylist([dict(row) for row in part], schema) for part in parts]
    return pa.Table.from_batches(batches, schema)
