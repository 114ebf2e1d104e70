"""New contacts by the route they came in on, night by night (R16).

What belongs here: counts of contacts that were not there the night before. What does not: what became of them (`funnel.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import DATE, INTEGER, TEXT, column, previous, table

COUNT = (0, 1_000_000_000)

INFLOW = table(
    "mart__inflow",
    column("business_on", DATE, "Night", required=True),
    column("first_source", TEXT, "Route: the source of the contact's first row", required=True),
    column(
        "new_contacts",
        INTEGER,
        "Contacts that were not there the night before; over all routes they are all new contacts",
        required=True,
        between=COUNT,
    ),
    column(
        "split_contacts",
        INTEGER,
        "Those of them that came out of a contact already known, so nobody flowed in",
        required=True,
        between=COUNT,
    ),
    column("definition_hash", TEXT, "Hash of the sources, which say who comes in", required=True),
    grain=("business_on", "first_source"),
    cut="business_on",
    owner="marketing",
    says="New contacts by route and night, every route that has rows, those without a new contact as 0.",
)


@mart(INFLOW, stage="consolidate")
def inflow(night: Night) -> sa.Select[Any]:
    """One row for each source of tonight's source records."""
    new = _new_contacts().cte("new")
    route = sa.select(SOURCE_RECORD.c.source).distinct().cte("route")
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            route.c.source.label("first_source"),
            sa.func.count(new.c.contact_id).label("new_contacts"),
            sa.func.count().filter(new.c.is_split).label("split_contacts"),
            sa.literal(hash_of(night, "sources")).label("definition_hash"),
        )
        .join_from(route, new, new.c.first_source == route.c.source, isouter=True)
        .group_by(route.c.source)
    )


def _new_contacts() -> sa.Select[Any]:
    """Contacts whose id is new, with their route, and whether one of their rows was another contact's the night before."""
    before, member, member_before = previous(CONTACT), CONTACT_MEMBER, previous(CONTACT_MEMBER)
    same_row = sa.and_(member_before.c.source == member.c.source, member_before.c.record_key == member.c.record_key)
    known = sa.select(member.c.contact_id).join_from(member, member_before, same_row)
    return sa.select(
        CONTACT.c.contact_id,
        CONTACT.c.first_source,
        CONTACT.c.contact_id.in_(known).label("is_split"),
    ).where(CONTACT.c.contact_id.not_in(sa.select(before.c.contact_id)))
