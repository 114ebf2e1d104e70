"""Experiments: who was assigned to which arm, and which arm won."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "experiment_assignment",
        sa.Column("assignment_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False, comment="Golden contact when it was assigned"),
        sa.Column("arm_id", sa.String(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False, comment="Night that assigned"),
        sa.Column(
            "planned_at",
            sa.DateTime(),
            nullable=False,
            comment="When it was assigned, in the transaction of its plan",
        ),
        sa.Column(
            "definition_hash",
            sa.String(),
            nullable=True,
            comment="Version of the campaign or journey that was planned by",
        ),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_experiment_assignment")),
        sa.UniqueConstraint(
            "experiment_id", "contact_id", name=op.f("uq_experiment_assignment_experiment_id_contact_id")
        ),
        comment="Who fell into which arm of an experiment, once and for good; contacts that merge keep the earliest row (R92)",
    )
    op.create_index("ix_experiment_assignment_contact_id", "experiment_assignment", ["contact_id"], unique=False)
    op.create_table(
        "experiment_decision",
        sa.Column("decision_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column(
            "arm_id", sa.String(), nullable=True, comment="The winner; empty where the decision before is taken back"
        ),
        sa.Column("business_on", sa.Date(), nullable=False, comment="Night whose figures it rests on"),
        sa.Column(
            "by", sa.String(), nullable=False, comment="Who decided; vesper where the rule of the experiment did"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why: the figures, in words"),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_experiment_decision")),
        comment="Winners of experiments, append-only; the newest row of an experiment holds (R92)",
    )
    op.create_index(
        op.f("ix_experiment_decision_experiment_id"), "experiment_decision", ["experiment_id"], unique=False
    )
