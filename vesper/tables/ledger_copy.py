"""Ledger rows as a night sees them: bound as Arrow at its start, never attached. The ledger stays the truth."""

from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, TEXT, column, table

LEDGER_CONSENT = table(
    "raw_vesper__consent",
    column("channel", TEXT, "email or sms", required=True),
    column("purpose", TEXT, "What the consent is for", required=True),
    column("address_hash", TEXT, "Hash of the address", required=True),
    column("is_granted", FLAG, "Granted or refused", required=True),
    column("at", INSTANT, "When it was said (UTC)", required=True),
    column("source", TEXT, "Source that states it", required=True),
    column("row_key", TEXT, "Row of that source", required=True),
    column("text_version", TEXT, "Version of the text consented to"),
    column("recorded_on", DATE, "Night that recorded it", required=True),
    grain=("channel", "purpose", "address_hash", "source", "row_key", "at", "is_granted"),
    owner="compliance",
    says="Consent statements of the ledger recorded before tonight.",
)

LEDGER_STEWARD = table(
    "raw_vesper__steward_rule",
    column("rule_id", INTEGER, "The rule's number in the ledger", required=True),
    column("kind", TEXT, "What it says", required=True, among=("must_link", "cannot_link", "pin")),
    column(
        "record_a",
        TEXT,
        "source:record_key; of a link the smaller one, of a pin a record of the contact",
        required=True,
    ),
    column("record_b", TEXT, "The other record of a link"),
    column("field", TEXT, "Field of core__contact that a pin sets"),
    column("value", TEXT, "What a pin sets it to"),
    column("by", TEXT, "Who decided", required=True),
    column("reason", TEXT, "Why", required=True),
    column("recorded_on", DATE, "First night that it binds", required=True),
    grain=("rule_id",),
    owner="data",
    says="What stewards decided about identity and values, in force tonight; lifted rules are not here (R104).",
    personal=("record_a", "record_b", "value"),
)

LEDGER_INCIDENT = table(
    "raw_vesper__incident_message",
    column("message_id", TEXT, "Message of a campaign or journey that went wrong", required=True),
    column("incident_id", INTEGER, "The first incident that names it", required=True),
    grain=("message_id",),
    owner="marketing",
    says="Messages whose answers count nowhere, by the incidents recorded up to tonight (R109).",
)

LEDGER_ERASED = table(
    "raw_vesper__erased_record",
    column("kind", TEXT, "record, card, email, sms, unionid, openid or crm_id", required=True),
    column("hash", TEXT, "Keyed hash of the value", required=True),
    grain=("kind", "hash"),
    owner="compliance",
    says="What erased people are recognised by when a source sends them again; never in clear.",
)
