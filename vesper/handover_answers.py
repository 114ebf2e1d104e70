"""What sales answered to hand-overs, out of the outcomes that a sheet, a CRM or a call system brought (R43, R45, R115).

What belongs here: the Select of answers. What does not: the outcomes themselves (`vesper/consolidate/sales.py`), keeping an answer.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at
from vesper.marts.handover import RAW_HANDOVER
from vesper.night import Night
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.sales import LEAD_OUTCOME

ACCEPTING = ("accepted", "to_sales", "won", "lost")
"""Outcomes that only a lead has which sales took."""
REJECTING = ("rejected", "invalid", "recycle")
ENDING = ("to_sales", "won", "lost")
_SAID = ("outcome", "reason_code", "at", "source", "record_key")


def answers(night: Night) -> sa.Select[Any]:
    """One row for each answered hand-over: state, newest outcome with its code, first touch, acceptance, end.

    An outcome answers the hand-over that it names; one that names none, the newest hand-over of its contact made before it.
    """
    given = _given(night).cte("given")
    age = sa.func.row_number().over(
        partition_by=given.c.handover_id,
        order_by=(given.c.at.desc(), given.c.source.desc(), given.c.record_key.desc()),
    )
    ranked = sa.select(given, age.label("age")).cte("ranked")
    is_newest = ranked.c.age == 1
    newest = sa.func.max(ranked.c.outcome).filter(is_newest)
    ends = sa.and_(is_newest, ranked.c.outcome.in_((*REJECTING, *ENDING)))
    state = sa.case((newest.in_(REJECTING), "rejected"), (newest.in_(ENDING), "ended"), else_="accepted")
    return (
        sa.select(
            ranked.c.handover_id,
            state.label("state"),
            newest.label("outcome"),
            sa.func.max(ranked.c.reason_code).filter(is_newest).label("reason_code"),
            sa.func.min(ranked.c.at).label("touched_at"),
            sa.func.min(ranked.c.at).filter(ranked.c.outcome.in_(ACCEPTING)).label("accepted_at"),
            sa.func.max(ranked.c.at).filter(ends).label("ended_at"),
        )
        .group_by(ranked.c.handover_id)
        .order_by(ranked.c.handover_id)
    )


def _given(night: Night) -> sa.Select[Any]:
    """Each outcome up to the cut-off, with the hand-over that it answers."""
    said, held = LEAD_OUTCOME.c, RAW_HANDOVER.c
    columns = [said[name] for name in _SAID]
    until = said.at <= at(night.cutoff_at)
    named = sa.select(held.handover_id, *columns).where(said.handover_id == held.handover_id, until)
    merged = CONTACT_ALIAS.alias("answered_alias")
    contact_id = sa.func.coalesce(merged.c.contact_id, held.contact_id)
    order = (held.created_at.desc(), held.handover_id.desc())
    rank = sa.func.row_number().over(partition_by=(said.source, said.record_key), order_by=order)
    handed = RAW_HANDOVER.outerjoin(merged, merged.c.old_id == held.contact_id)
    mine = sa.and_(contact_id == said.contact_id, said.at > held.created_at)
    by_contact = (
        sa.select(held.handover_id, *columns, rank.label("rank"))
        .select_from(handed.join(LEAD_OUTCOME, mine))
        .where(said.handover_id.is_(None), until)
        .subquery("by_contact")
    )
    rest = sa.select(*[by_contact.c[name] for name in ("handover_id", *_SAID)]).where(by_contact.c.rank == 1)
    return sa.select(sa.union_all(named, rest).subquery("both"))
