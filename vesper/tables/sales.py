"""What sales learned of a contact: BANT statements, and what became of a lead."""

from vesper.tables.declare import DATE, INSTANT, TEXT, column, table

DIMENSIONS = ("budget", "authority", "need", "timing")
"""What a BANT statement speaks of (R55)."""
OUTCOMES = ("accepted", "rejected", "to_sales", "invalid", "recycle", "won", "lost")
"""What may become of a lead: sales take or refuse it, it ends as one of three, and a deal is won or lost (R43, R48, R115)."""

BANT = table(
    "core__bant",
    column("contact_id", TEXT, "Golden contact; empty while unknown"),
    column("dimension", TEXT, "budget, authority, need or timing", required=True, among=DIMENSIONS),
    column("value", TEXT, "What is known, in the company's own words, e.g. clear", required=True),
    column("source", TEXT, "Source id", required=True),
    column("record_key", TEXT, "Key of the row in its source", required=True),
    column("at", INSTANT, "When it was stated (UTC)", required=True),
    grain=("source", "record_key", "dimension"),
    owner="sales",
    says="Every BANT statement of every source; of a contact and dimension the newest counts (R55).",
    personal=("value",),
)

LEAD_OUTCOME = table(
    "core__lead_outcome",
    column("contact_id", TEXT, "Golden contact; empty while unknown"),
    column("outcome", TEXT, "What became of the lead", required=True, among=OUTCOMES),
    column("reason_code", TEXT, "Coded reason, e.g. of a refusal or a lost deal"),
    column("handover_id", TEXT, "Hand-over that it answers; empty where the source names none"),
    column("owner", TEXT, "Who in sales says so, as the source names them"),
    column("source", TEXT, "Source id", required=True),
    column("record_key", TEXT, "Key of the row in its source", required=True),
    column("on", DATE, "Company day of the outcome", required=True),
    column("at", INSTANT, "When it was decided (UTC)", required=True),
    grain=("source", "record_key"),
    owner="sales",
    says="What sales and the call system say became of leads: answers to hand-overs, ends of leads, deals (R43, R45, R48, R115).",
    personal=("owner",),
)
