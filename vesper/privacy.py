"""Masks: how a name, a phone number and a mail address look wherever people read them (R122).

What belongs here: the masks, each as a plain function and as the SQL expression that gives the same text. What does not: the decision
which columns are personal (that is the declaration's `personal`), erasure, encryption.

A mask keeps enough to recognise a person one already knows and too little to reach or find one: the first character of a name, the
first three characters and the last two digits of a number, the first letters of a mail address. The number of stars never tells a length.
"""

from typing import Any

import sqlalchemy as sa

STARS = "**"
_GAP = "*****"


def mask_name(name: str | None) -> str | None:
    """`王小明` -> `王**`, `Ann Lee` -> `A**`. Nothing stays nothing."""
    return f"{name[0]}{STARS}" if name else None


def mask_phone(phone: str | None) -> str | None:
    """`+8613812345678` -> `+86*****78`: the first three characters and the last two. A number under eight characters shows none."""
    if not phone:
        return None
    return f"{phone[:3]}{_GAP}{phone[-2:]}" if len(phone) >= 8 else _GAP


def mask_email(email: str | None) -> str | None:
    """`ming@qq.com` -> `m**@q**`: a whole domain of one's own would name its owner."""
    if not email:
        return None
    local, at, domain = email.partition("@")
    return f"{local[:1]}{STARS}@{domain[:1]}{STARS}" if at else f"{local[:1]}{STARS}"


def masked_name(name: sa.ColumnElement[Any]) -> sa.ColumnElement[str | None]:
    """SQL: `mask_name`."""
    return _unless_empty(name, sa.func.substr(name, 1, 1, type_=sa.String) + STARS)


def masked_phone(phone: sa.ColumnElement[Any]) -> sa.ColumnElement[str | None]:
    """SQL: `mask_phone`."""
    length = sa.func.length(phone)
    ends = sa.func.substr(phone, 1, 3, type_=sa.String) + _GAP + sa.func.substr(phone, length - 1, 2, type_=sa.String)
    return _unless_empty(phone, sa.case((length >= 8, ends), else_=_GAP))


def masked_email(email: sa.ColumnElement[Any]) -> sa.ColumnElement[str | None]:
    """SQL: `mask_email`."""
    at = sa.func.strpos(email, "@", type_=sa.Integer)
    first = sa.case((at == 1, ""), else_=sa.func.substr(email, 1, 1, type_=sa.String)) + STARS
    domain = sa.literal("@") + sa.func.substr(email, at + 1, 1, type_=sa.String) + STARS
    return _unless_empty(email, sa.case((at > 0, first + domain), else_=first))


def _unless_empty(column: sa.ColumnElement[Any], mask: sa.ColumnElement[Any]) -> sa.ColumnElement[str | None]:
    return sa.case((sa.or_(column.is_(None), column == ""), sa.null()), else_=mask)
