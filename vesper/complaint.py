"""How often people report the company's mail as spam: what mail providers measure a sender by (rule C5).

What belongs here: the rate of the last seven days, and the test that halts marketing mail. What does not: one campaign's figures
(`marts/campaign_effect.py`), what becomes of who complained (a refusal: `consolidate/unsubscribe.py`).
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import at as moment
from vesper.definition_set import DefinitionSet
from vesper.marts.message import RAW_MESSAGE
from vesper.model.consent import consent_policy
from vesper.tables.campaign import EVENT
from vesper.tables.declare import RATIO

WINDOW = dt.timedelta(days=7)
COMPLAINED = ("mail_complained",)
CHANNEL = "email"


def complaint_rate(until: dt.datetime, campaign_id: str | None = None) -> sa.Select[Any]:
    """One row: mails accepted in the seven days before an instant, of any purpose but operational, and how many of them somebody reported.

    Args:
        campaign_id: only those of one campaign or journey.
    """
    message, event = RAW_MESSAGE.c, EVENT.c
    since = moment(until - WINDOW)
    reported = (
        sa.select(event.message_id)
        .distinct()
        .where(event.kind.in_(COMPLAINED), event.message_id.is_not(None), event.on >= sa.cast(since, sa.Date))
        .where(event.at <= moment(until))
        .subquery("reported")
    )
    joined = RAW_MESSAGE.outerjoin(reported, reported.c.message_id == message.message_id)
    mine = message.campaign_id == campaign_id if campaign_id else sa.true()
    return (
        sa.select(sa.func.count().label("accepted"), sa.func.count(reported.c.message_id).label("complained"))
        .select_from(joined)
        .where(
            mine,
            message.channel == CHANNEL,
            message.state == "accepted",
            message.purpose != "operational",
            message.final_at > since,
            message.final_at <= moment(until),
        )
    )


def is_halted(definitions: DefinitionSet, until: dt.datetime, campaign_id: str | None = None) -> sa.ColumnElement[bool]:
    """SQL: whether so many complained that marketing mail is not planned any more, or none of one campaign; too few mails tell nothing."""
    rule = consent_policy(definitions).complaints
    rate = complaint_rate(until, campaign_id).subquery("complaint_rate" if campaign_id is None else "campaign_rate")
    share = sa.cast(rate.c.complained, RATIO) >= sa.cast(rate.c.accepted, RATIO) * rule.halt_at
    halted: sa.ColumnElement[bool] = sa.select(sa.and_(rate.c.accepted >= rule.of_at_least, share)).scalar_subquery()
    return halted
