"""A small company in memory: every declared table on DuckDB, few rows, and the two methods of the runner that the report page needs."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from vesper.definition_set import DefinitionSet
from vesper.model.market import Market
from vesper.model.policy import MonitorPolicy
from vesper.model.source import Source
from vesper.model.workspace import Company, Workspace
from vesper.night import Night
from vesper.tables import campaign, contact, order, quality  # noqa: F401  (declares the tables)
from vesper.tables.declare import METADATA, previous

TONIGHT = dt.date(2018, 1, 1)
AT = dt.datetime(2017, 6, 1, 12)
FOLDERS: dict[type, str] = {Market: "markets", MonitorPolicy: "policy"}


class Shop:
    """Tables of one night on an engine of its own. `rows` and `arrow` are those of `warehouse.runner.Runner`."""

    def __init__(self) -> None:
        self.engine = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)
        METADATA.create_all(self.engine)
        self.before = {table.name: previous(table) for table in METADATA.sorted_tables}
        for table in self.before.values():
            table.create(self.engine)

    def put(self, table: sa.Table, *rows: Mapping[str, Any]) -> None:
        with self.engine.begin() as connection:
            for row in rows:
                connection.execute(table.insert().values(row))

    def put_before(self, table: sa.Table, *rows: Mapping[str, Any]) -> None:
        """Rows that the night before published."""
        self.put(self.before[table.name], *rows)

    def fill(self, table: sa.Table, select: sa.Select[Any]) -> None:
        """Publish a mart's Select as its table, by name of column."""
        inner = select.subquery()
        columns = [sa.cast(inner.c[column.name], column.type) for column in table.c]
        with self.engine.begin() as connection:
            connection.execute(table.insert().from_select([column.name for column in table.c], sa.select(*columns)))

    def rows(self, select: sa.ClauseElement) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select))  # type: ignore[call-overload]

    def arrow(self, select: sa.ClauseElement) -> pa.Table:
        with self.engine.connect() as connection:
            result = connection.execute(select)  # type: ignore[call-overload]
            names = list(result.keys())
            return (
                pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in result]) if names else pa.table({})
            )

    def contact(self, contact_id: str, **fields: Any) -> None:
        known = {
            "contact_id": contact_id,
            "source_count": 1,
            "first_source": "crm_member",
            "updated_at": AT,
            "first_seen_on": AT.date(),
        }
        self.put(contact.CONTACT, {**known, **fields})

    def bought(self, contact_id: str, on: dt.date, amount: float = 10, orders: int = 1) -> None:
        at = dt.datetime.combine(on, dt.time(16))
        row = {
            "ordered_on": on,
            "contact_id": contact_id,
            "order_count": orders,
            "line_count": orders,
            "amount": amount,
        }
        self.put(order.ORDER_DAY, {**row, "first_at": at, "last_at": at})


def night(
    *definitions: Any,
    on: dt.date = TONIGHT,
    language: str = "en",
    held: frozenset[str] = frozenset(),
    composed: str = "",
) -> Night:
    """A night of the small company with these definitions in force, each hashed by its id."""
    items: dict[type, dict[str, Any]] = {}
    for item in definitions:
        items.setdefault(type(item), {})[item.id] = item
    hashes = {
        f"{FOLDERS.get(type(item), type(item).__name__.lower())}/{item.id}": f"hash of {item.id}"
        for item in definitions
    }
    company = Company(name="杂货店", zone="America/New_York", language=language, currency="USD", composed=composed)  # type: ignore[arg-type]
    return Night(on, Workspace(root=Path("/nowhere"), company=company), DefinitionSet(items, hashes), held)


def market(id: str = "households", size: int = 10, fields: tuple[str, ...] = ("name", "phone"), **more: Any) -> Market:
    """A market of everybody."""
    written = {
        "id": id,
        "says": "所有住户",
        "owner": "marketing",
        "members": {"always": {}},
        "required_fields": list(fields),
        "size": {"value": size, "source": "2017 census", "as_of_on": "2017-06-30"},
        "target": {"ratio": 0.85, "due_on": "2018-06-30"},
    }
    return Market.model_validate({**written, **more})


def orders_source() -> Source:
    """The source of the shop's orders."""
    field = {"column": "order", "type": "text"}
    written = {
        "id": "shop_order",
        "says": "订单",
        "owner": "data",
        "system": "csv",
        "path": "shop_order/{on}.csv",
        "feeds": "order_line",
        "cadence": {"every": "day"},
        "late": "warn",
        "rows": {"min": 0, "max": 10},
        "key": ["order_id", "product_code"],
        "fields": {name: {**field, "column": name} for name in ("order_id", "product_code", "card", "store")},
    }
    more = {"quantity": "integer", "amount": "money", "ordered_at": "instant"}
    fields = {**written["fields"], **{name: {"column": name, "type": kind} for name, kind in more.items()}}  # type: ignore[dict-item]
    return Source.model_validate({**written, "fields": fields})
