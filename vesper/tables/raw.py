"""Raw tables: one per source, declared by the source's contract. They keep the rows as they were understood, newest version of each key."""

from typing import Any

import sqlalchemy as sa

from vesper.model.source import Source
from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, MONEY, RATIO, TEXT, column, table

TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": TEXT,
    "integer": INTEGER,
    "money": MONEY,
    "number": RATIO,
    "date": DATE,
    "instant": INSTANT,
    "flag": FLAG,
    "category": TEXT,
}
HAPPENED = {"order_line": "ordered_at", "event": "at"}
PERSONAL = (
    "name",
    "first_name",
    "last_name",
    "phone",
    "other_phone",
    "email",
    "unionid",
    "openid",
    "owner",
    "birth_on",
)


def raw_name(source_id: str) -> str:
    """`crm_member` -> `raw_crm__member`."""
    system, _, noun = source_id.partition("_")
    return f"raw_{system}__{noun}" if noun else f"raw_{system}__row"


def is_cut(source: Source) -> bool:
    """Feeds of things that happen are cut by company day; the others are one part."""
    return source.feeds in HAPPENED


def raw_table(source: Source) -> sa.Table:
    """The raw table of a source. Grain: its key; a cut table's day comes first."""
    fields = [
        column(name, TYPES[field.type], f"{field.column} as the source states it", required=name in source.key)
        for name, field in source.fields.items()
    ]
    day = [column("on", DATE, "Company day on which it happened", required=True)] if is_cut(source) else []
    return table(
        raw_name(source.id),
        *day,
        *fields,
        column("received_at", INSTANT, "Arrival of the file (UTC)", required=True),
        column("file", TEXT, "File the row came in", required=True),
        column("source_row", INTEGER, "Row in that file", required=True),
        grain=[*(["on"] if day else []), *source.key],
        owner=source.owner,
        says=str(source.says),
        cut="on" if day else None,
        personal=[name for name in PERSONAL if name in source.fields],
        metadata=sa.MetaData(),
    )
