"""Ids of a vendor's system: how they are written, which of them are one person there, which were deleted there (R1, R5).

A vendor merges, converts and deletes records by its own ids, and its events keep the old ids for ever. What belongs here: relations between ids.
What does not: rows of people (`source_record.py`), events (`event.py`), refusals (`unsubscribe.py`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import text
from vesper.consolidate.contact_row import field, record_key, scoped
from vesper.consolidate.source_record import DELETED
from vesper.identity.keys import live, record_id
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD

RULE = "crm_id"
ONE_ID = "[0-9A-Za-z_-]+"
SALESFORCE = "salesforce"
SAME_PERSON = ("old_id", "kept_id")


def system_id(raw: sa.FromClause, source: Source, name: str = "crm_id") -> sa.ColumnElement[str]:
    """An id of the source's system as it stands in core tables, `system:id`; NULL where the row has none."""
    return scoped(text.code(field(raw, name)), source.system_of_ids)


def same_people(raw: sa.FromClause, source: Source) -> list[sa.Select[Any]]:
    """(old_id, kept_id): ids that a source of contacts or merges says are one person, the second being the one that lives on.

    A cell may hold several merged ids, in any brackets and with any separator.
    """
    found = []
    if "merged_ids" in raw.c:
        each = sa.func.unnest(sa.func.regexp_extract_all(raw.c.merged_ids, ONE_ID))
        found.append((scoped(text.code(each), source.system_of_ids), system_id(raw, source)))
    if source.feeds == "contact" and "merged_into" in raw.c:
        found.append((system_id(raw, source), system_id(raw, source, "merged_into")))
    if source.feeds == "contact" and "salesforce_id" in raw.c:
        found.append((scoped(text.code(raw.c.salesforce_id), SALESFORCE), system_id(raw, source)))
    return [_pairs(old, kept, raw) for old, kept in found]


def _pairs(old: sa.ColumnElement[str], kept: sa.ColumnElement[str], raw: sa.FromClause) -> sa.Select[Any]:
    said = sa.select(old.label("old_id"), kept.label("kept_id")).select_from(raw).subquery("said")
    whole = sa.and_(said.c.old_id.is_not(None), said.c.kept_id.is_not(None), said.c.old_id != said.c.kept_id)
    return sa.select(said.c.old_id, said.c.kept_id).where(whole)


def same_person(parts: Sequence[sa.Select[Any]]) -> sa.Select[Any]:
    """Every pair once, those that only follow from others too: who was merged into B is C when B was merged into C."""
    if not parts:
        return sa.select(*[sa.cast(sa.null(), sa.String).label(name) for name in SAME_PERSON]).where(sa.false())
    said = sa.union(*parts).cte("said_same")
    reached = sa.select(said.c.old_id, said.c.kept_id).cte("reached", recursive=True)
    further = sa.select(reached.c.old_id, said.c.kept_id).join_from(reached, said, said.c.old_id == reached.c.kept_id)
    reached = reached.union(further)
    return sa.select(reached.c.old_id, reached.c.kept_id).where(reached.c.old_id != reached.c.kept_id).distinct()


def survivors(same: sa.FromClause) -> sa.Select[Any]:
    """(old_id, kept_id): the one id under which a merged id lives on. Of ids that merged in a ring it is the smallest.

    Args:
        same: the rows of `same_person`.
    """
    merged_on = sa.select(same.c.old_id).distinct().subquery("merged_on")
    last = sa.func.min(same.c.kept_id).filter(merged_on.c.old_id.is_(None))
    kept = sa.func.coalesce(last, sa.func.least(same.c.old_id, sa.func.min(same.c.kept_id)))
    found = (
        sa.select(same.c.old_id, kept.label("kept_id"))
        .join_from(same, merged_on, merged_on.c.old_id == same.c.kept_id, isouter=True)
        .group_by(same.c.old_id)
        .subquery("found")
    )
    return sa.select(found).where(found.c.old_id != found.c.kept_id)


def links(same: sa.FromClause, weight: int) -> sa.Select[Any]:
    """(record_a, record_b, rule, weight), record_a < record_b: live source records that a vendor says are one person, though their ids differ.

    The records of an id and of every id that merged into it are linked to the smallest of them, also when the id that lives on has no row of its own.

    Args:
        same: the rows of `same_person`.
        weight: what a link by the vendor's id weighs, in thousandths of a bit.
    """
    own = sa.union(
        sa.select(same.c.kept_id, same.c.old_id.label("crm_id")), sa.select(same.c.kept_id, same.c.kept_id)
    ).cte("own")
    # One record for each id: rows of one id are linked by the id itself.
    rows = (
        sa.select(own.c.kept_id, sa.func.min(record_id(SOURCE_RECORD)).label("record"))
        .join_from(SOURCE_RECORD, own, own.c.crm_id == SOURCE_RECORD.c.crm_id)
        .where(live(SOURCE_RECORD))
        .group_by(own.c.kept_id, own.c.crm_id)
        .cte("row_of_id")
    )
    first = sa.func.min(rows.c.record).over(partition_by=rows.c.kept_id)
    starred = sa.select(first.label("record_a"), rows.c.record.label("record_b")).subquery("starred")
    pair = [starred.c.record_a, starred.c.record_b, sa.literal(RULE).label("rule"), sa.literal(weight).label("weight")]
    return sa.select(*pair).where(starred.c.record_a != starred.c.record_b).distinct()


def deleted_ids(raw: sa.FromClause, source: Source) -> sa.Select[Any]:
    """(crm_id): records that a source of deletions says its system no longer has."""
    return sa.select(system_id(raw, source).label("crm_id")).distinct()


def deleted_rows(raw: sa.FromClause, source: Source, deleted: sa.FromClause) -> sa.Select[Any]:
    """(source, record_key, rule) of the rows of a contact source whose id was deleted: they make no contact (`source_record.of_contacts`).

    Args:
        deleted: (crm_id) of all sources of deletions.
    """
    gone = sa.exists().where(deleted.c.crm_id == system_id(raw, source))
    return sa.select(
        sa.literal(source.id).label("source"),
        record_key(raw, source).label("record_key"),
        sa.literal(DELETED).label("rule"),
    ).where(gone)
