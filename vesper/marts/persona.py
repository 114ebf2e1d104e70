"""Who is of which persona tonight, and since when."""

from typing import Any

import sqlalchemy as sa

from vesper.group import PERSONAS, members
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, TEXT, column, previous, table

PERSONA = table(
    "mart__persona",
    column("business_on", DATE, "Night", required=True),
    column("persona_id", TEXT, "Persona", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("since_on", DATE, "Night since which it has held without a break", required=True),
    column("definition_hash", TEXT, "Hash of the persona's definition", required=True),
    grain=("persona_id", "contact_id"),
    owner="marketing",
    says="Contacts of every persona. While a source that a persona reads has a hole, its contacts stay yesterday's (R106).",
)
PREVIOUS_PERSONA = previous(PERSONA)


@mart(PERSONA, stage="measure")
def persona(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per persona and contact."""
    return members(night, PERSONAS, PREVIOUS_PERSONA)
