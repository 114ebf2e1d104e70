"""Contact rows of every source, cleaned to one shape. A card that only the shop knows is a source row too, so no household is left out."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import email, phone, region, text
from vesper.clock import utc_instant
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD

CARD_TRUST = 10


def field(raw: sa.FromClause, name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.ColumnElement[Any]:
    """A canonical field of a raw table, NULL where the source does not have it."""
    return raw.c[name] if name in raw.c else sa.cast(sa.null(), kind or sa.String())


def of_contact_source(raw: sa.FromClause, source: Source) -> sa.Select[Any]:
    """The rows of one contact source, cleaned; every row keeps its source key."""
    kept = [
        sa.literal(source.id).label("source"),
        record_key(raw, source).label("record_key"),
        text.code(field(raw, "card")).label("card"),
        text.name(field(raw, "name")).label("name"),
        phone.e164(field(raw, "phone")).label("phone"),
        phone.status(field(raw, "phone")).label("phone_status"),
        email.address(field(raw, "email")).label("email"),
        email.status(field(raw, "email")).label("email_status"),
        field(raw, "registered_at", sa.DateTime()).label("registered_at"),
        raw.c.received_at,
        sa.literal(source.trust).label("trust"),
    ]
    if "region" not in raw.c:
        nothing = sa.cast(sa.null(), sa.String)
        return sa.select(
            *kept, nothing.label("province"), nothing.label("city"), sa.literal("none").label("region_status")
        )
    return region.resolved(raw, "region", kept)


def record_key(raw: sa.FromClause, source: Source) -> sa.ColumnElement[str]:
    """The row's key inside its source; several key fields are joined by a slash."""
    keys = [sa.cast(raw.c[name], sa.String) for name in source.key]
    return keys[0] if len(keys) == 1 else sa.func.concat_ws("/", *keys)


def of_cards(raw: sa.FromClause, source: Source, zone: str) -> sa.Select[Any]:
    """One row per card that the shop saw: a household known by its card alone."""
    happened = next((raw.c[name] for name in ("ordered_at", "at", "mailed_on") if name in raw.c), None)
    first = sa.func.min(_instant(happened, zone)) if happened is not None else sa.cast(sa.null(), sa.DateTime)
    nothing = sa.cast(sa.null(), sa.String)
    return (
        sa.select(
            sa.literal(source.id).label("source"),
            raw.c.card.label("record_key"),
            raw.c.card.label("card"),
            nothing.label("name"),
            nothing.label("phone"),
            sa.literal("missing").label("phone_status"),
            nothing.label("email"),
            sa.literal("missing").label("email_status"),
            first.label("registered_at"),
            sa.func.min(raw.c.received_at).label("received_at"),
            sa.literal(CARD_TRUST).label("trust"),
            nothing.label("province"),
            nothing.label("city"),
            sa.literal("none").label("region_status"),
        )
        .where(raw.c.card.is_not(None))
        .group_by(raw.c.card)
    )


def _instant(moment: sa.ColumnElement[Any], zone: str) -> sa.ColumnElement[Any]:
    return utc_instant(sa.cast(moment, sa.DateTime), zone) if isinstance(moment.type, sa.Date) else moment


def all_records(parts: Iterable[sa.Select[Any]]) -> sa.CompoundSelect[Any]:
    """Every source's rows as core__source_record."""
    shapes = [part.subquery() for part in parts]
    return sa.union_all(
        *[sa.select(*[field(shape, c.name, c.type).label(c.name) for c in SOURCE_RECORD.c]) for shape in shapes]
    )
