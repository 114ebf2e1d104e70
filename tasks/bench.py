"""The workbench of one stage of one night: binds what a Select reads, writes what it yields, and publishes all of it or nothing.

Every stage of `tasks/` is a `with open_stage(...) as bench:` block; leaving it runs conservation, then the gate, then one publishing transaction.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from vesper.clock import on as date_literal
from vesper.marts import reads
from vesper.night import Night
from vesper.stage_report import Balance, StageFailed, StageReport
from vesper.tables.declare import METADATA, night_of, previous, stored
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.lake import Candidate, Snapshot
from warehouse.lint import refuse_unstable
from warehouse.part import VOID, WHOLE, Part, Span, days_of, span_of
from warehouse.patch import sizes, within, without
from warehouse.patching import Restricted, holds_columns, keep_differing, write_difference, write_patch
from warehouse.rehearsal import Rehearsal
from warehouse.runner import Runner

Mode = Literal["night", "replay"] | Rehearsal
"""A rehearsal is a replay by the definitions in force now, whose stages read each other's tables."""
HISTORY = "business_on"


@dataclass
class Bench:
    """One stage at work. `mode` replay writes everything anew, compares, and publishes nothing."""

    house: House
    night: Night
    runner: Runner
    report: StageReport
    run_id: str
    mode: Literal["night", "replay"] = "night"
    candidates: dict[str, Candidate] = field(default_factory=dict)
    tables: dict[str, sa.Table] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    alongside: list[Callable[[sa.Connection], None]] = field(default_factory=list)

    @property
    def business_on(self) -> dt.date:
        return self.night.business_on

    def table(self, name: str) -> sa.Table:
        """A table by name: of this stage, declared, or the raw table of a source."""
        return self.tables.get(name, METADATA.tables.get(name))  # type: ignore[return-value]

    def declare(self, table: sa.Table) -> sa.Table:
        """Make a table known that no module declares, such as the raw table of a source."""
        self.tables[table.name] = table
        return table

    # reading

    def read(self, *selects: sa.ClauseElement) -> None:
        """Bind every table that the Selects read and that is not bound yet, pinned as of the business date."""
        for name in sorted(frozenset().union(*[reads(select) for select in selects])):
            if name not in self.runner.bound:
                self._bind(name)

    def _bind(self, name: str) -> None:
        base, as_of = night_of(name, self.business_on)
        declared = self.table(base)
        if declared is None:
            raise LookupError(f"{name} is read but neither declared nor bound")
        snapshot = self.house.lake.as_of(base, as_of)
        bound = declared if name == base else declared.to_metadata(sa.MetaData(), name=name)
        self.runner.bind_snapshot(bound, snapshot)
        if snapshot:
            self.inputs[name] = snapshot.snapshot_id

    def sizes(self, table: sa.Table, column: str, label: str, on: dt.date) -> sa.Table:
        """Keep how many rows of a patched table, as of a date, have which value in a column of its grain."""
        parts, _ = self.standing(table.name, on)
        layers = self.runner.layers(stored(table), {part.key: part for part in parts if part.path})
        return self.runner.materialize(sizes(layers, column, label), f"{table.name}__sizes__{on.isoformat()}")

    def standing(self, name: str, on: dt.date) -> tuple[tuple[Part, ...], dt.date]:
        """The parts of a table as of a date, and the night that they are of; of this stage's own table tonight, those that it writes."""
        mine = self.candidates.get(name)
        if mine and on == self.business_on:
            return mine.parts, on
        snapshot = self.house.lake.as_of(name, on)
        return self.house.lake.parts(snapshot), snapshot.business_on if snapshot else on

    def snapshot(self, name: str) -> Snapshot | None:
        return self.house.lake.as_of(name, self.business_on)

    def snapshot_before(self, name: str) -> Snapshot | None:
        return self.house.lake.before(name, self.business_on)

    def require(self, name: str, stage: str) -> None:
        """Stop with a sentence unless a table was published for this very night by the stage before."""
        snapshot = self.snapshot(name)
        if snapshot is None or snapshot.business_on != self.business_on:
            last = f"the last one is of {snapshot.business_on}" if snapshot else "there is none yet"
            raise StageFailed(
                f"{self.report.stage} {self.business_on}: stage {stage} has not published {name} for this night ({last}); "
                f"run `vesper run {stage} --as-of {self.business_on}` or see why it failed"
            )

    def rows(self, select: sa.ClauseElement) -> list[Any]:
        self.read(select)
        return self.runner.rows(select)

    def records(self, select: sa.ClauseElement) -> list[dict[str, Any]]:
        """All rows as mappings, for the facts of a report."""
        return [row._asdict() for row in self.rows(select)]

    def scalar(self, select: sa.ClauseElement) -> Any:
        self.read(select)
        return self.runner.scalar(select)

    def materialize(self, select: sa.SelectBase, name: str) -> sa.Table:
        self.read(select)
        return self.runner.materialize(select, name)

    def bind_select(self, select: sa.SelectBase, name: str) -> sa.Table:
        """Make a Select readable under a name, without keeping its rows: whoever reads it computes only what it asks for."""
        self.read(select)
        return self.runner.bind_select(select, name)

    def bind_rows(self, name: str, like: sa.Table, rows: Sequence[Mapping[str, Any]]) -> sa.Table:
        """Make rows from Python or the ledger readable under a name, with the columns of a declared table."""
        self.runner.bind_arrow(name, pa.Table.from_pylist(list(rows), schema=arrow_schema(like)))
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in like.c])

    # writing

    def fill(self, table: sa.Table, select: Any) -> None:
        """Write a Select as a whole table, or reuse the parts whose recipe is the same; a history gets tonight's part.

        Of a patched table only the rows are written that its whole part of an earlier night does not hold.
        """
        if table.info["cut"] == HISTORY:
            self.keep_night(table, select)
            return
        self.declare(table)
        self.read(select)
        prepared = self.runner.prepare(select, table)
        made = self._same_recipe(table.name, prepared.recipe)
        if made is not None:
            self.report.reused.append(table.name)
            self.take(table, Candidate(table.name, made, prepared.recipe))
            return
        if table.info["patched"] and not prepared.runs and self.is_patchable(table):
            refuse_unstable(select, table.name)
            before, is_whole = self._layers_of(table)
            parts = write_difference(self.runner, prepared, table, before, is_whole)
        else:
            parts = (self.runner.write(select, table, prepared=prepared),)
            before = ()
        self.take(table, Candidate(table.name, parts, prepared.recipe, _fresh(parts, before)))

    def _same_recipe(self, name: str, recipe: str) -> tuple[Part, ...] | None:
        snapshot = self.snapshot(name)
        if self.mode == "replay" or snapshot is None or snapshot.recipe != recipe:
            return None
        return self.house.lake.parts(snapshot)

    def fill_days(
        self,
        table: sa.Table,
        select: Any,
        changed: Collection[dt.date],
        known: Iterable[dt.date] = (),
        is_materialized: bool = False,
    ) -> None:
        """Rewrite the parts of a cut table that hold a changed day, or whose month has closed; keep all other parts.

        Args:
            select: rows of the whole table; restricted here to the days of the parts to be written.
            changed: days whose rows differ from the night before's.
            known: further days that are known to exist, with or without rows.
            is_materialized: the Select only picks rows and columns of a materialized table, so that it need not be kept once more.
        """
        self.declare(table)
        before = {part.key: part for part in self.house.lake.parts(self.snapshot_before(table.name))}
        days = {day for key in before for day in _bounds(key)} | set(changed) | set(known)
        spans = {span.key: span for day in sorted(days) for span in [span_of(day, self.business_on)]}
        touched = {span_of(day, self.business_on).key for day in changed}
        stale = [span for key, span in spans.items() if key not in before or key in touched]
        kept = [before[key] for key in spans if key in before and key not in touched]
        fresh = self._write_spans(table, select, stale, is_materialized)
        parts = tuple(sorted([*kept, *fresh], key=lambda part: part.key))
        self.take(table, Candidate(table.name, parts, None, frozenset(part.key for part in fresh)))

    def _write_spans(self, table: sa.Table, select: Any, spans: Sequence[Span], is_materialized: bool) -> list[Part]:
        if not spans:
            return []
        rows = select.subquery("rows")
        cut = rows.c[table.info["cut"]]
        wanted = sa.or_(*[cut.between(date_literal(s.first_on), date_literal(s.last_on)) for s in _joined(spans)])
        chosen = sa.select(rows).where(wanted)
        self.read(chosen)
        return self.runner.write_spans(chosen, table, spans, is_materialized)

    def keep_night(self, table: sa.Table, select: Any) -> None:
        """Add this stage's rows of tonight to a history: a table cut by business date, which keeps all nights."""
        self.declare(table)
        self.read(select)
        key = f"{self.business_on.isoformat()}-{self.report.stage}"
        kept = {part.key: part for part in self.house.lake.parts(self.snapshot(table.name)) if part.key != WHOLE}
        kept[key] = self.runner.write(select, table, key=key)
        parts = tuple(kept[k] for k in sorted(kept))
        self.take(table, Candidate(table.name, parts, None, frozenset({key})))

    def is_patchable(self, table: sa.Table) -> bool:
        """Whether the night before published the table in the columns of today, so that tonight may write only what differs."""
        before = self.house.lake.parts(self.snapshot_before(table.name))
        return any(part.key == WHOLE for part in before) and holds_columns(self.runner, table, before)

    def patch(self, table: sa.Table, select: Any, touched: sa.FromClause, restricted: Restricted | None = None) -> None:
        """Write only what a night changes of a patched table; where that is much, the table is written whole again.

        The rows are those that `fill` would have written, as long as every key that is not touched has the rows of the night before. Where
        `is_patchable` says no, all rows are written; if a column came since, the caller states all of them by `fill` instead. A replay writes
        in the layers of its manifest.

        Args:
            select: rows that hold tonight of the touched keys; it may give further rows, which are left out.
            touched: distinct keys whose rows may differ from the night before, in columns of the grain (all or some). A bound or kept table.
            restricted: what the caller restricted to the touched keys before.
        """
        self.declare(table)
        if not self.is_patchable(table):
            names = stored(table).c.keys()
            before, new = sa.select(*[previous(table).c[n] for n in names]), select.subquery("new")
            stays = without(before.subquery("before"), touched, touched.c.keys())
            comes = within(sa.select(*[new.c[n] for n in names]).subquery("comes"), touched, touched.c.keys())
            self.fill(table, sa.union_all(stays, comes))
            return
        self.read(select, sa.select(touched))
        parts_before, is_whole = self._layers_of(table)
        parts = write_patch(self.runner, select, table, parts_before, touched, is_whole, restricted)
        self.take(table, Candidate(table.name, parts, None, _fresh(parts, parts_before)))

    def _layers_of(self, table: sa.Table) -> tuple[tuple[Part, ...], bool | None]:
        """The parts that tonight's stand on; and in a replay whether its manifest has a whole, since sizes may differ after an erasure."""
        lake, made = self.house.lake, self.snapshot(table.name)
        is_whole = None
        if self.mode == "replay" and made is not None and made.business_on == self.business_on:
            is_whole = [part.key for part in lake.parts(made)] == [WHOLE]
        return lake.parts(self.snapshot_before(table.name)), is_whole

    def differing(self, table: sa.Table, columns: Sequence[str], name: str) -> sa.Table:
        """Keep, under a name, what some columns say in rows that differ between the night before and now; reads only parts that differ.

        Args:
            columns: stored columns, such as contact_id. A row that came, went or changed gives its values, before and after.
        """
        sides = self.differing_rows(table, columns, name)
        kept = self.runner.materialize(sa.union(*[sa.select(side) for side in sides]), name)
        for side in sides:
            self.runner.forget(side.name)
        return kept

    def differing_rows(self, table: sa.Table, columns: Sequence[str], name: str) -> tuple[sa.Table, sa.Table]:
        """The same as rows: those of the night before that hold no longer, and those of now that did not hold."""
        mine = self.candidates.get(table.name)
        now = mine.parts if mine else self.house.lake.parts(self.snapshot(table.name))
        before = self.house.lake.parts(self.snapshot_before(table.name))
        return keep_differing(self.runner, table, before, now, columns, name)

    def take(self, table: sa.Table, candidate: Candidate) -> None:
        """Make a table readable for the Selects that follow, and part of what this stage will publish."""
        self.candidates[table.name] = candidate
        self.runner.bind_parts(table, candidate.parts, self.business_on)
        self.report.rows[table.name] = candidate.row_count

    def balance(self, *balances: Balance) -> None:
        self.report.balances.extend(balances)


def _fresh(parts: Sequence[Part], before: Sequence[Part]) -> frozenset[str]:
    """Keys of the parts that the gate looks at: rows written now. Keys of rows that went are in no need of it."""
    return frozenset(part.key for part in parts if part.key != VOID and part.path and part not in before)


def _bounds(key: str) -> list[dt.date]:
    """All days of a part, so that a month that was kept by day is known day by day when it closes."""
    first, last = days_of(key)
    return [first, last]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbouring spans as one, so that a full load asks for one range and not for twelve."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: s.first_on):
        if joined and span.first_on <= joined[-1].last_on + dt.timedelta(days=1):
            joined[-1] = Span(joined[-1].key, joined[-1].first_on, max(joined[-1].last_on, span.last_on))
        else:
            joined.append(span)
    return joined
