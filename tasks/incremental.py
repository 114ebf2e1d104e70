"""The marts of touched contacts: what a night makes of those whose facts changed or whom time moved; the rest keeps the rows of the night before.

What belongs here: whether that is allowed tonight, finding the touched contacts, and binding facts restricted to them under the names that the same
Selects read. What does not: whom time moves (`vesper/touched.py`), and layers of a table (`Bench.patch`).

It is allowed where the stage's run of the night before had the same definitions and the same version, where no source has a hole on either night, and
where what it read then is what `the night before` means now. Otherwise everybody's rows are made, which gives the same rows.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tasks.bench import HISTORY, Bench
from vesper.marts import Mart, elements, reads
from vesper.shared import Shared
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT
from vesper.tables.declare import PREVIOUS, night_of
from vesper.tables.quality import COVERAGE
from vesper.touched import STAGES, moved, of_companies
from warehouse.ledger.engine import reading
from warehouse.ledger.runs import latest_run, pinned_inputs, vesper_version
from warehouse.patching import Restricted
from warehouse.shadow import of, restrict, restrict_layers, shadowed

TOUCHED = "touched"
FEWEST = 20_000
"""Of fewer contacts everybody's rows cost less than finding the touched ones."""
MOST = 0.3
"""Above this share of the contacts it costs less to make everybody's rows."""


@dataclass
class Incremental:
    """The touched contacts of one stage, and what was restricted to them so far."""

    bench: Bench
    touched: sa.Table
    shared: Shared
    columns: dict[str, list[str]]
    selects: list[Any]
    restricted: set[str] = field(default_factory=set)
    wholes: dict[str, sa.Table] = field(default_factory=dict)
    """Of tables of the night before: the touched contacts' rows of the whole part."""

    def fill(self, mart: Mart, select: Any, make_shared: Any) -> None:
        """Make the touched contacts' rows of a mart, and patch the table with them; a history gets them as tonight's rows."""
        bench, table = self.bench, mart.table
        with shadowed(bench.runner, self._restricted(select)):
            make_shared(bench, self.shared, select)
            if table.info["cut"] == HISTORY:
                bench.keep_night(table, select)
                return
            rows = bench.materialize(select, of(table.name))
        old = self.wholes.pop(table.name, None)
        bench.patch(table, sa.select(rows), self.touched, Restricted(True, old))
        self.restricted.add(table.name)
        if old is not None:
            bench.runner.forget(old.name)

    def forget_shared(self) -> None:
        """Let go of what was shared by the marts of touched contacts: for other marts it must be made of everybody's facts."""
        for name in self.shared.names & self.bench.runner.bound.keys():
            self.bench.runner.forget(name)

    def _restricted(self, select: Any) -> list[str]:
        """The tables of contacts that a Select reads, each restricted once."""
        names = sorted(name for name in _through(select, self.shared) if _by_contact(self.bench, name))
        for name in names:
            if name not in self.restricted:
                self._restrict(name)
                self.restricted.add(name)
        return names

    def _restrict(self, name: str) -> None:
        bench, table, columns = self.bench, _bound(self.bench, name), self.columns[name]
        bench.read(sa.select(table))
        if table.info["patched"]:
            base, on = night_of(name, bench.business_on)
            is_before = name.endswith(PREVIOUS)
            wanted = table.c.keys() if is_before else columns
            whole = restrict_layers(bench.runner, table, *bench.standing(base, on), self.touched, wanted)
            if is_before:
                self.wholes[base] = whole
            else:
                bench.runner.forget(whole.name)
            return
        stretches = self.shared.stretches(name, self.selects)
        rows = [sa.select(*[table.c[column] for column in columns]).where(*tests) for tests in stretches]
        restrict(bench.runner, rows, name, self.touched)


def may_be_incremental(bench: Bench) -> bool:
    """Whether it is worth while to look for the touched contacts of tonight, as far as that can be told before any Select is built."""
    everybody = bench.snapshot(CONTACT.name)
    is_large = everybody is not None and everybody.row_count >= FEWEST
    return bench.report.stage in STAGES and not bench.night.held and is_large


def incremental(bench: Bench, marts: Sequence[tuple[Mart, Any]], shared: Shared) -> Incremental | None:
    """The touched contacts of tonight; None where everybody's rows must be made."""
    of_contacts = [(mart, select) for mart, select in marts if mart.is_by_contact]
    everybody = bench.snapshot(CONTACT.name)
    if everybody is None or not of_contacts or not may_be_incremental(bench):
        return None
    own = {mart.table.name for mart, _ in marts}
    names = frozenset[str]().union(*[_through(select, shared) for _, select in of_contacts])
    since = _since(bench, [mart for mart, _ in of_contacts], names - own)
    found = _find(bench, names - own, since) if since else None
    if found is None or _count(bench, found) > MOST * everybody.row_count:
        return None
    bench.report.facts["touched"] = _count(bench, found)
    return Incremental(bench, found, shared, _columns(of_contacts, shared), [select for _, select in of_contacts])


def _since(bench: Bench, marts: Collection[Mart], names: Collection[str]) -> dt.date | None:
    """The night before, if tonight's rows may stand on it."""
    patched = [mart.table for mart in marts if mart.table.info["patched"]]
    own = {f"{mart.table.name}{PREVIOUS}" for mart in marts}
    before = {snapshot.business_on if (snapshot := bench.snapshot_before(table.name)) else None for table in patched}
    since = before.pop() if len(before) == 1 else None
    if since is None or not all(bench.is_patchable(table) for table in patched):
        return None
    with reading(bench.house.engine) as connection:
        run = latest_run(connection, bench.report.stage, since)
        read = pinned_inputs(connection, run["run_id"]) if run else {}
    is_same = run and (run["definitions"], run["version"]) == (bench.night.definitions.fingerprint, vesper_version())
    return since if is_same and _is_whole(bench, since) and _read_the_same(bench, names, own, read) else None


def _is_whole(bench: Bench, since: dt.date) -> bool:
    """Whether no source had a hole on a night."""
    name = f"{COVERAGE.name}__then"
    then = COVERAGE.to_metadata(sa.MetaData(), name=name)
    bench.runner.bind_snapshot(then, bench.house.lake.as_of(COVERAGE.name, since))
    held = bench.runner.scalar(sa.select(sa.func.count()).where(then.c.is_held))
    bench.runner.forget(name)
    return not held


def _read_the_same(bench: Bench, names: Collection[str], own: Collection[str], read: dict[str, int]) -> bool:
    """Whether what tonight compares with is what the run of the night before read; of the night before it may read its `own` tables alone."""
    for name in names:
        base, as_of = night_of(name, bench.business_on)
        if as_of != bench.business_on:
            if name not in own:
                return False
            continue
        before = bench.snapshot_before(base)
        if read.get(name) != (before.snapshot_id if before else None):
            return False
    return True


def _find(bench: Bench, names: Collection[str], since: dt.date) -> sa.Table | None:
    """Keep the touched contacts; None where a table of no contacts differs from the night before."""
    parts: list[sa.Select[Any]] = []
    for name in sorted(names):
        if name.endswith(PREVIOUS):
            continue
        now, before = bench.snapshot(name), bench.snapshot_before(name)
        if (now.fingerprint if now else None) == (before.fingerprint if before else None):
            continue
        table = bench.table(name)
        if "contact_id" in table.c:
            changed = bench.differing(table, ["contact_id"], f"changed__{name}")
            parts.append(sa.select(changed.c.contact_id))
        elif table is COMPANY:
            parts.append(of_companies(bench.differing(table, ["company_id"], f"changed__{name}")))
        else:
            return None
    parts += moved(bench.report.stage, bench.night, since)
    every = sa.union_all(*[sa.select(part.subquery().c.contact_id) for part in parts]).subquery("every")
    return bench.materialize(sa.select(every.c.contact_id).where(every.c.contact_id.is_not(None)).distinct(), TOUCHED)


def _through(select: Any, shared: Shared) -> frozenset[str]:
    """Names of the tables that a Select reads, itself or through what it shares with others."""
    names = reads(select)
    behind = {name: made for name in names if (made := shared.made_by(name)) is not None}
    return (names - behind.keys()).union(*[_through(made, shared) for made in behind.values()])


def _columns(marts: Collection[tuple[Mart, Any]], shared: Shared) -> dict[str, list[str]]:
    """The columns of each table that the Selects of contacts' marts name, themselves or through what they share."""
    selects = [select for _, select in marts]
    found: dict[str, set[str]] = defaultdict(lambda: {"contact_id"})
    for select in [*selects, *shared.behind(selects)]:
        for item in elements(select):
            if isinstance(item, sa.Column) and isinstance(item.table, sa.Table):
                found[item.table.name].add(item.name)
            for whole in _whole(item):
                found[whole.name] |= set(whole.c.keys())
    return {name: sorted(names) for name, names in found.items()}


def _whole(item: Any) -> Iterator[sa.Table]:
    """Tables of which an element takes every column: `select(table)`, and an alias."""
    if isinstance(item, sa.Select):
        yield from (column for column in item._raw_columns if isinstance(column, sa.Table))
    if isinstance(item, sa.Alias) and isinstance(item.element, sa.Table):
        yield item.element


def _by_contact(bench: Bench, name: str) -> bool:
    table = bench.table(night_of(name, bench.business_on)[0])
    return table is not None and "contact_id" in table.c


def _bound(bench: Bench, name: str) -> sa.Table:
    table = bench.table(night_of(name, bench.business_on)[0])
    return table if table.name == name else table.to_metadata(sa.MetaData(), name=name)


def _count(bench: Bench, table: sa.Table) -> int:
    return int(bench.runner.scalar(sa.select(sa.func.count()).select_from(table)))
