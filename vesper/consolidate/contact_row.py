"""What a contact row says, whatever its source: one shape for all of them, each value read as far as SQL alone can read it.

What belongs here: which fields of a source make a value (a name of two fields, a region of four), and the quick reading beside what was written.
What does not: values that need a library, and everything that is looked up (`source_record.py`).
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import company, email, name, phone, text
from vesper.clock import utc_instant
from vesper.model.source import Source

TEXT = sa.String()
HOME = (
    "china", "cn", "chn", "p.r.china", "p.r. china", "pr china", "prc", "mainland china", "china mainland",
    "people's republic of china", "中国", "中國", "中国大陆", "中国内地", "中国大陸", "大陆", "中华人民共和国", "中華人民共和國", "86", "+86",
)  # fmt: skip
"""Countries that add nothing to a region."""

GENDERS = {
    "male": ("male", "m", "man", "mr", "mr.", "男", "男性", "男士", "先生"),
    "female": ("female", "f", "woman", "ms", "ms.", "mrs", "mrs.", "miss", "女", "女性", "女士", "小姐"),
}
"""Gender as it is kept -> how sources write it. A bare number means one thing here and another there, so none is read."""

Value = sa.ColumnElement[Any]


def field(raw: sa.FromClause, name: str, kind: sa.types.TypeEngine[Any] | None = None) -> Value:
    """A canonical field of a raw table, NULL where the source does not have it."""
    return raw.c[name] if name in raw.c else sa.cast(sa.null(), kind or TEXT)


def record_key(raw: sa.FromClause, source: Source) -> sa.ColumnElement[str]:
    """The row's key inside its source; several key fields are joined by a slash."""
    keys = [sa.cast(raw.c[name], TEXT) for name in source.key]
    return keys[0] if len(keys) == 1 else sa.func.concat_ws("/", *keys)


def instant(moment: Value, zone: str) -> Value:
    """An instant of a field that may be a date, which counts from its first moment in the company's zone."""
    return utc_instant(sa.cast(moment, sa.DateTime), zone) if isinstance(moment.type, sa.Date) else moment


def said(raw: sa.FromClause, source: Source, zone: str) -> sa.Select[Any]:
    """The rows of one contact source, tidied; `<value>_said` is what was written where the value has to be read."""
    columns: dict[str, Value] = {
        "source": sa.literal(source.id),
        "record_key": record_key(raw, source),
        "card": text.code(field(raw, "card")),
        "unionid": text.code(field(raw, "unionid")),
        "openid": scoped(text.code(field(raw, "openid")), source.system_of_ids),
        "crm_id": scoped(text.code(field(raw, "crm_id")), source.system_of_ids),
        "name": _name(raw),
        "phone_said": _filled(field(raw, "phone")),
        "other_said": _filled(field(raw, "other_phone")),
        "email_said": _filled(field(raw, "email")),
        "company": text.line(field(raw, "company")),
        "job_title": text.line(field(raw, "job_title")),
        "gender": _gender(raw),
        "birth_on": field(raw, "birth_on", sa.Date()),
        "owner": text.line(field(raw, "owner")),
        "region_said": _region(raw),
        "registered_at": instant(field(raw, "registered_at", sa.DateTime()), zone),
        "changed_at": instant(field(raw, "changed_at", sa.DateTime()), zone),
        "received_at": raw.c.received_at,
        "trust": sa.literal(source.trust),
        "is_deleted": sa.func.coalesce(field(raw, "is_deleted", sa.Boolean()), sa.false()),
    }
    return sa.select(*[value.label(label) for label, value in columns.items()])


def all_said(parts: Iterable[sa.Select[Any]]) -> sa.Select[Any]:
    """The rows of all contact sources, with `<value>_quick`: the clean form of each value that SQL alone can read."""
    rows = sa.union_all(*parts).subquery("written")
    return sa.select(
        rows,
        name.quick(rows.c.name).label("name_quick"),
        phone.quick(rows.c.phone_said).label("phone_quick"),
        phone.quick(rows.c.other_said).label("other_quick"),
        email.quick(rows.c.email_said).label("email_quick"),
        company.quick(rows.c.company).label("company_quick"),
    )


def _filled(value: Value) -> Value:
    return sa.func.nullif(sa.func.trim(value), "")


def scoped(id: Value, scope: str) -> Value:
    """`scope:id`, since two systems may give one id to two people; an id that names its scope already is left alone."""
    return sa.case((sa.func.contains(id, ":"), id), else_=sa.literal(f"{scope}:") + id)


def _name(raw: sa.FromClause) -> Value:
    """The name as one value: of two fields, the family name comes first in Chinese and last elsewhere."""
    whole = text.name(field(raw, "name"))
    if not {"first_name", "last_name"} & set(raw.c.keys()):
        return whole
    first, last = text.name(field(raw, "first_name")), text.name(field(raw, "last_name"))
    chinese = sa.func.regexp_full_match(sa.func.concat(last, first), f"[{text.HAN}]+")
    both = sa.case(
        (chinese, sa.func.concat(last, first)), else_=sa.func.nullif(sa.func.concat_ws(" ", first, last), "")
    )
    return sa.func.coalesce(whole, both)


def _gender(raw: sa.FromClause) -> Value:
    said = sa.func.lower(sa.func.trim(field(raw, "gender")))
    return sa.case(*[(said.in_(words), sa.literal(gender)) for gender, words in GENDERS.items()])


def _region(raw: sa.FromClause) -> Value:
    """The region as one value, from the largest part to the smallest; parts that repeat the part before are left out."""
    if not {"region", "province", "city", "country"} & set(raw.c.keys()):
        return sa.cast(sa.null(), TEXT)
    country, province, city, region = (
        text.name(field(raw, part)) for part in ("country", "province", "city", "region")
    )
    abroad = sa.case((sa.func.lower(country).not_in(HOME), country))
    other_city = sa.case((sa.func.coalesce(city == province, False), sa.null()), else_=city)
    return sa.func.nullif(sa.func.concat_ws(" ", abroad, province, other_city, region), "")
