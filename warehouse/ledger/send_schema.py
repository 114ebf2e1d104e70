"""The ledger's tables around a message: who sends, how fast, what went wrong, what came in from outside.

What belongs here: the tables. What does not: messages themselves (`schema.py`), journeys (`journey_schema.py`). A change here needs a migration.
Instants are UTC and naive.
"""

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, DateTime, Index, Integer, String, Text, UniqueConstraint

from warehouse.ledger.schema import LEDGER

WORKER = sa.Table(
    "worker",
    LEDGER,
    Column("worker_id", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("ended_at", DateTime, comment="When it left, or was found dead"),
    comment="Processes that send; who died is known by the lock that its file no longer holds",
)

RATE = sa.Table(
    "rate",
    LEDGER,
    Column("provider", String, primary_key=True, comment="Channel and server"),
    Column("tokens", sa.Float, nullable=False),
    Column("refilled_at", DateTime, nullable=False),
    Column("held_until", DateTime, comment="Asked by the server to wait until then"),
    comment="Token buckets: how many messages a server may still get, over all workers and restarts",
)

INCIDENT = sa.Table(
    "incident",
    LEDGER,
    Column("incident_id", Integer, primary_key=True, autoincrement=True),
    Column("campaign_id", String, nullable=False, index=True),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("recorded_on", sa.Date, nullable=False, comment="First night that leaves its events out"),
    comment="Campaigns that went wrong: their events score nothing from then on (R109)",
)

INBOX = sa.Table(
    "inbox",
    LEDGER,
    Column("inbox_id", Integer, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False, comment="Form, endpoint or provider"),
    Column("source_event_id", String, nullable=False, comment="Its own id there: what comes twice is kept once"),
    Column("kind", String, nullable=False, comment="Kind of event, such as form_submitted or unsubscribed"),
    Column("occurred_at", DateTime, nullable=False),
    Column("received_at", DateTime, nullable=False, comment="When it was committed here"),
    Column("contact_id", String, comment="Golden contact, where the sender's token or an address tells"),
    Column("message_id", String, comment="Message it answers"),
    Column("payload", Text, nullable=False, comment="What came, as JSON; personal"),
    Column("handled_at", DateTime, comment="When the tick had acted on it"),
    Column("folded_on", sa.Date, comment="First night that took it in"),
    UniqueConstraint("source", "source_event_id"),
    Index("ix_inbox_waiting", "handled_at", "kind"),
    Index("ix_inbox_folded_on", "folded_on", "received_at"),
    comment="What happened outside, append-only: committed before the sender gets its answer (R17, R74)",
)

LIVE_TEST = sa.Table(
    "live_test",
    LEDGER,
    Column("live_test_id", Integer, primary_key=True, autoincrement=True),
    Column("campaign_id", String, nullable=False, index=True),
    Column("definition_hash", String, nullable=False),
    Column("is_passed", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", DateTime, nullable=False),
    comment="Tries of a campaign's one-click unsubscribe over the wire; without a passed one it does not reach full (RFC 8058)",
)

RESTORE = sa.Table(
    "restore",
    LEDGER,
    Column("restore_id", Integer, primary_key=True, autoincrement=True),
    Column(
        "backup_at", DateTime, nullable=False, comment="When the backup was taken: what happened since is not in it"
    ),
    Column("restored_at", DateTime, nullable=False),
    Column("by", String, nullable=False),
    Column(
        "reconciled_at",
        DateTime,
        comment="When what was sent since the backup was found out; sending may go on from then",
    ),
    Column("reconciled_by", String),
    Column("evidence", Text, comment="Where it was looked for"),
    comment="Ledgers put back from a backup: nothing is sent until the newest is reconciled (R120)",
)

SENT_BEFORE = sa.Table(
    "sent_before",
    LEDGER,
    Column("message_id", String, primary_key=True),
    Column("at", DateTime, nullable=False),
    comment="Messages that evidence shows as sent between a backup and its restore; planned again, they are not sent again (R120)",
)
