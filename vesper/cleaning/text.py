"""Text as people type it: full-width forms, invisible characters, blanks; in SQL for every row, in Python for the few that SQL leaves over.

What belongs here: what every kind of value needs first. What does not: what a name, a number or an address is (a file each).
"""

import unicodedata

import sqlalchemy as sa

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@.-_+(),"
NARROW = LETTERS + "  "
# Marks that nobody sees: joiners, marks of direction that a phone's contact list copies along, soft hyphens, byte order marks.
INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in LETTERS) + "\u3000\u00a0" + INVISIBLE
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
HAN = "\u4e00-\u9fff"
# Most cells have nothing to mend, and to see that is ten times as fast as mending.
TIDY = f"[!-~{HAN}]+( [!-~{HAN}]+)*"
LONGEST = 300
"""Characters of a cell that are read; nobody has a longer name or number, and patterns take long over what is none."""
_DROPPED = str.maketrans(dict.fromkeys(INVISIBLE) | dict.fromkeys(map(chr, (*range(9), *range(14, 32), 127))))
_DASHES = str.maketrans(dict.fromkeys(DASHES, "-"))


def narrow(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Full-width letters, digits, signs and blanks as their narrow forms, without invisible marks."""
    return sa.func.translate(value, WIDE, NARROW)


def name(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A name without outer blanks and with single inner ones; NULL when nothing is left."""
    single = sa.func.regexp_replace(narrow(value), "[ \t\r\n]+", " ", "g")
    return sa.case((sa.func.regexp_full_match(value, TIDY), value), else_=sa.func.nullif(sa.func.trim(single), ""))


def line(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Text as it was written, without outer blanks and with single inner ones; NULL when nothing is left."""
    single = sa.func.regexp_replace(value, "[ \t\r\n\u3000\u00a0]+", " ", "g")
    return sa.case((sa.func.regexp_full_match(value, TIDY), value), else_=sa.func.nullif(sa.func.trim(single), ""))


def code(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A number or code such as a card: narrow, without blanks; NULL when nothing is left."""
    bare = sa.func.nullif(sa.func.replace(narrow(value), " ", ""), "")
    return sa.case((sa.func.regexp_full_match(value, "[!-~]+"), value), else_=bare)


def folded(text: str) -> str:
    """Python: the compatibility form (NFKC) without invisible marks, every dash a hyphen, no blanks around it; cut at LONGEST."""
    bare = text[:LONGEST].translate(_DROPPED)
    return unicodedata.normalize("NFKC", bare).translate(_DASHES).strip()[:LONGEST]


def without_accents(text: str) -> str:
    """Python: é as e, ü as u. Only marks on Latin, Greek and Cyrillic letters go; Japanese and Korean stay whole."""
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFKC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


def words(text: str) -> frozenset[str]:
    """A list of words, written with blanks between them."""
    return frozenset(text.split())
