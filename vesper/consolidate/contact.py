"""The golden contact: each field's surviving value, and the identifiers by which orders and events find their contact."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day
from vesper.consolidate.company import company_id
from vesper.consolidate.pin import PINNED, is_pinned
from vesper.consolidate.survivorship import Part, placed, seated, survived
from vesper.model.survivorship import SurvivorshipPolicy
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD

DEMOGRAPHIC = ("age_band", "income_band", "household_size", "kids_count")
IDENTIFIERS = {
    "card": ("card",),
    "phone": ("phone", "other_phone"),
    "email": ("email",),
    "unionid": ("unionid",),
    "openid": ("openid",),
    "crm_id": ("crm_id",),
}
"""Kind of identifier -> the columns of a source row that hold one."""

CHINESE_MOBILE_OR_ABROAD = r"^([+]861[3-9]|[+]([^8]|8[^6]))"
HAN, TWO_HAN, TWO_WORDS, MASK = r"\p{Han}", r"\p{Han}.*\p{Han}", r"\S\s+\S", r"[*＊]"


def _reaches(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case((sa.func.regexp_matches(rows.c.phone, CHINESE_MOBILE_OR_ABROAD), 0), else_=1)


def _personal(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case({"role": 1, "disposable": 2}, value=rows.c.email_kind, else_=0)


def _whole(rows: sa.FromClause) -> sa.ColumnElement[int]:
    """0 for a whole name: two Chinese characters beside the title, or two words, and nothing masked."""
    matches = sa.func.regexp_matches
    chinese = sa.case((matches(rows.c.name_key, TWO_HAN), 0), else_=1)
    other = sa.case((matches(rows.c.name, TWO_WORDS), 0), else_=1)
    return sa.case((matches(rows.c.name, MASK), 2), (matches(rows.c.name, HAN), chinese), else_=other)


def _exact(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case((rows.c.region_status == "exact", 0), else_=1)


def _named_region(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case((rows.c.region_from == "phone_prefix", 1), else_=0)


def _named_company(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case((rows.c.company_from == "mail_domain", 1), else_=0)


PARTS: dict[str, Part] = {
    "card": Part(("card",)),
    "name": Part(("name_key", "name"), {"complete": _whole}),
    "phone": Part(("phone",), {"verified": _reaches}),
    "email": Part(("email",), {"verified": _personal}),
    "region": Part(("region", "province", "city"), {"complete": _exact, "stated": _named_region}),
    "company": Part(("company_key", "company"), {"stated": _named_company}),
    "job_title": Part(("job_title",)),
    "gender": Part(("gender",)),
    "birth_on": Part(("birth_on",)),
    "owner": Part(("owner",)),
}
"""Parts of core__contact; a test holds them against the parts that the policy may name."""

FIELDS = {"card": "card", "name": "name", "phone": "phone", "email": "email", "province": "region", "city": "region",
          "company": "company", "job_title": "job_title", "gender": "gender", "birth_on": "birth_on", "owner": "owner"}  # fmt: skip
"""Column of core__contact -> the part that it survives with."""


def candidates(policy: SurvivorshipPolicy, statement: sa.FromClause) -> sa.Select[Any]:
    """Source rows with their contact, their seat in it, and their place for each part. The company is that of the row's `company.statements`."""
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    said = sa.and_(statement.c.source == records.c.source, statement.c.record_key == records.c.record_key)
    # An account may know the company better than a mail domain does.
    company_from = sa.case((statement.c.company_key == records.c.company_key, records.c.company_from))
    # A source's clock may run ahead; no row was changed after it arrived.
    moment = sa.func.least(sa.func.coalesce(records.c.changed_at, records.c.received_at), records.c.received_at)
    derived = {
        "contact_id": member.c.contact_id,
        "moment": moment,
        "name_key": sa.func.coalesce(records.c.name_key, records.c.name),
        "region": sa.case(
            (records.c.province.is_not(None), sa.func.concat_ws("/", records.c.province, records.c.city))
        ),
        "company": statement.c.company,
        "company_key": statement.c.company_key,
        "company_from": company_from,
    }
    kept = [
        column for column in records.c if column.name not in derived
    ]  # the engine reads only what survivorship asks for
    named = [value.label(name) for name, value in derived.items()]
    joined = records.join(member, same).join(statement, said, isouter=True)
    rows = seated(sa.select(*kept, *named).select_from(joined).cte("row"), "contact_id").cte("seated")
    return placed(rows, "contact_id", PARTS, {name: policy.rule("contact", name) for name in PARTS})


def golden(policy: SurvivorshipPolicy, statement: sa.FromClause) -> sa.Select[Any]:
    """One row for each contact: what survives of each part and the place it won by, and what is counted over its rows."""
    rows = candidates(policy, statement).cte("candidate")
    # The first row is the one registered first; rows without that instant come after all that have it.
    age = sa.func.row(rows.c.registered_at.is_(None), rows.c.registered_at, rows.c.source, rows.c.record_key)
    return survived(
        rows,
        "contact_id",
        PARTS,
        sa.func.count().label("source_count"),
        sa.func.min_by(rows.c.source, age).label("first_source"),
        sa.func.coalesce(sa.func.min(rows.c.registered_at), sa.func.min(rows.c.received_at)).label("first_seen_at"),
        sa.func.max(rows.c.received_at).label("updated_at"),
    )


def contacts(gold: sa.FromClause, pinned: sa.FromClause, survey: sa.FromClause | None, zone: str) -> sa.Select[Any]:
    """core__contact from its golden rows.

    Args:
        gold: the rows of `golden`.
        pinned: the rows of `pin.pinned`, one for each contact that a steward pinned a value of.
        survey: raw rows of a household survey, joined by card.
    """
    columns: dict[str, sa.ColumnElement[Any]] = {c.name: gold.c[c.name] for c in CONTACT.c if c.name in gold.c}
    columns |= {name: _pinned_or(pinned, name, gold.c[name]) for name in PINNED if name != "city"}
    # A city does not outlive its province.
    stays = sa.case((columns["province"] == gold.c.province, gold.c.city))
    columns["city"] = _pinned_or(pinned, "city", stays)
    columns["company_id"] = company_id(_pinned_or(pinned, "company", gold.c.company_key, "company_key"))
    columns["first_seen_on"] = local_day(gold.c.first_seen_at, zone)
    answers, joined = _survey(gold, survey)
    rows = joined.join(pinned, pinned.c.contact_id == gold.c.contact_id, isouter=True)
    return sa.select(*[(columns | answers)[c.name].label(c.name) for c in CONTACT.c]).select_from(rows)


def _pinned_or(
    pinned: sa.FromClause, name: str, value: sa.ColumnElement[Any], column: str | None = None
) -> sa.ColumnElement[Any]:
    return sa.case((is_pinned(pinned, name), pinned.c[column or name]), else_=value)


def _survey(gold: sa.FromClause, survey: sa.FromClause | None) -> tuple[dict[str, Any], sa.FromClause]:
    """The survey's answers for a contact: those of its first card that was surveyed."""
    if survey is None:
        return {name: sa.cast(sa.null(), sa.String) for name in DEMOGRAPHIC}, gold
    answers = surveyed(survey).cte("answers")
    same = answers.c.contact_id == gold.c.contact_id
    return {name: answers.c[name] for name in DEMOGRAPHIC}, gold.join(answers, same, isouter=True)


def surveyed(survey: sa.FromClause) -> sa.Select[Any]:
    """One row for each contact that a survey asked: its card and its answers."""
    card = sa.and_(IDENTIFIER.c.kind == "card", IDENTIFIER.c.value == survey.c.card)
    place = sa.func.row_number().over(partition_by=IDENTIFIER.c.contact_id, order_by=survey.c.card)
    asked = (
        sa.select(
            IDENTIFIER.c.contact_id, survey.c.card, *[survey.c[name] for name in DEMOGRAPHIC], place.label("place")
        )
        .join_from(survey, IDENTIFIER, card)
        .cte("asked")
    )
    return sa.select(*[c for c in asked.c if c.name != "place"]).where(asked.c.place == 1)


def identifiers() -> sa.Select[Any]:
    """core__contact_identifier: each card, phone, address and id that names exactly one contact (R13)."""
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    columns = [records.c[name] for names in IDENTIFIERS.values() for name in names]
    rows = sa.select(member.c.contact_id, *columns).join_from(records, member, same).cte("row")
    held = sa.union_all(
        *[
            sa.select(sa.literal(kind).label("kind"), rows.c[name].label("value"), rows.c.contact_id).where(
                rows.c[name].is_not(None)
            )
            for kind, names in IDENTIFIERS.items()
            for name in names
        ]
    ).cte("held")
    one, other = sa.func.min(held.c.contact_id), sa.func.max(held.c.contact_id)
    return (
        sa.select(held.c.kind, held.c.value, one.label("contact_id"))
        .group_by(held.c.kind, held.c.value)
        .having(one == other)
    )


def excluded() -> sa.Select[Any]:
    """How many source rows each rule keeps out of every contact: (rule, row_count)."""
    rule = SOURCE_RECORD.c.excluded_by
    return sa.select(rule.label("rule"), sa.func.count().label("row_count")).where(rule.is_not(None)).group_by(rule)
