"""What the consolidate stage's page shows beside its tables: routes, records out of date, what cleaning did, what needs a look (R11, R12, R16).

What belongs here: Selects over the stage's own tables. What does not: the other stages' figures (`key_figures.py`), wording.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.cleaning_effect import CLEANING_EFFECT
from vesper.marts.inflow import INFLOW
from vesper.marts.stale_record import STALE_RECORD
from vesper.night import Night
from vesper.tables.contact import CONTACT_MEMBER
from vesper.tables.identity import IDENTITY_REVIEW


def inflow(night: Night) -> sa.Select[Any]:
    """New contacts of tonight by route, the most first (R16)."""
    mine = sa.and_(INFLOW.c.business_on == on(night.business_on), INFLOW.c.new_contacts > 0)
    columns = [INFLOW.c.first_source.label("route"), INFLOW.c.new_contacts]
    return sa.select(*columns).where(mine).order_by(INFLOW.c.new_contacts.desc(), INFLOW.c.first_source)


def stale_records() -> sa.Select[Any]:
    """Records older than their source allows, by source (R11). Owners are people, so they are not shown here."""
    count = sa.func.count().label("stale")
    oldest = sa.func.max(STALE_RECORD.c.age_days).label("oldest_days")
    limit = sa.func.max(STALE_RECORD.c.limit_days).label("limit_days")
    return sa.select(STALE_RECORD.c.source, count, oldest, limit).group_by(STALE_RECORD.c.source).order_by("source")


def cleaning(night: Night) -> sa.Select[Any]:
    """Rows that each cleaning rule filled or purged, over all sources, the most first (R12)."""
    effect = CLEANING_EFFECT.c
    rule = [effect.rule_id, effect.effect, effect.field]
    count = sa.func.sum(effect.row_count).label("row_count")
    return (
        sa.select(*rule, count, sa.func.sum(effect.new_count).label("new_count"))
        .where(effect.business_on == on(night.business_on), effect.row_count > 0)
        .group_by(*rule)
        .order_by(count.desc(), *rule)
    )


def members_by_rule() -> sa.Select[Any]:
    """Source rows by what brought them to their contact (R5)."""
    count = sa.func.count().label("row_count")
    return sa.select(CONTACT_MEMBER.c.rule, count).group_by(CONTACT_MEMBER.c.rule).order_by(count.desc(), "rule")


def to_review() -> sa.Select[Any]:
    """Contacts that a steward should look at."""
    return sa.select(sa.func.count()).select_from(IDENTITY_REVIEW)
