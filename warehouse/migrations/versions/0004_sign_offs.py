"""Who of marketing and of sales agreed to which scoring set."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sign_off",
        sa.Column("sign_off_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="scoring"),
        sa.Column("hash", sa.String(), nullable=False, comment="Hash of the whole set that was agreed to"),
        sa.Column("role", sa.String(), nullable=False, comment="marketing or sales"),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sign_off_id", name=op.f("pk_sign_off")),
        sa.UniqueConstraint("kind", "hash", "role", "by", name=op.f("uq_sign_off_kind_hash_role_by")),
        comment="Sets of rules that marketing and sales agreed to, append-only; a set needs both roles for exactly its hash (R56)",
    )


def downgrade() -> None:
    op.drop_table("sign_off")
