"""The ledger's tables of experiments: who was assigned to which arm, and which arm was declared the winner, by whom and why.

What belongs here: the tables. What does not: choosing an arm (`vesper/experiment/assign.py`). A change here needs a migration. Instants are UTC and
naive, of the clock that the night runs on.
"""

import sqlalchemy as sa
from sqlalchemy import Column, Date, DateTime, Index, Integer, String, Text, UniqueConstraint

from warehouse.ledger.schema import LEDGER

EXPERIMENT_ASSIGNMENT = sa.Table(
    "experiment_assignment",
    LEDGER,
    Column("assignment_id", Integer, primary_key=True, autoincrement=True),
    Column("experiment_id", String, nullable=False),
    Column("contact_id", String, nullable=False, comment="Golden contact when it was assigned"),
    Column("arm_id", String, nullable=False),
    Column("business_on", Date, nullable=False, comment="Night that assigned"),
    Column("planned_at", DateTime, nullable=False, comment="When it was assigned, in the transaction of its plan"),
    Column("definition_hash", String, comment="Version of the campaign or journey that was planned by"),
    UniqueConstraint("experiment_id", "contact_id"),
    Index("ix_experiment_assignment_contact_id", "contact_id"),
    comment="Who fell into which arm of an experiment, once and for good; contacts that merge keep the earliest row (R92)",
)

EXPERIMENT_DECISION = sa.Table(
    "experiment_decision",
    LEDGER,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("experiment_id", String, nullable=False, index=True),
    Column("arm_id", String, comment="The winner; empty where the decision before is taken back"),
    Column("business_on", Date, nullable=False, comment="Night whose figures it rests on"),
    Column("by", String, nullable=False, comment="Who decided; vesper where the rule of the experiment did"),
    Column("reason", Text, nullable=False, comment="Why: the figures, in words"),
    Column("at", DateTime, nullable=False),
    comment="Winners of experiments, append-only; the newest row of an experiment holds (R92)",
)
