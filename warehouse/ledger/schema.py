"""The ledger's tables. A change here needs a migration in `warehouse/migrations/versions`; a test compares the two.

Instants are UTC and naive. Run ids and wall-clock instants live here only, never in the lake (architecture, section 3).
"""

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint

LEDGER = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RUN = sa.Table(
    "run",
    LEDGER,
    Column("run_id", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("business_on", Date, nullable=False),
    Column("state", String, nullable=False, comment="running, published, failed"),
    Column("sentence", Text, comment="Why it failed, or what it warned of"),
    Column("version", String, nullable=False, comment="Vesper's version"),
    Column("definitions", String, nullable=False, comment="Fingerprint of the definitions in force"),
    Column("activation_id", Integer, nullable=False, comment="The newest activation by then: names the set exactly"),
    Column("may_send", Boolean, nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
)

RUN_INPUT = sa.Table(
    "run_input",
    LEDGER,
    Column("run_id", String, ForeignKey("run.run_id"), primary_key=True),
    Column("table_name", String, primary_key=True),
    Column("snapshot_id", Integer, nullable=False),
    comment="The snapshots that a run was pinned to",
)

SNAPSHOT = sa.Table(
    "snapshot",
    LEDGER,
    Column("snapshot_id", Integer, primary_key=True, autoincrement=True),
    Column("table_name", String, nullable=False, index=True),
    Column("business_on", Date, nullable=False),
    Column("run_id", String, nullable=False),
    Column("row_count", sa.BigInteger, nullable=False),
    Column("fingerprint", String, nullable=False, comment="Hash over part keys and content hashes"),
    Column("recipe", String, comment="Hash of the SQL text and the inputs that made it: equal recipe, equal rows"),
    Column("committed_at", DateTime, nullable=False),
)

SNAPSHOT_PART = sa.Table(
    "snapshot_part",
    LEDGER,
    Column("part_id", Integer, primary_key=True, autoincrement=True),
    Column("table_name", String, nullable=False),
    Column("part_key", String, nullable=False),
    Column("path", String, nullable=False, comment="Relative to the lake; empty for a part without rows"),
    Column("row_count", sa.BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("recipe", String),
    Column("from_snapshot", Integer, ForeignKey("snapshot.snapshot_id"), nullable=False),
    Column("to_snapshot", Integer, ForeignKey("snapshot.snapshot_id")),
    Index("ix_snapshot_part_live", "table_name", "to_snapshot"),
    comment="Parts, interval-coded: a night adds rows only for what changed",
)

POINTER = sa.Table(
    "pointer",
    LEDGER,
    Column("table_name", String, primary_key=True),
    Column("snapshot_id", Integer, ForeignKey("snapshot.snapshot_id"), nullable=False),
    Column("business_on", Date, nullable=False),
    comment="The snapshot in force of each table; it never moves to an earlier business date",
)

RECEIPT = sa.Table(
    "receipt",
    LEDGER,
    Column("source", String, primary_key=True),
    Column("file", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("covers_on", Date, nullable=False, comment="The day that the file is about"),
    Column("received_at", DateTime, nullable=False),
    Column("row_count", sa.BigInteger, nullable=False),
    Column("size", sa.BigInteger, nullable=False),
    Column("loaded_on", Date, nullable=False, comment="The first night that holds it"),
    comment="Every source file that a published night holds",
)

DEFINITION = sa.Table(
    "definition",
    LEDGER,
    Column("hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("text", Text, nullable=False),
    comment="Every definition that was ever in force, by the sha256 of its text",
)

ACTIVATION = sa.Table(
    "activation",
    LEDGER,
    Column("activation_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("hash", String, comment="Empty when the definition was withdrawn"),
    Column("by", String, nullable=False),
    Column("reason", Text),
    Column("at", DateTime, nullable=False),
    comment="What came into force when, append-only; the newest row of a definition holds (R119)",
)

CONSENT = sa.Table(
    "consent",
    LEDGER,
    Column("consent_id", Integer, primary_key=True, autoincrement=True),
    Column("channel", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("address_hash", String, nullable=False, index=True),
    Column("is_granted", Boolean, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("source", String, nullable=False),
    Column("row_key", String, nullable=False),
    Column("text_version", String),
    Column("recorded_on", Date, nullable=False, comment="Business date of the night that imported it"),
    UniqueConstraint(
        "channel", "purpose", "address_hash", "source", "row_key", "at", "is_granted", name="uq_consent_statement"
    ),
    comment="Consent by address, append-only; the most restrictive of the sources' latest rows wins (R88)",
)

SUPPRESSION = sa.Table(
    "suppression",
    LEDGER,
    Column("channel", String, primary_key=True),
    Column("address_hash", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("at", DateTime, nullable=False),
    comment="Addresses that nothing but operational messages may reach (R90)",
)

MESSAGE = sa.Table(
    "message",
    LEDGER,
    Column("message_id", String, primary_key=True, comment="Derived from campaign, contact, step and occurrence"),
    Column("campaign_id", String, nullable=False),
    Column("contact_id", String, nullable=False),
    Column("step_id", String, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("channel", String, nullable=False),
    Column("purpose", String, nullable=False, comment="requested, operational or marketing"),
    Column("address_hash", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, comment="Why it was refused, rejected or is unknown"),
    Column(
        "detail", Text, comment="What exactly blocked it: a window's opening, messages that filled a cap; nobody's data"
    ),
    Column("stage_at_plan", String, comment="Lifecycle stage when planned; caps are per stage (R87)"),
    Column("priority", Integer, nullable=False),
    Column("business_on", Date, nullable=False),
    Column("planned_at", DateTime, nullable=False),
    Column("not_before", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("sending_at", DateTime),
    Column("final_at", DateTime),
    Column("content_id", String, comment="Content it is written from"),
    Column("variant", String, comment="Variant of that content chosen for the contact"),
    Column("definition_hash", String, comment="Version of the campaign or journey that planned it"),
    Column(
        "zone",
        String,
        comment="Zone of the contact, or the calling code of a country with several; empty where nothing tells",
    ),
    Column("inbox_id", Integer, comment="Row of the inbox that asked for it"),
    Column("owner", String, comment="Worker that holds it while claimed or sending"),
    Column(
        "fence",
        Integer,
        nullable=False,
        server_default="0",
        comment="Grows with every claim: an older holder can do nothing",
    ),
    Column("lease_until", DateTime, comment="When the holder's claim lapses"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="Wire calls so far"),
    UniqueConstraint("campaign_id", "contact_id", "step_id", "occurrence", name="uq_message_contact"),
    UniqueConstraint("channel", "address_hash", "campaign_id", "step_id", "occurrence", name="uq_message_address"),
    # The order of claiming: of each priority the earliest. Both ends are found without reading what waits for another day.
    Index("ix_message_due", "state", "channel", "priority", "not_before", "message_id"),
    Index("ix_message_inbox_id", "inbox_id"),
    comment="A message before it is a message: one row per campaign or journey, contact, step and occurrence",
)

REFUSAL = sa.Table(
    "refusal",
    LEDGER,
    Column("campaign_id", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("step_id", String, primary_key=True),
    Column("occurrence", Integer, primary_key=True),
    Column("business_on", Date, primary_key=True),
    Column("reason", String, nullable=False),
    Column("detail", String),
    comment="Who of an audience was not written to, and why",
)

ATTEMPT = sa.Table(
    "attempt",
    LEDGER,
    Column("attempt_id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String, ForeignKey("message.message_id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("fence", Integer, comment="Claim under which the call was made"),
    Column("owner", String, comment="Worker that made it"),
    Column("started_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column(
        "outcome", String, nullable=False, comment="accepted, rejected, deferred, unknown, or what a reconciler found"
    ),
    Column("code", String),
    Column("detail", Text),
    comment="Wire calls and what was learned of them later, append-only",
)

TOUCH = sa.Table(
    "touch",
    LEDGER,
    Column("message_id", String, ForeignKey("message.message_id"), primary_key=True),
    Column("contact_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("at", DateTime, nullable=False),
    Index("ix_touch_contact", "contact_id", "at"),
    comment="Reservations of the frequency cap, taken in the transaction that moves a message to sending (R86, R87)",
)

STOP = sa.Table(
    "stop",
    LEDGER,
    Column("stop_id", Integer, primary_key=True, autoincrement=True),
    Column("scope", String, nullable=False, comment="send, or campaign: and an id"),
    Column("is_stopped", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    comment="Stop and resume of all sending or of one campaign, append-only; the newest row of a scope holds (R108)",
)

ADDRESS_KEY = sa.Table(
    "address_key",
    LEDGER,
    Column("key_id", String, primary_key=True, comment="Names the key; tells nothing of it"),
    Column("since", DateTime, nullable=False),
    comment="One row: the key that every address hash of this ledger is made with; without a row they are bare sha256",
)

STEWARD_RULE = sa.Table(
    "steward_rule",
    LEDGER,
    Column("rule_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False, comment="must_link, cannot_link, pin, or lift"),
    Column("record_a", String, comment="source:record_key; of a link the smaller one"),
    Column("record_b", String),
    Column("field", String, comment="Field of core__contact that a pin sets"),
    Column("value", Text),
    Column("lifts", Integer, ForeignKey("steward_rule.rule_id"), comment="The rule that a lift ends"),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("recorded_on", Date, nullable=False, comment="The first night that it binds"),
    Index("ix_steward_rule_lifts", "lifts"),
    comment="What people decided about identity and values, append-only: a rule ends by a second row that lifts it (R104)",
)

REQUEUE = sa.Table(
    "requeue",
    LEDGER,
    Column("requeue_id", Integer, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("rule", String, comment="Only rows that broke this rule; empty means every row of the source that waits"),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("recorded_on", Date, nullable=False, comment="The first night that it binds"),
    Column("done_on", Date, comment="The night that was published with the rows judged again"),
    Column("left", Text, comment="Files whose rows that night could not take, as a JSON list; they wait on"),
    comment="Rows set aside that somebody asked to be judged again, after a definition was mended (R10)",
)

SIGN_OFF = sa.Table(
    "sign_off",
    LEDGER,
    Column("sign_off_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False, comment="scoring"),
    Column("hash", String, nullable=False, comment="Hash of the whole set that was agreed to"),
    Column("role", String, nullable=False, comment="marketing or sales"),
    Column("by", String, nullable=False),
    Column("reason", Text),
    Column("at", DateTime, nullable=False),
    UniqueConstraint("kind", "hash", "role", "by"),
    comment="Sets of rules that marketing and sales agreed to, append-only; a set needs both roles for exactly its hash (R56)",
)

ERASURE = sa.Table(
    "erasure",
    LEDGER,
    Column("erasure_id", String, primary_key=True),
    Column("contact_hash", String, nullable=False, comment="Keyed hash of the contact's id"),
    Column("state", String, nullable=False, comment="begun, committed, done"),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("begun_at", DateTime, nullable=False),
    Column("done_at", DateTime),
    Column("row_count", Integer, comment="Rows that were taken out or lost their person, in all files"),
    Column("scanned_count", Integer, comment="Files that were searched afterwards"),
    Column("residue", Text, comment="Files in which something was found afterwards; empty is the proof"),
    Column("readmitted_at", DateTime, comment="From when on the person's new rows are taken in again"),
    Column("readmitted_by", String),
    Column("readmitted_reason", Text),
    comment="Erasures of people, and their proof",
)

ERASED_RECORD = sa.Table(
    "erased_record",
    LEDGER,
    Column("erasure_id", String, ForeignKey("erasure.erasure_id"), primary_key=True),
    Column("kind", String, primary_key=True, comment="record, card, email, sms, unionid, openid or crm_id"),
    Column("hash", String, primary_key=True, comment="Keyed hash of the value"),
    comment="What an erased person is recognised by when a source sends them again",
)

ERASED_FILE = sa.Table(
    "erased_file",
    LEDGER,
    Column("erasure_id", String, ForeignKey("erasure.erasure_id"), primary_key=True),
    Column("place", String, primary_key=True, comment="lake or landing"),
    Column("name", String, primary_key=True, comment="Path below the place"),
    Column("new_name", String, nullable=False, comment="Empty when no row was left"),
    Column("old_sha256", String, nullable=False),
    Column("new_sha256", String, nullable=False),
    Column("row_count", Integer, nullable=False, comment="Rows taken out, or left without the person"),
    comment="Files that an erasure rewrote: the one permitted change of published bytes (architecture, section 3)",
)
