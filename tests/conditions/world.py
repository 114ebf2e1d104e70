"""A small company in memory, laid out for speed: facts as plain rows, tables as Arrow views, Selects compiled as the runner compiles them.

What belongs here: facts of invented contacts and the tables made of them. What does not: what a condition means (`oracle.py`).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from tests.conditions.sales_facts import Lead, Sales, sales_tables
from vesper.consolidate.event import PARTICULARS
from vesper.definition_set import DefinitionSet
from vesper.marts.activity import ACTIVITY, activity
from vesper.marts.persona import PERSONA
from vesper.marts.tag import TAG
from vesper.marts.tier import TIER
from vesper.model.definition import Definition
from vesper.model.kinds import KINDS
from vesper.model.workspace import Company, Workspace
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT
from vesper.tables.order import ORDER_DAY, ORDER_LINE
from warehouse.sql_text import shaped, sql_text, with_derived

TONIGHT = dt.date(2018, 1, 1)
FIRST_SEEN = dt.date(2016, 1, 1)
ARROW = {
    sa.Integer: pa.int64(),
    sa.BigInteger: pa.int64(),
    sa.Numeric: pa.decimal128(12, 2),
    sa.Double: pa.float64(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
    sa.Boolean: pa.bool_(),
    sa.String: pa.string(),
}


@dataclass(frozen=True)
class Order:
    """One order: its lines share the company day. A line without a code is p1, p2 and so on, by its place."""

    contact_id: str | None
    on: dt.date
    amounts: tuple[Decimal, ...] = (Decimal(10),)
    categories: tuple[str | None, ...] = (None,)
    at: dt.datetime | None = None
    product_codes: tuple[str, ...] = ()

    @property
    def products(self) -> tuple[str, ...]:
        return self.product_codes or tuple(f"p{place}" for place in range(1, len(self.amounts) + 1))

    @property
    def ordered_at(self) -> dt.datetime:
        return self.at or dt.datetime.combine(self.on, dt.time(4))


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    contact_id: str | None
    kind: str
    on: dt.date
    is_machine: bool = False
    moment: dt.datetime | None = None
    series_id: str | None = None
    message_id: str | None = None
    url: str | None = None
    content_id: str | None = None
    product_code: str | None = None
    keyword: str | None = None
    duration_seconds: int | None = None
    amount: Decimal | None = None
    excluded_by: str | None = None

    @property
    def at(self) -> dt.datetime:
        return self.moment or dt.datetime.combine(self.on, dt.time(5))


@dataclass(frozen=True)
class Facts:
    """All that is known of a small company. `contacts` holds the attributes of each contact by its id."""

    contacts: Mapping[str, Mapping[str, Any]]
    orders: tuple[Order, ...] = ()
    events: tuple[Event, ...] = ()
    scores: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    companies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    personas: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sales: Sales = field(default_factory=Sales)
    mqls: frozenset[str] = frozenset()
    leads: Mapping[str, Lead] = field(default_factory=dict)


class Tables:
    """A DuckDB in memory whose tables are Arrow views; putting a table again replaces it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set threads=1; set timezone='UTC'")
        self.made: set[str] = set()

    def put(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """These rows and no others; columns that a row does not name are empty."""
        columns: dict[str, list[Any]] = {column.name: [] for column in table.c}
        for row in rows:
            for name, values in columns.items():
                values.append(row.get(name))
        arrays = [pa.array(columns[column.name], arrow_type(column)) for column in table.c]
        if table.name in self.made:
            self.connection.execute(f'drop table "{table.name}"')
            self.made.remove(table.name)
        self.connection.register(table.name, pa.table(arrays, names=list(columns)))

    def make(self, table: sa.Table, select: Any, on: dt.date = TONIGHT) -> None:
        """What the runner would write on a night: the Select cast to the declaration. The table reads as these rows from now on."""
        self._fill(table.name, with_derived(table, sql_text(shaped(select, table)), on))

    def become_previous(self, table: sa.Table, previous: sa.Table) -> None:
        """Tonight's rows are yesterday's from now on."""
        self._fill(previous.name, f'select * from "{table.name}"')

    def rows(self, select: sa.ClauseElement) -> list[dict[str, Any]]:
        """All rows by name of column."""
        done = self.connection.execute(sql_text(select))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def _fill(self, name: str, text: str) -> None:
        if name not in self.made:
            self.connection.execute(f'drop view if exists "{name}"')
        self.connection.execute(f'create or replace temp table "{name}" as {text}')
        self.made.add(name)

    def put_facts(self, facts: Facts, night: Night) -> None:
        """The core tables of these facts and mart__activity."""
        self.put(CONTACT, contact_rows(facts))
        self.put(COMPANY, [{"name": id, "company_id": id, **row} for id, row in facts.companies.items()])
        self.put(ORDER_LINE, line_rows(facts))
        self.put(ORDER_DAY, day_rows(facts))
        self.put(EVENT, event_rows(facts))
        for table, rows in sales_tables(facts.sales).items():
            self.put(table, rows)
        self.make(ACTIVITY, activity(night), night.business_on)
        self.put_groups(facts, night)

    def put_groups(self, facts: Facts, night: Night) -> None:
        """Tags, personas and tiers, each held since tonight."""
        since = {"since_on": night.business_on}
        tags = [{"tag_id": tag, "contact_id": id, **since} for tag, ids in facts.tags.items() for id in ids]
        personas = [{"persona_id": one, "contact_id": id, **since} for one, ids in facts.personas.items() for id in ids]
        tiers = [
            {"tiering_id": of, "contact_id": id, "tier": tier, **since}
            for of, found in facts.tiers.items()
            for id, tier in found.items()
        ]
        self.put(TAG, tags)
        self.put(PERSONA, personas)
        self.put(TIER, tiers)


def arrow_type(column: sa.Column[Any]) -> pa.DataType:
    """The Arrow type of a declared column."""
    return next(arrow for kind, arrow in ARROW.items() if type(column.type) is kind)


def contact_rows(facts: Facts) -> list[dict[str, Any]]:
    always = {
        "source_count": 1,
        "first_source": "crm_member",
        "first_seen_on": FIRST_SEEN,
        "updated_at": dt.datetime(2017, 1, 1),
    }
    return [{**always, "contact_id": id, **attributes} for id, attributes in facts.contacts.items()]


def line_rows(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "ordered_on": order.on,
            "order_id": f"o{number}",
            "line_number": place,
            "contact_id": order.contact_id,
            "product_code": product,
            "category": category,
            "quantity": 1,
            "amount": amount,
            "discount": Decimal(0),
            "ordered_at": order.ordered_at,
        }
        for number, order in enumerate(facts.orders)
        for place, (amount, category, product) in enumerate(
            zip(order.amounts, order.categories, order.products, strict=True), 1
        )
    ]


def day_rows(facts: Facts) -> list[dict[str, Any]]:
    days: dict[tuple[str, dt.date], list[Order]] = {}
    for order in facts.orders:
        if order.contact_id is not None:
            days.setdefault((order.contact_id, order.on), []).append(order)
    return [
        {
            "ordered_on": on,
            "contact_id": id,
            "order_count": len(orders),
            "line_count": sum(len(order.amounts) for order in orders),
            "amount": sum((amount for order in orders for amount in order.amounts), Decimal(0)),
            "first_at": min(order.ordered_at for order in orders),
            "last_at": max(order.ordered_at for order in orders),
        }
        for (id, on), orders in days.items()
    ]


def event_rows(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"e{number}",
            "on": event.on,
            "contact_id": event.contact_id,
            "kind": event.kind,
            "at": event.at,
            "received_at": event.at,
            "source": "app",
            "is_machine": event.is_machine,
            "series_id": event.series_id,
            "message_id": event.message_id,
            "excluded_by": event.excluded_by,
            **{name: getattr(event, name) for name in PARTICULARS},
        }
        for number, event in enumerate(facts.events)
    ]


def night(
    *definitions: Definition, on: dt.date = TONIGHT, held: Iterable[str] = (), zone: str = "America/New_York"
) -> Night:
    """A night with these definitions in force, each hashed by what it says."""
    items: dict[type, dict[str, Definition]] = {}
    for definition in definitions:
        items.setdefault(type(definition), {})[definition.id] = definition
    folders = {model: folder for folder, model in KINDS.items()}
    hashes = {f"{folders.get(type(one), 'policy')}/{one.id}": repr(one) for one in definitions}
    return Night(on, workspace(zone), DefinitionSet(items, hashes), frozenset(held))


@cache
def workspace(zone: str) -> Workspace:
    """The company; made once, because looking up all zones takes longer than a small night."""
    return Workspace(root=Path("/nowhere"), company=Company(name="杂货店", zone=zone))


def ago(days: int, on: dt.date = TONIGHT) -> dt.date:
    """The company day so many days before the night."""
    return on - dt.timedelta(days=days)
