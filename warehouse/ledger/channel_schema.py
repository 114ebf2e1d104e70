"""The ledger's tables of channels: tokens that providers hand out, and broadcasts that a person confirms or that go out as one.

What belongs here: the tables. What does not: messages (`schema.py`), speed and workers (`send_schema.py`). A change here needs a migration.
"""

import sqlalchemy as sa
from sqlalchemy import Column, DateTime, ForeignKey, String, Text

from warehouse.ledger.schema import LEDGER

PROVIDER_TOKEN = sa.Table(
    "provider_token",
    LEDGER,
    Column("provider", String, primary_key=True, comment="Channel and app"),
    Column("token", Text, comment="Opens the provider's calls for some two hours"),
    Column("expires_at", DateTime),
    Column("lease_until", DateTime, comment="Somebody fetches a new one until then"),
    comment="Access tokens: one row for each app, so that no process fetches what another one just did",
)

BROADCAST = sa.Table(
    "broadcast",
    LEDGER,
    Column(
        "broadcast_id", String, primary_key=True, comment="Derived from its messages; the provider knows it by this id"
    ),
    Column("channel", String, nullable=False),
    Column("campaign_id", String, nullable=False, index=True),
    Column("text", Text, nullable=False, comment="The same for everybody: no word of a person"),
    Column("state", String, nullable=False, comment="formed, calling, submitted, settled or refused"),
    Column("provider_id", String, comment="What the provider calls it"),
    Column("called_at", DateTime, comment="Newest call, in real time"),
    Column("looked_at", DateTime, comment="When the provider was last asked what became of it"),
    Column("settled_at", DateTime),
    Column("reason", String),
    comment="Messages that go out as one call: a mass message, or a task that an employee confirms",
)

BROADCAST_MESSAGE = sa.Table(
    "broadcast_message",
    LEDGER,
    Column("message_id", String, ForeignKey("message.message_id"), primary_key=True),
    Column("broadcast_id", String, ForeignKey("broadcast.broadcast_id"), nullable=False, index=True),
    comment="Which messages a broadcast carries; each message is in one only",
)
