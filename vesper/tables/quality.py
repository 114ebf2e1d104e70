"""What the night knows of its own quality: quarantine, metrics, coverage of sources, and the company's calendar."""

from vesper.tables.declare import BIG, DATE, FLAG, INTEGER, TEXT, column, table

QUARANTINE = table(
    "dq__quarantine",
    column("business_on", DATE, "Night that set the row aside", required=True),
    column("stage", TEXT, "Stage that set it aside", required=True),
    column("source", TEXT, "Source id", required=True),
    column("row_key", TEXT, "file:row it came from", required=True),
    column("rule_id", TEXT, "Rule that the row broke", required=True),
    column("row_json", TEXT, "The row as it came", required=True),
    grain=("business_on", "stage", "source", "row_key", "rule_id"),
    owner="data",
    says="Rows set aside, each with the first rule it broke; nothing is dropped silently.",
    cut="business_on",
    personal=("row_json",),
)

METRIC = table(
    "dq__metric",
    column("business_on", DATE, "Night", required=True),
    column("stage", TEXT, "Stage", required=True),
    column("table_name", TEXT, "Table or source", required=True),
    column("metric", TEXT, "rows, received, new, changed, unchanged, quarantined, ...", required=True),
    column("value", BIG, "Its value", required=True),
    grain=("business_on", "stage", "table_name", "metric"),
    owner="data",
    says="Run metrics by night: the history that volume checks look back on.",
    cut="business_on",
)

COVERAGE = table(
    "core__coverage",
    column("source", TEXT, "Source id", required=True),
    column("business_on", DATE, "Night", required=True),
    column("expected_through_on", DATE, "Last day that should have arrived by the cut-off"),
    column("covered_through_on", DATE, "Last day without a hole before it"),
    column("missing_days", INTEGER, "Days expected and not here", required=True),
    column("is_held", FLAG, "True when what reads the source keeps yesterday's rows (R106)", required=True),
    grain=("source",),
    owner="data",
    says="How far each source reaches tonight, and which ones have a hole.",
)

CALENDAR = table(
    "core__calendar",
    column("on", DATE, "Company day", required=True),
    column("iso_week", INTEGER, "ISO week", required=True),
    column("month", INTEGER, "Month 1..12", required=True),
    column("year", INTEGER, "Year", required=True),
    column("is_weekend", FLAG, "Saturday or Sunday", required=True),
    grain=("on",),
    owner="data",
    says="Company days from the first order to the night.",
)
