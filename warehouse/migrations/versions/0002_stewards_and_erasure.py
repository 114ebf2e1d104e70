"""Steward rules, erasures, and the name of the key that address hashes are made with.

The rows of `consent`, `suppression` and `message` are not touched here: a migration has no key. The first opening of a workspace carries
them over (`warehouse.ledger.suppression.take_key`), exactly, because the keyed hash is defined over the bare one (docs/decisions/0015).
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "address_key",
        sa.Column("key_id", sa.String(), nullable=False, comment="Names the key; tells nothing of it"),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_address_key")),
        comment="One row: the key that every address hash of this ledger is made with; without a row they are bare sha256",
    )
    op.create_table(
        "steward_rule",
        sa.Column("rule_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="must_link, cannot_link, pin, or lift"),
        sa.Column("record_a", sa.String(), nullable=True, comment="source:record_key; of a link the smaller one"),
        sa.Column("record_b", sa.String(), nullable=True),
        sa.Column("field", sa.String(), nullable=True, comment="Field of core__contact that a pin sets"),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("lifts", sa.Integer(), nullable=True, comment="The rule that a lift ends"),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False, comment="The first night that it binds"),
        sa.ForeignKeyConstraint(["lifts"], ["steward_rule.rule_id"], name=op.f("fk_steward_rule_lifts")),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_steward_rule")),
        comment="What people decided about identity and values, append-only: a rule ends by a second row that lifts it (R104)",
    )
    with op.batch_alter_table("steward_rule", schema=None) as batch_op:
        batch_op.create_index("ix_steward_rule_lifts", ["lifts"], unique=False)

    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("contact_hash", sa.String(), nullable=False, comment="Keyed hash of the contact's id"),
        sa.Column("state", sa.String(), nullable=False, comment="begun, committed, done"),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column(
            "row_count",
            sa.Integer(),
            nullable=True,
            comment="Rows that were taken out or lost their person, in all files",
        ),
        sa.Column("scanned_count", sa.Integer(), nullable=True, comment="Files that were searched afterwards"),
        sa.Column(
            "residue",
            sa.Text(),
            nullable=True,
            comment="Files in which something was found afterwards; empty is the proof",
        ),
        sa.Column(
            "readmitted_at",
            sa.DateTime(),
            nullable=True,
            comment="From when on the person's new rows are taken in again",
        ),
        sa.Column("readmitted_by", sa.String(), nullable=True),
        sa.Column("readmitted_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
        comment="Erasures of people, and their proof",
    )
    op.create_table(
        "erased_record",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="record, card, email, sms, unionid, openid or crm_id"),
        sa.Column("hash", sa.String(), nullable=False, comment="Keyed hash of the value"),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.erasure_id"], name=op.f("fk_erased_record_erasure_id")),
        sa.PrimaryKeyConstraint("erasure_id", "kind", "hash", name=op.f("pk_erased_record")),
        comment="What an erased person is recognised by when a source sends them again",
    )
    op.create_table(
        "erased_file",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False, comment="lake or landing"),
        sa.Column("name", sa.String(), nullable=False, comment="Path below the place"),
        sa.Column("new_name", sa.String(), nullable=False, comment="Empty when no row was left"),
        sa.Column("old_sha256", sa.String(), nullable=False),
        sa.Column("new_sha256", sa.String(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False, comment="Rows taken out, or left without the person"),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.erasure_id"], name=op.f("fk_erased_file_erasure_id")),
        sa.PrimaryKeyConstraint("erasure_id", "place", "name", name=op.f("pk_erased_file")),
        comment="Files that an erasure rewrote: the one permitted change of published bytes (architecture, section 3)",
    )


def downgrade() -> None:
    op.drop_table("erased_file")
    op.drop_table("erased_record")
    op.drop_table("erasure")
    with op.batch_alter_table("steward_rule", schema=None) as batch_op:
        batch_op.drop_index("ix_steward_rule_lifts")

    op.drop_table("steward_rule")
    op.drop_table("address_key")
