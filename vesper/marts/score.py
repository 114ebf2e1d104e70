"""The score of each contact, fit and engagement side by side (R58), and who is an MQL (R53)."""

from typing import Any

import sqlalchemy as sa

from vesper.marts import mart
from vesper.marts.score_reason import SCORE_REASON
from vesper.night import Night
from vesper.score import scores
from vesper.tables.declare import DATE, FLAG, INTEGER, TEXT, column, previous, table, the_night


def _score_before(rows: sa.FromClause, on: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The score of the night before: what it was before it changed, if it changed tonight."""
    return sa.case((rows.c.score_changed_on == on, rows.c.earlier_score), else_=rows.c.score)


SCORE = table(
    "mart__score",
    column("business_on", DATE, "Night of the score", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column(
        "score",
        INTEGER,
        "Sum of the contact's reasons, on the scale of policy/scoring",
        required=True,
        between=(-10_000, 10_000),
    ),
    column(
        "fit_score",
        INTEGER,
        "Sum of the fit rules: how well the contact suits the company (R58)",
        required=True,
        between=(-10_000, 10_000),
    ),
    column(
        "engagement_score",
        INTEGER,
        "Sum of the engagement rules: what the contact did (R58)",
        required=True,
        between=(-10_000, 10_000),
    ),
    column("is_mql", FLAG, "Whether the contact is an MQL by mql_preset (R53, R54)", required=True),
    column(
        "mql_preset",
        TEXT,
        "What made the decision: score, or strict, which also asks for a clear budget and a decision maker (R54)",
        required=True,
        among=("score", "strict"),
    ),
    column("previous_score", INTEGER, "Score of the night before; empty for a contact that was not there"),
    column("score_changed_on", DATE, "Night on which the score became what it is", required=True),
    column("earlier_score", INTEGER, "What it was before that night; empty for a contact that was not there"),
    column("definition_hash", TEXT, "Hash of the scoring rules and policy/scoring", required=True),
    grain=("business_on", "contact_id"),
    patched=True,
    derived={"business_on": the_night, "previous_score": _score_before},
    owner="marketing",
    says="One score per golden contact and night. A function of facts as of the cut-off: a rerun gives the same rows (R62).",
    minimum_rows=1,
)
PREVIOUS_SCORE = previous(SCORE)


@mart(SCORE, stage="score", is_by_contact=True)
def score(night: Night) -> sa.Select[Any]:
    """One row per golden contact."""
    return scores(night, SCORE_REASON, PREVIOUS_SCORE)
