"""Which source would close a gap: by market and missing field, what each source could bring (R20, R22).

What belongs here: the estimate of what one more source row per person would bring. What does not: the gaps themselves (`visibility_gap.py`), whom
to ask for a field in person (`vesper/measure.py`).

A source that many of the people in question do not stand in, and whose rows mostly carry the field, would close most. The estimate supposes
that new rows of a source carry a field as often as its present ones: it ranks sources, it promises nothing.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.measure import count_of, counted, each_market, fields_of, is_plain, member_contacts
from vesper.model.market import Market
from vesper.night import Night
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, empty, table

COUNT = (0, 1_000_000_000)

VISIBILITY_SOURCE = table(
    "mart__visibility_source",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("market_id", TEXT, "Market", required=True),
    column("field", TEXT, "Required field that some contacts of the market lack", required=True),
    column("source", TEXT, "Source of contacts", required=True),
    column("missing_count", INTEGER, "Contacts of the market without the field", required=True, between=COUNT),
    column("absent_count", INTEGER, "Those of them with no row in the source", required=True, between=COUNT),
    column("fill_ratio", RATIO, "Share of the source's rows that carry the field", required=True, between=(0.0, 1.0)),
    column(
        "expected_count",
        INTEGER,
        "absent_count x fill_ratio, rounded down: contacts that would gain the field if the source held all of them",
        required=True,
        between=COUNT,
    ),
    column("definition_hash", TEXT, "Hash of the market's definition", required=True),
    grain=("business_on", "market_id", "field", "source"),
    cut="business_on",
    owner="marketing",
    says="For each market and missing field: what each source could bring if it covered those who are not in it, by night.",
)


@mart(VISIBILITY_SOURCE, stage="measure")
def visibility_source(night: Night) -> sa.Select[Any]:
    """Tonight's row of each market, missing field and source."""
    return each_market(night, VISIBILITY_SOURCE, market_sources)


def market_sources(market: Market, night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row for each required field that somebody lacks, and source."""
    fields = [field for field in fields_of(market) if field in SOURCE_RECORD.c]
    if not fields:
        return empty(VISIBILITY_SOURCE)
    member = member_contacts(market, night).cte(f"lacking_{market.id}")
    total = _total(market, member, fields, night).cte(f"lacking_total_{market.id}")
    inside = _inside(member, fields).cte(f"lacking_inside_{market.id}")
    filled = _filled(fields).cte(f"filled_{market.id}")
    return sa.union_all(*[_field(market, field, total, inside, filled, night) for field in fields])


def _total(market: Market, member: sa.CTE, fields: list[str], night: Night) -> sa.Select[Any]:
    """How many members lack each field."""
    if night.shared is None or not is_plain(market):
        return sa.select(*[_lacks(member, field) for field in fields])
    profile = counted(market, night).subquery("profile")
    return sa.select(*[count_of(profile, sa.not_(profile.c[field])).label(field) for field in fields])


def _lacks(member: sa.FromClause, field: str) -> sa.Label[Any]:
    return sa.func.count().filter(member.c[field].is_(None)).label(field)


def _inside(member: sa.CTE, fields: list[str]) -> sa.Select[Any]:
    """Of each source: how many members with a row in it lack each field all the same."""
    row = CONTACT_MEMBER.c
    stands = sa.select(row.contact_id, row.source).distinct().subquery("stands")
    return (
        sa.select(stands.c.source, *[_lacks(member, field) for field in fields])
        .join_from(stands, member, member.c.contact_id == stands.c.contact_id)
        .group_by(stands.c.source)
    )


def _filled(fields: list[str]) -> sa.Select[Any]:
    """Of each source: its rows, and how many carry each field."""
    record = SOURCE_RECORD.c
    carried = [sa.func.count(record[field]).label(field) for field in fields]
    return sa.select(record.source, sa.func.count().label("row_count"), *carried).group_by(record.source)


def _field(market: Market, field: str, total: sa.CTE, inside: sa.CTE, filled: sa.CTE, night: Night) -> sa.Select[Any]:
    missing = total.c[field]
    absent = missing - sa.func.coalesce(inside.c[field], 0)
    # Whole numbers, so that the figure is the same on every machine; a product of two counts may pass 32 bits.
    expected = sa.cast(sa.func.floor(sa.cast(absent, sa.BigInteger) * filled.c[field] / filled.c.row_count), INTEGER)
    joined = filled.join(inside, inside.c.source == filled.c.source, isouter=True).join(total, sa.true())
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            sa.literal(market.id).label("market_id"),
            sa.literal(field).label("field"),
            filled.c.source,
            missing.label("missing_count"),
            absent.label("absent_count"),
            (sa.cast(filled.c[field], RATIO) / sa.cast(filled.c.row_count, RATIO)).label("fill_ratio"),
            expected.label("expected_count"),
            sa.literal(hash_of(night, f"markets/{market.id}")).label("definition_hash"),
        )
        .select_from(joined)
        .where(missing > 0)
    )
