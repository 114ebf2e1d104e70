"""Which rules a hand-over rests on, and what sales made of what each rule handed over (R66, R115).

What belongs here: the copy of the ledger's reasons, and acceptance by rule. What does not: the answers themselves (`handover.py`).
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import at, instant, on
from vesper.definition_hash import hash_of
from vesper.handover_answers import ACCEPTING, REJECTING
from vesper.marts import mart
from vesper.marts.handover import HANDOVER
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, empty, table

HANDOVER_REASON = table(
    "raw_vesper__handover_reason",
    column("handover_id", TEXT, "Hand-over", required=True),
    column("rule_id", TEXT, "Scoring rule, base or what keeps the sum on the scale", required=True),
    column("points", INTEGER, "Points it gave on the night that handed over", required=True),
    column("evidence_count", INTEGER, "Facts it found", required=True),
    grain=("handover_id", "rule_id"),
    owner="sales",
    says="The ledger's reasons of hand-overs.",
)

RULE_ACCEPTANCE = table(
    "mart__rule_acceptance",
    column("business_on", DATE, "Night", required=True),
    column("rule_id", TEXT, "Scoring rule that gave points to the hand-overs counted here", required=True),
    column(
        "handed_count", INTEGER, "Hand-overs made or answered in the window", required=True, between=(1, 10_000_000)
    ),
    column(
        "accepted_count", INTEGER, "Of them accepted, whatever became of them", required=True, between=(0, 10_000_000)
    ),
    column(
        "rejected_count",
        INTEGER,
        "Of them rejected: the rule's false positives",
        required=True,
        between=(0, 10_000_000),
    ),
    column("open_count", INTEGER, "Of them without an answer", required=True, between=(0, 10_000_000)),
    column("acceptance_ratio", RATIO, "Accepted over answered; empty where none is answered", between=(0, 1)),
    column("definition_hash", TEXT, "Hash of policy/sales", required=True),
    grain=("business_on", "rule_id"),
    owner="sales",
    says="What sales made of what each scoring rule handed over, in the window of policy/sales; a hand-over counts for each of its rules (R115).",
    cut="business_on",
)


@mart(RULE_ACCEPTANCE, stage="handover")
def rule_acceptance(night: Night) -> sa.Select[Any]:
    """One row for each rule that gave points to a hand-over of the window."""
    policy = night.definitions.of(SalesPolicy).get("sales")
    if policy is None:
        return empty(RULE_ACCEPTANCE)
    accepted = sa.func.count().filter(HANDOVER.c.outcome.in_(ACCEPTING))
    rejected = sa.func.count().filter(HANDOVER.c.outcome.in_(REJECTING))
    columns = {
        "business_on": on(night.business_on),
        "rule_id": HANDOVER_REASON.c.rule_id,
        "handed_count": sa.func.count(),
        "accepted_count": accepted,
        "rejected_count": rejected,
        "open_count": sa.func.count().filter(HANDOVER.c.outcome.is_(None)),
        "acceptance_ratio": sa.cast(accepted, sa.Double) / sa.func.nullif(accepted + rejected, 0),
        "definition_hash": sa.literal(hash_of(night, "policy/sales")),
    }
    return (
        sa.select(*[value.label(name) for name, value in columns.items()])
        .join_from(HANDOVER_REASON, HANDOVER, HANDOVER.c.handover_id == HANDOVER_REASON.c.handover_id)
        .where(HANDOVER_REASON.c.points != 0, HANDOVER.c.state != "withdrawn", in_window(night, policy))
        .group_by(HANDOVER_REASON.c.rule_id)
    )


def in_window(night: Night, policy: SalesPolicy) -> sa.ColumnElement[bool]:
    """SQL: whether a hand-over was made or answered in the days that the alignment sheet looks at."""
    first_on = night.days_ago(policy.review.days - 1)
    starts_at = instant(first_on, dt.time(), night.zone)
    return sa.or_(HANDOVER.c.business_on >= on(first_on), HANDOVER.c.touched_at >= at(starts_at))
