"""What sales say, of any source: BANT statements as core__bant, what became of leads as core__lead_outcome (R43, R45, R55, R115).

A row names its person by the contact's id, as a sheet that Vesper wrote does, or as a row of events does (`event.with_contact`); a row whose
person nobody knows yet is kept without one.
What belongs here: those two Selects. What does not: which statement counts (vesper/conditions/bant.py) and what a lead is (vesper/lead.py).
"""

from typing import Any

import sqlalchemy as sa

from vesper.cleaning import text
from vesper.clock import local_day
from vesper.consolidate.contact_row import field, instant, record_key
from vesper.consolidate.event import with_contact
from vesper.model.source import Source
from vesper.tables.contact import CONTACT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.sales import DIMENSIONS


def bant(raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause | None = None) -> list[sa.Select[Any]]:
    """Selects of core__bant: one for rows that name their dimension, and one for each dimension that has a column."""
    said = [] if "value" not in raw.c else [(field(raw, "dimension"), field(raw, "value"))]
    said += [(sa.literal(dimension), raw.c[dimension]) for dimension in DIMENSIONS if dimension in raw.c]
    return [_statement(raw, source, zone, survivor, *one) for one in said]


def _statement(
    raw: sa.FromClause,
    source: Source,
    zone: str,
    survivor: sa.FromClause | None,
    dimension: sa.ColumnElement[str],
    value: sa.ColumnElement[str],
) -> sa.Select[Any]:
    joined, contact_id = _with_person(raw, source, survivor)
    stated = text.line(value)
    return (
        sa.select(
            contact_id.label("contact_id"),
            dimension.label("dimension"),
            stated.label("value"),
            sa.literal(source.id).label("source"),
            record_key(raw, source).label("record_key"),
            instant(raw.c.at, zone).label("at"),
        )
        .select_from(joined)
        .where(dimension.is_not(None), stated.is_not(None))
    )


def lead_outcomes(
    raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause | None = None
) -> sa.Select[Any]:
    """core__lead_outcome from the raw table of a source: one row for each that says an outcome."""
    joined, contact_id = _with_person(raw, source, survivor)
    at = instant(raw.c.at, zone)
    return (
        sa.select(
            contact_id.label("contact_id"),
            raw.c.outcome,
            text.line(field(raw, "reason_code")).label("reason_code"),
            text.code(field(raw, "handover_id")).label("handover_id"),
            text.line(field(raw, "owner")).label("owner"),
            sa.literal(source.id).label("source"),
            record_key(raw, source).label("record_key"),
            local_day(at, zone).label("on"),
            at.label("at"),
        )
        .select_from(joined)
        .where(raw.c.outcome.is_not(None))
    )


def _with_person(
    raw: sa.FromClause, source: Source, survivor: sa.FromClause | None
) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
    """The raw rows joined with what names their contact, and its id: a retired id finds the contact that holds its person now (R13)."""
    joined, found = with_contact(raw, source, survivor)
    if "contact_id" not in raw.c:
        return joined, found
    stated = text.code(raw.c.contact_id)
    joined = joined.join(CONTACT, CONTACT.c.contact_id == stated, isouter=True)
    joined = joined.join(CONTACT_ALIAS, CONTACT_ALIAS.c.old_id == stated, isouter=True)
    return joined, sa.func.coalesce(CONTACT.c.contact_id, CONTACT_ALIAS.c.contact_id, found)
