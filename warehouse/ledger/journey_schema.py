"""The ledger's tables of journeys: where everybody stands, how they came there, coupons given, tasks for people.

What belongs here: the tables. What does not: the engine (`vesper/journey/`) and what is done with the rows (`journey.py`, `coupon.py`).
A change here needs a migration. Instants are UTC and naive, of the clock that the journey runs on.
"""

import sqlalchemy as sa
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)

from warehouse.ledger.schema import LEDGER

JOURNEY_ENTRY = sa.Table(
    "journey_entry",
    LEDGER,
    Column("journey_id", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("occurrence", Integer, primary_key=True, comment="Which time the contact entered, from 1"),
    Column("definition_hash", String, nullable=False, comment="Version of the journey that the contact stays on"),
    Column("business_on", Date, nullable=False, comment="Night that entered, or the day of the tick"),
    Column("entered_at", DateTime, nullable=False),
    Column("step_id", String, nullable=False, comment="Step where the contact stands"),
    Column("step_since_at", DateTime, nullable=False),
    Column("due_at", DateTime, comment="When a wait is over at the latest; empty where the step is due at once"),
    Column("state", String, nullable=False, comment="active, done, goal, exited, expired"),
    Column("reason", String, comment="Exit, goal or limit that ended it"),
    Column("ended_at", DateTime),
    Column("inbox_id", Integer, comment="Row of the inbox that entered it"),
    Column(
        "number",
        Integer,
        nullable=False,
        server_default="1",
        comment="Which step of its way it stands at; a turn that read another number moves nobody",
    ),
    Column("lapsed_on", Date, comment="First night on which the condition that entered it no longer held"),
    Index("ix_journey_entry_due", "state", "due_at"),
    comment="People in journeys: one row for each entry (R73)",
)

JOURNEY_VISIT = sa.Table(
    "journey_visit",
    LEDGER,
    Column("journey_id", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("occurrence", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, comment="Which step of the entry's way, from 1"),
    Column("step_id", String, nullable=False),
    Column("at", DateTime, nullable=False, comment="When the contact came to the step"),
    Column("business_on", Date, nullable=False),
    Column("outcome", String, comment="What the step decided: branch taken, refusal of its message, code given"),
    Column("due_at", DateTime, nullable=False, comment="The step's limit"),
    Column("left_at", DateTime, comment="When the contact left the step, by the facts; empty while it stands there"),
    Column("handled_at", DateTime, comment="When a turn found that it had left; late if after due_at"),
    ForeignKeyConstraint(
        ["journey_id", "contact_id", "occurrence"],
        ["journey_entry.journey_id", "journey_entry.contact_id", "journey_entry.occurrence"],
        name="fk_journey_visit_entry",
    ),
    comment="The way of everybody through a journey, one row for each step come to: its funnel (R73, R100)",
)

COUPON = sa.Table(
    "coupon",
    LEDGER,
    Column("pool_id", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("contact_id", String, comment="Who has it; empty while it is in stock"),
    Column("reference", String, comment="Journey or campaign, step and occurrence that gave it"),
    Column("given_at", DateTime),
    Column("expires_at", DateTime),
    Column("redeemed_at", DateTime),
    UniqueConstraint("pool_id", "contact_id", "reference", name="uq_coupon_gift"),
    comment="Codes of coupon pools: in stock, given once to one person, redeemed once (R118)",
)

NURTURE_TASK = sa.Table(
    "nurture_task",
    LEDGER,
    Column("task_id", String, primary_key=True, comment="Derived from journey, contact, step and occurrence"),
    Column("journey_id", String, nullable=False),
    Column("contact_id", String, nullable=False, index=True),
    Column("occurrence", Integer, nullable=False),
    Column("step_id", String, nullable=False),
    Column("kind", String, nullable=False, comment="visit, demo, trial or call"),
    Column("owner", String, nullable=False),
    Column("business_on", Date, nullable=False),
    Column("opened_at", DateTime, nullable=False),
    Column("due_at", DateTime, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("closed_at", DateTime),
    Column("closed_by", String),
    Column("closed_reason", Text),
    comment="What a journey asks a person to do: a visit, a demonstration, a trial, a call",
)
