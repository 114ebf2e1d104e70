"""People: the golden contact, its source records, its identifiers, its consent."""

from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, TEXT, column, table

SOURCE_RECORD = table(
    "core__source_record",
    column("source", TEXT, "Source id", required=True),
    column("record_key", TEXT, "Key of the row inside its source", required=True),
    column("card", TEXT, "Loyalty card number as the source states it"),
    column("name", TEXT, "Name, trimmed and full-width folded"),
    column("phone", TEXT, "Phone in E.164; empty when the source's value was not a usable number"),
    column(
        "phone_status",
        TEXT,
        "How the phone was judged (R7)",
        required=True,
        among=("valid", "missing", "invalid", "dummy"),
    ),
    column("email", TEXT, "Mail address for sending, trimmed and lower-cased domain"),
    column(
        "email_status", TEXT, "How the mail address was judged", required=True, among=("valid", "missing", "invalid")
    ),
    column("province", TEXT, "Province, short form such as 上海 (R8)"),
    column("city", TEXT, "City, short form such as 上海 (R8)"),
    column(
        "region_status",
        TEXT,
        "How the region was resolved (R8)",
        required=True,
        among=("exact", "province_only", "ambiguous", "none"),
    ),
    column("registered_at", INSTANT, "When the person registered at the source (UTC)"),
    column("received_at", INSTANT, "When the row arrived (UTC)", required=True),
    column("trust", INTEGER, "Trust of the source, 0..100, higher wins survivorship", required=True, between=(0, 100)),
    grain=("source", "record_key"),
    owner="data",
    says="Each live contact row of each source after cleaning, one row per source row.",
    personal=("name", "phone", "email"),
)

CONTACT_MEMBER = table(
    "core__contact_member",
    column("source", TEXT, "Source id", required=True),
    column("record_key", TEXT, "Key of the row inside its source", required=True),
    column("contact_id", TEXT, "Golden contact the row belongs to", required=True),
    column(
        "rule",
        TEXT,
        "Why it belongs: founder, card, phone or email",
        required=True,
        among=("founder", "card", "phone", "email"),
    ),
    grain=("source", "record_key"),
    owner="data",
    says="Which golden contact each source row belongs to; every row in exactly one (R1).",
)

CONTACT = table(
    "core__contact",
    column("contact_id", TEXT, "Golden contact id; stays the same over nights", required=True),
    column("card", TEXT, "Loyalty card number"),
    column("name", TEXT, "Name, from the most trusted source"),
    column("phone", TEXT, "Phone in E.164"),
    column("email", TEXT, "Mail address for sending"),
    column("province", TEXT, "Province (R8)"),
    column("city", TEXT, "City (R8)"),
    column("company_id", TEXT, "Company of the contact, where sources name one"),
    column("age_band", TEXT, "Age band from the household survey"),
    column("income_band", TEXT, "Income band from the household survey"),
    column("household_size", TEXT, "Household size from the household survey"),
    column("kids_count", TEXT, "Children in the household, from the survey"),
    column("source_count", INTEGER, "Source rows merged into this contact", required=True, between=(0, 1000)),
    column("first_source", TEXT, "Source of the first row: the inflow route (R14)", required=True),
    column("first_seen_on", DATE, "First registration or order, company day", required=True),
    column("updated_at", INSTANT, "Arrival of the newest source row (UTC)", required=True),
    grain=("contact_id",),
    owner="data",
    says="One golden contact per person (here: household), with the surviving value of each field.",
    minimum_rows=1,
    personal=("name", "phone", "email"),
)

IDENTIFIER = table(
    "core__contact_identifier",
    column("kind", TEXT, "card, phone or email", required=True, among=("card", "phone", "email")),
    column("value", TEXT, "The identifier", required=True),
    column("contact_id", TEXT, "Its golden contact", required=True),
    grain=("kind", "value"),
    owner="data",
    says="Every identifier that names exactly one contact; events and orders find their contact here (R13).",
    personal=("value",),
)

CONSENT = table(
    "core__consent",
    column("contact_id", TEXT, "Golden contact", required=True),
    column("channel", TEXT, "email or sms", required=True, among=("email", "sms", "wechat")),
    column("purpose", TEXT, "What the consent is for", required=True, among=("marketing",)),
    column("is_granted", FLAG, "True only if no source refuses and one grants (most restrictive wins)", required=True),
    column("at", INSTANT, "When it was given or refused (UTC)"),
    column("source", TEXT, "Source of the deciding row", required=True),
    column("text_version", TEXT, "Version of the text consented to (R88)"),
    grain=("contact_id", "channel", "purpose"),
    owner="compliance",
    says="Consent as of the cut-off, copied from the ledger, the most restrictive row of a contact winning.",
)
