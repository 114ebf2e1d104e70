"""Segments: who belongs tonight, since when, and who entered and left (R35).

What belongs here: the Selects of members and of their changes. What does not: the tables (marts/segment_member.py, marts/segment_change.py) and
any one segment (definitions/segments/).
"""

from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.people import evidence, people
from vesper.conditions.segment import InSegment
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.tables.contact import CONTACT


def in_order(segments: dict[str, Segment]) -> list[str]:
    """Ids so that each segment comes after those it names; raises ValueError with the circle, if they name each other."""
    graph = {id: [name for name in named_by(segment) if name in segments] for id, segment in segments.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(
            f"segments name each other in a circle: {' -> '.join(error.args[1])}; take one name out"
        ) from error


def named_by(segment: Segment) -> list[str]:
    """The other segments that a segment names, in alphabetical order."""
    return sorted({body.segment_id for _, body in segment.members.walk() if isinstance(body, InSegment)})


def members(night: Night, previous_member: sa.Table) -> sa.Select[Any]:
    """One row per segment and member; `entered_on` is kept from the night before while the membership lasts."""
    found = _found(night, previous_member).subquery("found")
    before = previous_member.alias("before")
    same = sa.and_(before.c.segment_id == found.c.segment_id, before.c.contact_id == found.c.contact_id)
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            found.c.segment_id,
            found.c.contact_id,
            sa.func.coalesce(before.c.entered_on, on(night.business_on)).label("entered_on"),
            found.c.definition_hash,
        )
        .join_from(found, before, same, isouter=True)
        .where(found.c.contact_id.in_(sa.select(CONTACT.c.contact_id)))
    )


def changes(night: Night, member: sa.Table, previous_member: sa.Table) -> sa.Select[Any]:
    """Who entered and who left: members of today = members of yesterday + entered - left. A deleted segment is left by all."""
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


def _found(night: Night, previous_member: sa.Table) -> sa.CompoundSelect[Any]:
    """segment_id, contact_id and the segment's hash, for all segments; each segment is one CTE that later ones may name."""
    segments = night.definitions.of(Segment)
    made: dict[str, sa.FromClause] = {}
    for id in in_order(segments):
        made[id] = _people_of(segments[id], night, made, previous_member).cte(f"segment_{id}")
    nobody = sa.select(
        CONTACT.c.contact_id, sa.literal("").label("segment_id"), sa.literal("").label("definition_hash")
    ).where(sa.false())
    rows = [
        sa.select(
            who.c.contact_id,
            sa.literal(id).label("segment_id"),
            sa.literal(hash_of(night, f"segments/{id}")).label("definition_hash"),
        )
        for id, who in made.items()
    ]
    return sa.union_all(nobody, *rows)


def _people_of(
    segment: Segment, night: Night, made: dict[str, sa.FromClause], previous_member: sa.Table
) -> sa.Select[Any]:
    """The segment's people; those of the night before while a source it reads has a hole (R106)."""
    if not is_held(segment.members, night):
        return people(segment.members, night, made)
    old = previous_member.c
    return sa.select(*evidence(old.contact_id, 1)).where(old.segment_id == segment.id)
