"""Sets of contacts put together: every one of, one of, all but.

What belongs here: what `all`, `any` and `not` share, and the contacts that a missing value leaves unknown. What does not: any one condition.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.conditions.people import NO_INSTANT, People, evidence
from vesper.marts.activity import ACTIVITY
from vesper.tables.contact import CONTACT

Contacts = sa.Select[Any]
"""Contact ids alone."""


def joined(parts: Sequence[People], *, everyone: bool) -> People:
    """Contacts that are in every part (`everyone`) or in one at least. Each part has one row per contact, so the rows of a contact tell how many."""
    rows = sa.union_all(*parts).subquery("parts")
    number, known = sa.func.count(), sa.func.count(rows.c.since_at)
    since = sa.func.max(rows.c.since_at) if everyone else sa.func.min(rows.c.since_at)
    columns = evidence(
        rows.c.contact_id,
        sa.func.sum(rows.c.evidence_count),
        sa.func.min(rows.c.first_at),
        sa.func.max(rows.c.last_at),
        sa.case((known == number, since), else_=NO_INSTANT),
    )
    answer = sa.select(*columns).group_by(rows.c.contact_id)
    return answer.having(number == len(parts)) if everyone else answer


def ids(answer: sa.Select[Any] | sa.CompoundSelect[Any]) -> Contacts:
    """The contact ids of an answer."""
    return sa.select(answer.subquery().c.contact_id)


def either(one: sa.Select[Any], other: sa.Select[Any]) -> Contacts:
    """Contacts that are in one of the two."""
    return ids(sa.union(ids(one), ids(other)))


def without(these: sa.Select[Any] | sa.CompoundSelect[Any], those: sa.Select[Any]) -> Contacts:
    """Contacts that are in the first and not in the second."""
    first = these.subquery()
    return sa.select(first.c.contact_id).where(first.c.contact_id.not_in(ids(those)))


def never_ordered() -> Contacts:
    """Golden contacts without an order up to the business date."""
    return sa.select(CONTACT.c.contact_id).where(CONTACT.c.contact_id.not_in(sa.select(ACTIVITY.c.contact_id)))
