"""Short messages, WeChat, WeCom and the other channels: tokens of providers, and broadcasts that somebody confirms."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "provider_token",
        sa.Column("provider", sa.String(), nullable=False, comment="Channel and app"),
        sa.Column("token", sa.Text(), nullable=True, comment="Opens the provider's calls for some two hours"),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True, comment="Somebody fetches a new one until then"),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_token")),
        comment="Access tokens: one row for each app, so that no process fetches what another one just did",
    )
    op.create_table(
        "broadcast",
        sa.Column(
            "broadcast_id",
            sa.String(),
            nullable=False,
            comment="Derived from its messages; the provider knows it by this id",
        ),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="The same for everybody: no word of a person"),
        sa.Column("state", sa.String(), nullable=False, comment="formed, calling, submitted, settled or refused"),
        sa.Column("provider_id", sa.String(), nullable=True, comment="What the provider calls it"),
        sa.Column("called_at", sa.DateTime(), nullable=True, comment="Newest call, in real time"),
        sa.Column(
            "looked_at", sa.DateTime(), nullable=True, comment="When the provider was last asked what became of it"
        ),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("broadcast_id", name=op.f("pk_broadcast")),
        comment="Messages that go out as one call: a mass message, or a task that an employee confirms",
    )
    op.create_index(op.f("ix_broadcast_campaign_id"), "broadcast", ["campaign_id"])
    op.create_table(
        "broadcast_message",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("broadcast_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_broadcast_message_message_id")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.broadcast_id"], name=op.f("fk_broadcast_message_broadcast_id")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_broadcast_message")),
        comment="Which messages a broadcast carries; each message is in one only",
    )
    op.create_index(op.f("ix_broadcast_message_broadcast_id"), "broadcast_message", ["broadcast_id"])
