"""Source rows that nobody has updated for longer than their source allows, with who looks after them (R11).

What belongs here: rows past the limit that their source declares (`stale_after`). What does not: sources that are late (coverage).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day, on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.model.source import Source
from vesper.night import Night
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import DATE, FLAG, INTEGER, TEXT, column, empty, table

STALE_RECORD = table(
    "mart__stale_record",
    column("source", TEXT, "Source id", required=True),
    column("record_key", TEXT, "Key of the row inside its source", required=True),
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact that the row belongs to"),
    column("changed_on", DATE, "Company day of its last change", required=True),
    column(
        "is_stated", FLAG, "The source says when it changed; otherwise the day it last arrived changed", required=True
    ),
    column("age_days", INTEGER, "Days since then", required=True, between=(1, 100_000)),
    column("limit_days", INTEGER, "Days that the source allows", required=True),
    column("owner", TEXT, "Who looks after the row at its source"),
    column("definition_hash", TEXT, "Hash of the source's definition", required=True),
    grain=("source", "record_key"),
    owner="data",
    says="Live contact rows older than the update limit of their source, as of the night.",
    personal=("owner",),
)


@mart(STALE_RECORD, stage="consolidate")
def stale_record(night: Night) -> sa.Select[Any]:
    """One row for each live row past its limit."""
    limited = [source for source in night.definitions.of(Source).values() if source.stale_after]
    if not limited:
        return empty(STALE_RECORD)
    return sa.select(sa.union_all(*[_of_source(source, night) for source in limited]).subquery("stale"))


def _of_source(source: Source, night: Night) -> sa.Select[Any]:
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    limit = source.stale_after.days if source.stale_after else 0
    changed_on = local_day(sa.func.coalesce(records.c.changed_at, records.c.received_at), night.zone)
    age = sa.func.date_diff("day", changed_on, on(night.business_on), type_=sa.Integer)
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    return (
        sa.select(
            records.c.source,
            records.c.record_key,
            on(night.business_on).label("business_on"),
            member.c.contact_id,
            changed_on.label("changed_on"),
            records.c.changed_at.is_not(None).label("is_stated"),
            age.label("age_days"),
            sa.literal(limit).label("limit_days"),
            records.c.owner,
            sa.literal(hash_of(night, f"sources/{source.id}")).label("definition_hash"),
        )
        .join_from(records, member, same, isouter=True)
        .where(records.c.source == source.id, records.c.excluded_by.is_(None), age > limit)
    )
