"""What sources state of companies, by rows of their own or by the rows of their people.

A branch (华为技术有限公司深圳分公司) belongs to the company that its name begins with. What belongs here: one statement for each row that names a company.
What does not: which one survives (`company.py`), keys of names and the meaning of places (`vesper/cleaning/`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.cleaning.mail_domain import FREE, MADE_UP
from vesper.cleaning.text import line, narrow
from vesper.consolidate.contact_row import field, instant, record_key
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD

Columns = Mapping[str, sa.types.TypeEngine[Any]]

ITSELF, BY_CONTACT, AS_PARENT = 0, 1, 2
"""Standing of a statement: the source's own row of the company, a row of somebody who works there, a branch or child that names it."""
OWN_DOMAIN_ROWS = 2
"""Rows of one company that must share a mail domain, and none of another, before the domain is the company's."""
SPEAKING = ("account_id", "industry", "domain", "employee_count")
"""Fields of a contact source that say something of the contact's company."""

BRANCH = (
    r"^(.+(?:公司|集团|银行|大学|医院))[^公]{0,12}(?:分公司|支公司|分行|支行|分厂|分店|分部|分院|办事处|代表处|营业部)$"
)
BRANCH_ABROAD = r"(?i)^(.+\b(?:ltd|inc|corp|co|llc|gmbh|limited|company|corporation)\b[.]?)[, ]+.*\bbranch(?: office)?$"
HOST = r"^(?:[a-z]+://)?(?:www[.])?([^/:@\s]+[.][^/:@\s]+)"


def parent_name(company: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The company that a branch's name begins with; NULL of a name that is no branch's."""
    chinese, abroad = (sa.func.nullif(sa.func.regexp_extract(company, form, 1), "") for form in (BRANCH, BRANCH_ABROAD))
    return sa.func.coalesce(chinese, abroad)


def host(value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The bare domain of a domain or web address; NULL of anything else."""
    return sa.func.nullif(sa.func.regexp_extract(sa.func.lower(sa.func.trim(narrow(value))), HOST, 1), "")


TEXT, WHOLE, MOMENT = sa.String(), sa.Integer(), sa.DateTime()
ACCOUNT: Columns = {
    "source": TEXT, "record_key": TEXT, "system": TEXT, "account_id": TEXT, "parent_id": TEXT, "merged_into": TEXT, "company": TEXT,
    "domain": TEXT, "industry": TEXT, "employee_count": WHOLE, "place": TEXT, "role": TEXT, "trust": WHOLE, "moment": MOMENT,
}  # fmt: skip
TOLD: Columns = {
    "source": TEXT, "record_key": TEXT, "system": TEXT, "account_id": TEXT, "industry": TEXT, "domain": TEXT, "employee_count": WHOLE,
}  # fmt: skip
SAID: Columns = {
    "source": TEXT, "record_key": TEXT, "company": TEXT, "company_key": TEXT, "parent": TEXT, "domain": TEXT, "industry": TEXT,
    "employee_count": WHOLE, "province": TEXT, "city": TEXT, "role": TEXT, "trust": WHOLE, "moment": MOMENT, "standing": WHOLE,
}  # fmt: skip


def _shaped(columns: Columns, rows: sa.FromClause, given: Mapping[str, sa.ColumnElement[Any]]) -> sa.Select[Any]:
    """The columns of a shape: as given, else from the rows, else empty."""
    found = {name: given[name] if name in given else field(rows, name, kind) for name, kind in columns.items()}
    return sa.select(*[sa.cast(found[name], kind).label(name) for name, kind in columns.items()])


def _united(columns: Columns, parts: Sequence[sa.Select[Any]]) -> sa.CompoundSelect[Any]:
    nobody = sa.select(*[sa.cast(sa.null(), kind).label(name) for name, kind in columns.items()]).where(sa.false())
    return sa.union_all(*parts, nobody)


# what sources give -----------------------------------------------------------------------------------------------------


def accounts(parts: Sequence[tuple[sa.FromClause, Source]], zone: str) -> sa.CompoundSelect[Any]:
    """The live rows of all sources of companies, and the merged ones, since contacts may still name their `account_id`.

    `account_id` names a row inside its system; `parent_id` and `merged_into` name others.
    """
    return _united(ACCOUNT, [_accounts(raw, source, zone) for raw, source in parts])


def _accounts(raw: sa.FromClause, source: Source, zone: str) -> sa.Select[Any]:
    # A municipality is often both province and city.
    parts = sa.func.concat_ws(" ", field(raw, "province"), sa.func.nullif(field(raw, "city"), field(raw, "province")))
    place = sa.func.coalesce(field(raw, "region"), parts)
    changed = sa.func.coalesce(instant(field(raw, "changed_at", MOMENT), zone), raw.c.received_at)
    given = {
        **_origin(raw, source),
        "company": line(field(raw, "name")),
        "domain": host(field(raw, "domain")),
        "place": sa.func.nullif(sa.func.trim(place), ""),
        "trust": sa.literal(source.trust),
        "moment": sa.func.least(changed, raw.c.received_at),
    }
    deleted = sa.func.coalesce(field(raw, "is_deleted", sa.Boolean()), sa.false())
    return _shaped(ACCOUNT, raw, given).where(sa.or_(sa.not_(deleted), field(raw, "merged_into").is_not(None)))


def told(parts: Sequence[tuple[sa.FromClause, Source]]) -> sa.CompoundSelect[Any]:
    """What the rows of contact sources say of their company beyond its name."""
    speaking = [(raw, source) for raw, source in parts if any(name in raw.c for name in SPEAKING)]
    selects = [
        _shaped(TOLD, raw, {**_origin(raw, source), "domain": host(field(raw, "domain"))}) for raw, source in speaking
    ]
    return _united(TOLD, selects)


def _origin(raw: sa.FromClause, source: Source) -> dict[str, sa.ColumnElement[Any]]:
    """Which row it is. Accounts and contacts of one system (hubspot_company, hubspot_contact) know each other by that system's ids."""
    return {
        "source": sa.literal(source.id),
        "record_key": record_key(raw, source),
        "system": sa.literal(source.system_of_ids),
    }


def names_to_key(account: sa.FromClause, pins: sa.FromClause) -> sa.CompoundSelect[Any]:
    """Distinct names that no source record carries a key for: those of accounts, of the companies of branches, of pins."""
    named = SOURCE_RECORD.c.company
    parts = [account.c.company, parent_name(account.c.company), parent_name(named)]
    selects = [sa.select(part.label("written")).where(part.is_not(None)) for part in parts]
    pinned = sa.select(pins.c.value.label("written")).where(pins.c.field == "company", pins.c.value.is_not(None))
    return sa.union(*selects, pinned)


def places_to_resolve(account: sa.FromClause) -> sa.Select[Any]:
    """Distinct places of accounts."""
    return sa.select(account.c.place.label("written")).where(account.c.place.is_not(None)).distinct()


# what is said of companies ---------------------------------------------------------------------------------------------


def statements(
    account: sa.FromClause,
    told: sa.FromClause,
    pins: sa.FromClause,
    keys: sa.FromClause,
    places: sa.FromClause,
) -> sa.CompoundSelect[Any]:
    """One row for each source row, and each pin, that names a company: what it says of it, and its parent's name.

    Args:
        account: all rows of `accounts`.
        told: the rows of `told`.
        pins: the rows of `pin.pins`.
        keys: (written, key) of `names_to_key`, as `cleaning.look_up.COMPANY` reads them.
        places: (written, province, city) of `places_to_resolve`, as `cleaning.look_up.REGION` reads them.
    """
    return sa.union_all(_of_accounts(account, keys, places), _of_contacts(account, told, keys), _of_pins(pins, keys))


def _of_accounts(account: sa.FromClause, keys: sa.FromClause, places: sa.FromClause) -> sa.Select[Any]:
    """Accounts that did not merge into another; the parent is the one they name by its id, else the one that their name shows."""
    above = _named(account).cte("above")
    declared = sa.and_(above.c.system == account.c.system, above.c.account_id == account.c.parent_id)
    rows = (
        account.join(keys, keys.c.written == account.c.company)
        .join(places, places.c.written == account.c.place, isouter=True)
        .join(above, declared, isouter=True)
    )
    said = {
        "parent": sa.func.coalesce(above.c.company, parent_name(account.c.company)),
        "company_key": keys.c.key,
        "province": places.c.province,
        "city": places.c.city,
        "standing": sa.literal(ITSELF),
    }
    return (
        _shaped(SAID, account, said).select_from(rows).where(keys.c.key.is_not(None), account.c.merged_into.is_(None))
    )


def _of_contacts(account: sa.FromClause, told: sa.FromClause, keys: sa.FromClause) -> sa.Select[Any]:
    """Source records that name a company, and the domain that is that company's own."""
    spoken = _spoken(account, told, keys).cte("spoken")
    own = _own_domains(spoken).cte("own_domain")
    said = {
        "domain": sa.func.coalesce(spoken.c.domain, own.c.mail_domain),
        "parent": parent_name(spoken.c.company),
        "standing": sa.literal(BY_CONTACT),
    }
    rows = spoken.join(own, own.c.mail_domain == spoken.c.mail_domain, isouter=True)
    return _shaped(SAID, spoken, said).select_from(rows)


def _spoken(account: sa.FromClause, told: sa.FromClause, keys: sa.FromClause) -> sa.Select[Any]:
    """Live source records with their company: that of their account in the same system, else the one that they name."""
    records = SOURCE_RECORD
    mine = sa.and_(told.c.source == records.c.source, told.c.record_key == records.c.record_key)
    by_id = _named(account).cte("by_id")
    its = sa.and_(by_id.c.system == told.c.system, by_id.c.account_id == told.c.account_id)
    key = sa.func.coalesce(keys.c.key, records.c.company_key)
    changed = sa.func.coalesce(records.c.changed_at, records.c.received_at)
    mail = sa.case((records.c.email_kind.is_distinct_from("disposable"), sa.func.split_part(records.c.email, "@", 2)))
    return (
        sa.select(
            *[records.c[name] for name in ("source", "record_key", "province", "city", "trust", "company_from")],
            sa.func.least(changed, records.c.received_at).label("moment"),
            sa.case((keys.c.key.is_not(None), by_id.c.company), else_=records.c.company).label("company"),
            key.label("company_key"),
            told.c.industry,
            told.c.employee_count,
            told.c.domain,
            mail.label("mail_domain"),
        )
        .select_from(
            records.join(told, mine, isouter=True)
            .join(by_id, its, isouter=True)
            .join(keys, keys.c.written == by_id.c.company, isouter=True)
        )
        .where(key.is_not(None), records.c.excluded_by.is_(None))
    )


def _of_pins(pins: sa.FromClause, keys: sa.FromClause) -> sa.Select[Any]:
    """A pinned company exists, whoever else names it."""
    said = {
        "company": pins.c.value,
        "company_key": keys.c.key,
        "parent": parent_name(pins.c.value),
        "trust": sa.literal(0),
        "standing": sa.literal(BY_CONTACT),
    }
    pinned = sa.and_(pins.c.field == "company", keys.c.written == pins.c.value)
    return _shaped(SAID, pins, said).select_from(pins.join(keys, pinned)).where(keys.c.key.is_not(None))


def _named(account: sa.FromClause) -> sa.Select[Any]:
    """(system, account_id, company): the name behind an account's id; behind one that merged away, the name of the other."""
    other = account.alias("other")
    into = sa.and_(other.c.system == account.c.system, other.c.account_id == account.c.merged_into)
    name = sa.func.min(sa.func.coalesce(other.c.company, account.c.company))
    return (
        sa.select(account.c.system, account.c.account_id, name.label("company"))
        .select_from(account.join(other, into, isouter=True))
        .group_by(account.c.system, account.c.account_id)
    )


def _own_domains(spoken: sa.FromClause) -> sa.Select[Any]:
    """Mail domains that rows of exactly one company use. A provider of free mail serves many, and is none's own."""
    stated = sa.and_(
        spoken.c.mail_domain.not_in(sorted(FREE | MADE_UP)), spoken.c.company_from.is_distinct_from("mail_domain")
    )
    return (
        sa.select(spoken.c.mail_domain)
        .where(stated)
        .group_by(spoken.c.mail_domain)
        .having(
            sa.func.count() >= OWN_DOMAIN_ROWS,
            sa.func.min(spoken.c.company_key) == sa.func.max(spoken.c.company_key),
        )
    )
