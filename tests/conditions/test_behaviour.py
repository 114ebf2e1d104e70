"""What people did, at the edges: which events are meant, last and unanswered ones, answers in a window, one thing after another."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.conditions.test_against_oracle import put
from tests.conditions.test_boundaries import holds
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from vesper.conditions import Condition
from vesper.conditions.people import people

WEEK = dt.timedelta(days=7)
SOMEBODY: dict[str, dict[str, Any]] = {"c1": {}}
VIEW = {"kind": "page_viewed", "duration_at_least": "2m"}
CLICKS = {"to": {"kind": "form_submitted"}, "of": {"kind": "mail_clicked"}, "within": "7d", "same": "series"}
BANDS = ({"at_most": 0}, {"at_least": 1, "at_most": 1}, {"at_least": 2})
"""No click, one click, two clicks or more (S3)."""


def event(kind: str, at: dt.datetime, who: str = "c1", *, is_machine: bool = False, **said: Any) -> Event:
    return Event(who, kind, at.date(), is_machine, at, **said)


def facts(*happened: Event, orders: tuple[Order, ...] = ()) -> Facts:
    return Facts({one.contact_id: {} for one in happened if one.contact_id} or SOMEBODY, orders, happened)


def holds_of(tables: Tables, written: dict[str, Any], facts: Facts, on: dt.date) -> bool:
    """Whether it holds of c1 on a night."""
    tonight = night(on=on)
    put(tables, facts, tonight)
    return any(row["contact_id"] == "c1" for row in tables.rows(people(Condition.model_validate(written), tonight)))


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"url": {"contains": "/pricing"}}, {"price", "long"}),
        ({"url": {"starts_with": ["https://shop.", "/pricing"]}}, {"long"}),
        ({"url": {"in": "/home"}}, {"home"}),
        ({"keyword": {"contains": "万用表"}}, {"home"}),
        ({"content_id": "paper_a"}, {"price"}),
        ({"product_code": ["p1", "p2"]}, {"price"}),
        ({"series": "400Inbound"}, {"home"}),
        ({"duration_at_least": "2m"}, {"long"}),
        ({"amount_at_least": 100}, {"price"}),
    ],
)
def test_an_event_is_picked_by_what_it_says(tables: Tables, asked: dict[str, Any], found: set[str]) -> None:
    at = dt.datetime.combine(ago(3), dt.time(12))
    happened = (
        event(
            "page_viewed",
            at,
            "home",
            url="/home",
            keyword="福禄克 万用表",
            series_id="400Inbound",
            duration_seconds=119,
        ),
        event(
            "page_viewed", at, "price", url="/a/pricing", content_id="paper_a", product_code="p1", amount=Decimal(100)
        ),
        event("page_viewed", at, "long", url="/pricing?a=1", duration_seconds=120, amount=Decimal("99.99")),
        event("page_viewed", at, "silent"),
        event("mail_opened", at, "other", url="/a/pricing", duration_seconds=500, amount=Decimal(500)),
    )
    assert holds(tables, {"events": {"kind": "page_viewed", **asked}}, facts(*happened)) == found
    not_meant = {"home", "price", "long", "silent", "other"} - found
    assert holds(tables, {"not": {"events": {"kind": "page_viewed", **asked}}}, facts(*happened)) == not_meant


@pytest.mark.requirement("R33", "R57")
def test_a_large_company_that_read_two_white_papers(tables: Tables) -> None:
    at = dt.datetime.combine(ago(3), dt.time(12))
    both = [event("paper_downloaded", at, who, content_id=paper) for who in ("big", "small") for paper in ("a", "b")]
    twice = [
        event("paper_downloaded", at, "same", content_id="a"),
        event("paper_downloaded", at, "same", content_id="a"),
    ]
    sizes = {"k1": {"employee_count": 500}, "k2": {"employee_count": 499}}
    people = {"big": {"company_id": "k1"}, "small": {"company_id": "k2"}, "same": {"company_id": "k1"}}
    known = Facts(people, events=(*both, *twice), companies=sizes)
    papers = {"events": {"kind": "paper_downloaded", "count": "contents", "at_least": 2}}
    large = {"company": {"field": "employee_count", "at_least": 500}}
    assert holds(tables, {"all": [large, papers]}, known) == {"big"}
    each_time = {"events": {"kind": "paper_downloaded", "at_least": 2}}
    assert holds(tables, {"all": [large, each_time]}, known) == {"big", "same"}


def test_messages_and_days_are_counted_once(tables: Tables) -> None:
    at = dt.datetime.combine(ago(3), dt.time(12))
    clicks = [event("mail_clicked", at + dt.timedelta(hours=hour), message_id="m1") for hour in range(3)]
    for count, number in (("events", 4), ("messages", 2), ("days", 2)):
        known = facts(*clicks, event("mail_clicked", at + dt.timedelta(days=1), message_id="m2"))
        exactly = {"kind": "mail_clicked", "count": count, "at_least": number, "at_most": number}
        assert holds(tables, {"events": exactly}, known) == {"c1"}, count


@pytest.mark.requirement("R32")
@pytest.mark.parametrize(
    ("tonight", "first_inside"),
    [
        (dt.date(2018, 1, 1), dt.date(2017, 7, 2)),
        (dt.date(2018, 8, 30), dt.date(2018, 3, 1)),
        (dt.date(2020, 8, 31), dt.date(2020, 3, 1)),
        (dt.date(2018, 4, 30), dt.date(2017, 10, 31)),
    ],
)
def test_three_orders_in_six_calendar_months(tables: Tables, tonight: dt.date, first_inside: dt.date) -> None:
    tag = {"orders": {"at_least": 3, "within": "6 months"}}
    for first, inside in ((first_inside, True), (first_inside - dt.timedelta(days=1), False)):
        days = (first, tonight - dt.timedelta(days=20), tonight)
        assert holds_of(tables, tag, Facts(SOMEBODY, tuple(Order("c1", day) for day in days)), tonight) == inside


@pytest.mark.requirement("R34")
def test_no_open_in_30_days_is_unknown_for_who_was_sent_nothing(tables: Tables) -> None:
    def mail(who: str, kind: str, days: int, *, is_machine: bool = False) -> Event:
        return Event(who, kind, ago(days), is_machine)

    known = facts(
        mail("silent", "mail_sent", 20),
        *[mail("opened", kind, 29) for kind in ("mail_sent", "mail_opened")],
        *[mail("opened_30_days_ago", kind, days) for kind, days in (("mail_sent", 1), ("mail_opened", 30))],
        mail("opened_by_machine", "mail_sent", 3),
        mail("opened_by_machine", "mail_opened", 3, is_machine=True),
        mail("mailed_30_days_ago", "mail_sent", 30),
        mail("never_mailed", "page_viewed", 1),
    )
    asked = {"sent": {"kind": "mail_sent"}, "answer": {"kind": "mail_opened"}, "within": "30d"}
    assert holds(tables, {"unanswered": asked}, known) == {"silent", "opened_30_days_ago", "opened_by_machine"}
    assert holds(tables, {"not": {"unanswered": asked}}, known) == {"opened"}
    assert holds(tables, {"unanswered": {**asked, "at_least": 2}}, known) == set()


@pytest.mark.requirement("R34")
@pytest.mark.parametrize(("days", "long_ago"), [(29, False), (30, True)])
def test_the_last_open_was_30_days_ago(tables: Tables, days: int, long_ago: bool) -> None:
    known = facts(
        Event("c1", "mail_opened", ago(days)), Event("c1", "mail_opened", ago(70)), Event("none", "bought", ago(1))
    )
    asked = {"last_event": {"kind": "mail_opened", "at_least_days_ago": 30}}
    assert holds(tables, asked, known) == ({"c1"} if long_ago else set())
    assert holds(tables, {"not": asked}, known) == (set() if long_ago else {"c1"})


def bands_on(tables: Tables, known: Facts, on: dt.date, **settings: Any) -> list[bool]:
    """Which of the bands hold of c1."""
    return [holds_of(tables, {"response": {**CLICKS, **settings, **band}}, known, on) for band in BANDS]


@pytest.mark.requirement("R51", "R52")
def test_a_form_without_a_click_counts_once_its_week_is_over_and_not_before(tables: Tables) -> None:
    known = facts(event("form_submitted", dt.datetime(2018, 1, 1, 14), series_id="s1"))
    by_night = {day: bands_on(tables, known, dt.date(2018, 1, day)) for day in (1, 5, 7, 8, 9, 30)}
    nothing, no_click = [False] * 3, [True, False, False]
    # The week ends on the 8th at 14:00 UTC, before that night's cut-off.
    assert by_night == {1: nothing, 5: nothing, 7: nothing, 8: no_click, 9: no_click, 30: no_click}
    assert bands_on(tables, known, dt.date(2018, 1, 1), settles="daily") == no_click


@pytest.mark.requirement("R51", "R52")
@pytest.mark.parametrize("clicks", [0, 1, 2, 3])
def test_after_the_week_exactly_one_band_holds_and_two_clicks_count_at_once(tables: Tables, clicks: int) -> None:
    form = dt.datetime(2018, 1, 1, 14)
    mails = [event("mail_clicked", form + dt.timedelta(days=1, hours=hour), series_id="s1") for hour in range(clicks)]
    known = facts(event("form_submitted", form, series_id="s1"), *mails)
    assert bands_on(tables, known, dt.date(2018, 1, 3)) == [False, False, clicks >= 2]
    assert bands_on(tables, known, dt.date(2018, 1, 20)) == [clicks == 0, clicks == 1, clicks >= 2]


@pytest.mark.requirement("R51")
@pytest.mark.parametrize(
    ("at", "said", "counts"),
    [
        (WEEK, {"series_id": "s1"}, True),
        (WEEK + dt.timedelta(microseconds=1), {"series_id": "s1"}, False),
        (dt.timedelta(0), {"series_id": "s1"}, False),
        (dt.timedelta(microseconds=1), {"series_id": "s1"}, True),
        (-dt.timedelta(days=1), {"series_id": "s1"}, False),
        (dt.timedelta(days=1), {"series_id": "s2"}, False),
        (dt.timedelta(days=1), {}, False),
        (dt.timedelta(days=1), {"series_id": "s1", "is_machine": True}, False),
    ],
)
def test_an_answer_comes_later_within_seven_times_24_hours_by_a_person_in_the_series(
    tables: Tables, at: dt.timedelta, said: dict[str, Any], counts: bool
) -> None:
    form = dt.datetime(2018, 1, 1, 14)
    known = facts(event("form_submitted", form, series_id="s1"), event("mail_clicked", form + at, **said))
    assert bands_on(tables, known, dt.date(2018, 1, 20)) == [not counts, counts, False]


@pytest.mark.requirement("R52")
def test_a_week_is_168_hours_also_when_the_clocks_change(tables: Tables) -> None:
    # New York springs forward on 2018-03-11, so the wall clock shows an hour more a week later. The cut-off of the 13th is 00:00 UTC.
    just_closed = facts(event("form_submitted", dt.datetime(2018, 3, 7), series_id="s1"))
    still_open = facts(event("form_submitted", dt.datetime(2018, 3, 7, 0, 0, 1), series_id="s1"))
    on = dt.date(2018, 3, 13)
    assert (bands_on(tables, just_closed, on)[0], bands_on(tables, still_open, on)[0]) == (True, False)


@pytest.mark.requirement("R52")
def test_who_sent_no_form_has_nothing_to_answer(tables: Tables) -> None:
    known = Facts({"c1": {}, "clicked": {}}, events=(Event("clicked", "mail_clicked", ago(9), series_id="s1"),))
    none = {"response": {**CLICKS, "at_most": 0}}
    assert holds(tables, none, known) == holds(tables, {"not": none}, known) == set()


def test_the_form_with_the_most_answers_counts_and_a_new_form_opens_the_question_again(tables: Tables) -> None:
    first, second = dt.datetime(2018, 1, 1, 14), dt.datetime(2018, 1, 20, 14)
    forms = [event("form_submitted", at, series_id="s1") for at in (first, second)]
    clicks = [event("mail_clicked", first + dt.timedelta(hours=hour), series_id="s1") for hour in (1, 2)]
    assert bands_on(tables, facts(*forms, *clicks), dt.date(2018, 1, 21)) == [False, False, True]
    assert bands_on(tables, facts(*forms), dt.date(2018, 1, 19)) == [True, False, False]
    assert bands_on(tables, facts(*forms), dt.date(2018, 1, 21)) == [False, False, False]
    assert bands_on(tables, facts(*forms), dt.date(2018, 1, 28)) == [True, False, False]


@pytest.mark.requirement("R75", "R106")
@pytest.mark.parametrize(
    ("viewed", "redeemed", "on", "member"),
    [
        (120, None, 3, False),
        (120, None, 4, True),
        (119, None, 4, False),
        (120, dt.timedelta(days=3), 4, False),
        (120, dt.timedelta(days=3, microseconds=1), 4, True),
        (120, -dt.timedelta(hours=1), 4, True),
        (120, dt.timedelta(0), 4, True),
    ],
)
def test_viewed_two_minutes_and_redeemed_nothing_in_three_days(
    tables: Tables, viewed: int, redeemed: dt.timedelta | None, on: int, member: bool
) -> None:
    at = dt.datetime(2018, 1, 1, 14)
    coupons = () if redeemed is None else (event("coupon_redeemed", at + redeemed),)
    known = facts(event("page_viewed", at, duration_seconds=viewed), *coupons)
    asked = {"sequence": {"steps": [{"event": VIEW}, {"no_event": {"kind": "coupon_redeemed"}, "within": "3d"}]}}
    assert holds_of(tables, asked, known, dt.date(2018, 1, on)) == member
    is_waiting = viewed == 120 and on == 3
    assert holds_of(tables, {"not": asked}, known, dt.date(2018, 1, on)) == (not member and not is_waiting)


@pytest.mark.requirement("R38")
def test_a_cart_that_was_left_and_one_that_became_an_order(tables: Tables) -> None:
    carts = tuple(Event(who, kind, ago(9)) for who in ("left", "bought") for kind in ("cart_added", "favourited"))
    order = Order("bought", ago(8))
    asked = {"steps": [{"event": {"kind": ["cart_added", "favourited"]}}, {"no_order": {}, "within": "2d"}]}
    assert holds(tables, {"sequence": asked}, facts(*carts, orders=(order,))) == {"left"}
    became = {"steps": [{"event": {"kind": "cart_added"}}, {"order": {}, "within": "2d"}]}
    assert holds(tables, {"sequence": became}, facts(*carts, orders=(order,))) == {"bought"}


@pytest.mark.requirement("R27")
def test_steps_are_taken_in_order_and_a_wait_counts_from_the_step_before(tables: Tables) -> None:
    at = dt.datetime.combine(ago(20), dt.time(12))

    def walked(who: str, *steps: tuple[str, int]) -> list[Event]:
        return [event(kind, at + dt.timedelta(hours=hours), who) for kind, hours in steps]

    known = facts(
        *walked("in_order", ("viewed", 0), ("asked", 5), ("bought", 28)),
        *walked("too_late", ("viewed", 0), ("asked", 5), ("bought", 30)),
        *walked("by_the_second_question", ("viewed", 0), ("asked", 5), ("asked", 9), ("bought", 30)),
        *walked("backwards", ("bought", 0), ("asked", 1), ("viewed", 2)),
        *walked("at_once", ("viewed", 0), ("asked", 0), ("bought", 0)),
    )
    steps = [
        {"event": {"kind": "viewed"}},
        {"event": {"kind": "asked"}},
        {"event": {"kind": "bought"}, "within": "24h"},
    ]
    asked = {"sequence": {"steps": steps}}
    assert holds(tables, asked, known) == {"in_order", "by_the_second_question"}
    tonight = night()
    rows = {row["contact_id"]: row for row in tables.rows(people(Condition.model_validate(asked), tonight))}
    found = rows["by_the_second_question"]
    assert (found["evidence_count"], found["first_at"], found["last_at"]) == (3, at, at + dt.timedelta(hours=30))


@pytest.mark.requirement("R39")
def test_bought_one_product_and_not_its_accessory(tables: Tables) -> None:
    line = (Decimal(5),)
    known = Facts(
        {"both": {}, "one": {}, "none": {}},
        orders=(
            Order("both", ago(1), line * 2, ("METERS", "PROBES"), product_codes=("m1", "a1")),
            Order("one", ago(1), line, ("METERS",), product_codes=("m1",)),
            Order("none", ago(1), line, ("METERS",), product_codes=("m2",)),
        ),
    )
    cross_sell = {"all": [{"bought": {"product_code": ["m1"]}}, {"not": {"bought": {"product_code": ["a1"]}}}]}
    assert holds(tables, cross_sell, known) == {"one"}
    assert holds(tables, {"bought": {"product_code": ["m1"], "category": ["PROBES"]}}, known) == set()


@pytest.mark.requirement("R31")
def test_the_90_days_are_company_days_also_over_the_change_of_clocks(tables: Tables) -> None:
    dormant = {"last_order": {"at_least_days_ago": 90}}
    late = Order("c1", TONIGHT, at=dt.datetime(2018, 1, 2, 4, 59))  # 23:59 in New York
    nights = [TONIGHT + dt.timedelta(days=days) for days in (89, 90)]
    assert [holds_of(tables, dormant, Facts(SOMEBODY, (late,)), on) for on in nights] == [False, True]
