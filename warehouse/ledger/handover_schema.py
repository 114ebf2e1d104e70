"""The ledger's tables of the hand-over to sales: who was handed over and why, whose turn it is, what sales are told.

What belongs here: the tables. What does not: what is done with them (`handover.py`, `notices.py`). A change here needs a migration.

Instants named `created_at`, `opened_at` and so on are those of the night's own clock, which a simulated night plays; `scored_at` and
`recorded_at` are read from the real clock, since the ten minutes between them are real ones (R63).
"""

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint

from warehouse.ledger.schema import LEDGER

HANDOVER = sa.Table(
    "handover",
    LEDGER,
    Column("handover_id", String, primary_key=True, comment="Derived from contact and episode"),
    Column("contact_id", String, nullable=False),
    Column("episode", Integer, nullable=False, comment="Which time the contact was handed over, from 1"),
    Column("cause", String, nullable=False, comment="mql, high_score or chat_intent"),
    Column("score", Integer, nullable=False),
    Column("mql_preset", String, comment="Preset that the decision was made with (R54)"),
    Column("business_on", Date, nullable=False, comment="Night that handed over"),
    Column("scored_at", DateTime, nullable=False, comment="When the scores were committed"),
    Column("recorded_at", DateTime, nullable=False, comment="When this row was written"),
    Column("created_at", DateTime, nullable=False),
    Column("owner", String, comment="Representative of policy/sales; empty while nobody has room"),
    Column("assigned_at", DateTime),
    Column("due_at", DateTime, nullable=False, comment="When sales should have answered, by the business calendar"),
    Column("state", String, nullable=False, index=True, comment="open, accepted, rejected, ended or withdrawn"),
    Column("outcome", String, comment="Newest answer of sales"),
    Column("reason_code", String),
    Column("touched_at", DateTime, comment="First answer of sales"),
    Column("accepted_at", DateTime),
    Column("ended_at", DateTime),
    Column("lapsed_on", Date, comment="First night on which the contact was no longer ready for sales"),
    Column("withdrawn_by", String),
    Column("withdrawn_reason", Text),
    UniqueConstraint("contact_id", "episode"),
    comment="Contacts handed over to sales; one row for each episode of being ready (R63)",
)

HANDOVER_REASON = sa.Table(
    "handover_reason",
    LEDGER,
    Column("handover_id", String, ForeignKey("handover.handover_id"), primary_key=True),
    Column("rule_id", String, primary_key=True),
    Column("points", Integer, nullable=False),
    Column("evidence_count", Integer, nullable=False),
    comment="Why a contact was handed over: the reasons of its score on that night (R66, R115)",
)

HUMAN_TASK = sa.Table(
    "human_task",
    LEDGER,
    Column("task_id", String, primary_key=True, comment="Derived from contact and number"),
    Column("contact_id", String, nullable=False, index=True),
    Column("number", Integer, nullable=False, comment="Which task of the contact, from 1"),
    Column("cause", String, nullable=False, comment="high_score or chat_intent"),
    Column("handover_id", String, ForeignKey("handover.handover_id"), nullable=False),
    Column("event_id", String, comment="The chat event that says so"),
    Column("opened_on", Date, nullable=False),
    Column("opened_at", DateTime, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("closed_at", DateTime),
    Column("closed_by", String),
    Column("closed_reason", Text),
    Column("lapsed_on", Date, comment="First night on which the score was below takeover_at"),
    UniqueConstraint("contact_id", "number"),
    comment="Contacts whom a person talks to: while a task is open, marketing writes nothing to its contact (R64, R65)",
)

NOTICE = sa.Table(
    "notice",
    LEDGER,
    Column("notice_id", String, primary_key=True, comment="Derived from what it is about, kind, channel and recipient"),
    Column("about", String, nullable=False, comment="Hand-over or human task"),
    Column("handover_id", String, ForeignKey("handover.handover_id"), nullable=False, index=True),
    Column("kind", String, nullable=False, comment="new, unassigned, takeover or withdrawn"),
    Column("channel", String, nullable=False, comment="email, wecom or webhook"),
    Column("recipient", String, nullable=False, comment="Representative of policy/sales, manager, team or crm"),
    Column("state", String, nullable=False, comment="planned, sending, accepted, rejected, unknown or refused"),
    Column("reason", String),
    Column("created_at", DateTime, nullable=False),
    Column("not_before", DateTime, nullable=False, comment="Outside the hours of sales: the morning digest (R113)"),
    Column("attempts", Integer, nullable=False),
    Column("letter_id", String, comment="The one wire call that it went with"),
    Column("sending_at", DateTime),
    Column("final_at", DateTime),
    Column("real_at", DateTime, comment="When its fate was settled by the real clock (R63)"),
    UniqueConstraint("about", "kind", "channel", "recipient"),
    Index("ix_notice_due", "state", "not_before"),
    comment="What sales are told, once each: written with the hand-over in one transaction, sent after it",
)
