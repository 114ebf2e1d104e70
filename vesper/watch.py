"""Decisions of the watch stage: the figures that a monitored target may name, each as a part of a whole over a stretch of time.

What belongs here: one function per figure and the register of them, and below them what the report page counts. What does not: targets and
their owners (`policy/monitor.yml`), the table that compares the two (`vesper/marts/monitor.py`), how anything looks (`tasks/report_page/`).

Every figure is a Select of one row with `part` and `whole`; its value is part / whole, and a whole of 0 or NULL means: not measured.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.handover_answers import ACCEPTING
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT, day_of
from vesper.marts.follow_up import FOLLOW_UP
from vesper.marts.funnel import FUNNEL, steps_taken
from vesper.marts.handover import HANDOVER
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import MESSAGE
from vesper.marts.refusal import REFUSAL
from vesper.marts.score import SCORE
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.visibility import VISIBILITY
from vesper.model.sales import EVERYBODY
from vesper.night import Night
from vesper.tables.campaign import CAMPAIGN
from vesper.tables.contact import CONTACT
from vesper.tables.quality import METRIC, QUARANTINE

Figure = Callable[[Night, dt.date], "sa.Select[Any]"]

ALREADY_PLANNED = "already_planned"
PERIOD_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


def since(period: str, night: Night) -> dt.date:
    """First day of a stretch of time that ends on the business date; both days belong to it."""
    return night.days_ago(PERIOD_DAYS[period] - 1)


def figure(name: str) -> Figure:
    """A figure by name; LookupError lists those there are."""
    if name not in FIGURES:
        raise LookupError(f"policy/monitor.yml: nobody measures {name!r}. Use one of {', '.join(sorted(FIGURES))}.")
    return FIGURES[name]


def _share(part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(part.label("part"), whole.label("whole"))


def quarantine_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Rows set aside of rows received, out of the balances that consolidate keeps of each source (`data_quality/conservation.py`)."""
    metric = METRIC.c
    in_period = metric.business_on.between(on(since_on), on(night.business_on))
    aside = METRIC.alias("aside")
    of_a_source = metric.table_name.in_(sa.select(aside.c.table_name).where(aside.c.metric == "quarantined"))
    value = sa.func.sum(metric.value)
    return _share(value.filter(metric.metric == "quarantined"), value.filter(metric.metric == "total")).where(
        metric.stage == "consolidate", metric.table_name.startswith("consolidate "), of_a_source, in_period
    )


def visibility_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Complete contacts of the size, over all markets together; a person in two markets counts in both. As it stands tonight."""
    market = VISIBILITY.c
    return _share(sa.func.sum(market.complete_count), sa.func.sum(market.market_size)).where(
        market.business_on == on(night.business_on)
    )


def complete_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Complete contacts of the known ones, over all markets together. As it stands tonight."""
    market = VISIBILITY.c
    return _share(sa.func.sum(market.complete_count), sa.func.sum(market.known_count)).where(
        market.business_on == on(night.business_on)
    )


def mql_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Marketing-qualified contacts of all scored ones. As it stands tonight."""
    return _share(sa.func.count().filter(SCORE.c.is_mql), sa.func.count()).where(
        SCORE.c.business_on == on(night.business_on)
    )


def refused_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """People of an audience who got no message, of all who were judged in the period; who had their message already is not judged again."""
    in_period = [table.c.business_on.between(on(since_on), on(night.business_on)) for table in (REFUSAL, MESSAGE)]
    anew = REFUSAL.c.reason != ALREADY_PLANNED
    refused = sa.select(sa.func.count()).select_from(REFUSAL).where(in_period[0], anew).scalar_subquery()
    written_to = sa.select(sa.func.count()).select_from(MESSAGE).where(in_period[1]).scalar_subquery()
    return _share(refused, refused + written_to)


def _effect(part: str, whole: str, *, closed: bool = False) -> Figure:
    """A count over another of the campaigns that began in the period; campaigns where nobody measures the part are left out.

    `closed` counts only campaigns that are over: what people do takes its time, and a running campaign would look weak (decision 13).
    """

    def campaigns(night: Night, since_on: dt.date) -> sa.Select[Any]:
        effect = CAMPAIGN_EFFECT.c
        began = day_of("starts_on", effect.campaign_id, night).between(on(since_on), on(night.business_on))
        over = day_of("ends_on", effect.campaign_id, night) <= on(night.business_on)
        return (
            _share(sa.func.sum(effect[part]), sa.func.sum(effect[whole]))
            .join_from(CAMPAIGN_EFFECT, CAMPAIGN, CAMPAIGN.c.campaign_id == effect.campaign_id, isouter=True)
            .where(effect.business_on == on(night.business_on), effect[part].is_not(None), began)
            .where(over if closed else sa.true())
        )

    return campaigns


def _passed(from_stage: str, to_stage: str) -> Figure:
    """Who has taken the next step of the funnel, of those who took this one in the period."""

    def contacts(night: Night, since_on: dt.date) -> sa.Select[Any]:
        step = steps_taken(night).subquery("step")
        first, second = step.c[from_stage], step.c[to_stage]
        return _share(sa.func.count(second), sa.func.count(first)).where(
            first.between(on(since_on), on(night.business_on))
        )

    return contacts


def follow_up_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Hand-overs answered in time of those that fell due in the window of policy/sales, as it stands tonight (R68)."""
    team = FOLLOW_UP.c
    return _share(sa.func.sum(team.timely_count), sa.func.sum(team.due_count)).where(
        team.business_on == on(night.business_on), team.owner == EVERYBODY
    )


def acceptance_ratio(night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Hand-overs that sales accepted of those of the period that they answered (R115)."""
    handed = HANDOVER.c
    accepted = sa.func.count().filter(handed.outcome.in_(ACCEPTING))
    return _share(accepted, sa.func.count().filter(handed.outcome.is_not(None))).where(
        handed.state != "withdrawn", handed.business_on.between(on(since_on), on(night.business_on))
    )


FIGURES: dict[str, Figure] = {
    "follow_up_ratio": follow_up_ratio,
    "acceptance_ratio": acceptance_ratio,
    "quarantine_ratio": quarantine_ratio,
    "visibility_ratio": visibility_ratio,
    "complete_ratio": complete_ratio,
    "mql_ratio": mql_ratio,
    "refused_ratio": refused_ratio,
    "delivered_ratio": _effect("delivered_count", "mailed_count"),
    "open_ratio": _effect("opened_count", "delivered_count", closed=True),
    "click_ratio": _effect("clicked_count", "delivered_count", closed=True),
    "unsubscribe_ratio": _effect("unsubscribed_count", "delivered_count"),
    "complaint_ratio": _effect("complained_count", "delivered_count"),
    "response_ratio": _effect("responded_count", "mailed_count", closed=True),
    "conversion_ratio": _effect("converted_count", "responded_count", closed=True),
    "first_purchase_ratio": _passed("registered", "first_purchase"),
    "repurchase_ratio": _passed("first_purchase", "repurchase"),
    "loyal_ratio": _passed("repurchase", "loyal"),
}


def of_tonight(table: sa.Table, night: Night) -> sa.Select[Any]:
    """The rows of a table with `business_on` that are this night's, in the order of its grain."""
    return (
        sa.select(table)
        .where(table.c.business_on == on(night.business_on))
        .order_by(*[table.c[key] for key in table.info["grain"]])
    )


def contact_count() -> sa.Select[Any]:
    """How many golden contacts there are: people."""
    return sa.select(sa.func.count().label("people")).select_from(CONTACT)


def scores_by_value(night: Night) -> sa.Select[Any]:
    """How many people have which score tonight: score, is_mql, people."""
    score = SCORE.c
    return (
        sa.select(score.score, score.is_mql, sa.func.count().label("people"))
        .where(score.business_on == on(night.business_on))
        .group_by(score.score, score.is_mql)
        .order_by(score.score, score.is_mql)
    )


def people_by_stage() -> sa.Select[Any]:
    """How many people stand in which lifecycle stage: stage, people."""
    stage = LIFECYCLE.c.stage
    return sa.select(stage, sa.func.count().label("people")).group_by(stage).order_by(stage)


def segment_sizes() -> sa.Select[Any]:
    """Members of each segment: segment_id, people."""
    id = SEGMENT_MEMBER.c.segment_id
    return sa.select(id, sa.func.count().label("people")).group_by(id).order_by(id)


def segment_moves(night: Night) -> sa.Select[Any]:
    """Who came and went tonight: segment_id, change, people."""
    change = SEGMENT_CHANGE.c
    return (
        sa.select(change.segment_id, change.change, sa.func.count().label("people"))
        .where(change.business_on == on(night.business_on))
        .group_by(change.segment_id, change.change)
        .order_by(change.segment_id, change.change)
    )


def messages_by_fate() -> sa.Select[Any]:
    """Message intents so far by what became of them: campaign_id, state, reason, people, first_until (earliest instant a waiting one may go)."""
    message = MESSAGE.c
    key = (message.campaign_id, message.state, message.reason)
    until = sa.func.min(message.waits_until_at).label("first_until")
    return sa.select(*key, sa.func.count().label("people"), until).group_by(*key).order_by(*key)


def refusals_by_reason(night: Night) -> sa.Select[Any]:
    """People of tonight's audiences who got no message: reason, people; the most people first."""
    refusal = REFUSAL.c
    people = sa.func.count()
    return (
        sa.select(refusal.reason, people.label("people"))
        .where(refusal.business_on == on(night.business_on))
        .group_by(refusal.reason)
        .order_by(people.desc(), refusal.reason)
    )


def quarantined_by_rule(night: Night) -> sa.Select[Any]:
    """Rows set aside tonight: source, rule_id, number; the most rows first."""
    row = QUARANTINE.c
    number = sa.func.count()
    return (
        sa.select(row.source, row.rule_id, number.label("number"))
        .where(row.business_on == on(night.business_on))
        .group_by(row.source, row.rule_id)
        .order_by(number.desc(), row.source, row.rule_id)
    )


def campaigns_by_kind(night: Night) -> sa.Select[Any]:
    """Campaign effect of tonight by kind: kind, campaigns, mailed_count, responded_count (pairs of campaign and person)."""
    effect = CAMPAIGN_EFFECT.c
    return (
        sa.select(
            effect.kind,
            sa.func.count(sa.distinct(effect.campaign_id)).label("campaigns"),
            sa.func.sum(effect.mailed_count).label("mailed_count"),
            sa.func.sum(effect.responded_count).label("responded_count"),
        )
        .where(effect.business_on == on(night.business_on))
        .group_by(effect.kind)
        .order_by(effect.kind)
    )


def funnel_of_all(night: Night) -> sa.Select[Any]:
    """Tonight's funnel over all cohorts: from_stage, to_stage, entered_count, passed_count."""
    step = FUNNEL.c
    return (
        sa.select(
            step.from_stage,
            step.to_stage,
            sa.func.sum(step.entered_count).label("entered_count"),
            sa.func.sum(step.passed_count).label("passed_count"),
        )
        .where(step.business_on == on(night.business_on))
        .group_by(step.from_stage, step.to_stage)
    )
