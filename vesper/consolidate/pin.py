"""Pins: what a steward fixed about a contact stands above every rule of survivorship, every night, until it is lifted (R104).

A pin names a source record, so it stays with the person when contact ids change. What belongs here: pins of tonight. What does not: keeping them
(the ledger does).
"""

from typing import Any

import sqlalchemy as sa

from vesper.tables.contact import CONTACT_MEMBER

SOURCE = "vesper_steward"
PINNED = ("card", "name", "phone", "email", "province", "city", "company", "job_title", "owner")
"""Columns of core__contact that can be pinned. A pin without a value empties the column."""


def pins(steward: sa.FromClause) -> sa.Select[Any]:
    """One row for each contact and pinned column: the latest pin of any of the contact's records.

    `source` and `record_key` name the pin where a source row would be named; `moment` is the day it was recorded.
    """
    member = CONTACT_MEMBER
    held = sa.and_(steward.c.kind == "pin", steward.c.record_a == member.c.source + ":" + member.c.record_key)
    rank = sa.func.row_number().over(
        partition_by=[member.c.contact_id, steward.c.field],
        order_by=[steward.c.recorded_on.desc(), steward.c.rule_id.desc()],
    )
    found = (
        sa.select(
            member.c.contact_id,
            steward.c.field,
            steward.c.value,
            sa.literal(SOURCE).label("source"),
            sa.cast(steward.c.rule_id, sa.String).label("record_key"),
            sa.cast(steward.c.recorded_on, sa.DateTime).label("moment"),
            rank.label("rank"),
        )
        .join_from(steward, member, held)
        .where(steward.c.field.in_(PINNED))
        .cte("pin")
    )
    return sa.select(*[c for c in found.c if c.name != "rank"]).where(found.c.rank == 1)


def pinned(pins: sa.FromClause, keys: sa.FromClause) -> sa.Select[Any]:
    """One row for each contact with a pin: `<column>` and how many pins it has in `<column>_pins` (0 or 1); the key of a pinned company.

    Args:
        pins: the rows of `pins`.
        keys: (written, key) of company names, every pinned one among them.
    """
    columns: list[sa.ColumnElement[Any]] = []
    for name in PINNED:
        mine = pins.c.field == name
        columns.append(sa.func.max(pins.c.value).filter(mine).label(name))
        columns.append(sa.func.count().filter(mine).label(f"{name}_pins"))
    key = sa.func.max(keys.c.key).filter(pins.c.field == "company").label("company_key")
    joined = pins.join(keys, keys.c.written == pins.c.value, isouter=True)
    return sa.select(pins.c.contact_id, *columns, key).select_from(joined).group_by(pins.c.contact_id)


def is_pinned(pinned: sa.FromClause, name: str) -> sa.ColumnElement[bool]:
    """Whether the contact's column is pinned."""
    return pinned.c[f"{name}_pins"] > 0
