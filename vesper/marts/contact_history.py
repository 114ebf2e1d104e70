"""Stage, region and owner of each contact over time: a value, and from when to when it held."""

from typing import Any

import sqlalchemy as sa

from vesper.contact_history import FIELDS, histories
from vesper.marts import mart
from vesper.night import Night
from vesper.shared import by_stretches
from vesper.tables.declare import DATE, INSTANT, TEXT, column, previous, table, the_night

CONTACT_HISTORY = table(
    "mart__contact_history",
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("field", TEXT, "stage, province, city or owner", required=True, among=FIELDS),
    column("value", TEXT, "Value of the field", required=True),
    column(
        "valid_from",
        INSTANT,
        "First instant at which it held (UTC): a night's cut-off, or when the stage began",
        required=True,
    ),
    column("valid_to", INSTANT, "Cut-off of the night on which it no longer held (UTC); empty while it holds"),
    column("definition_hash", TEXT, "Hash of the lifecycle, which sets the stages", required=True),
    grain=("contact_id", "field", "valid_from"),
    patched=True,
    derived={"business_on": the_night},
    owner="data",
    says="A slowly changing dimension: at any instant at most one value of a field; the value of a past day is the one whose interval holds it.",
    personal=("value",),
)
PREVIOUS_HISTORY = previous(CONTACT_HISTORY)


@mart(CONTACT_HISTORY, stage="score", is_by_contact=True)
def contact_history(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Every interval of every field of every contact."""
    return by_stretches(night, histories(night, PREVIOUS_HISTORY))
