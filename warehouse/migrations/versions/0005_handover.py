"""The hand-over to sales: hand-overs with their reasons, human tasks, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _handovers()
    _tasks()
    _notices()


def _handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("handover_id", sa.String(), nullable=False, comment="Derived from contact and episode"),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False, comment="Which time the contact was handed over, from 1"),
        sa.Column("cause", sa.String(), nullable=False, comment="mql, high_score or chat_intent"),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("mql_preset", sa.String(), nullable=True, comment="Preset that the decision was made with (R54)"),
        sa.Column("business_on", sa.Date(), nullable=False, comment="Night that handed over"),
        sa.Column("scored_at", sa.DateTime(), nullable=False, comment="When the scores were committed"),
        sa.Column("recorded_at", sa.DateTime(), nullable=False, comment="When this row was written"),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column(
            "owner", sa.String(), nullable=True, comment="Representative of policy/sales; empty while nobody has room"
        ),
        sa.Column("assigned_at", sa.DateTime(), nullable=True),
        sa.Column(
            "due_at", sa.DateTime(), nullable=False, comment="When sales should have answered, by the business calendar"
        ),
        sa.Column("state", sa.String(), nullable=False, comment="open, accepted, rejected, ended or withdrawn"),
        sa.Column("outcome", sa.String(), nullable=True, comment="Newest answer of sales"),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("touched_at", sa.DateTime(), nullable=True, comment="First answer of sales"),
        sa.Column("accepted_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column(
            "lapsed_on",
            sa.Date(),
            nullable=True,
            comment="First night on which the contact was no longer ready for sales",
        ),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("handover_id", name=op.f("pk_handover")),
        sa.UniqueConstraint("contact_id", "episode", name=op.f("uq_handover_contact_id_episode")),
        comment="Contacts handed over to sales; one row for each episode of being ready (R63)",
    )
    op.create_index(op.f("ix_handover_state"), "handover", ["state"], unique=False)
    op.create_table(
        "handover_reason",
        sa.Column("handover_id", sa.String(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.handover_id"], name=op.f("fk_handover_reason_handover_id")),
        sa.PrimaryKeyConstraint("handover_id", "rule_id", name=op.f("pk_handover_reason")),
        comment="Why a contact was handed over: the reasons of its score on that night (R66, R115)",
    )


def _tasks() -> None:
    op.create_table(
        "human_task",
        sa.Column("task_id", sa.String(), nullable=False, comment="Derived from contact and number"),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="Which task of the contact, from 1"),
        sa.Column("cause", sa.String(), nullable=False, comment="high_score or chat_intent"),
        sa.Column("handover_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=True, comment="The chat event that says so"),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column(
            "lapsed_on", sa.Date(), nullable=True, comment="First night on which the score was below takeover_at"
        ),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.handover_id"], name=op.f("fk_human_task_handover_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_human_task")),
        sa.UniqueConstraint("contact_id", "number", name=op.f("uq_human_task_contact_id_number")),
        comment="Contacts whom a person talks to: while a task is open, marketing writes nothing to its contact (R64, R65)",
    )
    op.create_index(op.f("ix_human_task_contact_id"), "human_task", ["contact_id"], unique=False)


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column(
            "notice_id",
            sa.String(),
            nullable=False,
            comment="Derived from what it is about, kind, channel and recipient",
        ),
        sa.Column("about", sa.String(), nullable=False, comment="Hand-over or human task"),
        sa.Column("handover_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="new, unassigned, takeover or withdrawn"),
        sa.Column("channel", sa.String(), nullable=False, comment="email, wecom or webhook"),
        sa.Column(
            "recipient", sa.String(), nullable=False, comment="Representative of policy/sales, manager, team or crm"
        ),
        sa.Column(
            "state", sa.String(), nullable=False, comment="planned, sending, accepted, rejected, unknown or refused"
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column(
            "not_before", sa.DateTime(), nullable=False, comment="Outside the hours of sales: the morning digest (R113)"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.String(), nullable=True, comment="The one wire call that it went with"),
        sa.Column("sending_at", sa.DateTime(), nullable=True),
        sa.Column("final_at", sa.DateTime(), nullable=True),
        sa.Column("real_at", sa.DateTime(), nullable=True, comment="When its fate was settled by the real clock (R63)"),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.handover_id"], name=op.f("fk_notice_handover_id")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "about", "kind", "channel", "recipient", name=op.f("uq_notice_about_kind_channel_recipient")
        ),
        comment="What sales are told, once each: written with the hand-over in one transaction, sent after it",
    )
    op.create_index(op.f("ix_notice_due"), "notice", ["state", "not_before"], unique=False)
    op.create_index(op.f("ix_notice_handover_id"), "notice", ["handover_id"], unique=False)


def downgrade() -> None:
    for name in ("notice", "human_task", "handover_reason", "handover"):
        op.drop_table(name)
