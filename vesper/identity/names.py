"""Whether two names can be one person's, in SQL over pairs of name keys (R6).

What belongs here: that judgement. What does not: how likely agreement is (`warehouse/linkage/levels.py`), how a name key is made (`vesper/cleaning`).
"""

from typing import Any

import sqlalchemy as sa

HAN = "[\u4e00-\u9fff]+"
SHORTEST = 2
LONGEST = 5
ALIKE = 0.85

Text = sa.ColumnElement[str]


def is_whole(name: Text) -> sa.ColumnElement[bool]:
    """Whether it is more than a surname: 王 of 王先生 names nobody."""
    return sa.func.length(name) >= SHORTEST


def incompatible(a: Text, b: Text) -> sa.ColumnElement[bool]:
    """Whether two whole names are of two persons: neither the same, nor a slip apart, nor the same words in another order. False where one is missing."""
    unlike = sa.case((sa.and_(is_han(a), is_han(b)), _han_unlike(a, b)), else_=_words_unlike(a, b))
    return sa.func.coalesce(sa.and_(a != b, is_whole(a), is_whole(b), unlike), False)


def is_han(name: Text) -> sa.ColumnElement[bool]:
    """Whether a name is written in Chinese characters alone."""
    return sa.func.regexp_full_match(name, HAN)


def _han_unlike(a: Text, b: Text) -> sa.ColumnElement[bool]:
    """One character of a name of three or more may be a slip; of 王明 and 王敏 it is the whole given name."""
    return sa.not_(sa.or_(is_slip(a, b), sorted_characters(a) == sorted_characters(b)))


def is_slip(a: Text, b: Text) -> sa.ColumnElement[bool]:
    """Whether one character makes the difference of two names of which the longer has three to five: another one, or one left out.

    The engine's own distance counts bytes, of which a Chinese character has three.
    """
    length_a, length_b = sa.func.length(a), sa.func.length(b)
    other = sum((sa.cast(_at(a, place) != _at(b, place), sa.Integer) for place in range(1, LONGEST + 1)), sa.literal(0))
    replaced = sa.and_(length_a == length_b, length_a > SHORTEST, length_a <= LONGEST, other == 1)
    return sa.or_(replaced, _leaves_out(a, b), _leaves_out(b, a))


def _at(name: Text, place: int) -> sa.ColumnElement[str]:
    return sa.func.substr(name, place, 1)


def _leaves_out(short: Text, long: Text) -> sa.ColumnElement[bool]:
    """Whether a name of at least two characters is the other one without one of its characters."""
    without = [
        sa.func.concat(sa.func.substr(long, 1, place - 1), sa.func.substr(long, place + 1)) == short
        for place in range(1, LONGEST + 1)
    ]
    fits = sa.and_(sa.func.length(long) == sa.func.length(short) + 1, sa.func.length(short) >= SHORTEST)
    return sa.and_(fits, sa.func.length(long) <= LONGEST, sa.or_(*without))


def _words_unlike(a: Text, b: Text) -> sa.ColumnElement[bool]:
    """Letters: no word in common and spelled too differently; a script cannot be told from another one, so those are never unlike."""
    share_script = sa.func.regexp_matches(a, HAN) == sa.func.regexp_matches(b, HAN)
    near = sa.func.jaro_winkler_similarity(sorted_words(a), sorted_words(b)) >= ALIKE
    starts = sa.or_(a.startswith(b), b.startswith(a))
    return sa.and_(share_script, sa.not_(sa.or_(near, starts, shares_words(a, b))))


def sorted_characters(name: Text) -> sa.ColumnElement[Any]:
    """The characters of a name in a fixed order."""
    return sa.func.array_to_string(sa.func.list_sort(sa.func.string_split(name, "")), "")


def sorted_words(name: Text) -> sa.ColumnElement[Any]:
    """The words of a name in a fixed order."""
    return sa.func.array_to_string(sa.func.list_sort(sa.func.string_split(name, " ")), " ")


def shares_words(a: Text, b: Text) -> sa.ColumnElement[bool]:
    """Whether two names have two words in common."""
    return sa.func.len(sa.func.list_intersect(sa.func.string_split(a, " "), sa.func.string_split(b, " "))) >= SHORTEST
