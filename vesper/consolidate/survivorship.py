"""Survivorship: every row of a golden record takes its place for each part, and the value of the first place survives.

A place is one whole number, the levels of the preferences one behind the other in bits, the most important first. So the smallest place is an
ordinary `min`, two places never tie (recency numbers the rows of a record), and two places tell which preference decided between them.
What belongs here: places and survivors of any golden record. What does not: which parts a contact or a company has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from vesper.model.survivorship import FieldRule, Preference

Level = Callable[[sa.FromClause], sa.ColumnElement[int]]

BITS: dict[Preference, int] = {
    "verified": 2,
    "complete": 2,
    "stated": 2,
    "trusted": 8,
    "frequent": 8,
    "longest": 8,
    "recent": 31,
}
HIGHEST_TRUST = 100
MOST = 255
"""Counts and lengths are told apart up to here."""


@dataclass(frozen=True)
class Part:
    """A part of a golden record: columns that survive together. The first is what values are compared by, and a row without it has no say."""

    columns: tuple[str, ...]
    levels: Mapping[Preference, Level] = field(default_factory=dict)
    """Preferences that are judged in this part's own way; the smaller level is preferred."""

    @property
    def compared(self) -> str:
        return self.columns[0]


def seated(rows: sa.FromClause, entity: str) -> sa.Select[Any]:
    """Rows with their `seat` in their golden record, from 1: last changed first. Rows need source, record_key and moment; no two share a seat."""
    order = [rows.c.moment.desc(), rows.c.source, rows.c.record_key]
    return sa.select(rows, sa.func.row_number().over(partition_by=rows.c[entity], order_by=order).label("seat"))


def placed(
    rows: sa.FromClause, entity: str, parts: Mapping[str, Part], rules: Mapping[str, FieldRule]
) -> sa.Select[Any]:
    """Seated rows with `<part>_place` for each part, empty where the row has no value."""
    places = [
        sa.case((rows.c[part.compared].is_not(None), _place(rows, entity, part, rules[name]))).label(f"{name}_place")
        for name, part in parts.items()
    ]
    return sa.select(rows, *places)


def survived(
    rows: sa.FromClause, entity: str, parts: Mapping[str, Part], *more: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """One row for each golden record: the surviving columns, the place they won by, how many rows had a say in each part, and `more`."""
    columns: list[sa.ColumnElement[Any]] = []
    for name, part in parts.items():
        place = rows.c[f"{name}_place"]
        columns.append(
            sa.func.min_by(rows.c[part.compared], place, type_=rows.c[part.compared].type).label(part.compared)
        )
        columns.extend(_along(rows.c[column], place).label(column) for column in part.columns[1:])
        columns.append(sa.func.min(place).label(f"{name}_place"))
        columns.append(sa.func.count(place).label(f"{name}_says"))
    return sa.select(rows.c[entity], *columns, *more).group_by(rows.c[entity])


def decided_by(place: sa.ColumnElement[int], rival: sa.ColumnElement[int], rule: FieldRule) -> sa.ColumnElement[str]:
    """The first preference that tells the surviving value's place from its best rival's."""
    order = _order(rule)
    cases = []
    for number, preference in enumerate(order[:-1]):
        below = sum(BITS[later] for later in order[number + 1 :])
        cases.append((place.bitwise_rshift(below) != rival.bitwise_rshift(below), sa.literal(preference)))
    return sa.case(*cases, else_=sa.literal(order[-1])) if cases else sa.literal(order[-1])


def _along(value: sa.ColumnElement[Any], place: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """A text that goes with the surviving value, empty where the winner has none: `min_by` by itself would skip to a row that has one."""
    return sa.func.nullif(sa.func.min_by(sa.func.coalesce(value, ""), place), "", type_=value.type)


def _order(rule: FieldRule) -> Sequence[Preference]:
    return (*[preference for preference in rule.prefer if preference != "recent"], "recent")


def _place(rows: sa.FromClause, entity: str, part: Part, rule: FieldRule) -> sa.ColumnElement[int]:
    order = _order(rule)
    below = 0
    terms: list[sa.ColumnElement[Any]] = []
    for preference in reversed(order):
        level = sa.cast(_level(rows, entity, part, rule, preference), sa.BigInteger)
        terms.append(level * sa.cast(sa.literal(2**below), sa.BigInteger) if below else level)
        below += BITS[preference]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _level(
    rows: sa.FromClause, entity: str, part: Part, rule: FieldRule, preference: Preference
) -> sa.ColumnElement[Any]:
    """How well a row does by one preference; the smaller the better, 0 for all where the part is not judged by it."""
    if preference in part.levels:
        return part.levels[preference](rows)
    value = rows.c[part.compared]
    if preference == "trusted":
        own = len(rule.sources) + HIGHEST_TRUST - rows.c.trust
        listed = {source: number for number, source in enumerate(rule.sources)}
        return sa.case(listed, value=rows.c.source, else_=own) if listed else own
    if preference == "frequent":
        named = sa.func.count().over(partition_by=[rows.c[entity], value])
        return MOST - sa.func.least(named, MOST)
    if preference == "longest":
        return MOST - sa.func.least(sa.func.length(sa.cast(value, sa.String)), MOST)
    return rows.c.seat if preference == "recent" else sa.literal(0)
