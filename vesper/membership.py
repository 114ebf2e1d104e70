"""Conditions as true or false in one row per contact, so that fifty groups are found in one look at each contact.

What belongs here: from the Selects of conditions to expressions over the contact's own row. What does not: what any condition means
(`vesper/conditions/`): its Select says it, and an answer that is no look at one row stays a set, `contact_id in (select ...)`.

A condition is true, false or unknown; `holds` says where it is true, `unknown` where it is neither. Both are never null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.functions import FunctionElement

from vesper.conditions import Condition
from vesper.conditions.all import All
from vesper.conditions.any import Any as AnyOf
from vesper.conditions.groups import InGroup
from vesper.conditions.not_ import Not
from vesper.conditions.people import Asked
from vesper.conditions.sets import ids
from vesper.night import Night
from vesper.shared import AGGREGATES
from vesper.tables.contact import CONTACT

Truth = sa.ColumnElement[bool]
Column = sa.ColumnElement[Any]
NEVER: Truth = sa.false()


class NoRow(Exception):
    """A Select that does more than look at one row per contact."""


@dataclass(frozen=True)
class Look:
    """A Select as a look at the contact's row: whether it gives a row, and what its columns say then."""

    exists: Truth
    columns: Mapping[str, Column]


class ContactRow:
    """One row per golden contact, joined with every table of one row per contact that conditions look at.

    `known` are groups whose answer is an expression of this row already, by "<folder>/<id>".
    """

    def __init__(self, night: Night) -> None:
        self.asked = Asked(night)
        self.known: dict[str, Truth] = {}
        self.tables: dict[str, sa.Table] = {}

    def source(self) -> sa.FromClause:
        """The contacts with what was looked at beside them."""
        joined: sa.FromClause = CONTACT
        for table in self.tables.values():
            joined = joined.join(table, table.c.contact_id == CONTACT.c.contact_id, isouter=True)
        return joined

    def holds(self, condition: Condition) -> Truth:
        """Where the condition is true."""
        body: Any = condition.body
        if isinstance(body, All):
            return sa.and_(sa.true(), *[self.holds(part) for _, part in body.parts()])
        if isinstance(body, AnyOf):
            return sa.or_(sa.false(), *[self.holds(part) for _, part in body.parts()])
        if isinstance(body, Not):
            return sa.and_(sa.not_(self.holds(body.root)), sa.not_(self.unknown(body.root)))
        if isinstance(body, InGroup) and f"{body.folder}/{body.group_id}" in self.known:
            return self.known[f"{body.folder}/{body.group_id}"]
        return self.among(body.people(self.asked))

    def unknown(self, condition: Condition) -> Truth:
        """Where it is neither true nor false."""
        body: Any = condition.body
        if isinstance(body, Not):
            return self.unknown(body.root)
        if isinstance(body, All | AnyOf):
            parts = [part for _, part in body.parts()]
            unknown = [self.unknown(part) for part in parts]
            if all(one is NEVER for one in unknown):
                return NEVER
            if isinstance(body, AnyOf):
                return sa.and_(sa.or_(*unknown), sa.not_(self.holds(condition)))
            open_parts = [sa.or_(self.holds(part), one) for part, one in zip(parts, unknown, strict=True)]
            return sa.and_(*open_parts, sa.not_(self.holds(condition)))
        select = body.unknown(self.asked)
        return NEVER if select is None else self.among(select)

    def among(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> Truth:
        """Whether a Select of contacts gives this one."""
        try:
            return self._look(select).exists
        except NoRow:
            return CONTACT.c.contact_id.in_(ids(select))

    def _look(self, select: Any) -> Look:
        if isinstance(select, sa.CompoundSelect):
            return self._compound(select)
        if not isinstance(select, sa.Select) or _gathers(select):
            raise NoRow
        froms = select.get_final_froms()
        if len(froms) != 1:
            raise NoRow
        exists, replaced = self._from(froms[0])
        tests = [self._rewritten(test, replaced) for test in [select.whereclause] if test is not None]
        columns = {column.name: self._rewritten(_bare(column), replaced) for column in select.selected_columns}
        return Look(_true_where(exists, *tests), columns)

    def _compound(self, select: sa.CompoundSelect[Any]) -> Look:
        exists = [self._look(_inner(part)).exists for part in select.selects]
        if "EXCEPT" in select.keyword.name:
            raise NoRow
        together = sa.and_ if "INTERSECT" in select.keyword.name else sa.or_
        return Look(together(*exists), {})

    def _from(self, source: sa.FromClause) -> tuple[Truth, dict[Any, Column]]:
        """When the source has a row for the contact, and what stands for its columns."""
        if isinstance(source, sa.Table):
            return self._table(source), {}
        if isinstance(source, sa.Subquery):
            look = self._look(_inner(source.element))
            return look.exists, {
                column: look.columns[column.name] for column in source.c if column.name in look.columns
            }
        if (
            isinstance(source, sa.Join)
            and source.isouter
            and source.left is CONTACT
            and isinstance(source.right, sa.Subquery)
        ):
            exists, columns = self._from(source.right)
            return sa.true(), {column: sa.case((exists, value)) for column, value in columns.items()}
        raise NoRow

    def _table(self, table: sa.Table) -> Truth:
        if table is CONTACT:
            return sa.true()
        grain = tuple(name for name in table.info.get("grain", ("contact_id",)) if name != "business_on")
        if grain != ("contact_id",) or table.info.get("cut"):
            raise NoRow
        self.tables[table.name] = table
        return table.c.contact_id.is_not(None)

    def _rewritten(self, expression: Column, replaced: Mapping[Any, Column]) -> Column:
        """An expression over the row itself: columns of a subquery as what they stand for, `in (select ...)` as a look."""

        def rewrite(element: Any, **_: Any) -> Any:
            if element in replaced:
                return replaced[element]
            if isinstance(element, sa.BinaryExpression) and element.operator in (operators.in_op, operators.not_in_op):
                inner = _inner(element.right)
                if isinstance(inner, sa.Select | sa.CompoundSelect):
                    found = self.among(inner)
                    return found if element.operator is operators.in_op else sa.not_(found)
            if isinstance(element, sa.Select | sa.Over) or _is_aggregate(element):
                raise NoRow
            return None

        return visitors.replacement_traverse(expression, {}, rewrite)


def _true_where(*tests: Truth) -> Truth:
    """True where every test is true, and false elsewhere, never null."""
    return sa.func.coalesce(sa.and_(*tests), sa.false(), type_=sa.Boolean)


def _bare(column: Any) -> Column:
    return column.element if isinstance(column, sa.Label) else column


def _inner(element: Any) -> Any:
    """The Select inside brackets."""
    while not isinstance(element, sa.Select | sa.CompoundSelect) and hasattr(element, "element"):
        element = element.element
    return element


def _gathers(select: sa.Select[Any]) -> bool:
    """Whether rows are put together, numbered or left out by more than tests of one row."""
    return bool(
        select._group_by_clauses or select._having_criteria or select._distinct or select._limit_clause is not None
    )


def _is_aggregate(element: Any) -> bool:
    return isinstance(element, FunctionElement) and str(getattr(element, "name", "")).lower() in AGGREGATES
