"""Groups of contacts: who belongs tonight to each segment, tag and persona, and since when.

What belongs here: what the three kinds share. What does not: the tables (`vesper/marts/`), who entered and left (`segment.py`), and any one
group (definitions/).
"""

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.groups import InGroup
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.membership import ContactRow
from vesper.model.persona import Persona
from vesper.model.segment import Group, Segment
from vesper.model.tag import Tag
from vesper.night import Night
from vesper.shared import in_runs, is_first, keep
from vesper.tables.contact import CONTACT
from vesper.tables.declare import empty


@dataclass(frozen=True)
class Kind:
    """A kind of group: its folder, its model, and how its table of members names the group and the first day."""

    folder: str
    model: type[Group]
    id: str
    since: str


SEGMENTS = Kind("segments", Segment, "segment_id", "entered_on")
TAGS = Kind("tags", Tag, "tag_id", "since_on")
PERSONAS = Kind("personas", Persona, "persona_id", "since_on")


def in_order(groups: dict[str, Group], folder: str = SEGMENTS.folder) -> list[str]:
    """Ids so that each group comes after those it names; raises ValueError with the circle, if they name each other."""
    graph = {id: [name for name in named_by(group, folder) if name in groups] for id, group in groups.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(
            f"{folder} name each other in a circle: {' -> '.join(error.args[1])}; take one name out"
        ) from error


def named_by(group: Group, folder: str) -> list[str]:
    """The groups of a kind that a group names, in alphabetical order."""
    bodies = [body for _, body in group.condition.walk() if isinstance(body, InGroup)]
    return sorted({body.group_id for body in bodies if body.folder == folder})


def members(night: Night, kind: Kind, previous_member: sa.Table) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per group and member; the first day is kept from the night before while the membership lasts.

    Group by group in the order of their ids, so that what writes them need not sort them all at once.
    """
    groups = night.definitions.of(kind.model)
    if not groups:
        return empty(previous_member)
    held = _flags(night, kind, groups, previous_member)
    listed = {id: _listed(id, night, kind, held) for id in sorted(groups)}
    if is_first(night, previous_member):
        return in_runs([_new(rows, night, kind) for rows in listed.values()], sorted=True)
    before = previous_member.alias("before")
    if night.shared is None or night.shared.is_of_few:
        return _since(sa.union_all(*listed.values()), night, kind, before)
    return in_runs([_since(rows, night, kind, before, before.c[kind.id] == id) for id, rows in listed.items()])


def _listed(id: str, night: Night, kind: Kind, held: sa.FromClause) -> sa.Select[Any]:
    """The members of one group."""
    stamp = sa.literal(hash_of(night, f"{kind.folder}/{id}")).label("definition_hash")
    return sa.select(sa.literal(id).label(kind.id), held.c.contact_id, stamp).where(held.c[id])


def _since(
    members: sa.Select[Any] | sa.CompoundSelect[Any],
    night: Night,
    kind: Kind,
    before: sa.FromClause,
    is_of_group: sa.ColumnElement[bool] | None = None,
) -> sa.Select[Any]:
    """Members of groups, and since when; of one group where `is_of_group` says of which one, so that rows of others are not read."""
    member = members.subquery("member")
    of_group = before.c[kind.id] == member.c[kind.id] if is_of_group is None else is_of_group
    same = sa.and_(of_group, before.c.contact_id == member.c.contact_id)
    since = sa.func.coalesce(before.c[kind.since], on(night.business_on))
    return _row(member, since, night, kind).join_from(member, before, same, isouter=True)


def _new(members: sa.Select[Any], night: Night, kind: Kind) -> sa.Select[Any]:
    """Members of a group on a night with no night before."""
    member = members.subquery("member")
    return _row(member, on(night.business_on), night, kind).select_from(member)


def _row(member: sa.FromClause, since: sa.ColumnElement[Any], night: Night, kind: Kind) -> sa.Select[Any]:
    return sa.select(
        on(night.business_on).label("business_on"),
        member.c[kind.id],
        member.c.contact_id,
        since.label(kind.since),
        member.c.definition_hash,
    )


def _flags(night: Night, kind: Kind, groups: dict[str, Group], previous_member: sa.Table) -> sa.FromClause:
    """One row per golden contact: true or false for each group."""
    row = ContactRow(night)
    for id in in_order(groups, kind.folder):
        row.known[f"{kind.folder}/{id}"] = _holds(groups[id], night, kind, row, previous_member)
    answers = [row.known[f"{kind.folder}/{id}"].label(id) for id in sorted(groups)]
    select = sa.select(CONTACT.c.contact_id, *answers).select_from(row.source()).order_by(CONTACT.c.contact_id)
    return keep(night, f"flags__{kind.folder}", select)


def _holds(
    group: Group, night: Night, kind: Kind, row: ContactRow, previous_member: sa.Table
) -> sa.ColumnElement[bool]:
    """Whether a contact belongs to the group; as it did the night before while a source that the group reads has a hole (R106)."""
    if not is_held(group.condition, night):
        return row.holds(group.condition)
    old = previous_member.c
    return CONTACT.c.contact_id.in_(sa.select(old.contact_id).where(old[kind.id] == group.id))
