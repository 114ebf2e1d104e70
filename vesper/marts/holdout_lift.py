"""What marketing brings: buyers among those who could be written to, against buyers among those who were held out (R92).

What belongs here: the lift of the global holdout and of each campaign's own, as a Select. What does not: who is held out
(`vesper/experiment/holdout.py`).

Both sides would have got a message: one side has a message planned, the other a refusal `holdout`. Everybody counts on the side where the hash put
them, whether a message reached them or not (intention to treat), from the night that first planned or withheld.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.experiment.holdout import HOLDOUT, MARKETING, POLICY, begins_on, detail_of_policy
from vesper.experiment.statistics import quantile
from vesper.marts import mart
from vesper.marts.message import MESSAGE
from vesper.marts.refusal import RAW_REFUSAL
from vesper.model.holdout import holdout_policy
from vesper.model.outreach import outreaches
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.order import ORDER_DAY

COUNT = (0, 1_000_000_000)
SHARE = (0.0, 1.0)
SURE = 0.975

HOLDOUT_LIFT = table(
    "mart__holdout_lift",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("holdout_id", TEXT, f"Campaign or journey; `{POLICY} <period>` of the global holdout", required=True),
    column("treated_count", INTEGER, "People with a marketing message planned", required=True, between=COUNT),
    column("held_count", INTEGER, "People who were held out and would have had one", required=True, between=COUNT),
    column(
        "treated_buyer_count",
        INTEGER,
        "Of the treated: bought within policy/holdout's days",
        required=True,
        between=COUNT,
    ),
    column("held_buyer_count", INTEGER, "Of those held out: bought within the same days", required=True, between=COUNT),
    column("treated_rate", RATIO, "treated_buyer_count / treated_count", between=SHARE),
    column("held_rate", RATIO, "held_buyer_count / held_count", between=SHARE),
    column("lift", RATIO, "treated_rate - held_rate: what the messages brought, as a share of the people"),
    column("lift_low", RATIO, "Lower end of the lift's 95 % interval (Agresti-Caffo)"),
    column("lift_high", RATIO, "Upper end of the lift's 95 % interval"),
    column("definition_hash", TEXT, "Hash of the definition that holds out", required=True),
    grain=("business_on", "holdout_id"),
    cut="business_on",
    owner="marketing",
    says="Incremental lift of each holdout by night; who is held out stays in the denominators for good.",
)


@mart(HOLDOUT_LIFT, stage="send")
def holdout_lift(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The global holdout's period of tonight, and every campaign or journey with a holdout of its own."""
    found = list(_lifts(night))
    return sa.union_all(*found) if found else _none()


def _lifts(night: Night) -> Iterator[sa.Select[Any]]:
    policy = holdout_policy(night.definitions)
    if policy.share:
        detail = detail_of_policy(policy, night.business_on)
        since = max(begins_on(policy, night.business_on), dt.date(1970, 1, 1))
        yield _lift(night, detail, "policy/holdout", [MESSAGE.c.purpose == MARKETING], since, POLICY)
    for id, outreach in outreaches(night.definitions).items():
        if outreach.holdout:
            kind = next(k for k in ("campaigns", "journeys") if f"{k}/{id}" in night.definitions.hashes)
            mine = [MESSAGE.c.campaign_id == id, MESSAGE.c.purpose == MARKETING]
            yield _lift(night, id, f"{kind}/{id}", mine, outreach.starts_on, id)


def _lift(
    night: Night, id: str, definition: str, mine: list[sa.ColumnElement[bool]], since: dt.date, name: str
) -> sa.Select[Any]:
    """Each person once, on the side of their first night: a person of both sides changed sides by a merge, and stays where they were first."""
    raw = RAW_REFUSAL.c
    nights = (on(since), on(night.business_on))
    treated = _people(MESSAGE, name, True, *mine, MESSAGE.c.business_on.between(*nights))
    held = _people(RAW_REFUSAL, name, False, raw.reason == HOLDOUT, raw.detail == id, raw.business_on.between(*nights))
    every = sa.union_all(treated, held).subquery(f"side_{name}")
    first_treated_on = sa.func.min(every.c.business_on).filter(every.c.is_treated)
    first_held_on = sa.func.min(every.c.business_on).filter(sa.not_(every.c.is_treated))
    sides = (
        sa.select(
            every.c.contact_id,
            sa.func.coalesce(first_treated_on <= first_held_on, first_treated_on.is_not(None)).label("is_treated"),
            sa.func.min(every.c.business_on).label("first_on"),
        )
        .group_by(every.c.contact_id)
        .cte(f"person_{name}")
    )
    bought = _bought(sides, night).cte(f"buyer_{name}")
    has = sides.c.contact_id.in_(sa.select(bought.c.contact_id))
    counts = {
        "treated_count": sides.c.is_treated,
        "held_count": sa.not_(sides.c.is_treated),
        "treated_buyer_count": sa.and_(sides.c.is_treated, has),
        "held_buyer_count": sa.and_(sa.not_(sides.c.is_treated), has),
    }
    counted = sa.select(*[sa.cast(sa.func.count().filter(test), sa.Integer).label(n) for n, test in counts.items()])
    figures = counted.subquery(f"lift_{name}")
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(id).label("holdout_id"),
        *[figures.c[n] for n in counts],
        *_figures(figures),
        sa.literal(hash_of(night, definition)).label("definition_hash"),
    )


def _people(kept: sa.Table, name: str, is_treated: bool, *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """contact_id of today, business_on, and the side."""
    alias = CONTACT_ALIAS.alias(f"{'treated' if is_treated else 'held'}_{name}")
    contact_id = sa.func.coalesce(alias.c.contact_id, kept.c.contact_id).label("contact_id")
    rows = sa.select(contact_id, kept.c.business_on, sa.literal(is_treated).label("is_treated"))
    return rows.select_from(kept.outerjoin(alias, alias.c.old_id == kept.c.contact_id)).where(*which)


def _bought(sides: sa.CTE, night: Night) -> sa.Select[Any]:
    """Who bought after their first night, within the policy's days. The night itself does not count: it planned when the day was over."""
    days = holdout_policy(night.definitions).within.days
    order = ORDER_DAY.c
    last_on = sa.cast(sides.c.first_on + sa.literal(days), sa.Date)
    in_time = sa.and_(
        order.contact_id == sides.c.contact_id, order.ordered_on > sides.c.first_on, order.ordered_on <= last_on
    )
    return sa.select(sides.c.contact_id).distinct().join_from(sides, ORDER_DAY, in_time)


def _figures(f: sa.FromClause) -> list[sa.Label[Any]]:
    """Rates, their difference, and its interval with one buyer and one other added on each side, which holds for few people, too."""
    z = quantile(SURE)
    rates, middles = [], []
    spread: sa.ColumnElement[Any] = sa.literal(0.0)
    for side in ("treated", "held"):
        buyers, people = sa.cast(f.c[f"{side}_buyer_count"], sa.Double), sa.cast(f.c[f"{side}_count"], sa.Double)
        rates.append(buyers / sa.func.nullif(people, 0))
        middle = (buyers + 1) / (people + 2)
        middles.append(middle)
        spread = spread + middle * (1 - middle) / (people + 2)
    lift = rates[0] - rates[1]
    reach = z * sa.func.sqrt(spread)
    known = lift.is_not(None)
    return [
        rates[0].label("treated_rate"),
        rates[1].label("held_rate"),
        lift.label("lift"),
        sa.case((known, middles[0] - middles[1] - reach)).label("lift_low"),
        sa.case((known, middles[0] - middles[1] + reach)).label("lift_high"),
    ]


def _none() -> sa.Select[Any]:
    """No row, in the columns of the table."""
    return sa.select(*[sa.cast(sa.null(), c.type).label(c.name) for c in HOLDOUT_LIFT.c]).where(sa.false())
