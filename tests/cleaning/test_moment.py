"""Moments as sources write them; what two people would read differently is read as none."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleaning.sql import applied, storable
from vesper.cleaning import moment

DAY = dt.datetime(2025, 3, 1)
AFTERNOON = dt.datetime(2025, 3, 1, 14, 5)
FORMS = ("%Y年%m月%d日", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y%m%d%H%M%S", "%Y年%m月%d日%H时%M分%S秒", "%Y-%m-%d %H:%M")
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2199, 12, 31)).map(lambda at: at.replace(microsecond=0))


def as_written(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(moment.wall_clock(value), sa.String)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2025年3月1日", DAY),
        ("2025年03月01号", DAY),
        ("2025年3月1日 14:05", AFTERNOON),
        ("2025年3月1日14时5分", AFTERNOON),
        ("2025年3月1日 14点05分00秒", AFTERNOON),
        ("20250301", DAY),
        ("20250301140500", AFTERNOON),
        ("2025/3/1", DAY),
        ("2025.3.1", DAY),
        ("2025-03-01 14:05:00", AFTERNOON),
        ("2025/3/1 下午 2:05", AFTERNOON),
        ("2025/3/1 下午2:05:00", AFTERNOON),
        ("2025/3/1 2:05 PM", AFTERNOON),
        ("2025/3/1 上午 12:00", DAY),
        ("2025-02-30", None),
        ("3/1/2025", None),  # March or January?
        ("2025年3月", None),
        ("10000101", None),  # a count, more likely
        ("45717", None),  # a serial number only where the source says so
        ("昨天", None),
        ("", None),
    ],
)
def test_one_moment(written: str, at: dt.datetime | None) -> None:
    assert applied(moment.wall_clock, [written]) == [at]


@pytest.mark.parametrize(
    ("serial", "at"),
    [
        ("45717", DAY),
        ("45717.0", DAY),
        ("45717.586805555556", AFTERNOON),
        ("45717.999999", dt.datetime(2025, 3, 2)),
        ("61", dt.datetime(1900, 3, 1)),
        ("0", None),
        ("-3", None),
        ("1e300", None),
        ("2025-03-01", None),
    ],
)
def test_one_serial_number(serial: str, at: dt.datetime | None) -> None:
    assert applied(moment.of_excel, [serial]) == [at]


@pytest.mark.requirement("R9")
@given(moments=st.lists(st.tuples(MOMENTS, st.sampled_from(FORMS)), min_size=1, max_size=40))
@settings(max_examples=30)
def test_a_moment_that_was_read_reads_the_same_again(moments: list[tuple[dt.datetime, str]]) -> None:
    # Python writes the year 999 with three digits; these years have four.
    read = applied(as_written, [at.strftime(form) for at, form in moments])
    assert None not in read
    assert applied(as_written, read) == read
    whole = [(at, form) for at, form in moments if "%S" in form]
    assert applied(moment.wall_clock, [at.strftime(form) for at, form in whole]) == [at for at, _ in whole]


@given(
    values=st.lists(st.text(max_size=20) | st.text("0123456789年月日时分-/: ", max_size=20), min_size=1, max_size=40)
)
@settings(max_examples=30)
def test_nothing_raises(values: list[str]) -> None:
    values = storable(values)
    assert len(applied(moment.wall_clock, values)) == len(applied(moment.of_excel, values)) == len(values)
