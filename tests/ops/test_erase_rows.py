"""Which rows speak of a person, whatever the source calls it and however it is written; and rows of nobody else."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from vesper.erasure import Cut, Person, cut_of, cut_of_rows, pattern_of, speaks_of, stays_without, telling, told_in
from vesper.model.source import Source
from vesper.tables.declare import METADATA
from vesper.tables.quality import QUARANTINE
from vesper.tables.raw import raw_table

MING = Person(
    contact_ids=("c0123456789abcdef", "cfedcba9876543210"),
    records=(("hubspot_contact", "101"), ("crm_member", "1001")),
    own=(
        ("phone", "+8613812345678"),
        ("email", "ming@qq.com"),
        ("crm_id", "hubspot:101"),
        ("card", "48"),
        ("unionid", "o6_bmjrPTlm6"),
    ),
    tokens={"c0123456789abcdef": "e1", "cfedcba9876543210": "e2"},
    token="erased:e0",
)


def source(id: str, feeds: str, key: tuple[str, ...], required: tuple[str, ...] = (), **columns: str) -> Source:
    moments = dict.fromkeys(("at", "ordered_at"), "instant") | {"amount": "money", "quantity": "integer"}
    fields = {
        name: {"column": c, "type": moments.get(name, "text"), "required": name in required}
        for name, c in columns.items()
    }
    facts: dict[str, Any] = {
        "id": id,
        "says": "x",
        "owner": "data",
        "system": "csv",
        "path": f"{id}/{{on}}.csv",
        "feeds": feeds,
        "cadence": {"every": "day"},
        "late": "warn",
        "rows": {"min": 0, "max": 9},
        "key": key,
        "fields": fields,
    }
    return Source.model_validate(facts | ({"event_kind": "opened"} if feeds == "event" else {}))


MEMBERS = source("crm_member", "contact", ("member_id",), member_id="卡号", name="姓名", phone="手机", email="邮箱")
OPENS = source("hubspot_event", "event", ("campaign_id", "at"), email="Recipient", campaign_id="c", at="at")
REDEEMED = source("shop_redemption", "event", ("card", "at"), ("card",), card="card", at="at")
ORDERS = source(
    "shop_order",
    "order_line",
    ("order_id", "product_code"),
    order_id="o",
    product_code="p",
    card="c",
    quantity="q",
    amount="a",
    ordered_at="t",
)
STRICT = source(
    "till_order",
    "order_line",
    ("order_id", "product_code"),
    ("card",),
    order_id="o",
    product_code="p",
    card="c",
    quantity="q",
    amount="a",
    ordered_at="t",
)


@pytest.fixture(scope="module")
def duck() -> Iterator[sa.Connection]:
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.pool.StaticPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def about(duck: sa.Connection, of: Source, **texts: str | None) -> bool:
    row = sa.select(*[sa.cast(sa.literal(value), sa.String).label(name) for name, value in texts.items()]).subquery(
        "row"
    )
    return bool(duck.scalar(sa.select(speaks_of(MING, of, {name: row.c[name] for name in texts}))))


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    "texts",
    [
        {"member_id": " 1001 "},
        {"phone": "138 1234 5678"},
        {"phone": "+86-138-1234-5678"},
        {"email": " Ming@QQ.com"},
    ],
)
def test_a_row_is_the_persons_by_key_or_by_an_own_identifier(duck: sa.Connection, texts: dict[str, str]) -> None:
    assert about(duck, MEMBERS, **{"member_id": "7", "phone": None, "email": None} | texts)


@pytest.mark.parametrize(
    "texts",
    [
        {"member_id": "10010"},
        {"phone": "13912345678"},
        {"phone": "2345678"},
        {"email": "aming@qq.com"},
        {"email": None},
    ],
)
def test_a_row_of_somebody_alike_is_not(duck: sa.Connection, texts: dict[str, str | None]) -> None:
    assert not about(duck, MEMBERS, **{"member_id": "7", "phone": "", "email": None} | texts)


def cut(of: Source) -> tuple[sa.Table, Cut]:
    table = raw_table(of)
    return table, cut_of_rows(table, MING, of)


@pytest.mark.requirement("R23", "R90")
def test_an_order_stays_without_its_person_and_an_event_where_its_contract_lets_it() -> None:
    assert [stays_without(one) for one in (ORDERS, STRICT, OPENS)] == [{"card": True}, {"card": False}, {"email": True}]
    assert stays_without(REDEEMED) == stays_without(MEMBERS) == {}


def rows(duck: sa.Connection, table: sa.Table, found: Cut, *values: dict[str, Any]) -> list[dict[str, Any]]:
    """What is left of some rows."""
    table.drop(duck, checkfirst=True)
    table.create(duck)
    for each in values:
        duck.execute(sa.insert(table), each)
    kept = sa.select(*[found.changed.get(c.name, c).label(c.name) for c in table.c]).where(~found.gone)
    return [dict(row) for row in duck.execute(kept.order_by(*table.info["grain"])).mappings()]


ARRIVED = {"received_at": dt.datetime(2018, 1, 1), "file": "f", "source_row": 2}
ORDER = {
    "on": dt.date(2018, 1, 1),
    "order_id": "1",
    "quantity": 1,
    "amount": 1,
    "ordered_at": dt.datetime(2018, 1, 1),
    **ARRIVED,
}


def test_orders_lose_the_card_and_nothing_else(duck: sa.Connection) -> None:
    for of, instead in ((ORDERS, None), (STRICT, "erased:e0")):
        table, found = cut(of)
        left = rows(
            duck,
            table,
            found,
            ORDER | {"product_code": "a", "card": "48"},
            ORDER | {"product_code": "b", "card": "480"},
        )
        assert [(row["product_code"], row["card"], row["amount"]) for row in left] == [
            ("a", instead, 1),
            ("b", "480", 1),
        ]


def test_in_a_row_of_somebody_else_an_own_identifier_is_emptied(duck: sa.Connection) -> None:
    table, found = cut(MEMBERS)
    row = {"name": "李雷", "phone": "13812345678", "email": "li@qq.com", **ARRIVED}
    left = rows(duck, table, found, row | {"member_id": "1001"}, row | {"member_id": "7"})
    assert [(one["member_id"], one["phone"], one["email"]) for one in left] == [("7", None, "li@qq.com")]


@pytest.mark.requirement("R90")
def test_quarantine_is_read_back_by_the_columns_of_its_source(duck: sa.Connection) -> None:
    sources = {one.id: one for one in (MEMBERS, OPENS)}
    found = cut_of(QUARANTINE.name, QUARANTINE, MING, sources)
    assert found is not None
    row = {"business_on": dt.date(2018, 1, 1), "stage": "consolidate", "rule_id": "required:name"}
    values = [
        row | {"source": "crm_member", "row_key": "f:2", "row_json": '{"卡号": "1001", "手机": null}'},
        row | {"source": "crm_member", "row_key": "f:3", "row_json": '{"卡号": "7", "手机": "13812345678"}'},
        row | {"source": "crm_member", "row_key": "f:4", "row_json": '{"卡号": "8", "备注": "1001"}'},
        row | {"source": "hubspot_event", "row_key": "f:5", "row_json": '{"Recipient": "MING@qq.com"}'},
    ]
    assert [one["row_key"] for one in rows(duck, QUARANTINE, found, *values)] == ["f:4"]


@pytest.mark.requirement("R90")
def test_every_declared_table_with_a_person_in_it_is_cut(duck: sa.Connection) -> None:
    """A new table of people is found by its columns; none is left to be remembered."""
    import importlib
    import pkgutil

    import vesper.tables
    from vesper.marts import all_marts

    for module in pkgutil.iter_modules(vesper.tables.__path__):
        importlib.import_module(f"vesper.tables.{module.name}")
    all_marts()
    naming = {"contact_id", "record_key", "record_a", "record", "old_id", "row_json"}
    for name, table in METADATA.tables.items():
        if naming & set(table.c.keys()):
            assert cut_of(name, table, MING, {}) is not None, name


def test_a_row_of_another_contact_that_mentions_a_record_keeps_a_token(duck: sa.Connection) -> None:
    table = sa.Table(
        "dq__identity_component",
        sa.MetaData(),
        *[sa.Column(name, sa.String, info={"required": True}) for name in ("contact_id", "component")],
        info={"grain": ["contact_id"]},
    )
    found = cut_of(table.name, table, MING, {})
    assert found is not None
    values = [
        ("c7", "crm_member:1001"),
        ("c8", "crm_member:1001"),
        ("c9", "crm_member:7"),
        (MING.contact_ids[0], "crm_member:7"),
    ]
    left = rows(duck, table, found, *[{"contact_id": id, "component": component} for id, component in values])
    assert [(row["contact_id"], row["component"]) for row in left] == [
        ("c7", MING.token),
        ("c8", MING.token),
        ("c9", "crm_member:7"),
    ]


def test_copies_of_the_ledger_keep_a_token(duck: sa.Connection) -> None:
    table = sa.Table(
        "out__message",
        sa.MetaData(),
        sa.Column("contact_id", sa.String, info={"required": True}),
        info={"grain": ["contact_id"]},
    )
    found = cut_of(table.name, table, MING, {})
    assert found is not None
    left = rows(duck, table, found, {"contact_id": "c0123456789abcdef"}, {"contact_id": "c7"})
    assert [row["contact_id"] for row in left] == ["c7", "e1"]


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("id=c0123456789abcdef,", True),
        ("mailto:Ming@qq.com", True),
        ('{"手机": "+8613812345678"}', True),
        ("013812345678 ", True),
        ("99913812345678123", False),
        ("aming@qq.com", False),
        ("ming@qq.com.cn", False),
        ("write to ming@qq.com.", True),
        ("c0123456789abcdef0", False),
        ("48", False),
    ],
)
def test_text_is_searched_alike_in_python_and_in_the_engine(duck: sa.Connection, text: str, is_told: bool) -> None:
    pattern = pattern_of(telling(MING))
    row = sa.select(sa.literal(text).label("any")).subquery("row")
    found = told_in(row, MING)
    assert found is not None
    assert bool(re.search(pattern, text)) == bool(duck.scalar(sa.select(found.gone))) == is_told
    assert bool(re.search(pattern.encode(), text.encode())) == is_told
