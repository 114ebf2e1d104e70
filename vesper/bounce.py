"""Addresses that mail comes back from: at once where the mailbox does not exist, after some in a row where it was only full or away (rule C12).

What belongs here: finding them, as a Select. What does not: what a server says while mail is handed over (`warehouse/ledger/dispatch.py` keeps those
out in its own transaction), and keeping an address out (`warehouse/ledger/suppression.py`).

A message has one fate, whatever is told of it how often and in which order: came back for good, came back for now, or arrived.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at as moment
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.model.consent import consent_policy
from vesper.night import Night
from vesper.tables.campaign import EVENT

HARD, SOFT = ("mail_bounced_hard",), ("mail_bounced_soft", "mail_bounced", "sms_bounced")
"""Kinds of event. Where a source does not tell the two apart, mail came back for now."""
HARD_BOUNCE, SOFT_BOUNCES = "hard_bounce", "soft_bounces"
EXHAUSTED = "exhausted"
"""Why a message is given up that its server put off every time."""


def given_up(night: Night) -> sa.Select[Any]:
    """channel, address_hash, reason of the addresses to be kept out from tonight on, that are not yet; each once, a hard bounce first."""
    fate = _fates(night).cte("fate")
    key = (fate.c.channel, fate.c.address_hash)
    arrived = sa.func.max(fate.c.at).filter(fate.c.fate == "arrived").over(partition_by=key)
    ranked = sa.select(fate, arrived.label("arrived_at")).cte("since_arrival")
    in_a_row = sa.and_(
        ranked.c.fate == "soft", sa.or_(ranked.c.arrived_at.is_(None), ranked.c.at > ranked.c.arrived_at)
    )
    rule = consent_policy(night.definitions).soft_bounces
    softly, at = sa.func.count().filter(in_a_row), ranked.c.at
    spread = sa.func.max(at).filter(in_a_row) - sa.func.min(at).filter(in_a_row)
    is_hard = sa.func.count().filter(ranked.c.fate == "hard") > 0
    is_soft = sa.and_(softly >= rule.times, spread >= sa.func.to_days(rule.over.days, type_=sa.Interval))
    of = (ranked.c.channel, ranked.c.address_hash)
    known = sa.exists().where(RAW_SUPPRESSION.c.channel == of[0], RAW_SUPPRESSION.c.address_hash == of[1])
    reason = sa.case((is_hard, HARD_BOUNCE), else_=SOFT_BOUNCES)
    found = sa.select(*of, reason.label("reason")).group_by(*of).having(sa.or_(is_hard, is_soft))
    return found.where(~known).order_by(*of)


def _fates(night: Night) -> sa.Select[Any]:
    """One row for each message that was handed over: channel, address_hash, at, fate."""
    message, event = RAW_MESSAGE.c, EVENT.c
    told = (
        sa.select(
            event.message_id, sa.func.bool_or(event.kind.in_(HARD)).label("is_hard"), sa.func.min(event.at).label("at")
        )
        .where(event.kind.in_((*HARD, *SOFT)), event.message_id.is_not(None), event.at <= moment(night.cutoff_at))
        .group_by(event.message_id)
        .cte("told")
    )
    put_off = sa.and_(message.state == "rejected", message.reason == EXHAUSTED)
    fate = sa.case(
        (told.c.is_hard, "hard"),
        (sa.or_(told.c.message_id.is_not(None), put_off), "soft"),
        (message.state == "accepted", "arrived"),
    )
    at = sa.func.coalesce(told.c.at, message.final_at)
    joined = RAW_MESSAGE.outerjoin(told, told.c.message_id == message.message_id)
    return (
        sa.select(message.channel, message.address_hash, at.label("at"), fate.label("fate"))
        .select_from(joined)
        .where(fate.is_not(None), at <= moment(night.cutoff_at))
    )
