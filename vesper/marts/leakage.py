"""Where leads are lost on the way: untouched, discarded, ignored for long, not re-engaged after the sale (R46)."""

from typing import Any

import sqlalchemy as sa

from vesper.leakage import KINDS, leaks
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table

COUNT = (0, 1_000_000_000)

LEAKAGE = table(
    "mart__leakage",
    column("business_on", DATE, "Night", required=True),
    column(
        "kind",
        TEXT,
        "untouched: nobody spoke to the lead since it began; discarded: ended as invalid; ignored: in the pool, nobody spoke to it for long; "
        "not_reengaged: nobody spoke to the buyer since the sale",
        required=True,
        among=KINDS,
    ),
    column("after_days", INTEGER, "Days after which it counts, from policy/lead; 0 for discarded", required=True),
    column("base_count", INTEGER, "Leads, or buyers, to whom it could have happened", required=True, between=COUNT),
    column("leaked_count", INTEGER, "Of them: to whom it did", required=True, between=COUNT),
    column("leak_ratio", RATIO, "leaked_count / base_count; empty where there is nobody", between=(0.0, 1.0)),
    column("definition_hash", TEXT, "Hash of policy/lead", required=True),
    grain=("business_on", "kind"),
    cut="business_on",
    owner="sales",
    says="Leakage report by night (R46).",
    minimum_rows=len(KINDS),
)


@mart(LEAKAGE, stage="watch")
def leakage(night: Night) -> sa.Select[Any]:
    """One row for each kind of leak."""
    return leaks(night)
