"""A night tried out: what a set of definitions makes of facts that are published already. Nothing is written, planned or sent.

What belongs here: computing marts into memory, in the order they read each other. What does not: what is held against what (`vesper/plan.py`) and
its words (`tasks/plan.py`). They are the Selects of a night, so that a plan cannot differ from the night that follows.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.clock import on as date_literal
from vesper.marts import all_marts, reads
from vesper.marts.handover import RAW_HANDOVER, RAW_HUMAN_TASK
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.refusal import RAW_REFUSAL
from vesper.night import Night
from vesper.tables.declare import METADATA, PREVIOUS
from warehouse.house import House
from warehouse.ledger.experiment_copy import COPIES as EXPERIMENT_COPIES
from warehouse.ledger.handover import copies, tasks_as_arrow
from warehouse.ledger.journey_copies import COPIES as JOURNEY_COPIES
from warehouse.ledger.journey_copies import copies as journey_copies
from warehouse.ledger.outbox import messages_as_arrow, refusals_as_arrow, suppressions_as_arrow
from warehouse.runner import Runner


def _handovers_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every hand-over, to be bound as `raw_vesper__handover`."""
    return copies(engine)[RAW_HANDOVER.name]


def _of_journeys(name: str, engine: sa.Engine) -> pa.Table:
    """Journey entries, visits, coupons or nurture tasks."""
    return journey_copies(engine)[name]


FROM_LEDGER: dict[str, Callable[[sa.Engine], pa.Table]] = {
    RAW_MESSAGE.name: messages_as_arrow,
    RAW_REFUSAL.name: refusals_as_arrow,
    RAW_SUPPRESSION.name: suppressions_as_arrow,
    RAW_HANDOVER.name: _handovers_as_arrow,
    RAW_HUMAN_TASK.name: tasks_as_arrow,
    **{name: partial(_of_journeys, name) for name in JOURNEY_COPIES},
    **EXPERIMENT_COPIES,
}


@dataclass
class Trial:
    """Marts of one night in memory, under the names of their tables: first of one set of definitions, then of another.

    `facts_on` is the business date whose published tables are read, the night's own where it is missing.
    """

    house: House
    runner: Runner
    night: Night
    facts_on: dt.date | None = None
    made: list[str] = field(default_factory=list)

    def make(self, wanted: Iterable[str]) -> None:
        """Compute tables and whatever marts they are made of."""
        selects = self._needed(wanted, self.made)
        order = TopologicalSorter({name: sorted(reads(s) & selects.keys() - {name}) for name, s in selects.items()})
        for name in order.static_order():
            self.bind(selects[name])
            self.runner.materialize(_whole(METADATA.tables[name], selects[name], self.night.business_on), name)
            self.made.append(name)

    def kept(self, name: str, label: str) -> sa.Table:
        """One of the tables under another name, to be held against the next trial's."""
        return self.runner.materialize(sa.select(METADATA.tables[name]), f"{name}__{label}")

    def rows(self, select: sa.SelectBase) -> list[Any]:
        """Rows of a Select, which reads this trial's tables and else what is published."""
        self.bind(select)
        return self.runner.rows(select)

    def again(self, night: Night) -> "Trial":
        """The next trial on the same facts; it takes over the names."""
        for name in self.made:
            self.runner.forget(name)
        return Trial(self.house, self.runner, night)

    def take(self, select: sa.SelectBase, name: str, on: dt.date) -> None:
        """Let a Select's rows stand for a published table; what else it reads is of the date `on`."""
        self.bind(select, on)
        self.runner.materialize(select, name)

    def facts_of(self, wanted: Iterable[str]) -> list[str]:
        """Names of the tables that are no marts and that the wanted marts are made of."""
        selects = self._needed(wanted, ())
        read = frozenset[str]().union(*[reads(select) for select in selects.values()])
        return sorted(name for name in read - all_marts().keys() if name in METADATA.tables)

    def _needed(self, wanted: Iterable[str], known: Iterable[str]) -> dict[str, Any]:
        marts = all_marts()
        selects: dict[str, Any] = {}
        waiting = [name for name in wanted if name not in known]
        while waiting:
            name = waiting.pop()
            if name not in selects:
                selects[name] = marts[name].select(self.night)
                waiting += sorted(reads(selects[name]) & marts.keys() - set(known))
        return selects

    def bind(self, select: sa.ClauseElement, on: dt.date | None = None) -> None:
        """Bind what a Select reads and what is not bound yet, as it was published for `on`, else for the trial's facts."""
        day = on or self.facts_on or self.night.business_on
        for name in sorted(reads(select) - self.runner.bound.keys()):
            if name in FROM_LEDGER:
                self.runner.bind_arrow(name, FROM_LEDGER[name](self.house.engine))
                continue
            declared = METADATA.tables[name.removesuffix(PREVIOUS)]
            find = self.house.lake.before if name.endswith(PREVIOUS) else self.house.lake.as_of
            self.runner.bind_snapshot(declared.to_metadata(sa.MetaData(), name=name), find(declared.name, day))


def _whole(table: sa.Table, select: Any, on: dt.date) -> Any:
    """The Select with the derived columns that it leaves out, as they are when the table is bound."""
    derived, given = table.info["derived"], select.selected_columns.keys()
    if set(given) >= derived.keys():
        return select
    rows = select.subquery("rows")
    made = {name: sa.cast(derived[name](rows, date_literal(on)), table.c[name].type).label(name) for name in derived}
    return sa.select(*[rows.c[c.name] if c.name in given else made[c.name] for c in table.c])
