"""What came of people after a night: who ordered, and what sales said of them (R60).

What belongs here: contacts by what they did between two nights. What does not: who is held against it (`marts/calibration.py`, `backtest.py`).
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.tables.order import ORDER_DAY
from vesper.tables.sales import LEAD_OUTCOME

WON, ACCEPTED, REJECTED = ("won",), ("accepted", "to_sales"), ("rejected", "invalid")


def ordered(after_on: dt.date, until_on: dt.date) -> sa.Select[Any]:
    """contact_id of everyone who ordered on a day after the first date, up to the second."""
    day = ORDER_DAY.c
    return sa.select(day.contact_id).where(day.ordered_on > on(after_on), day.ordered_on <= on(until_on))


def said(outcomes: tuple[str, ...], after_on: dt.date | None, until_on: dt.date) -> sa.Select[Any]:
    """contact_id of everyone of whom sales said so on a day after the first date, or ever, up to the second."""
    row = LEAD_OUTCOME.c
    since = row.on > on(after_on) if after_on else sa.true()
    chosen = row.outcome.in_(outcomes), row.contact_id.is_not(None), since, row.on <= on(until_on)
    return sa.select(row.contact_id).where(*chosen)


def converted(after_on: dt.date, until_on: dt.date) -> sa.Select[Any]:
    """contact_id of everyone who ordered or whose deal was won, once each."""
    both = sa.union(ordered(after_on, until_on), said(WON, after_on, until_on)).subquery("both")
    return sa.select(both.c.contact_id).where(both.c.contact_id.is_not(None))
