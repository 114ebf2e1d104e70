"""Requests to judge rows that were set aside once more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "requeue",
        sa.Column("requeue_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column(
            "rule",
            sa.String(),
            nullable=True,
            comment="Only rows that broke this rule; empty means every row of the source that waits",
        ),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False, comment="The first night that it binds"),
        sa.Column(
            "done_on", sa.Date(), nullable=True, comment="The night that was published with the rows judged again"
        ),
        sa.Column(
            "left",
            sa.Text(),
            nullable=True,
            comment="Files whose rows that night could not take, as a JSON list; they wait on",
        ),
        sa.PrimaryKeyConstraint("requeue_id", name=op.f("pk_requeue")),
        comment="Rows set aside that somebody asked to be judged again, after a definition was mended (R10)",
    )


def downgrade() -> None:
    op.drop_table("requeue")
