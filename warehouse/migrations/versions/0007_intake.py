"""Links of letters, and what the web app takes in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("link_id", sa.String(), nullable=False, comment="Derived from content and address"),
        sa.Column("content_id", sa.String(), nullable=False),
        sa.Column(
            "url",
            sa.Text(),
            nullable=False,
            comment="Where a click leads: from here alone, never from the request",
        ),
        sa.Column("at", sa.DateTime(), nullable=False, comment="When a letter first named it"),
        sa.PrimaryKeyConstraint("link_id", name="pk_link"),
        sa.UniqueConstraint("content_id", "url", name="uq_link_content_id_url"),
        comment="Links of the letters that were sent: what a click may lead to, and nothing else",
    )
