"""Sending by several workers, what comes in from outside, journeys, coupons and tasks for people."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _messages()
    _sending()
    _journeys()
    _gifts()
    _restores()
    if op.get_bind().dialect.name == "postgresql":
        _comments()


def _messages() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("fence", sa.Integer(), nullable=True, comment="Claim under which the call was made")
        )
        batch_op.add_column(sa.Column("owner", sa.String(), nullable=True, comment="Worker that made it"))
        batch_op.drop_constraint(batch_op.f("uq_attempt_message_id_number"), type_="unique")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("content_id", sa.String(), nullable=True, comment="Content it is written from"))
        batch_op.add_column(
            sa.Column("variant", sa.String(), nullable=True, comment="Variant of that content chosen for the contact")
        )
        batch_op.add_column(
            sa.Column(
                "definition_hash",
                sa.String(),
                nullable=True,
                comment="Version of the campaign or journey that planned it",
            )
        )
        batch_op.add_column(
            sa.Column(
                "zone",
                sa.String(),
                nullable=True,
                comment="Zone of the contact, or the calling code of a country with several; empty where nothing tells",
            )
        )
        batch_op.add_column(
            sa.Column("inbox_id", sa.Integer(), nullable=True, comment="Row of the inbox that asked for it")
        )
        batch_op.add_column(
            sa.Column("owner", sa.String(), nullable=True, comment="Worker that holds it while claimed or sending")
        )
        batch_op.add_column(
            sa.Column(
                "fence",
                sa.Integer(),
                server_default="0",
                nullable=False,
                comment="Grows with every claim: an older holder can do nothing",
            )
        )
        batch_op.add_column(
            sa.Column("lease_until", sa.DateTime(), nullable=True, comment="When the holder's claim lapses")
        )
        batch_op.add_column(
            sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="Wire calls so far")
        )
        batch_op.add_column(
            sa.Column(
                "detail",
                sa.Text(),
                nullable=True,
                comment="What exactly blocked it: a window's opening, messages that filled a cap; nobody's data",
            )
        )
        batch_op.create_index("ix_message_inbox_id", ["inbox_id"], unique=False)
        batch_op.drop_index("ix_message_state")
        batch_op.drop_index("ix_message_due")
        batch_op.create_index(
            "ix_message_due", ["state", "channel", "priority", "not_before", "message_id"], unique=False
        )
    counted = "select count(*) from attempt where attempt.message_id = message.message_id"
    op.execute(f"update message set attempts = ({counted})")


def _sending() -> None:
    op.create_table(
        "inbox",
        sa.Column("inbox_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False, comment="Form, endpoint or provider"),
        sa.Column(
            "source_event_id", sa.String(), nullable=False, comment="Its own id there: what comes twice is kept once"
        ),
        sa.Column("kind", sa.String(), nullable=False, comment="Kind of event, such as form_submitted or unsubscribed"),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False, comment="When it was committed here"),
        sa.Column(
            "contact_id",
            sa.String(),
            nullable=True,
            comment="Golden contact, where the sender's token or an address tells",
        ),
        sa.Column("message_id", sa.String(), nullable=True, comment="Message it answers"),
        sa.Column("payload", sa.Text(), nullable=False, comment="What came, as JSON; personal"),
        sa.Column("handled_at", sa.DateTime(), nullable=True, comment="When the tick had acted on it"),
        sa.Column("folded_on", sa.Date(), nullable=True, comment="First night that took it in"),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "source_event_id", name=op.f("uq_inbox_source_source_event_id")),
        comment="What happened outside, append-only: committed before the sender gets its answer (R17, R74)",
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_folded_on", ["folded_on", "received_at"], unique=False)
        batch_op.create_index("ix_inbox_waiting", ["handled_at", "kind"], unique=False)
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False, comment="First night that leaves its events out"),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
        comment="Campaigns that went wrong: their events score nothing from then on (R109)",
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_campaign_id"), ["campaign_id"], unique=False)
    op.create_table(
        "live_test",
        sa.Column("live_test_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("definition_hash", sa.String(), nullable=False),
        sa.Column("is_passed", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("live_test_id", name=op.f("pk_live_test")),
        comment="Tries of a campaign's one-click unsubscribe over the wire; without a passed one it does not reach full (RFC 8058)",
    )
    with op.batch_alter_table("live_test", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_test_campaign_id"), ["campaign_id"], unique=False)
    op.create_table(
        "rate",
        sa.Column("provider", sa.String(), nullable=False, comment="Channel and server"),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(), nullable=False),
        sa.Column("held_until", sa.DateTime(), nullable=True, comment="Asked by the server to wait until then"),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_rate")),
        comment="Token buckets: how many messages a server may still get, over all workers and restarts",
    )
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True, comment="When it left, or was found dead"),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker")),
        comment="Processes that send; who died is known by the lock that its file no longer holds",
    )


def _journeys() -> None:
    op.create_table(
        "journey_entry",
        sa.Column("journey_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False, comment="Which time the contact entered, from 1"),
        sa.Column(
            "definition_hash", sa.String(), nullable=False, comment="Version of the journey that the contact stays on"
        ),
        sa.Column("business_on", sa.Date(), nullable=False, comment="Night that entered, or the day of the tick"),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("step_id", sa.String(), nullable=False, comment="Step where the contact stands"),
        sa.Column("step_since_at", sa.DateTime(), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(),
            nullable=True,
            comment="When a wait is over at the latest; empty where the step is due at once",
        ),
        sa.Column("state", sa.String(), nullable=False, comment="active, done, goal, exited, expired"),
        sa.Column("reason", sa.String(), nullable=True, comment="Exit, goal or limit that ended it"),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("inbox_id", sa.Integer(), nullable=True, comment="Row of the inbox that entered it"),
        sa.Column(
            "number",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="Which step of its way it stands at; a turn that read another number moves nobody",
        ),
        sa.Column(
            "lapsed_on",
            sa.Date(),
            nullable=True,
            comment="First night on which the condition that entered it no longer held",
        ),
        sa.PrimaryKeyConstraint("journey_id", "contact_id", "occurrence", name=op.f("pk_journey_entry")),
        comment="People in journeys: one row for each entry (R73)",
    )
    with op.batch_alter_table("journey_entry", schema=None) as batch_op:
        batch_op.create_index("ix_journey_entry_due", ["state", "due_at"], unique=False)
    op.create_table(
        "journey_visit",
        sa.Column("journey_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="Which step of the entry's way, from 1"),
        sa.Column("step_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False, comment="When the contact came to the step"),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column(
            "outcome",
            sa.String(),
            nullable=True,
            comment="What the step decided: branch taken, refusal of its message, code given",
        ),
        sa.Column("due_at", sa.DateTime(), nullable=False, comment="The step's limit"),
        sa.Column(
            "left_at",
            sa.DateTime(),
            nullable=True,
            comment="When the contact left the step, by the facts; empty while it stands there",
        ),
        sa.Column(
            "handled_at",
            sa.DateTime(),
            nullable=True,
            comment="When a turn found that it had left; late if after due_at",
        ),
        sa.ForeignKeyConstraint(
            ["journey_id", "contact_id", "occurrence"],
            ["journey_entry.journey_id", "journey_entry.contact_id", "journey_entry.occurrence"],
            name="fk_journey_visit_entry",
        ),
        sa.PrimaryKeyConstraint("journey_id", "contact_id", "occurrence", "number", name=op.f("pk_journey_visit")),
        comment="The way of everybody through a journey, one row for each step come to: its funnel (R73, R100)",
    )


def _gifts() -> None:
    op.create_table(
        "coupon",
        sa.Column("pool_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=True, comment="Who has it; empty while it is in stock"),
        sa.Column(
            "reference", sa.String(), nullable=True, comment="Journey or campaign, step and occurrence that gave it"
        ),
        sa.Column("given_at", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("redeemed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("pool_id", "code", name=op.f("pk_coupon")),
        sa.UniqueConstraint("pool_id", "contact_id", "reference", name="uq_coupon_gift"),
        comment="Codes of coupon pools: in stock, given once to one person, redeemed once (R118)",
    )
    op.create_table(
        "nurture_task",
        sa.Column("task_id", sa.String(), nullable=False, comment="Derived from journey, contact, step and occurrence"),
        sa.Column("journey_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="visit, demo, trial or call"),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_nurture_task")),
        comment="What a journey asks a person to do: a visit, a demonstration, a trial, a call",
    )
    with op.batch_alter_table("nurture_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nurture_task_contact_id"), ["contact_id"], unique=False)


def _restores() -> None:
    op.create_table(
        "restore",
        sa.Column("restore_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column(
            "backup_at",
            sa.DateTime(),
            nullable=False,
            comment="When the backup was taken: what happened since is not in it",
        ),
        sa.Column("restored_at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column(
            "reconciled_at",
            sa.DateTime(),
            nullable=True,
            comment="When what was sent since the backup was found out; sending may go on from then",
        ),
        sa.Column("reconciled_by", sa.String(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True, comment="Where it was looked for"),
        sa.PrimaryKeyConstraint("restore_id", name="pk_restore"),
        comment="Ledgers put back from a backup: nothing is sent until the newest is reconciled (R120)",
    )
    op.create_table(
        "sent_before",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_sent_before"),
        comment="Messages that evidence shows as sent between a backup and its restore; planned again, they are not sent again (R120)",
    )


def _comments() -> None:
    """Words that changed; SQLite keeps none."""
    columns = {
        ("attempt", "outcome"): "accepted, rejected, deferred, unknown, or what a reconciler found",
        ("stop", "scope"): "send, or campaign: and an id",
    }
    tables = {
        "attempt": "Wire calls and what was learned of them later, append-only",
        "message": "A message before it is a message: one row per campaign or journey, contact, step and occurrence",
        "stop": "Stop and resume of all sending or of one campaign, append-only; the newest row of a scope holds (R108)",
    }
    for (table, column), says in columns.items():
        op.alter_column(table, column, comment=says)
    for table, says in tables.items():
        op.create_table_comment(table, says)
