"""Hand-overs as analysts read them: one row for each, with what sales were told and what they answered.

What belongs here: `out__handover`, and the declarations of the ledger's copies that the stages hand-over and send read. What does not: the
ledger itself, who is handed over (`vesper/handover.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, TEXT, column, table

CAUSES = ("mql", "high_score", "chat_intent")
STATES = ("open", "accepted", "rejected", "ended", "withdrawn")
TELLING = ("new", "unassigned")
TEN_MINUTES = 600

RAW_HANDOVER = table(
    "raw_vesper__handover",
    column("handover_id", TEXT, "Hand-over, derived from contact and episode", required=True),
    column("contact_id", TEXT, "Golden contact when it was handed over", required=True),
    column("episode", INTEGER, "Which time, from 1", required=True),
    column("cause", TEXT, "Why now", required=True, among=CAUSES),
    column("score", INTEGER, "Score of that night", required=True),
    column("mql_preset", TEXT, "Preset of the decision (R54)"),
    column("business_on", DATE, "Night that handed over", required=True),
    column("scored_at", INSTANT, "When the scores were committed, by the real clock (UTC)", required=True),
    column("recorded_at", INSTANT, "When it was recorded, by the real clock (UTC)", required=True),
    column("created_at", INSTANT, "When it was handed over (UTC)", required=True),
    column("owner", TEXT, "Representative"),
    column("assigned_at", INSTANT, "When it was given to the representative (UTC)"),
    column("due_at", INSTANT, "When an answer is due (UTC)", required=True),
    column("state", TEXT, "How far it came", required=True, among=STATES),
    column("outcome", TEXT, "Newest answer of sales"),
    column("reason_code", TEXT, "Code of the newest answer"),
    column("touched_at", INSTANT, "First answer of sales (UTC)"),
    column("accepted_at", INSTANT, "When sales accepted it (UTC)"),
    column("ended_at", INSTANT, "When it was over (UTC)"),
    column("lapsed_on", DATE, "First night on which the contact was no longer ready"),
    grain=("handover_id",),
    owner="sales",
    says="The ledger's hand-overs, as they stood when this copy was taken.",
)

RAW_HUMAN_TASK = table(
    "raw_vesper__human_task",
    column("task_id", TEXT, "Task, derived from contact and number", required=True),
    column("contact_id", TEXT, "Golden contact when it was opened", required=True),
    column("number", INTEGER, "Which task of the contact, from 1", required=True),
    column("cause", TEXT, "Why a person takes over", required=True, among=CAUSES),
    column("handover_id", TEXT, "Its hand-over", required=True),
    column("opened_on", DATE, "Night that opened it", required=True),
    column("opened_at", INSTANT, "When it was opened (UTC)", required=True),
    column("is_open", FLAG, "Still open", required=True),
    column("closed_at", INSTANT, "When it was closed (UTC)"),
    column("lapsed_on", DATE, "First night on which the score was below takeover_at"),
    grain=("task_id",),
    owner="sales",
    says="The ledger's human tasks; marketing writes nothing to the contact of an open one (R64, R65).",
)

RAW_NOTICE = table(
    "raw_vesper__notice",
    column("notice_id", TEXT, "Notice", required=True),
    column("handover_id", TEXT, "Hand-over that it is about", required=True),
    column("kind", TEXT, "new, unassigned, takeover or withdrawn", required=True),
    column("channel", TEXT, "email, wecom or webhook", required=True),
    column("recipient", TEXT, "Who is told", required=True),
    column("state", TEXT, "How far it came", required=True),
    column("created_at", INSTANT, "When it was made (UTC)", required=True),
    column("not_before", INSTANT, "When it may leave (UTC)", required=True),
    column("final_at", INSTANT, "When its fate was settled (UTC)"),
    column("real_at", INSTANT, "The same by the real clock (UTC)"),
    grain=("notice_id",),
    owner="sales",
    says="The ledger's notices to sales, as they stood when this copy was taken.",
)

HANDOVER = table(
    "out__handover",
    column("handover_id", TEXT, "Hand-over; sales answer with it", required=True),
    column("contact_id", TEXT, "Golden contact when it was handed over", required=True),
    column("episode", INTEGER, "Which time the contact was handed over, from 1", required=True, between=(1, 10_000)),
    column(
        "cause", TEXT, "Why now: an MQL, a score that asks for a person, intent in a chat", required=True, among=CAUSES
    ),
    column("score", INTEGER, "Score of that night", required=True, between=(-10_000, 10_000)),
    column("mql_preset", TEXT, "Preset of the MQL decision (R54)"),
    column("business_on", DATE, "Night that handed over", required=True),
    column("owner", TEXT, "Representative; empty while nobody had room (R69)"),
    column("created_at", INSTANT, "When it was recorded (UTC)", required=True),
    column("notified_at", INSTANT, "When the first notice was taken (UTC); empty while none was"),
    column(
        "is_late",
        FLAG,
        "Recorded, or told of outside a digest, more than ten minutes after the score (R63)",
        required=True,
    ),
    column("due_at", INSTANT, "When an answer of sales is due, by the business calendar (UTC)", required=True),
    column("state", TEXT, "How far it came", required=True, among=STATES),
    column("outcome", TEXT, "Newest answer of sales, as core__lead_outcome says it"),
    column("reason_code", TEXT, "Coded reason of that answer (R115)"),
    column("touched_at", INSTANT, "First answer of sales (UTC)"),
    column("accepted_at", INSTANT, "When sales accepted it (UTC)"),
    column("ended_at", INSTANT, "When it was over: rejected, ended or withdrawn (UTC)"),
    column("is_timely", FLAG, "Answered by due_at; false when it was not, empty while it may still be (R68)"),
    grain=("handover_id",),
    owner="sales",
    says="One row for each hand-over to sales, with what they were told and what they answered.",
)


@mart(HANDOVER, stage="handover")
def handover(night: Night) -> sa.Select[Any]:
    """The ledger's hand-overs up to this night."""
    raw, told = RAW_HANDOVER.c, _told()
    is_late = sa.or_(
        _seconds(raw.scored_at, raw.recorded_at) > TEN_MINUTES, sa.func.coalesce(told.c.is_late, sa.false())
    )
    answered = sa.func.coalesce(raw.touched_at, raw.ended_at)
    is_timely = sa.case(
        (raw.state == "withdrawn", sa.null()),
        (answered.is_not(None), answered <= raw.due_at),
        (raw.due_at < sa.cast(sa.literal(night.cutoff_at.isoformat(sep=" ")), sa.DateTime), sa.false()),
        else_=sa.null(),
    )
    made = {"notified_at": told.c.notified_at, "is_late": is_late, "is_timely": sa.cast(is_timely, sa.Boolean)}
    columns = [(made[c.name] if c.name in made else raw[c.name]).label(c.name) for c in HANDOVER.c]
    joined = RAW_HANDOVER.outerjoin(told, told.c.handover_id == raw.handover_id)
    return sa.select(*columns).select_from(joined).where(raw.business_on <= on(night.business_on))


def _told() -> sa.Subquery:
    """handover_id, when somebody was told first, and whether all who were to be told at once heard of it too late or not yet."""
    raw = RAW_NOTICE.c
    at_once = raw.not_before <= raw.created_at
    was_in_time = sa.and_(raw.state == "accepted", _seconds(RAW_HANDOVER.c.scored_at, raw.real_at) <= TEN_MINUTES)
    waits = sa.func.count().filter(at_once, RAW_HANDOVER.c.created_at == raw.created_at)
    in_time = sa.func.count().filter(sa.and_(at_once, was_in_time))
    return (
        sa.select(
            raw.handover_id,
            sa.func.min(raw.final_at).filter(raw.state == "accepted").label("notified_at"),
            sa.and_(waits > 0, in_time == 0).label("is_late"),
        )
        .join_from(RAW_NOTICE, RAW_HANDOVER, RAW_HANDOVER.c.handover_id == raw.handover_id)
        .where(raw.kind.in_(TELLING))
        .group_by(raw.handover_id)
        .subquery("told")
    )


def _seconds(since: sa.ColumnElement[Any], until: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.func.date_diff("second", since, until, type_=sa.Integer)
