"""The arms of each experiment: who was assigned, who got something, who clicked, and who of the settled did what is counted (R92).

What belongs here: counts by arm as a Select. What does not: what they say of the arms (`vesper/experiment/verdict.py`, `mart__experiment`).

A person is closed once the metric's days after the assignment are over: only then does the outcome change no more, and only closed people are
counted in the rate. A fixed test counts those who were closed at its horizon, so that its figure stays what it was when it was read.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at, on
from vesper.definition_hash import hash_of
from vesper.experiment.assign import assigned
from vesper.experiment.statistics import quantile
from vesper.marts import mart
from vesper.marts.message import MESSAGE
from vesper.model.experiment import Arm, Experiment, Metric
from vesper.night import Night
from vesper.send import planned_at
from vesper.tables.campaign import EVENT
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.experiment import RAW_ASSIGNMENT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.journey import RAW_COUPON
from vesper.tables.order import ORDER_DAY

COUNT = (0, 1_000_000_000)
SHARE = (0.0, 1.0)
CLICKED = "mail_clicked"
SURE = 0.975
"""The interval of a rate holds it 95 times of a hundred."""
Expression = sa.ColumnElement[Any]

EXPERIMENT_ARM = table(
    "mart__experiment_arm",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("experiment_id", TEXT, "Experiment", required=True),
    column("arm_id", TEXT, "Arm", required=True),
    column(
        "place", INTEGER, "Place of the arm in the definition, from 1; the others are held against 1", required=True
    ),
    column("share", RATIO, "Declared share of the people", required=True, between=SHARE),
    column("assigned_count", INTEGER, "People who fell into the arm", required=True, between=COUNT),
    column("sent_count", INTEGER, "Of them: got at least one message", required=True, between=COUNT),
    column("clicked_count", INTEGER, "Of them: clicked in one, machines left out", required=True, between=COUNT),
    column(
        "closed_count",
        INTEGER,
        "Of those assigned: the metric's days are over, so that the outcome is settled",
        required=True,
        between=COUNT,
    ),
    column("converted_count", INTEGER, "Of the closed: did what is counted in time", required=True, between=COUNT),
    column("rate", RATIO, "converted_count / closed_count; empty of nobody", between=SHARE),
    column("rate_low", RATIO, "Lower end of the rate's 95 % interval (Wilson)", between=SHARE),
    column("rate_high", RATIO, "Upper end of the rate's 95 % interval (Wilson)", between=SHARE),
    column("definition_hash", TEXT, "Hash of the experiment in force", required=True),
    grain=("business_on", "experiment_id", "arm_id"),
    cut="business_on",
    owner="marketing",
    says="Arms of each experiment by night. Denominators are the people assigned, whether a message reached them or not.",
)


@mart(EXPERIMENT_ARM, stage="send")
def experiment_arm(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Every arm of the experiments that have begun by tonight."""
    found = [
        _of(experiment, night)
        for experiment in night.definitions.of(Experiment).values()
        if experiment.starts_on <= night.business_on
    ]
    return sa.union_all(*found) if found else _none()


def closed_until(experiment: Experiment, night: Night) -> dt.datetime:
    """The last instant of an assignment whose outcome is settled tonight; of a fixed test never after its horizon."""
    last = planned_at(night)
    if experiment.horizon is not None:
        last = min(last, planned_at(night) + (horizon_on(experiment) - night.business_on))
    return last - experiment.metric.within.timedelta


def horizon_on(experiment: Experiment) -> dt.date:
    """The night that reads a fixed test; the last night that may find something of an always-valid one."""
    length = experiment.horizon or experiment.metric.within
    first = experiment.starts_on if experiment.horizon else experiment.ends_on
    return first + dt.timedelta(days=length.days)


def _of(experiment: Experiment, night: Night) -> sa.Select[Any]:
    id = experiment.id
    kept = assigned(RAW_ASSIGNMENT.c.business_on <= on(night.business_on), id).cte(f"assigned_{id}")
    messages = _messages(experiment, night).cte(f"message_{id}")
    did = _did(experiment.metric, kept, messages).cte(f"did_{id}")
    is_closed = kept.c.planned_at <= at(closed_until(experiment, night))
    has = {
        "assigned_count": sa.true(),
        "sent_count": kept.c.contact_id.in_(sa.select(messages.c.contact_id).where(messages.c.sent_at.is_not(None))),
        "clicked_count": kept.c.contact_id.in_(sa.select(_clicks(messages).subquery().c.contact_id)),
        "closed_count": is_closed,
        "converted_count": sa.and_(is_closed, kept.c.contact_id.in_(sa.select(did.c.contact_id))),
    }
    counts = [sa.func.count().filter(test).label(name) for name, test in has.items()]
    counted = sa.select(kept.c.arm_id, *counts).group_by(kept.c.arm_id).cte(f"counted_{id}")
    arms = sa.union_all(*[_arm(arm, place) for place, arm in enumerate(experiment.arms, 1)]).subquery(f"arm_{id}")
    figures = {name: sa.func.coalesce(counted.c[name], 0) for name in has}
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(id).label("experiment_id"),
        arms.c.arm_id,
        arms.c.place,
        arms.c.share,
        *[sa.cast(figure, sa.Integer).label(name) for name, figure in figures.items()],
        *_rates(figures["closed_count"], figures["converted_count"]),
        sa.literal(hash_of(night, f"experiments/{id}")).label("definition_hash"),
    ).select_from(arms.outerjoin(counted, counted.c.arm_id == arms.c.arm_id))


def _arm(arm: Arm, place: int) -> sa.Select[Any]:
    return sa.select(
        sa.literal(arm.id).label("arm_id"), sa.literal(place).label("place"), sa.literal(arm.share).label("share")
    )


def _messages(experiment: Experiment, night: Night) -> sa.Select[Any]:
    """The experiment's messages, by the contact of today: message_id, contact_id, sent_at."""
    message, alias = MESSAGE.c, CONTACT_ALIAS.alias(f"mailed_{experiment.id}")
    about = [arm.journey for arm in experiment.arms] if experiment.is_of_journeys else [experiment.about]
    mine = [message.campaign_id.in_(about), message.business_on <= on(night.business_on)]
    mine += [message.business_on >= on(experiment.starts_on)]
    mine += [message.step_id == experiment.step] if experiment.step else []
    contact_id = sa.func.coalesce(alias.c.contact_id, message.contact_id).label("contact_id")
    rows = sa.select(message.message_id, contact_id, message.sent_at)
    return rows.select_from(MESSAGE.outerjoin(alias, alias.c.old_id == message.contact_id)).where(*mine)


def _did(metric: Metric, kept: sa.CTE, messages: sa.CTE) -> sa.Select[Any]:
    """Contacts (contact_id) who did what is counted within the metric's days after their assignment."""
    rows = sa.union_all(*_outcomes(metric, messages)).subquery("outcome")
    in_time = sa.and_(
        rows.c.contact_id == kept.c.contact_id,
        rows.c.at > kept.c.planned_at,
        rows.c.at <= after(kept.c.planned_at, metric.within.timedelta),
    )
    return sa.select(kept.c.contact_id).distinct().join_from(kept, rows, in_time)


def _outcomes(metric: Metric, messages: sa.CTE) -> Iterator[sa.Select[Any]]:
    """contact_id and instant of everything that the metric counts."""
    if metric.kind == "click":
        yield _clicks(messages)
    elif metric.kind == "event":
        event = EVENT.c
        counts = (event.kind == metric.event, sa.not_(event.is_machine), event.excluded_by.is_(None))
        yield sa.select(event.contact_id, event.at).where(event.contact_id.is_not(None), *counts)
    elif metric.kind == "coupon":
        coupon, alias = RAW_COUPON.c, CONTACT_ALIAS.alias("redeemer")
        contact_id = sa.func.coalesce(alias.c.contact_id, coupon.contact_id).label("contact_id")
        rows = sa.select(contact_id, coupon.redeemed_at.label("at"))
        rows = rows.select_from(RAW_COUPON.outerjoin(alias, alias.c.old_id == coupon.contact_id))
        yield rows.where(coupon.pool_id == metric.pool, coupon.redeemed_at.is_not(None))
    else:
        yield sa.select(ORDER_DAY.c.contact_id, ORDER_DAY.c.first_at.label("at"))
        yield sa.select(ORDER_DAY.c.contact_id, ORDER_DAY.c.last_at.label("at"))


def _clicks(messages: sa.CTE) -> sa.Select[Any]:
    """Clicks in the experiment's messages, machines left out (R91): contact_id, at."""
    event = EVENT.c
    human = (event.kind == CLICKED, sa.not_(event.is_machine), event.excluded_by.is_(None))
    same = event.message_id == messages.c.message_id
    return sa.select(messages.c.contact_id, event.at).join_from(EVENT, messages, same).where(*human)


def _rates(closed: Expression, converted: Expression) -> list[sa.Label[Any]]:
    """The rate with its Wilson interval, which stays inside 0 and 1 and says something of few people, too."""
    z = quantile(SURE)
    n, share = sa.cast(sa.func.nullif(closed, 0), sa.Double), sa.cast(converted, sa.Double)
    rate = share / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * sa.func.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return [
        rate.label("rate"),
        sa.func.greatest(middle - reach, sa.case((n.is_not(None), 0.0))).label("rate_low"),
        sa.func.least(middle + reach, sa.case((n.is_not(None), 1.0))).label("rate_high"),
    ]


def _none() -> sa.Select[Any]:
    """No row, in the columns of the table."""
    return sa.select(*[sa.cast(sa.null(), c.type).label(c.name) for c in EXPERIMENT_ARM.c]).where(sa.false())
