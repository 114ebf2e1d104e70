"""What the Selects of one stage share: facts counted in one pass for all rules, and rows kept for those that read them again.

What belongs here: gathering the counts that conditions ask for, by fact table, and the Select that finds them all at once. What does not: counting
one thing (`conditions/tally.py`), and running anything (`tasks/marts.py`).

Without it every condition reads its facts for itself: the same rows come out, a condition at a time. With it, fifty segments cost one pass over the
events. A Select that reads a shared table names it as it names any other; the stage makes the table before the first that reads it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.functions import FunctionElement

from vesper.marts import elements, reads
from vesper.tables.contact import CONTACT
from vesper.tables.declare import PREVIOUS

TALLY = "vesper_tally"
"""Execution option of a Select that counts facts by contact."""
RUNS = "vesper_runs"
"""Execution option of Selects whose rows follow each other in the order of the grain."""
HEX = "0123456789abcdef"
"""How the ids of contacts go on after their first letter (`vesper/identity/ids.py`)."""
MOST_PEOPLE = 2_000_000
"""Contacts whose rows are sorted at once."""
AGGREGATES = frozenset({"count", "sum", "min", "max"})
Expression = sa.ColumnElement[Any]
Tests = dict[str, Expression]
"""Tests of a fact by their text, all of which must hold."""
Figure = tuple[Expression, Tests]
"""An aggregate, and the tests of the facts that it is over."""


@dataclass
class Scan:
    """One pass over a fact table: every figure that is wanted of it, with the tests of its facts."""

    facts: sa.Table
    contact_id: Expression
    table: sa.Table
    figures: dict[str, Figure] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, figure: Expression, tests: Tests) -> Expression:
        """The column of an aggregate over the facts that pass the tests; the same one for the same question."""
        key = text_of(figure), " and ".join(sorted(tests))
        if key not in self.names:
            name = self.names[key] = f"f{len(self.names)}"
            self.figures[name] = figure, tests
            self.table.append_column(sa.Column(name, figure.type))
        return self.table.c[self.names[key]]

    def asked(self, wanted: Collection[tuple[str, str]]) -> dict[str, Figure]:
        """The figures that some Select reads."""
        return {name: figure for name, figure in self.figures.items() if (self.table.name, name) in wanted}

    def select(self, wanted: Collection[tuple[str, str]]) -> sa.Select[Any]:
        """One row per golden contact with a fact; a figure without facts is null."""
        asked = self.asked(wanted)
        everywhere = _everywhere(asked.values())
        columns = []
        for name, (figure, tests) in asked.items():
            own = [test for text, test in tests.items() if text not in everywhere]
            columns.append(_compact(_filtered(figure, own)).label(name))
        where = [*everywhere.values(), *[sa.or_(*reach) for reach in [_reach(asked.values(), everywhere)] if reach]]
        counted = sa.select(self.contact_id.label("contact_id"), *columns).where(*where).group_by(self.contact_id)
        every = counted.subquery("every")
        return sa.select(every).where(every.c.contact_id.in_(sa.select(CONTACT.c.contact_id)))


@dataclass
class Shared:
    """What one stage's Selects share. Handed to them as `night.shared`."""

    scans: dict[str, Scan] = field(default_factory=dict)
    kept: dict[str, tuple[sa.Table, sa.Select[Any]]] = field(default_factory=dict)
    wanted: set[tuple[str, str]] = field(default_factory=set)
    people: int = 0
    """Golden contacts of the night."""
    is_of_few: bool = False
    """Whether marts of contacts are made for touched contacts, who are few enough for any Select to have all its rows at once."""
    unpublished: frozenset[str] = frozenset()
    """Tables of no earlier night: what is read of theirs as of the night before has no row."""

    def facts(self, tallied: sa.Select[Any]) -> sa.Select[Any] | None:
        """The answer of a tally (`conditions/tally.py`), read from the shared pass; None where it is none that can be shared."""
        froms = tallied.get_final_froms()
        if not tallied.get_execution_options().get(TALLY) or len(froms) != 1 or not isinstance(froms[0], sa.Table):
            return None
        tests = {text_of(test): test for test in conjuncts(tallied.whereclause)}
        columns = {column.name: column for column in tallied.selected_columns}
        scan = self._scan(froms[0], _bare(columns["contact_id"]))
        figure = scan.column(_figure(_bare(columns["figure"])), tests)
        found = [
            (scan.table.c.contact_id if name == "contact_id" else _read(scan, _bare(column), tests)).label(name)
            for name, column in columns.items()
        ]
        return sa.select(*found).where(figure.is_not(None))

    def keep(self, name: str, select: sa.Select[Any]) -> sa.FromClause:
        """A Select's rows as a table that is made once."""
        table = sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in select.selected_columns])
        self.kept[name] = table, select
        return table

    def want(self, selects: Iterable[Any]) -> None:
        """Say which Selects will run, once all are built: a pass finds only the figures that one of them reads."""
        for select in [*selects, *[select for _, select in self.kept.values()]]:
            self.wanted |= {(item.table.name, item.name) for item in elements(select) if isinstance(item, sa.Column)}

    def made_by(self, name: str) -> sa.Select[Any] | None:
        """The Select behind a shared table; None for any other."""
        if name in self.kept:
            return self.kept[name][1]
        scan = next((scan for scan in self.scans.values() if scan.table.name == name), None)
        return scan.select(self.wanted) if scan else None

    @property
    def names(self) -> frozenset[str]:
        """Names of all its tables."""
        return frozenset([*self.kept, *[scan.table.name for scan in self.scans.values()]])

    def behind(self, selects: Iterable[Any]) -> list[Any]:
        """The Selects of the shared tables that Selects read, and of those that these read."""
        found = {name: made for select in selects for name in reads(select) if (made := self.made_by(name)) is not None}
        return [*found.values(), *(self.behind(found.values()) if found else [])]

    def stretches(self, name: str, selects: Iterable[Any]) -> list[list[Expression]]:
        """The rows of a fact table that Selects read, as tests of stretches that have no row in common; all rows, unless a shared pass alone reads it."""
        scan, kept = self.scans.get(name), [select for _, select in self.kept.values()]
        if scan is None or any(name in reads(select) for select in [*selects, *kept]):
            return [[]]
        figures = scan.asked(self.wanted).values()
        everywhere = _everywhere(figures)
        reach, every = _reach(figures, everywhere), [*everywhere.values()]
        if not reach:
            return [every]
        return [[*every, reach[0]], *([[*every, sa.not_(reach[0]), sa.or_(*reach[1:])]] if reach[1:] else [])]

    def _scan(self, facts: sa.Table, contact_id: Expression) -> Scan:
        if facts.name not in self.scans:
            table = sa.Table(f"shared__{facts.name}", sa.MetaData(), sa.Column("contact_id", sa.String))
            self.scans[facts.name] = Scan(facts, contact_id, table)
        return self.scans[facts.name]


def _everywhere(figures: Collection[Figure]) -> Tests:
    """Tests that every figure makes."""
    every = [tests for _, tests in figures]
    return {text: test for text, test in every[0].items() if all(text in other for other in every)} if every else {}


def _reach(figures: Collection[Figure], everywhere: Tests) -> list[Expression]:
    """How far back a pass must look: to the start of the longest window, and beyond it only for what asks for all time; nothing where it is all."""
    starts: Tests = {}
    ever: Tests = {}
    for _, tests in figures:
        start = next(((text, test) for text, test in tests.items() if _is_window_start(test)), None)
        if start is not None:
            starts |= dict([start])
        else:
            own = {text: test for text, test in tests.items() if text not in everywhere}
            ever[" and ".join(sorted(own))] = sa.and_(sa.true(), *own.values())
    if not starts or len(ever) > len(starts):
        return []
    return [starts[min(starts)], *ever.values()]


def only_picks(select: sa.Select[Any]) -> bool:
    """Whether a Select gives rows of its table as they are, perhaps each once: nothing is grouped, numbered or cut off."""
    return not (select._group_by_clauses or select._having_criteria or select._limit_clause is not None)


def text_of(expression: Any) -> str:
    """What tells two expressions apart."""
    return str(expression.compile(compile_kwargs={"literal_binds": True}))


def _bare(column: Any) -> Expression:
    return column.element if isinstance(column, sa.Label) else column


def _read(scan: Scan, expression: Expression, tests: Tests) -> Expression:
    """An expression of a tally with each aggregate in it read from the pass."""

    def read(element: Any, **_: Any) -> Any:
        return scan.column(_figure(element), tests) if _is_aggregate(element) else None

    return visitors.replacement_traverse(expression, {}, read)


def _figure(expression: Expression) -> Expression:
    """A count of nothing is null in a pass that other figures have rows in."""
    return sa.func.nullif(expression, 0, type_=expression.type) if _name(expression) == "count" else expression


def _filtered(figure: Expression, tests: list[Expression]) -> Expression:
    if not tests:
        return figure

    def filtered(element: Any, **_: Any) -> Any:
        return element.filter(*tests) if _is_aggregate(element) else None

    return visitors.replacement_traverse(figure, {}, filtered)


def _compact(figure: Expression) -> Expression:
    """Counts as integers of four bytes: a pass holds one for each contact and figure."""
    return sa.cast(figure, sa.Integer) if isinstance(figure.type, sa.Integer) else figure


def _is_aggregate(element: Any) -> bool:
    return isinstance(element, FunctionElement) and _name(element) in AGGREGATES


def _name(element: Any) -> str:
    return str(getattr(element, "name", "")).lower()


def conjuncts(test: Any) -> Iterator[Expression]:
    """The tests that an `and` joins."""
    while isinstance(test, sa.sql.elements.Grouping):
        test = test.element
    if isinstance(test, sa.sql.elements.BooleanClauseList) and test.operator is operators.and_:
        for part in test.clauses:
            yield from conjuncts(part)
    elif test is not None:
        yield test


def is_of_day(test: Expression) -> bool:
    """Whether a test compares a company day, so that parts of other days need not be read."""
    return (
        isinstance(test, sa.BinaryExpression)
        and isinstance(test.left, sa.Column)
        and isinstance(test.left.type, sa.Date)
    )


def _is_window_start(test: Expression) -> bool:
    """A company day after a date: `day > date`."""
    return (
        isinstance(test, sa.BinaryExpression) and test.operator is operators.gt and isinstance(test.left.type, sa.Date)
    )


def keep(night: Any, name: str, select: sa.Select[Any]) -> sa.FromClause:
    """Rows that several Selects read: a table that the stage makes once, or part of each Select where nothing is shared."""
    return night.shared.keep(name, select) if night.shared else select.cte(name)


def is_first(night: Any, declared: sa.Table) -> bool:
    """Whether it is known that no earlier night published the table."""
    return night.shared is not None and declared.name.removesuffix(PREVIOUS) in night.shared.unpublished


def of_golden(rows: sa.Select[Any], night: Any) -> sa.Select[Any]:
    """The rows of contacts that exist tonight; what is read from the contacts and from shared passes alone is of no others."""
    shared = {scan.table.name for scan in night.shared.scans.values()} if night.shared else set()
    if reads(rows) <= shared | {CONTACT.name}:
        return rows
    return rows.where(rows.selected_columns.contact_id.in_(sa.select(CONTACT.c.contact_id)))


def in_runs(runs: Sequence[sa.Select[Any]], *, sorted: bool = False) -> sa.CompoundSelect[Any]:
    """Selects whose rows follow each other in the order of the table's grain: all rows of the first before all rows of the second.

    `sorted` says that the rows of each are in that order, too: each picks from one table that is.
    """
    return sa.union_all(*runs).execution_options(**{RUNS: "sorted" if sorted else "unsorted"})


def by_stretches(night: Any, select: sa.Select[Any]) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """A Select in the order of contacts, cut into stretches of them where all rows together are too many to be sorted at once."""
    count = min(len(HEX), 1 + night.shared.people // MOST_PEOPLE) if night.shared else 1
    if count == 1:
        return select
    edges = [None, *[f"c{HEX[len(HEX) * number // count]}" for number in range(1, count)], None]
    rows = select.subquery("rows")
    return in_runs([sa.select(rows).where(*_between(rows.c.contact_id, *edge)) for edge in pairwise(edges)])


def _between(id: Expression, low: str | None, high: str | None) -> list[Expression]:
    return ([] if low is None else [id >= low]) + ([] if high is None else [id < high])


def runs_of(select: Any) -> Sequence[Any]:
    """The runs of a Select that `in_runs` made; none of any other."""
    return tuple(select.selects) if select.get_execution_options().get(RUNS) else ()


def is_sorted(select: Any) -> bool:
    """Whether all rows of a Select come in the order of the grain."""
    return bool(select.get_execution_options().get(RUNS) == "sorted")
