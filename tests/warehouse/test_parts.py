"""Parts by day and month: a month is kept by day while it is open and becomes one part when it closes; a night writes what changed."""

import datetime as dt

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.night.looking import files, manifest, table
from tests.small_grocer import FIRST, LAST, SECOND, GrocerNights
from warehouse.part import days_of, span_of

DAYS = st.dates(dt.date(2016, 1, 1), dt.date(2019, 12, 31))
CUT = ("raw_shop__order", "core__order_line", "core__order_day", "core__event")


@given(day=DAYS, business_on=DAYS)
def test_a_span_holds_its_day_and_its_key_gives_it_back(day: dt.date, business_on: dt.date) -> None:
    span = span_of(day, business_on)
    assert span.first_on <= day <= span.last_on
    assert days_of(span.key) == (span.first_on, span.last_on)
    is_closed = (day.year, day.month) < (business_on.year, business_on.month)
    assert (span.first_on != span.last_on) == is_closed


def test_the_open_month_is_kept_by_day_and_closed_months_whole(grocer_nights: GrocerNights) -> None:
    december = {f"2017-12-{day:02}" for day in range(1, 31)}
    for name in ("core__order_line", "core__order_day", "raw_shop__order"):
        open_month, closed = manifest(grocer_nights.after[SECOND])[name], manifest(grocer_nights.after[LAST])[name]
        assert set(open_month) - {"2017-12-31"} == {"2017-10", "2017-11"} | december
        assert set(closed) - {"2018-01-01"} == {"2017-10", "2017-11", "2017-12"}
        assert {key: open_month[key] for key in ("2017-10", "2017-11")} == {
            key: closed[key] for key in ("2017-10", "2017-11")
        }


@pytest.mark.parametrize("name", CUT)
def test_closing_a_month_keeps_its_rows(grocer_nights: GrocerNights, name: str) -> None:
    column = "on" if name in ("core__event", "raw_shop__order") else "ordered_on"
    before = table(grocer_nights.after[SECOND], name)
    after = table(grocer_nights.after[LAST], name)
    by_then = after.filter(pc.less(after[column], FIRST))
    assert by_then.equals(before.filter(pc.less(before[column], FIRST)))


def test_a_night_writes_only_the_days_that_changed(grocer_nights: GrocerNights) -> None:
    for name in ("core__order_line", "raw_shop__order"):
        before, after = (manifest(grocer_nights.after[on])[name] for on in (FIRST, SECOND))
        assert {key for key in after if after[key] != before.get(key)} == {"2017-12-30"}
    new = set(files(grocer_nights.after[SECOND])) - set(files(grocer_nights.after[FIRST]))
    assert {name for name in new if name.startswith("raw_shop__order")} == {
        name for name in new if "raw_shop__order/2017-12-30" in name
    }
