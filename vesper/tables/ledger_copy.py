"""Ledger rows as a night sees them: bound as Arrow at its start, never attached. The ledger stays the truth."""

from vesper.tables.declare import DATE, FLAG, INSTANT, TEXT, column, table

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
