"""Text: full-width folding and names."""

import sqlalchemy as sa

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@.-_+(),"
NARROW = LETTERS + "  "
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in LETTERS) + "\u3000\u00a0"


def narrow(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Full-width letters, digits, signs and blanks as their narrow forms."""
    return sa.func.translate(value, WIDE, NARROW)


def name(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A name without outer blanks and with single inner ones; NULL when nothing is left."""
    single = sa.func.regexp_replace(narrow(value), "[ \t\r\n]+", " ", "g")
    return sa.func.nullif(sa.func.trim(single), "")


def code(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A number or code such as a card: narrow, without blanks; NULL when nothing is left."""
    return sa.func.nullif(sa.func.replace(narrow(value), " ", ""), "")
