"""Leads: when one begins, how it ends, how often it came back, who was touched last and when (R43, R44, R46, R47).

A lead begins with a lead event, an outcome or an MQL, and ends with what sales say: to_sales, invalid or recycled, one of them; an order ends it as a
won deal does. Who came back to the pool, was invalid or has bought begins anew with the next lead event; while sales have a lead, only they end it.
What belongs here: those Selects. What does not: the tables (marts/lead*.py) and the company's rules (policy/lead.yml).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.conditions.people import day_starts_at
from vesper.definition_hash import hash_of
from vesper.marts.activity import ACTIVITY
from vesper.marts.message import MESSAGE
from vesper.marts.score import PREVIOUS_SCORE, SCORE
from vesper.model.lead import LeadPolicy
from vesper.model.source import Source
from vesper.night import Night
from vesper.tables.campaign import CAMPAIGN_MEMBER, EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.declare import previous
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.sales import LEAD_OUTCOME

OPEN, TO_SALES, INVALID, RECYCLED = STATUSES = ("open", "to_sales", "invalid", "recycled")
WON = "won"
PREVIOUS_MESSAGE = previous(MESSAGE)


def policy_of(night: Night) -> LeadPolicy:
    """policy/lead."""
    return night.definitions.one(LeadPolicy, "lead")


def leads(night: Night, previous_lead: sa.Table) -> sa.Select[Any]:
    """One row per golden contact that is or was a lead."""
    ended = _ended(night).cte("ended")
    times = _times(night, previous_lead, ended)
    is_open = sa.or_(
        ended.c.status.is_(None),
        sa.and_(sa.or_(ended.c.status != TO_SALES, ended.c.outcome == WON), times.c.after_at.is_not(None)),
    )
    touched = touches(night).subquery("touched")
    columns = {
        "business_on": on(night.business_on),
        "contact_id": times.c.contact_id,
        "status": sa.case((is_open, OPEN), else_=ended.c.status),
        "opened_at": sa.case(
            (is_open, sa.func.coalesce(times.c.after_at, times.c.during_at)),
            else_=sa.func.coalesce(times.c.during_at, ended.c.closed_at),
        ),
        "closed_at": sa.case((sa.not_(is_open), ended.c.closed_at)),
        "recycle_count": sa.func.coalesce(ended.c.recycle_count, 0),
        "reason_code": ended.c.reason_code,
        "last_touch_at": touched.c.last_at,
        "definition_hash": sa.literal(hash_of(night, "policy/lead")),
    }
    joined = times.join(CONTACT, CONTACT.c.contact_id == times.c.contact_id)
    joined = joined.join(ended, ended.c.contact_id == times.c.contact_id, isouter=True)
    joined = joined.join(touched, touched.c.contact_id == times.c.contact_id, isouter=True)
    return sa.select(*[value.label(name) for name, value in columns.items()]).select_from(joined)


def touches(night: Night) -> sa.Select[Any]:
    """contact_id, last_at: when the company last spoke to each contact - a message, a mailing, an outcome of sales, an event of `touched_by`."""
    said, mailed, sent = LEAD_OUTCOME.c, CAMPAIGN_MEMBER.c, PREVIOUS_MESSAGE.c
    kinds = policy_of(night).touched_by
    parts = [
        sa.select(said.contact_id, said.at.label("at")),
        sa.select(mailed.contact_id, day_starts_at(mailed.mailed_on, night)),
        sa.select(_now_called(sent.contact_id), sent.sent_at).select_from(_with_alias(PREVIOUS_MESSAGE)),
    ]
    parts += [_events(kinds, night)] if kinds else []
    every = sa.union_all(*parts).subquery("touch")
    known = sa.and_(every.c.contact_id.is_not(None), every.c.at <= at(night.cutoff_at))
    return (
        sa.select(every.c.contact_id, sa.func.max(every.c.at).label("last_at"))
        .where(known)
        .group_by(every.c.contact_id)
    )


def changes(night: Night, lead: sa.Table, previous_lead: sa.Table) -> sa.Select[Any]:
    """One row per contact whose lead stands otherwise than the night before, or has begun."""
    new, old = lead.c, previous_lead.c
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            new.contact_id,
            old.status.label("from_status"),
            new.status.label("to_status"),
            new.reason_code,
            sa.func.coalesce(new.closed_at, new.opened_at).label("at"),
            new.definition_hash,
        )
        .join_from(lead, previous_lead, old.contact_id == new.contact_id, isouter=True)
        .where(old.status.is_distinct_from(new.status))
    )


def _ended(night: Night) -> sa.Select[Any]:
    """One row per contact with an outcome or an order: what came last and the status it gives, the end before it, how often the lead came back."""
    said, bought = _by_outcome(night).subquery("by_outcome"), ACTIVITY.c
    if not policy_of(night).order_ends:
        return sa.select(said, sa.false().label("has_ordered"))
    is_later = sa.and_(bought.last_at.is_not(None), sa.func.coalesce(bought.last_at > said.c.closed_at, True))
    is_over = sa.or_(said.c.status != TO_SALES, said.c.outcome == WON)
    by_order = {
        "status": sa.literal(TO_SALES),
        "outcome": sa.literal(WON),
        "reason_code": sa.null(),
        "closed_at": bought.last_at,
        "over_before_at": sa.case((is_over, said.c.closed_at), else_=said.c.over_before_at),
    }
    columns = [sa.case((is_later, value), else_=said.c[name]).label(name) for name, value in by_order.items()]
    return sa.select(
        sa.func.coalesce(said.c.contact_id, bought.contact_id).label("contact_id"),
        said.c.recycle_count,
        *columns,
        bought.last_at.is_not(None).label("has_ordered"),
    ).join_from(said, ACTIVITY, bought.contact_id == said.c.contact_id, full=True)


def _by_outcome(night: Night) -> sa.Select[Any]:
    """One row per contact with an outcome: the last one and the status it gives, the over one before it, and how often the lead came back."""
    said = LEAD_OUTCOME.c
    status = sa.case(_ends(policy_of(night)), value=said.outcome)
    newest_first = [said.at.desc(), said.source.desc(), said.record_key.desc()]
    rows = (
        sa.select(
            said.contact_id,
            status.label("status"),
            said.outcome,
            said.reason_code,
            said.at.label("closed_at"),
            sa.func.row_number().over(partition_by=said.contact_id, order_by=newest_first).label("nth"),
            sa.func.count().filter(status == RECYCLED).over(partition_by=said.contact_id).label("recycle_count"),
        )
        .where(said.contact_id.is_not(None), said.at <= at(night.cutoff_at))
        .subquery("outcomes")
    )
    over = sa.or_(rows.c.status != TO_SALES, rows.c.outcome == WON)
    last = {name: _of_last(rows, name) for name in ("status", "outcome", "reason_code", "closed_at", "recycle_count")}
    before = sa.func.max(rows.c.closed_at).filter(sa.and_(rows.c.nth > 1, over))
    columns = [value.label(name) for name, value in last.items()]
    return sa.select(rows.c.contact_id, *columns, before.label("over_before_at")).group_by(rows.c.contact_id)


def _of_last(rows: sa.Subquery, name: str) -> sa.ColumnElement[Any]:
    return sa.func.max(rows.c[name]).filter(rows.c.nth == 1)


def _ends(policy: LeadPolicy) -> dict[str, str]:
    """Outcome -> the status it leaves a lead in."""
    return {
        "accepted": TO_SALES,
        "to_sales": TO_SALES,
        WON: TO_SALES,
        "invalid": INVALID,
        "recycle": RECYCLED,
        "rejected": policy.after_rejected,
        "lost": policy.after_lost,
    }


def _times(night: Night, previous_lead: sa.Table, ended: sa.CTE) -> sa.Subquery:
    """contact_id, during_at, after_at: the first sign of the lead that the last outcome ended, and the first sign of a new one after it."""
    sign, before = _signs(night, previous_lead).subquery("sign"), previous_lead.alias("before")
    is_after = sign.c.at > ended.c.closed_at
    # Of orders only the last is known, so the night before tells which lead one of them ended: earlier signs are of the leads before it.
    began_at = sa.case((sa.and_(ended.c.has_ordered, before.c.opened_at <= ended.c.closed_at), before.c.opened_at))
    is_during = sa.and_(
        sa.func.coalesce(sign.c.at > ended.c.over_before_at, True),
        sa.func.coalesce(sign.c.at <= ended.c.closed_at, True),
        sa.func.coalesce(sign.c.at >= began_at, True),
    )
    first = sa.func.min(sign.c.at)
    return (
        sa.select(
            sign.c.contact_id,
            first.filter(is_during).label("during_at"),
            first.filter(is_after).label("after_at"),
        )
        .join_from(sign, ended, ended.c.contact_id == sign.c.contact_id, isouter=True)
        .join(before, before.c.contact_id == sign.c.contact_id, isouter=True)
        .where(sign.c.contact_id.is_not(None), sign.c.at <= at(night.cutoff_at))
        .group_by(sign.c.contact_id)
        .subquery("times")
    )


def _signs(night: Night, previous_lead: sa.Table) -> sa.CompoundSelect[Any]:
    """contact_id, at: everything that says: this contact is a lead. An MQL of tonight that was none speaks at the cut-off."""
    said, before = LEAD_OUTCOME.c, previous_lead.c
    both = SCORE.join(PREVIOUS_SCORE, PREVIOUS_SCORE.c.contact_id == SCORE.c.contact_id, isouter=True)
    is_new = sa.and_(SCORE.c.is_mql, ~sa.func.coalesce(PREVIOUS_SCORE.c.is_mql, False))
    return sa.union_all(
        sa.select(said.contact_id, said.at.label("at")),
        sa.select(_now_called(before.contact_id), before.opened_at).select_from(_with_alias(previous_lead)),
        sa.select(SCORE.c.contact_id, at(night.cutoff_at)).select_from(both).where(is_new),
        *([_events(kinds, night)] if (kinds := lead_events(night)) else []),
    )


def lead_events(night: Night) -> tuple[str, ...]:
    """Kinds of event that make a lead: those of the policy, else those that rows of contact sources are."""
    sources = night.definitions.of(Source).values()
    of_contacts = {source.event_kind for source in sources if source.feeds == "contact" and source.event_kind}
    return policy_of(night).opened_by or tuple(sorted(of_contacts))


def _events(kinds: tuple[str, ...], night: Night) -> sa.Select[Any]:
    event = EVENT.c
    mine = [event.kind.in_(kinds), ~event.is_machine, event.on <= on(night.business_on)]
    return sa.select(event.contact_id, event.at.label("at")).where(*mine)


def _with_alias(table: sa.Table) -> sa.FromClause:
    """A table of the night before, whose contacts may have another id tonight."""
    return table.join(CONTACT_ALIAS, CONTACT_ALIAS.c.old_id == table.c.contact_id, isouter=True)


def _now_called(contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(CONTACT_ALIAS.c.contact_id, contact_id).label("contact_id")
