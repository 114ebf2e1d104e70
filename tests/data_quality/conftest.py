"""What the tests of this room stand on: a source as a company would declare it, DuckDB, and judged rows as plain dictionaries."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from data_quality.row_rules import typed
from vesper import clock
from vesper.model.source import Source

RECEIVED_AT = dt.datetime(2017, 6, 2, 6, 0)
FIELDS: dict[str, dict[str, Any]] = {
    "member_id": {"column": "会员号", "type": "text", "required": True},
    "phone": {"column": "电话", "type": "text"},
    "registered_at": {"column": "注册时间", "type": "instant"},
}
SOURCE: dict[str, Any] = {
    "id": "crm_member",
    "says": "会员名单",
    "owner": "数据组",
    "system": "csv",
    "path": "crm_member/{on}.csv",
    "feeds": "contact",
    "cadence": {"every": "day", "due": "06:00"},
    "late": "block",
    "rows": {"min": 1, "max": 1000},
    "key": ("member_id",),
    "fields": FIELDS,
}
SourceMaker = Callable[..., Source]


@pytest.fixture(scope="session")
def source() -> SourceMaker:
    """Makes a source; keywords replace parts of its declaration, `field` one field after the required key."""

    def make(field: dict[str, Any] | None = None, **changes: Any) -> Source:
        fields = {"member_id": FIELDS["member_id"], "it": {"column": "值", **field}} if field else FIELDS
        return Source(**{**SOURCE, "fields": fields, **changes})

    return make


@pytest.fixture(scope="session")
def engine() -> Iterator[sa.Engine]:
    made = sa.create_engine("duckdb:///:memory:")
    yield made
    made.dispose()


class Judge:
    """Judges rows of text as one batch and gives back what `typed` says of each, in the order they came."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def __call__(
        self,
        source: Source,
        rows: list[dict[str, Any]],
        zone: str = "Asia/Shanghai",
        types: dict[str, sa.types.TypeEngine[Any]] | None = None,
        incoming_types: dict[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        names = list(dict.fromkeys(name for row in rows for name in row if name not in ("file", "source_row")))
        kinds = types or {}
        columns = [sa.Column(name, kinds.get(name, sa.String())) for name in names]
        incoming = sa.Table(
            "incoming",
            sa.MetaData(),
            *columns,
            sa.Column("file", sa.String),
            sa.Column("source_row", sa.BigInteger),
            prefixes=["TEMPORARY"],
        )
        numbered = [
            {"file": "a.csv", "source_row": place, **dict.fromkeys(names), **row}
            for place, row in enumerate(rows, start=2)
        ]
        incoming.create(self.connection)
        try:
            self.connection.execute(incoming.insert(), numbered)
            select = typed(
                incoming, source, zone=zone, received_at=clock.at(RECEIVED_AT), incoming_types=incoming_types
            )
            ordered = select.order_by("file", "source_row")
            sql = str(ordered.compile(self.connection, compile_kwargs={"literal_binds": True}))
            return [dict(row) for row in self.connection.exec_driver_sql(sql).mappings()]
        finally:
            incoming.drop(self.connection)


@pytest.fixture
def judge(engine: sa.Engine) -> Iterator[Judge]:
    with engine.connect() as connection:
        yield Judge(connection)
