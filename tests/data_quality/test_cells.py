"""One cell: what is read from text and from typed columns, and what is refused."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_quality.cells import family

REFUSED = "<refused>"
FLAG = {"type": "flag", "true_words": ("是", "Y"), "false_words": ("否",)}

READ: list[tuple[dict[str, Any], str | None, Any]] = [
    ({"type": "text"}, " 张 三\u3000", "张 三"),
    ({"type": "text"}, "１３８", "１３８"),
    ({"type": "text"}, "\ufeff 　", None),
    ({"type": "integer"}, "１２", 12),
    ({"type": "integer"}, "12.0", 12),
    ({"type": "integer"}, "1,200", 1200),
    ({"type": "integer"}, "3.7", REFUSED),
    ({"type": "integer"}, "12,00", REFUSED),
    ({"type": "integer"}, "99999999999", REFUSED),
    ({"type": "integer"}, "true", REFUSED),
    ({"type": "money"}, "¥1,234.50", Decimal("1234.50")),
    ({"type": "money"}, "￥ -3", Decimal("-3.00")),
    ({"type": "money"}, "５元", Decimal("5.00")),
    ({"type": "money"}, "1.234,50", REFUSED),
    ({"type": "money"}, "十元", REFUSED),
    ({"type": "number"}, "1e3", 1000.0),
    ({"type": "number"}, "inf", REFUSED),
    ({"type": "number"}, "nan", REFUSED),
    ({"type": "date"}, "2017-06-01", dt.date(2017, 6, 1)),
    ({"type": "date"}, "2017/6/1", dt.date(2017, 6, 1)),
    ({"type": "date"}, "２０１７年６月１日", dt.date(2017, 6, 1)),
    ({"type": "date"}, "20170601", dt.date(2017, 6, 1)),
    ({"type": "date"}, "20171301", REFUSED),
    ({"type": "date", "format": "excel"}, "42887", dt.date(2017, 6, 1)),
    ({"type": "date", "format": "excel"}, "2017-06-01", dt.date(2017, 6, 1)),
    ({"type": "date", "format": "excel"}, "0", REFUSED),
    ({"type": "date", "format": "epoch"}, "1496246400", dt.date(2017, 6, 1)),
    ({"type": "date", "format": "%d.%m.%Y"}, "02.06.2017", dt.date(2017, 6, 2)),
    ({"type": "date", "format": "%d.%m.%Y"}, "2017-06-02", REFUSED),
    ({"type": "date"}, "2017-02-30", REFUSED),
    ({"type": "date"}, "0217-06-01", REFUSED),
    ({"type": "date"}, "infinity", REFUSED),
    ({"type": "instant"}, "2017-06-01 08:30", dt.datetime(2017, 6, 1, 0, 30)),
    ({"type": "instant"}, "2017-06-01T08:30:00Z", dt.datetime(2017, 6, 1, 8, 30)),
    ({"type": "instant"}, "2017-06-01T08:30:00.5+02:00", dt.datetime(2017, 6, 1, 6, 30, 0, 500000)),
    ({"type": "instant"}, "2017-06-01 08:30:00 -0400", dt.datetime(2017, 6, 1, 12, 30)),
    ({"type": "instant"}, "2017-06-01", dt.datetime(2017, 5, 31, 16, 0)),
    ({"type": "instant", "format": "%Y%m%d%H%M"}, "201706010830", dt.datetime(2017, 6, 1, 0, 30)),
    ({"type": "instant", "format": "%d/%m/%Y %H:%M %z"}, "01/06/2017 08:30 +0100", dt.datetime(2017, 6, 1, 7, 30)),
    ({"type": "instant"}, "2017年6月1日 8:30", dt.datetime(2017, 6, 1, 0, 30)),
    ({"type": "instant"}, "2017/6/1 下午 8:30", dt.datetime(2017, 6, 1, 12, 30)),
    ({"type": "instant", "format": "excel"}, "42887.5", dt.datetime(2017, 6, 1, 4, 0)),
    ({"type": "instant", "format": "excel"}, "42887.354166666664", dt.datetime(2017, 6, 1, 0, 30)),
    ({"type": "instant", "format": "excel"}, "1e300", REFUSED),
    ({"type": "instant", "format": "epoch"}, "1496277000", dt.datetime(2017, 6, 1, 0, 30)),
    ({"type": "instant", "format": "epoch_ms"}, "1496277000500", dt.datetime(2017, 6, 1, 0, 30, 0, 500000)),
    ({"type": "instant", "format": "epoch_ms"}, "99999999999999999999", REFUSED),
    ({"type": "instant", "format": "epoch"}, "1496277000500", REFUSED),
    ({"type": "instant"}, "昨天", REFUSED),
    (FLAG, "是", True),
    (FLAG, "y", True),
    (FLAG, "否", False),
    (FLAG, "也许", REFUSED),
    ({"type": "category", "allowed": ("gold",), "map": {"金卡": "gold"}}, " 金卡", "gold"),
]


@pytest.mark.parametrize(("field", "written", "expected"), READ, ids=lambda value: str(value)[:40])
def test_text_is_read_or_refused(judge: Any, source: Any, field: dict[str, Any], written: str, expected: Any) -> None:
    (row,) = judge(source(field), [{"会员号": "1", "值": written}])
    if expected is REFUSED:
        assert (row["it"], row["failed_rule"]) == (None, "type:it")
    else:
        assert (row["it"], row["failed_rule"]) == (expected, None)


TYPED: list[tuple[str, sa.types.TypeEngine[Any], str, Any, Any]] = [
    ("text", sa.BigInteger(), "int64", 1001, "1001"),
    ("text", sa.Double(), "double", 1001.0, "1001"),
    ("text", sa.Double(), "double", 1001.5, "1001.5"),
    ("integer", sa.BigInteger(), "int64", 7, 7),
    ("integer", sa.BigInteger(), "int64", 2**40, REFUSED),
    ("integer", sa.Double(), "double", 7.0, 7),
    ("integer", sa.Double(), "double", 7.5, REFUSED),
    ("integer", sa.Double(), "double", float("nan"), None),
    ("money", sa.Double(), "double", 3.199, Decimal("3.20")),
    ("money", sa.Numeric(8, 3), "decimal128(8, 3)", Decimal("3.125"), Decimal("3.13")),
    ("number", sa.BigInteger(), "int64", 3, 3.0),
    ("date", sa.Date(), "date32[day]", dt.date(2017, 6, 1), dt.date(2017, 6, 1)),
    ("date", sa.DateTime(), "timestamp[us]", dt.datetime(2017, 6, 1, 9), dt.date(2017, 6, 1)),
    ("date", sa.BigInteger(), "int64", 20170601, dt.date(2017, 6, 1)),
    ("date", sa.BigInteger(), "int64", 42887, REFUSED),
    ("instant", sa.DateTime(), "timestamp[us]", dt.datetime(2017, 6, 1, 9), dt.datetime(2017, 6, 1, 1)),
    ("instant", sa.Date(), "date32[day]", dt.date(2017, 6, 1), dt.datetime(2017, 5, 31, 16)),
    (
        "instant",
        sa.DateTime(timezone=True),
        "timestamp[us, tz=UTC]",
        dt.datetime(2017, 6, 1, 9, tzinfo=dt.UTC),
        dt.datetime(2017, 6, 1, 9),
    ),
    ("flag", sa.Boolean(), "bool", True, True),
    ("flag", sa.BigInteger(), "int64", 1, True),
]


@pytest.mark.parametrize(("kind", "sql", "arrow", "given_value", "expected"), TYPED, ids=lambda value: str(value)[:30])
def test_typed_columns_are_cast_or_refused(
    judge: Any, source: Any, kind: str, sql: Any, arrow: str, given_value: Any, expected: Any
) -> None:
    rows = [{"会员号": "1", "值": given_value}]
    (row,) = judge(source({"type": kind}), rows, types={"值": sql}, incoming_types={"值": arrow})
    if expected is REFUSED:
        assert (row["it"], row["failed_rule"]) == (None, "type:it")
    else:
        assert (row["it"], row["failed_rule"]) == (expected, None)


def test_a_source_zone_goes_before_the_companys(judge: Any, source: Any) -> None:
    made = source({"type": "instant"}, zone="America/New_York")
    (row,) = judge(made, [{"会员号": "1", "值": "2017-01-15 08:00"}])
    assert row["it"] == dt.datetime(2017, 1, 15, 13, 0)


def test_null_words_are_no_value(judge: Any, source: Any) -> None:
    made = source({"type": "integer"}, null_words=("N/A", "无", ""))
    rows = judge(made, [{"会员号": str(n), "值": word} for n, word in enumerate(("N/A", " 无 ", "", None, "3"))])
    assert [(row["it"], row["failed_rule"]) for row in rows] == [(None, None)] * 4 + [(3, None)]


VALUES: list[tuple[str, st.SearchStrategy[Any], Any]] = [
    ("integer", st.integers(-(2**31), 2**31 - 1), str),
    ("money", st.decimals("-9999999999.99", "9999999999.99", places=2), str),
    ("number", st.floats(allow_nan=False, allow_infinity=False), repr),
    ("date", st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)), str),
    ("instant", st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2017, 6, 1)), lambda at: f"{at.isoformat()}Z"),
    ("flag", st.booleans(), lambda flag: str(flag).lower()),
    ("text", st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(str.strip), str),
]


@pytest.mark.parametrize(("kind", "values", "write"), VALUES, ids=[kind for kind, *_ in VALUES])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_values_come_back_as_they_were_written(
    judge: Any, source: Any, kind: str, values: st.SearchStrategy[Any], write: Any, data: st.DataObject
) -> None:
    written = data.draw(st.lists(values, min_size=1, max_size=20))
    rows = [{"会员号": str(place), "值": write(value)} for place, value in enumerate(written)]
    found = [row["it"] for row in judge(source({"type": kind}), rows)]
    expected = [value.strip(" \t\r\n\u3000\u00a0\ufeff") or None for value in written] if kind == "text" else written
    assert found == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("string", "text"),
        ("dictionary<values=string, indices=int32, ordered=0>", "text"),
        ("VARCHAR", "text"),
        ("uint8", "integer"),
        ("BIGINT", "integer"),
        ("interval", "other"),
        ("DECIMAL(12,2)", "decimal"),
        ("halffloat", "float"),
        ("timestamp[us, tz=UTC]", "zoned"),
        ("TIMESTAMP WITH TIME ZONE", "zoned"),
        ("timestamp[ns]", "instant"),
        ("time64[us]", "other"),
        ("bool", "flag"),
        ("list<item: string>", "other"),
    ],
)
def test_type_names_of_arrow_and_sql_have_a_family(name: str, expected: str) -> None:
    assert family(name) == expected
