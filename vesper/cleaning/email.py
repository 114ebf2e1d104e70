"""Mail addresses: one form for sending, and a judgement for every value that is not an address."""

import sqlalchemy as sa

from vesper.cleaning.text import narrow

ADDRESS = "[a-z0-9._%+-]+@[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}"
TYPOS = "[.](con|cmo|ocm|comm|cnn|nett)$"


def written(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The address trimmed, narrow and in lower case."""
    bare = sa.func.lower(sa.func.trim(narrow(value)))
    return sa.func.regexp_replace(bare, "^mailto:", "")


def status(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """valid, missing or invalid; a mistyped ending such as .con is invalid, never mended by guessing."""
    address = written(value)
    good = sa.and_(sa.func.regexp_full_match(address, ADDRESS), sa.not_(sa.func.regexp_matches(address, TYPOS)))
    return sa.case((sa.or_(value.is_(None), sa.func.trim(value) == ""), "missing"), (good, "valid"), else_="invalid")


def address(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The address for sending, NULL of anything that is not one."""
    return sa.case((status(value) == "valid", written(value)), else_=sa.null())
