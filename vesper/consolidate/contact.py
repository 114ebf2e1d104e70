"""The golden contact: each field's surviving value, and the identifiers by which orders and events find their contact."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD

SURVIVING = ("card", "name", "phone", "email")
DEMOGRAPHIC = ("age_band", "income_band", "household_size", "kids_count")


def ranked_records() -> sa.Select[Any]:
    """Source rows with their contact and a rank inside it: most trusted first, then newest; the key last, so ranks never tie."""
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    order = [records.c.trust.desc(), records.c.received_at.desc(), records.c.source, records.c.record_key]
    rank = sa.func.row_number().over(partition_by=member.c.contact_id, order_by=order)
    arrival = [records.c.registered_at.asc().nulls_last(), records.c.source, records.c.record_key]
    age = sa.func.row_number().over(partition_by=member.c.contact_id, order_by=arrival)
    return sa.select(records, member.c.contact_id, rank.label("rank"), age.label("age")).join_from(
        records, member, same
    )


def best(value: sa.ColumnElement[Any], rank: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """The value of the best-ranked row that has one. min_by is exact here: ranks inside a contact are distinct."""
    return sa.func.min_by(value, rank, type_=value.type).filter(value.is_not(None))


def contacts(demographic: sa.FromClause | None, zone: str) -> sa.Select[Any]:
    """core__contact. Province and city survive together; the household survey is joined by card."""
    rows = ranked_records().cte("ranked")
    place = sa.case((rows.c.region_status == "exact", rows.c.rank), else_=rows.c.rank + 1_000_000)
    has_place = rows.c.province.is_not(None)
    golden = (
        sa.select(
            rows.c.contact_id,
            *[best(rows.c[name], rows.c.rank).label(name) for name in SURVIVING],
            sa.func.min_by(rows.c.province, place).filter(has_place).label("province"),
            sa.func.min_by(rows.c.city, place).filter(has_place, rows.c.city.is_not(None)).label("city"),
            sa.func.count().label("source_count"),
            sa.func.min_by(rows.c.source, rows.c.age).label("first_source"),
            sa.func.coalesce(sa.func.min(rows.c.registered_at), sa.func.min(rows.c.received_at)).label("first_seen_at"),
            sa.func.max(rows.c.received_at).label("updated_at"),
        )
        .group_by(rows.c.contact_id)
        .cte("golden")
    )
    survey, joined = _survey(golden, demographic)
    columns: dict[str, sa.ColumnElement[Any]] = {c.name: golden.c[c.name] for c in CONTACT.c if c.name in golden.c}
    columns["company_id"] = sa.cast(sa.null(), sa.String)
    columns["first_seen_on"] = local_day(golden.c.first_seen_at, zone)
    return sa.select(*[(columns | survey)[c.name].label(c.name) for c in CONTACT.c]).select_from(joined)


def _survey(golden: sa.CTE, demographic: sa.FromClause | None) -> tuple[dict[str, Any], sa.FromClause]:
    """The survey's answers for a contact: those of its first card that was surveyed."""
    if demographic is None:
        return {name: sa.cast(sa.null(), sa.String) for name in DEMOGRAPHIC}, golden
    card = sa.and_(IDENTIFIER.c.kind == "card", IDENTIFIER.c.value == demographic.c.card)
    place = sa.func.row_number().over(partition_by=IDENTIFIER.c.contact_id, order_by=demographic.c.card)
    answers = (
        sa.select(IDENTIFIER.c.contact_id, *[demographic.c[name] for name in DEMOGRAPHIC], place.label("place"))
        .join_from(demographic, IDENTIFIER, card)
        .cte("answers")
    )
    first = sa.and_(answers.c.contact_id == golden.c.contact_id, answers.c.place == 1)
    return {name: answers.c[name] for name in DEMOGRAPHIC}, golden.join(answers, first, isouter=True)


def identifiers() -> sa.CompoundSelect[Any]:
    """core__contact_identifier: each card, phone and address that names exactly one contact."""
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    return sa.union_all(
        *[
            sa.select(
                sa.literal(kind).label("kind"),
                records.c[kind].label("value"),
                sa.func.min(member.c.contact_id).label("contact_id"),
            )
            .join_from(records, member, same)
            .where(records.c[kind].is_not(None))
            .group_by(records.c[kind])
            .having(sa.func.count(member.c.contact_id.distinct()) == 1)
            for kind in ("card", "phone", "email")
        ]
    )
