"""core__calendar: the company's days up to the night."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.night import Night

FIRST_ON = dt.date(2016, 1, 1)
SATURDAY = 6


def calendar(night: Night) -> sa.Select[Any]:
    """One row per company day from 2016 to the business date."""
    days = sa.func.generate_series(on(FIRST_ON), on(night.business_on), sa.text("interval 1 day"))
    day = sa.select(sa.cast(sa.func.unnest(days), sa.Date).label("on")).cte("day")
    part = sa.func.date_part
    return sa.select(
        day.c.on,
        sa.cast(part("week", day.c.on), sa.Integer).label("iso_week"),
        sa.cast(part("month", day.c.on), sa.Integer).label("month"),
        sa.cast(part("year", day.c.on), sa.Integer).label("year"),
        (part("isodow", day.c.on) >= SATURDAY).label("is_weekend"),
    )
