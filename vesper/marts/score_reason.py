"""Why each contact scores what it scores: one row per reason, the base and the clamp among them."""

from typing import Any

import sqlalchemy as sa

from vesper.marts import mart
from vesper.night import Night
from vesper.score import KINDS, reasons
from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, previous, table, the_night

SCORE_REASON = table(
    "mart__score_reason",
    column("business_on", DATE, "Night of the score", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column(
        "rule_id",
        TEXT,
        "Scoring rule; base for the points everyone starts with, cap_fit and cap_engagement for what keeps a kind's sum in its limit, clamp for what "
        "keeps the whole on the scale",
        required=True,
    ),
    column("kind", TEXT, "fit or engagement, as the rule says; base, clamp (R58)", required=True, among=KINDS),
    column(
        "points",
        INTEGER,
        "Points it gives or takes; a contact's rows sum to its score exactly",
        required=True,
        between=(-10_000, 10_000),
    ),
    column(
        "evidence_count",
        INTEGER,
        "Facts the rule found; 0 for an absence, base and clamp",
        required=True,
        between=(0, 1_000_000),
    ),
    column("first_at", INSTANT, "First of these facts (UTC)"),
    column("last_at", INSTANT, "Last of these facts (UTC)"),
    column("definition_hash", TEXT, "Hash of the scoring rules and policy/scoring", required=True),
    grain=("business_on", "contact_id", "rule_id"),
    patched=True,
    derived={"business_on": the_night},
    owner="marketing",
    says="The reasons behind every score. While a source that a rule reads has a hole, its rows stay yesterday's (R106).",
    minimum_rows=1,
)
PREVIOUS_REASON = previous(SCORE_REASON)


@mart(SCORE_REASON, stage="score", is_by_contact=True)
def score_reason(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per contact and reason."""
    return reasons(night, PREVIOUS_REASON)
