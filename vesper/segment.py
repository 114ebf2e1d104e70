"""Segments: who belongs tonight, since when, and who entered and left (R35).

What belongs here: the Selects of members and of their changes. What does not: what segments share with tags and personas (`group.py`), the tables
(marts/segment_member.py, marts/segment_change.py) and any one segment (definitions/segments/).
"""

from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from vesper import group
from vesper.clock import on
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.shared import in_runs, is_first


def members(night: Night, previous_member: sa.Table) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per segment and member; `entered_on` is kept from the night before while the membership lasts."""
    return group.members(night, group.SEGMENTS, previous_member)


def changes(night: Night, member: sa.Table, previous_member: sa.Table) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Who entered and who left: members of today = members of yesterday + entered - left. A deleted segment is left by all.

    Stretch by stretch of the ids, each up to a segment of tonight and the last one open, so that no night compares all members at once.
    """
    ids = sorted(night.definitions.of(Segment))
    if is_first(night, previous_member):
        return in_runs([_entered(night, member)], sorted=True)
    if not night.shared or night.shared.is_of_few or not ids:
        return _changes(night, member, previous_member)
    edges = [None, *ids, None]
    stretches = pairwise(edges)
    return in_runs(
        [_changes(night, _between(member, low, high), _between(previous_member, low, high)) for low, high in stretches]
    )


def _entered(night: Night, member: sa.Table) -> sa.Select[Any]:
    """On the first night everybody has entered."""
    new = member.c
    tonight, change = on(night.business_on).label("business_on"), sa.literal("entered").label("change")
    return sa.select(tonight, new.segment_id, new.contact_id, change, new.definition_hash)


def _between(member: sa.Table, low: str | None, high: str | None) -> sa.Subquery:
    """Members of the segments after one id up to another; an end that is None is open."""
    id = member.c.segment_id
    after = [] if low is None else [id > low]
    until = [] if high is None else [id <= high]
    return sa.select(id, member.c.contact_id, member.c.definition_hash).where(*after, *until).subquery()


def _changes(night: Night, member: sa.FromClause, previous_member: sa.FromClause) -> sa.Select[Any]:
    new, old = member.c, previous_member.c
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            sa.func.coalesce(new.segment_id, old.segment_id).label("segment_id"),
            sa.func.coalesce(new.contact_id, old.contact_id).label("contact_id"),
            sa.case((old.contact_id.is_(None), "entered"), else_="left").label("change"),
            sa.func.coalesce(new.definition_hash, old.definition_hash).label("definition_hash"),
        )
        .join_from(
            member,
            previous_member,
            sa.and_(old.segment_id == new.segment_id, old.contact_id == new.contact_id),
            full=True,
        )
        .where(sa.or_(new.contact_id.is_(None), old.contact_id.is_(None)))
    )
