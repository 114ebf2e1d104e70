"""Contact rows of every source, cleaned to one shape. A card that only the shop knows is a source row too, so no household is left out.

What belongs here: how a row's values are judged once everything about them can be looked up. What does not: what a row says (`contact_row.py`),
and how one value is read (`vesper/cleaning/`).
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import company, email
from vesper.cleaning.look_up import COMPANY, EMAIL, MAIL_DOMAIN, NAME, PHONE, PHONE_REGION, REGION, WRITTEN, LookUp
from vesper.consolidate.contact_row import field, instant, record_key
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD

__all__ = ["all_records", "field", "left_over", "of_cards", "of_contacts", "record_key", "unplaced"]

CARD_TRUST = 10
DELETED, ERASED = "deleted_at_source", "erased"

Value = sa.ColumnElement[Any]

LEFT_OVER: dict[str, tuple[LookUp, tuple[tuple[str, str | None], ...]]] = {
    "phone": (PHONE, (("phone_said", "phone_quick"), ("other_said", "other_quick"))),
    "email": (EMAIL, (("email_said", "email_quick"),)),
    "name": (NAME, (("name", "name_quick"),)),
    "company": (COMPANY, (("company", "company_quick"),)),
    "region": (REGION, (("region_said", None),)),
}
"""What is looked up by the value as it was written, with the columns of `contact_row.all_said` that hold it and their quick reading."""


def left_over(said: sa.FromClause, kind: str) -> sa.Select[Any]:
    """Distinct values of a kind that SQL could not read."""
    _, columns = LEFT_OVER[kind]
    values = [
        sa.select(said.c[written].label(WRITTEN)).where(
            said.c[written].is_not(None), said.c[quick].is_(None) if quick else sa.true()
        )
        for written, quick in columns
    ]
    return _distinct(values)


def mail_domains(said: sa.FromClause) -> sa.Select[Any]:
    """Distinct domains of the rows' mail addresses. EMAIL's table must be bound."""
    found = EMAIL.table
    return _distinct(
        sa.select(email.domain(address).label(WRITTEN)).where(address.is_not(None))
        for address in (said.c.email_quick, found.c.address)
    )


def unplaced(said: sa.FromClause) -> sa.Select[Any]:
    """Distinct beginnings of Chinese numbers in rows that state no region. PHONE's table must be bound."""
    found = PHONE.table
    begins = _prefix(sa.func.coalesce(said.c.phone_quick, found.c.number))
    rows = said.join(found, found.c.written == said.c.phone_said, isouter=True)
    return _distinct(
        [sa.select(begins.label(WRITTEN)).select_from(rows).where(said.c.region_said.is_(None), begins.is_not(None))]
    )


def _distinct(parts: Iterable[sa.Select[Any]]) -> sa.Select[Any]:
    """The distinct values of all parts; a union of one part would keep its duplicates."""
    values = sa.union_all(*parts).subquery("values")
    return sa.select(values.c[WRITTEN]).distinct()


def of_contacts(said: sa.FromClause, excluded: sa.FromClause | None = None) -> sa.Select[Any]:
    """core__source_record of all contact sources. Every table of LEFT_OVER, MAIL_DOMAIN and PHONE_REGION must be bound.

    Args:
        said: the rows of `contact_row.all_said`.
        excluded: (source, record_key, rule) of rows that a rule keeps out of every contact, beside those that their row itself calls deleted.
    """
    rows = _looked_up(said).cte("looked_up")
    domains = company.of_domains(_named(rows)).cte("own_domain")
    found = _judged(rows) | _company(rows, domains) | _region(rows)
    columns: dict[str, Value] = {c.name: rows.c[c.name] for c in SOURCE_RECORD.c if c.name in rows.c} | found
    columns["excluded_by"] = sa.case((rows.c.is_deleted, DELETED))
    joined = rows.join(domains, domains.c.domain == rows.c.mail_domain, isouter=True).join(
        PHONE_REGION.table, PHONE_REGION.table.c.written == rows.c.prefix, isouter=True
    )
    if excluded is not None:
        out = _one_rule(excluded).cte("excluded")
        mine = sa.and_(out.c.source == rows.c.source, out.c.record_key == rows.c.record_key)
        joined = joined.join(out, mine, isouter=True)
        columns["excluded_by"] = sa.func.coalesce(out.c.rule, columns["excluded_by"])
        columns |= _without_person(columns)
    return sa.select(*[columns[c.name].label(c.name) for c in SOURCE_RECORD.c]).select_from(joined)


def _looked_up(said: sa.FromClause) -> sa.Select[Any]:
    """Rows with the readings that were looked up beside them."""
    first, second = PHONE.table.alias("first_phone"), PHONE.table.alias("second_phone")
    mail, name, work, place = EMAIL.table, NAME.table, COMPANY.table, REGION.table
    domain = MAIL_DOMAIN.table
    address = sa.func.coalesce(said.c.email_quick, mail.c.address)
    number = sa.func.coalesce(said.c.phone_quick, first.c.number)
    other = sa.func.coalesce(first.c.other, said.c.other_quick, second.c.number)
    rows: sa.FromClause = said
    for table, written in (
        (first, said.c.phone_said),
        (second, said.c.other_said),
        (mail, said.c.email_said),
        (name, said.c.name),
        (work, said.c.company),
        (place, said.c.region_said),
        (domain, email.domain(address)),
    ):
        rows = rows.join(table, table.c.written == written, isouter=True)
    return sa.select(
        said,
        number.label("number"),
        first.c.status.label("phone_found"),
        sa.func.nullif(other, number).label("other_number"),
        address.label("address"),
        email.domain(address).label("mail_domain"),
        domain.c.verdict,
        sa.func.coalesce(said.c.name_quick, name.c.key).label("name_key"),
        sa.func.coalesce(said.c.company_quick, work.c.key).label("company_key"),
        *[place.c[part].label(f"stated_{part}") for part in ("province", "city", "status")],
        sa.case((said.c.region_said.is_(None), _prefix(number))).label("prefix"),
    ).select_from(rows)


def _judged(rows: sa.FromClause) -> dict[str, Value]:
    """Phone and mail address: what may be used of them, and why not."""
    phone_status = sa.case(
        (rows.c.phone_said.is_(None), "missing"),
        (rows.c.number.is_not(None), "valid"),
        else_=sa.func.coalesce(rows.c.phone_found, "invalid"),
    )
    judged = email.status(rows.c.address, rows.c.verdict)
    usable = judged == "valid"
    return {
        "phone": rows.c.number,
        "phone_status": phone_status,
        "other_phone": rows.c.other_number,
        "email": sa.case((usable, rows.c.address)),
        "email_key": sa.case((usable, email.key(rows.c.address))),
        "email_status": sa.case((rows.c.email_said.is_(None), "missing"), else_=judged),
        "email_kind": sa.case((usable, email.kind(rows.c.address, rows.c.verdict))),
    }


def _named(rows: sa.FromClause) -> sa.FromClause:
    """What rows say of the company behind a domain; a row that its source deleted says nothing."""
    return (
        sa.select(rows.c.mail_domain.label("domain"), rows.c.verdict, rows.c.company_key, rows.c.company)
        .where(sa.not_(rows.c.is_deleted))
        .subquery("named")
    )


def _company(rows: sa.FromClause, domains: sa.FromClause) -> dict[str, Value]:
    """The company that a row names; where it names none, the company whose own mail domain it writes from."""
    stated = rows.c.company.is_not(None)
    told = sa.and_(sa.not_(stated), domains.c.company_key.is_not(None))
    return {
        "company": sa.case((stated, rows.c.company), else_=domains.c.company),
        "company_key": sa.case((stated, rows.c.company_key), else_=domains.c.company_key),
        "company_from": sa.case((stated, "stated"), (told, "mail_domain")),
    }


def _region(rows: sa.FromClause) -> dict[str, Value]:
    """The region that a row states; where it states none, that of its phone number, which says so."""
    found = PHONE_REGION.table.c
    stated = rows.c.region_said.is_not(None)
    told = found.province.is_not(None)
    return {
        "province": sa.case((stated, rows.c.stated_province), else_=found.province),
        "city": sa.case((stated, rows.c.stated_city), else_=found.city),
        "region_status": sa.case(
            (stated, sa.func.coalesce(rows.c.stated_status, "none")),
            (sa.and_(told, found.city.is_not(None)), "exact"),
            (told, "province_only"),
            else_="none",
        ),
        "region_from": sa.case((rows.c.stated_province.is_not(None), "stated"), (told, "phone_prefix")),
    }


def _prefix(number: Value) -> Value:
    """The first seven digits of a Chinese national number, which tell where it was issued."""
    return sa.case((number.startswith("+86"), sa.func.substr(number, 4, 7)))


def _one_rule(excluded: sa.FromClause) -> sa.Select[Any]:
    """One rule for each row that several keep out: erasure before any other."""
    erased = sa.func.max(excluded.c.rule).filter(excluded.c.rule == ERASED)
    rule = sa.func.coalesce(erased, sa.func.min(excluded.c.rule)).label("rule")
    row = [excluded.c.source, excluded.c.record_key]
    return sa.select(*row, rule).group_by(*row)


def _without_person(columns: dict[str, Value]) -> dict[str, Value]:
    """An erased person's row keeps its key and nothing that is personal."""
    erased = sa.func.coalesce(columns["excluded_by"], "") == ERASED
    personal: dict[str, Value] = {
        name: sa.case((sa.not_(erased), columns[name])) for name in SOURCE_RECORD.info["personal"]
    }
    status: dict[str, Value] = {
        name: sa.case((erased, "missing"), else_=columns[name]) for name in ("phone_status", "email_status")
    }
    return personal | status


def of_cards(raw: sa.FromClause, source: Source, zone: str) -> sa.Select[Any]:
    """One row per card that the shop saw: a household known by its card alone."""
    happened = next((raw.c[name] for name in ("ordered_at", "at", "mailed_on") if name in raw.c), None)
    first = sa.func.min(instant(happened, zone)) if happened is not None else sa.cast(sa.null(), sa.DateTime)
    return (
        sa.select(
            sa.literal(source.id).label("source"),
            raw.c.card.label("record_key"),
            raw.c.card.label("card"),
            sa.literal("missing").label("phone_status"),
            sa.literal("missing").label("email_status"),
            sa.literal("none").label("region_status"),
            first.label("registered_at"),
            sa.func.min(raw.c.received_at).label("received_at"),
            sa.literal(CARD_TRUST).label("trust"),
        )
        .where(raw.c.card.is_not(None))
        .group_by(raw.c.card)
    )


def all_records(parts: Iterable[sa.Select[Any]]) -> sa.CompoundSelect[Any]:
    """Every source's rows as core__source_record; what a part does not give is empty."""
    shapes = [part.subquery() for part in parts]
    return sa.union_all(
        *[sa.select(*[field(shape, c.name, c.type).label(c.name) for c in SOURCE_RECORD.c]) for shape in shapes]
    )
