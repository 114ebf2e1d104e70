"""Source rows that a test writes by hand, and the golden records that the real Selects make of them on the real engine.

What belongs here: rows, and the order of the Selects. What does not: nights (`company.py`) and what is asked of the records.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.cleaning import company as company_names
from vesper.cleaning.look_up import COMPANY as COMPANY_LOOK_UP
from vesper.cleaning.look_up import REGION as REGION_LOOK_UP
from vesper.consolidate import company, company_statement, contact, pin
from vesper.consolidate.provenance import provenance, rivals
from vesper.load import parse
from vesper.model.source import Source
from vesper.model.survivorship import SurvivorshipPolicy
from vesper.presets import preset_text
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, CONTACT_PROVENANCE, IDENTIFIER, SOURCE_RECORD
from vesper.tables.raw import raw_table
from warehouse.arrow_schema import arrow_schema
from warehouse.lake import Lake
from warehouse.ledger.engine import open_ledger
from warehouse.lint import refuse_unstable
from warehouse.runner import Runner
from warehouse.sql_text import shaped

ZONE = "Asia/Shanghai"
NOON = dt.datetime(2026, 3, 1, 4)
Row = dict[str, Any]

STEWARD = sa.Table(
    "raw_vesper__steward_rule",
    sa.MetaData(),
    *[sa.Column(name, sa.String()) for name in ("rule_id", "kind", "record_a", "record_b", "field", "value")],
    sa.Column("recorded_on", sa.Date()),
)


def shipped_policy() -> SurvivorshipPolicy:
    """The policy that ships with Vesper."""
    found = parse("policy", "survivorship", preset_text("policy", "survivorship") or "")
    assert isinstance(found, SurvivorshipPolicy)
    return found


def record(source: str, key: str, contact_id: str, *, days_ago: int = 0, **given: Any) -> Row:
    """A source row that belongs to a contact, cleaned: statuses and keys follow from its values unless they are given."""
    row: Row = {c.name: None for c in SOURCE_RECORD.c}
    row |= {"trust": 50, "received_at": NOON - dt.timedelta(days=days_ago), "contact_id": contact_id}
    row |= {"phone_status": "valid" if given.get("phone") else "missing", "region_status": "none"}
    row |= {"email_status": "valid" if given.get("email") else "missing"}
    if given.get("province"):
        row |= {"region_status": "exact" if given.get("city") else "province_only", "region_from": "stated"}
    if given.get("name"):
        row["name_key"] = given["name"].replace(" ", "").removesuffix("先生")
    if given.get("company"):
        row |= {"company_key": company_names.read(given["company"]), "company_from": "stated"}
    return row | {"source": source, "record_key": key} | given


def pinned(number: int, record_a: str, field: str, value: str | None, on: dt.date = dt.date(2026, 2, 1)) -> Row:
    """A steward's pin."""
    pin_row = {"rule_id": str(number), "kind": "pin", "record_a": record_a, "field": field, "value": value}
    return pin_row | {"record_b": None, "recorded_on": on}


def source_of(id: str, feeds: str, *fields: str, trust: int = 50) -> Source:
    """A source of contacts or companies whose columns are named like its fields."""
    typed = {"employee_count": "integer", "is_deleted": "flag"}
    lines = "".join(f"  {name}: {{column: {name}, type: {typed.get(name, 'text')}}}\n" for name in fields)
    head = (
        f"says: 测试。\nowner: data\nsystem: csv\npath: '{id}/{{on}}.csv'\nfeeds: {feeds}\ntrust: {trust}\nlate: warn\n"
    )
    rows = "cadence: {every: irregular}\nrows: {min: 0, max: 1000}\n"
    found = parse("sources", id, f"{head}{rows}key: [{fields[0]}]\nfields:\n{lines}")
    assert isinstance(found, Source)
    return found


@dataclass
class Golden:
    """Golden records of some source rows. Every Select is refused that is not stable, and written in its table's declared shape."""

    runner: Runner
    policy: SurvivorshipPolicy = field(default_factory=shipped_policy)
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def bind(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Make rows readable under a declared table's name."""
        schema = arrow_schema(table)
        known = [{name: row.get(name) for name in schema.names} for row in rows]
        self.runner.bind_arrow(table.name, pa.Table.from_pylist(known, schema=schema))

    def fill(self, table: sa.Table, select: Any) -> None:
        self._refuse_unstable(select, table.name)
        rows = self.runner.arrow(shaped(select, table)).to_pylist()
        grain = [tuple(row[name] for name in table.info["grain"]) for row in rows]
        assert len(set(grain)) == len(grain), f"{table.name} repeats its grain"
        self.tables[table.name] = rows
        self.bind(table, rows)

    def make(
        self,
        records: Sequence[Row],
        pins: Sequence[Row] = (),
        sources: Mapping[str, tuple[Source, Sequence[Row]]] | None = None,
        survey: tuple[str, sa.FromClause] | None = None,
    ) -> "Golden":
        """The Selects in the order of `tasks/golden.py`."""
        self.bind(SOURCE_RECORD, records)
        members = [{**row, "rule": "founder"} for row in records if row["excluded_by"] is None]
        self.bind(CONTACT_MEMBER, members)
        self.bind(STEWARD, pins)
        pin_rows = self._keep(pin.pins(STEWARD), "pin")
        statement, keys = self._companies(pin_rows, sources or {})
        self.fill(IDENTIFIER, contact.identifiers())
        gold = self._keep(contact.golden(self.policy, statement), "golden")
        pin_columns = self._keep(pin.pinned(pin_rows, keys), "pinned")
        self.fill(CONTACT, contact.contacts(gold, pin_columns, survey[1] if survey else None, ZONE))
        rival = self._keep(rivals(gold, self.policy, statement), "rival")
        self.fill(CONTACT_PROVENANCE, provenance(gold, rival, pin_rows, self.policy, statement, survey))
        return self

    def _companies(
        self, pins: sa.Table, sources: Mapping[str, tuple[Source, Sequence[Row]]]
    ) -> tuple[sa.Table, sa.Table]:
        raws: dict[str, list[tuple[sa.FromClause, Source]]] = {"company": [], "contact": []}
        for source, rows in sources.values():
            self.bind(raw_table(source), [{"received_at": NOON, **row} for row in rows])
            raws[source.feeds].append((raw_table(source), source))
        account = self._keep(company_statement.accounts(raws["company"], ZONE), "account")
        told = self._keep(company_statement.told(raws["contact"]), "told")
        keys = self._looked_up(COMPANY_LOOK_UP, company_statement.names_to_key(account, pins))
        places = self._looked_up(REGION_LOOK_UP, company_statement.places_to_resolve(account))
        said = company_statement.statements(account, told, pins, keys, places)
        statement = self._keep(said, "company_statement")
        self.fill(
            COMPANY, company.companies(self._keep(company.golden(statement, keys, self.policy), "golden_company"))
        )
        return statement, keys

    def _keep(self, select: Any, name: str) -> sa.Table:
        self._refuse_unstable(select, name)
        return self.runner.materialize(select, name)

    def _refuse_unstable(self, select: Any, name: str) -> None:
        """Once for each table of a runner: the walk takes longer than everything else, and the Selects hardly differ."""
        if name not in self.runner.bound:
            refuse_unstable(select, name)

    def _looked_up(self, look_up: Any, select: Any) -> sa.Table:
        found = look_up.columns(sorted(row[0] for row in self.runner.rows(select)))
        self.runner.bind_arrow(look_up.table.name, pa.table(found, schema=arrow_schema(look_up.table)))
        return look_up.table  # type: ignore[no-any-return]

    def contact(self, contact_id: str = "c1") -> Row:
        """The golden contact."""
        (found,) = [row for row in self.tables[CONTACT.name] if row["contact_id"] == contact_id]
        return found

    def origins(self, contact_id: str = "c1") -> dict[str, tuple[str, str]]:
        """Field -> (source:key, rule) of a contact."""
        rows = [row for row in self.tables[CONTACT_PROVENANCE.name] if row["contact_id"] == contact_id]
        return {row["field"]: (f"{row['source']}:{row['record_key']}", row["rule"]) for row in rows}

    def companies(self) -> dict[str, Row]:
        """Golden companies by name."""
        return {row["name"]: row for row in self.tables[COMPANY.name]}


@contextmanager
def open_runner(folder: Path) -> Iterator[Runner]:
    """The real engine, on an empty lake."""
    engine = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    with Runner(Lake(folder / "lake", engine)) as runner:
        yield runner
    engine.dispose()
