"""What tonight touches: the records, links and old contacts that must be resolved anew; everything else stays as it was.

What belongs here: Selects that find what changed. What does not: resolving it. The rule that makes an incremental night equal a full rebuild: with a
touched record, ALL records of its old component are resolved anew, and both ends of every link that came or went are touched.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

Select = sa.Select[Any]
Rows = sa.CompoundSelect[Any]


def changed_records(now: sa.FromClause, before: sa.FromClause, columns: Sequence[str]) -> Select:
    """(record) that is new, gone, or has another value in one of the columns that identity reads."""
    both = now.join(before, before.c.record == now.c.record, full=True)
    differs = [now.c[name].is_distinct_from(before.c[name]) for name in columns]
    came_or_went = (now.c.record.is_(None), before.c.record.is_(None))
    record = sa.func.coalesce(now.c.record, before.c.record)
    return sa.select(record.label("record")).select_from(both).where(sa.or_(*came_or_went, *differs))


def flipped_holders(identifier: sa.FromClause, now: sa.FromClause, before: sa.FromClause) -> Select:
    """(record) that holds a key which many share tonight and did not the night before, or the other way round."""
    both = now.join(before, sa.and_(before.c.kind == now.c.kind, before.c.value == now.c.value), full=True)
    flipped = (
        sa.select(*[sa.func.coalesce(now.c[name], before.c[name]).label(name) for name in ("kind", "value")])
        .select_from(both)
        .where(sa.or_(now.c.kind.is_(None), before.c.kind.is_(None)))
        .cte()
    )
    held = sa.and_(identifier.c.kind == flipped.c.kind, identifier.c.value == flipped.c.value)
    return sa.select(identifier.c.record).join_from(identifier, flipped, held)


def differing_links(now: sa.FromClause, before: sa.FromClause) -> Rows:
    """(record) at either end of a link that came, went, or weighs otherwise."""
    same = sa.and_(
        before.c.record_a == now.c.record_a, before.c.record_b == now.c.record_b, before.c.rule == now.c.rule
    )  # fmt: skip
    both = now.join(before, same, full=True)
    changed = sa.or_(now.c.rule.is_(None), before.c.rule.is_(None), now.c.weight != before.c.weight)
    found = (
        sa.select(*[sa.func.coalesce(now.c[side], before.c[side]).label(side) for side in ("record_a", "record_b")])
        .select_from(both)
        .where(changed)
        .cte()
    )
    return sa.union(*[sa.select(found.c[side].label("record")) for side in ("record_a", "record_b")])


def carried_links(link: sa.FromClause, record: sa.FromClause) -> Select:
    """Links of the night before between records of which none is in `record`."""
    ends = [record.alias(side) for side in ("a", "b")]
    joined = link.join(ends[0], ends[0].c.record == link.c.record_a, isouter=True).join(
        ends[1], ends[1].c.record == link.c.record_b, isouter=True
    )
    return sa.select(link).select_from(joined).where(ends[0].c.record.is_(None), ends[1].c.record.is_(None))


def touched_contacts(record: sa.FromClause, member: sa.FromClause, component: sa.FromClause) -> Rows:
    """(contact_id) of the night before that hold a touched record, and those of the same components.

    Args:
        member: (record, contact_id) of the night before.
        component: dq__identity_component of the night before; a contact that is not there is a component of its own.
    """
    held = (
        sa.select(member.c.contact_id)
        .join_from(member, record, record.c.record == member.c.record)
        .distinct()
        .cte("held")
    )
    own, other = component.alias("own"), component.alias("other")
    beside = sa.select(other.c.contact_id).select_from(
        held.join(own, own.c.contact_id == held.c.contact_id).join(other, other.c.component == own.c.component)
    )
    return sa.union(sa.select(held.c.contact_id), beside)


def rows_of(contact: sa.FromClause, member: sa.FromClause) -> Select:
    """(record, contact_id) of the night before of the touched contacts."""
    return sa.select(member.c.record, member.c.contact_id).join_from(
        member, contact, contact.c.contact_id == member.c.contact_id
    )


def to_resolve(now: sa.FromClause, record: sa.FromClause, before: sa.FromClause) -> Select:
    """(record) alive tonight that is touched or a row of a touched contact."""
    touched = sa.union(sa.select(record.c.record), sa.select(before.c.record)).cte("touched")
    return sa.select(now.c.record).join_from(now, touched, touched.c.record == now.c.record)


def links_within(link: sa.FromClause, record: sa.FromClause) -> Select:
    """Links both ends of which are to be resolved."""
    ends = [record.alias(side) for side in ("a", "b")]
    return sa.select(link).select_from(
        link.join(ends[0], ends[0].c.record == link.c.record_a).join(ends[1], ends[1].c.record == link.c.record_b)
    )


def untouched(rows: sa.FromClause, contact: sa.FromClause) -> Select:
    """Rows of the night before, by contact_id, of contacts that tonight does not touch."""
    joined = rows.join(contact, contact.c.contact_id == rows.c.contact_id, isouter=True)
    return sa.select(rows).select_from(joined).where(contact.c.contact_id.is_(None))
