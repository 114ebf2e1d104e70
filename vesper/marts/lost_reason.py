"""Why leads and deals were lost, by segment: refused, invalid, sent back, lost (R48)."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.tally import in_window
from vesper.definition_hash import hash_of
from vesper.lead import policy_of
from vesper.marts import mart
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.sales import LEAD_OUTCOME

LOST = ("rejected", "invalid", "recycle", "lost")
EVERYBODY, UNSTATED = "*", "unstated"

LOST_REASON = table(
    "mart__lost_reason",
    column("business_on", DATE, "Night", required=True),
    column("segment_id", TEXT, "Segment that the contacts are in tonight; * for everybody", required=True),
    column("outcome", TEXT, "rejected, invalid, recycle or lost", required=True, among=LOST),
    column("reason_code", TEXT, "Coded reason; unstated where sales gave none", required=True),
    column(
        "outcome_count",
        INTEGER,
        "Such outcomes in the window of policy/lead",
        required=True,
        between=(1, 1_000_000_000),
    ),
    column(
        "reason_ratio",
        RATIO,
        "Share of the reason among the segment's outcomes of this kind",
        required=True,
        between=(0.0, 1.0),
    ),
    column("definition_hash", TEXT, "Hash of policy/lead and the segments", required=True),
    grain=("business_on", "segment_id", "outcome", "reason_code"),
    cut="business_on",
    owner="sales",
    says="Why leads and deals were lost, by segment and night.",
)


@mart(LOST_REASON, stage="watch")
def lost_reason(night: Night) -> sa.Select[Any]:
    """One row for each segment, outcome and reason that occurred in the window."""
    said, member = LEAD_OUTCOME.c, SEGMENT_MEMBER.c
    code = sa.func.coalesce(said.reason_code, UNSTATED).label("reason_code")
    mine = sa.and_(said.outcome.in_(LOST), in_window(said.on, policy_of(night).lost_within, night))
    everybody = sa.select(sa.literal(EVERYBODY).label("segment_id"), said.outcome, code).where(mine)
    by_segment = sa.select(member.segment_id, said.outcome, code).where(mine)
    by_segment = by_segment.join_from(LEAD_OUTCOME, SEGMENT_MEMBER, member.contact_id == said.contact_id)
    lost = sa.union_all(everybody, by_segment).subquery("lost")
    number = sa.func.count()
    whole = sa.func.sum(number).over(partition_by=[lost.c.segment_id, lost.c.outcome])
    return sa.select(
        on(night.business_on).label("business_on"),
        *lost.c,
        number.label("outcome_count"),
        (sa.cast(number, RATIO) / sa.cast(whole, RATIO)).label("reason_ratio"),
        sa.literal(hash_of(night, "policy/lead", "segments")).label("definition_hash"),
    ).group_by(*lost.c)
