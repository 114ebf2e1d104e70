"""Dates and times as sources write them, as SQL that never raises: 2025年3月1日 14:05, 20250301, 2025/3/1 下午 2:05, a spreadsheet's 45717.

What belongs here: wall-clock moments in the order year, month, day, which no two people read differently. What does not: zones (`vesper/clock.py`),
the order of day and month (a source declares its `format`), and words such as "yesterday", whose meaning depends on when they are read.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
)
# A number of eight or fourteen digits is a date only between these years; 10000101 is more likely a count.
COMPACT = "(19|20|21)[0-9]{6}([0-9]{6})?|(19|20|21)[0-9]{6} [0-9:]+"
EXCEL_ZERO = dt.date(1899, 12, 30)
"""Day 0 of a spreadsheet's calendar: one day early, because that calendar knows a 29 February 1900."""
UNIX_ZERO = (dt.date(1970, 1, 1) - EXCEL_ZERO).days * 86_400
EXCEL_LAST = 109574
"""31 December 2199 as a spreadsheet counts."""

Cell = sa.ColumnElement[Any]


def wall_clock(cell: Cell) -> Cell:
    """Date and time of a trimmed text, NULL when it is none. A time with an offset is none: see data_quality/cells.py."""
    text = sa.func.regexp_replace(cell, "[/.]([0-9]{1,2})[/.]", r"-\1-")
    text = sa.func.regexp_replace(text, "^([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]?", r"\1-\2-\3 ")
    text = sa.func.regexp_replace(text, "([0-9]{1,2})[时点]([0-9]{1,2})分?(([0-9]{1,2})秒)?", r"\1:\2:0\4")
    text = sa.func.regexp_replace(text, ":0([0-9]{2})$", r":\1")
    text = sa.func.regexp_replace(text, "(上午|下午|AM|PM|am|pm) ?([0-9:]+)$", r"\2 \1")
    text = sa.func.replace(sa.func.replace(text, "上午", "AM"), "下午", "PM")
    text = sa.func.trim(sa.func.regexp_replace(text, " +", " ", "g"))
    number = sa.func.regexp_full_match(text, "[0-9]+|[0-9]{8} [0-9:]+")
    compact = sa.func.regexp_full_match(text, COMPACT)
    read = sa.func.try_strptime(text, sa.cast(list(FORMATS), sa.ARRAY(sa.String)), type_=sa.DateTime())
    return sa.case((sa.and_(number, sa.not_(compact)), sa.null()), else_=read)


def of_excel(cell: Cell) -> Cell:
    """Date and time of a spreadsheet's serial number (45717 is 1 March 2025, its fraction the time of day), to the second; NULL when it is none."""
    serial = sa.try_cast(cell, sa.Numeric(28, 9))
    seconds = sa.cast(sa.func.round(serial * 86_400), sa.BigInteger)
    moment = sa.func.make_timestamp((seconds - UNIX_ZERO) * 1_000_000, type_=sa.DateTime())
    return sa.case((serial.between(1, EXCEL_LAST + 1), moment), else_=sa.null())
