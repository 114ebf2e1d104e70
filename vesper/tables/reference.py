"""Reference tables that a night binds from what ships with Vesper (`definitions/reference`)."""

from vesper.tables.declare import TEXT, column, table

SPELLING = table(
    "raw_vesper__region_spelling",
    column("spelling", TEXT, "Spelling without blanks and commas, in lower case", required=True),
    column("province", TEXT, "Province, short form"),
    column("city", TEXT, "City, short form"),
    column("status", TEXT, "exact, province_only or ambiguous", required=True),
    grain=("spelling",),
    owner="data",
    says="Every known spelling of a region and what it means.",
)
