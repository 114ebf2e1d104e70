"""Phone numbers: E.164 for China, and a judgement for every value that is not one (R7).

The numbering plan is that of the phonenumbers package, read once; its patterns run as SQL. Extensions, two numbers in a cell and other countries
are judged invalid here rather than guessed at.
"""

from functools import cache

import sqlalchemy as sa

from vesper.cleaning.text import narrow

COUNTRY = "86"
DUMMIES = ("13800000000", "13800138000", "13900000000", "12345678901", "13812345678", "18888888888", "13888888888")
SAME_DIGITS = "|".join(f"{digit}{{8}}$" for digit in "0123456789")


@cache
def numbering_plan() -> str:
    """The pattern of a Chinese mobile or fixed-line national number, without leading zero."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region("CN")
    if metadata is None or metadata.mobile is None or metadata.fixed_line is None:
        raise LookupError(
            "phonenumbers has no numbering plan for China; install the version that requirements.lock pins"
        )
    patterns = (metadata.mobile.national_number_pattern, metadata.fixed_line.national_number_pattern)
    return "|".join(f"(?:{pattern})" for pattern in patterns).replace("\\d", "[0-9]")


def national(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """National digits of a value, whatever way it was written."""
    bare = sa.func.regexp_replace(narrow(value), "[ \t()-]", "", "g")
    without_country = sa.func.regexp_replace(bare, "^([+]86|0086|86)", "")
    # A bare 86 may be the beginning of a number, so it counts as the country only before a number of full length.
    chosen = sa.case(
        (sa.func.regexp_full_match(bare, "([+]86|0086)0?[1-9][0-9]+|860?[1-9][0-9]{9,10}"), without_country), else_=bare
    )
    return sa.func.regexp_replace(chosen, "^0", "")


def is_dummy(number: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """A number that people type to get past a form: a known one, or eight equal digits at the end."""
    return sa.or_(number.in_(DUMMIES), sa.func.regexp_matches(number, SAME_DIGITS))


def status(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """valid, missing, dummy or invalid."""
    number = national(value)
    return sa.case(
        (sa.or_(value.is_(None), sa.func.trim(value) == ""), "missing"),
        (is_dummy(number), "dummy"),
        (sa.func.regexp_full_match(number, numbering_plan()), "valid"),
        else_="invalid",
    )


def e164(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """`+86...` of a valid number, NULL of anything else."""
    return sa.case((status(value) == "valid", sa.literal(f"+{COUNTRY}") + national(value)), else_=sa.null())
