"""What each campaign brought: who was reached, who answered, what those who answered then bought.

What belongs here: one row per campaign and channel, for campaigns that a source reports (its mailing list) and for Vesper's own (messages).
What does not: comparing the figures with targets (`monitor.py`), single messages (`message.py`).

A count that nobody measures is NULL, never 0: a paper mailing has no opens, and without open events in the sources no mail has any.
Attribution (R96): the orders of a contact who responded, from the day it was reached to the campaign's last day. A contact who responded to two
campaigns at once counts in both, so revenue of campaigns may not be added up.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day, on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.marts.message import MESSAGE
from vesper.model.campaign import Campaign
from vesper.model.outreach import outreaches
from vesper.model.policy import AnalysisPolicy
from vesper.night import Night
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER, EVENT
from vesper.tables.declare import DATE, INTEGER, MONEY, RATIO, TEXT, column, table
from vesper.tables.order import ORDER_DAY

MAILING = "mailing"
ACCEPTED = "accepted"
REACHED = (ACCEPTED, "rejected", "unknown", "abandoned")
RESPONSES = ("coupon_redeemed",)
REACTIONS = {
    "opened_count": "mail_opened",
    "clicked_count": "mail_clicked",
    "unsubscribed_count": "mail_unsubscribed",
    "complained_count": "mail_complained",
}
COUNT = (0, 1_000_000_000)
SHARE = (0.0, 1.0)

CAMPAIGN_EFFECT = table(
    "mart__campaign_effect",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("campaign_id", TEXT, "Campaign", required=True),
    column(
        "channel",
        TEXT,
        f"Channel of the messages; `{MAILING}` where a source's mailing list says who was reached",
        required=True,
    ),
    column("kind", TEXT, "Kind of the campaign, e.g. Type A; empty while no source describes it"),
    column(
        "mailed_count",
        INTEGER,
        "Contacts reached: on the mailing list, or with a message that went out",
        required=True,
        between=COUNT,
    ),
    column(
        "delivered_count",
        INTEGER,
        "Contacts whose message the receiving server took; empty for a mailing list",
        between=COUNT,
    ),
    column(
        "opened_count",
        INTEGER,
        "Contacts who opened, machines left out; empty while no source reports opens",
        between=COUNT,
    ),
    column(
        "clicked_count",
        INTEGER,
        "Contacts who clicked, machines left out; empty while no source reports clicks",
        between=COUNT,
    ),
    column("responded_count", INTEGER, "Contacts who redeemed after they were reached", required=True, between=COUNT),
    column(
        "converted_count",
        INTEGER,
        "Of those who responded: contacts with an order until the campaign's last day",
        required=True,
        between=COUNT,
    ),
    column(
        "unsubscribed_count",
        INTEGER,
        "Contacts who unsubscribed by a message; empty while no source reports it (R91)",
        between=COUNT,
    ),
    column(
        "complained_count",
        INTEGER,
        "Contacts who reported a message as spam; empty while no source reports it (R91)",
        between=COUNT,
    ),
    column("unsubscribe_ratio", RATIO, "unsubscribed_count / delivered_count (R91)", between=SHARE),
    column("complaint_ratio", RATIO, "complained_count / delivered_count (R91)", between=SHARE),
    column("response_ratio", RATIO, "responded_count / mailed_count", between=SHARE),
    column(
        "revenue",
        MONEY,
        "Paid by those who responded, from the day they were reached to the campaign's last day",
        required=True,
    ),
    column(
        "cost",
        MONEY,
        "Messages times the stated cost of one; empty for a mailing list and while policy/analysis states no cost",
    ),
    column("roi_ratio", RATIO, "(revenue - cost) / cost (R96); empty without a cost"),
    column(
        "definition_hash", TEXT, "Hash of the definition of Vesper's own campaign; empty for a campaign of a source"
    ),
    grain=("business_on", "campaign_id", "channel"),
    cut="business_on",
    owner="marketing",
    says="Reach, response and revenue of each campaign and channel, by night.",
)


@mart(CAMPAIGN_EFFECT, stage="watch")
def campaign_effect(night: Night) -> sa.Select[Any]:
    """Tonight's row of each campaign that reached somebody by the business date."""
    reached = sa.union_all(_by_mailing_list(night), _by_message(night)).cte("reached")
    paid = _paid(reached, night).cte("paid")
    reacted = _reacted(night).cte("reacted")
    one = (reached.c.campaign_id, reached.c.channel)
    figures = (
        sa.select(*one, *_counts(reached, paid))
        .select_from(reached.outerjoin(paid, _same(reached, paid, "campaign_id", "channel", "contact_id")))
        .group_by(*one)
        .cte("figures")
    )
    return _with_ratios(figures, reacted, night)


def day_of(edge: str, campaign_id: sa.ColumnElement[str], night: Night) -> sa.ColumnElement[Any]:
    """SQL: the first (`starts_on`) or last day (`ends_on`) of a campaign, from the sources (CAMPAIGN is joined) or from its own definition."""
    own = {id: on(getattr(outreach, edge)) for id, outreach in outreaches(night.definitions).items()}
    return sa.func.coalesce(CAMPAIGN.c[edge], sa.case(own, value=campaign_id)) if own else CAMPAIGN.c[edge]


def _by_mailing_list(night: Night) -> sa.Select[Any]:
    member = CAMPAIGN_MEMBER.c
    return sa.select(
        member.campaign_id,
        sa.literal(MAILING).label("channel"),
        member.contact_id,
        member.mailed_on.label("reached_on"),
        sa.cast(sa.null(), sa.Boolean).label("is_delivered"),
        member.responded_at.is_not(None).label("has_responded"),
    ).where(member.mailed_on <= on(night.business_on))


def _by_message(night: Night) -> sa.Select[Any]:
    """Contacts reached by Vesper's own messages; several messages to a contact on one channel count once."""
    sent = _sent(night)
    answer = EVENT.c
    responded = sa.exists().where(
        answer.series_id == sent.c.series_id,
        answer.contact_id == sent.c.contact_id,
        answer.kind.in_(RESPONSES),
        answer.at >= sent.c.sent_at,
        answer.on <= on(night.business_on),
        answer.is_machine.is_(False),
    )
    reached_on = local_day(sent.c.sent_at, night.zone).label("reached_on")
    return sa.select(
        sent.c.campaign_id,
        sent.c.channel,
        sent.c.contact_id,
        reached_on,
        sent.c.is_delivered,
        responded.label("has_responded"),
    )


def _sent(night: Night) -> sa.Subquery:
    message = MESSAGE.c
    return (
        sa.select(
            message.campaign_id,
            message.channel,
            message.contact_id,
            sa.func.min(message.series_id).label("series_id"),
            sa.func.min(sa.func.coalesce(message.sent_at, message.planned_at)).label("sent_at"),
            sa.func.bool_or(message.state == ACCEPTED).label("is_delivered"),
        )
        .where(message.state.in_(REACHED), message.business_on <= on(night.business_on))
        .group_by(message.campaign_id, message.channel, message.contact_id)
        .subquery("sent")
    )


def _paid(reached: sa.CTE, night: Night) -> sa.Select[Any]:
    """What each contact who responded paid between being reached and the campaign's end (or tonight, while it runs)."""
    day = ORDER_DAY.c
    tonight_on = on(night.business_on)
    last_on = sa.func.least(sa.func.coalesce(day_of("ends_on", reached.c.campaign_id, night), tonight_on), tonight_on)
    bought = sa.and_(day.contact_id == reached.c.contact_id, day.ordered_on.between(reached.c.reached_on, last_on))
    key = (reached.c.campaign_id, reached.c.channel, reached.c.contact_id)
    return (
        sa.select(*key, sa.func.sum(day.amount).label("amount"))
        .select_from(
            reached.outerjoin(CAMPAIGN, CAMPAIGN.c.campaign_id == reached.c.campaign_id).join(ORDER_DAY, bought)
        )
        .where(reached.c.has_responded)
        .group_by(*key)
    )


def _counts(reached: sa.CTE, paid: sa.CTE) -> list[sa.Label[Any]]:
    known = sa.func.count(reached.c.is_delivered)
    return [
        sa.func.count().label("mailed_count"),
        sa.case((known > 0, sa.func.count().filter(reached.c.is_delivered))).label("delivered_count"),
        sa.func.count().filter(reached.c.has_responded).label("responded_count"),
        sa.func.count(paid.c.contact_id).label("converted_count"),
        sa.func.coalesce(sa.func.sum(paid.c.amount), 0).label("revenue"),
    ]


def _reacted(night: Night) -> sa.Select[Any]:
    """Contacts by message reaction and channel; only events that name their message can be told apart by channel."""
    event, message = EVENT.c, MESSAGE.c
    who = sa.distinct(message.contact_id)
    return (
        sa.select(
            message.campaign_id,
            message.channel,
            *[sa.func.count(who).filter(event.kind == kind).label(name) for name, kind in REACTIONS.items()],
        )
        .join_from(MESSAGE, EVENT, event.message_id == message.message_id)
        .where(event.is_machine.is_(False), event.on <= on(night.business_on))
        .group_by(message.campaign_id, message.channel)
    )


def _with_ratios(figures: sa.CTE, reacted: sa.CTE, night: Night) -> sa.Select[Any]:
    """The row as declared: NULL for what nobody measures, ratios over the counts."""
    reactions = {name: _measured(figures, reacted.c[name], kind) for name, kind in REACTIONS.items()}
    delivered, cost = figures.c.delivered_count, _cost(figures, night)
    joined = figures.outerjoin(CAMPAIGN, CAMPAIGN.c.campaign_id == figures.c.campaign_id).outerjoin(
        reacted, _same(figures, reacted, "campaign_id", "channel")
    )
    return sa.select(
        on(night.business_on).label("business_on"),
        *figures.c,
        CAMPAIGN.c.kind,
        *[reaction.label(name) for name, reaction in reactions.items()],
        _ratio(reactions["unsubscribed_count"], delivered).label("unsubscribe_ratio"),
        _ratio(reactions["complained_count"], delivered).label("complaint_ratio"),
        _ratio(figures.c.responded_count, figures.c.mailed_count).label("response_ratio"),
        cost.label("cost"),
        _ratio(figures.c.revenue - cost, cost).label("roi_ratio"),
        _hash(figures, night).label("definition_hash"),
    ).select_from(joined)


def _cost(figures: sa.CTE, night: Night) -> sa.ColumnElement[Any]:
    """Messages times the cost of one, where policy/analysis states it. A default is nobody's statement, and no source tells what a mailing cost."""
    stated = [
        policy.effect
        for policy in night.definitions.of(AnalysisPolicy).values()
        if "cost_per_message" in policy.effect.model_fields_set
    ]
    if not stated:
        return sa.cast(sa.null(), MONEY)
    return sa.case(
        (
            figures.c.channel != MAILING,
            sa.cast(figures.c.mailed_count * sa.literal(stated[0].cost_per_message, MONEY), MONEY),
        )
    )


def _hash(figures: sa.CTE, night: Night) -> sa.ColumnElement[Any]:
    """Hash of the definition of each of Vesper's own campaigns and journeys in force."""
    known = {
        id: hash_of(night, f"campaigns/{id}" if isinstance(one, Campaign) else f"journeys/{id}")
        for id, one in outreaches(night.definitions).items()
    }
    return sa.case(known, value=figures.c.campaign_id) if known else sa.cast(sa.null(), sa.String)


def _measured(figures: sa.CTE, count: sa.ColumnElement[int], kind: str) -> sa.ColumnElement[Any]:
    """A reaction's count where it could have been seen: on messages, once any source reports this kind of event."""
    reported = sa.select(sa.func.count()).select_from(EVENT).where(EVENT.c.kind == kind).scalar_subquery()
    return sa.case((sa.and_(figures.c.channel != MAILING, reported > 0), sa.func.coalesce(count, 0)))


def _ratio(part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(part, RATIO) / sa.func.nullif(sa.cast(whole, RATIO), 0.0)


def _same(left: sa.CTE, right: sa.CTE, *names: str) -> sa.ColumnElement[bool]:
    return sa.and_(*[left.c[name] == right.c[name] for name in names])
