"""What each kind of step does, and when."""

import datetime as dt

import pytest

from tests.journeys.company import Company, happened, journey, on_day, states

POOL = """
says: 券
owner: marketing
made: {count: 3, prefix: TEN}
expires_after: 7d
warn_below: 0
"""


@pytest.mark.requirement("R73", "R75")
def test_the_example_of_s1_view_coupon_three_days_reminder(company: Company) -> None:
    """Two minutes on the page -> coupon -> three days -> not redeemed -> reminder; redeemed -> none."""
    company.define(
        coupons__ten_off=POOL,
        journeys__j1=journey(
            "id: ten_off, within: 1h, give: {pool: ten_off}",
            "id: three_days, within: 4d, wait: 3d",
            "id: reminder, within: 1h, send: {content: reminder}",
            entry="{event: {kind: page_viewed, duration_at_least: 2m}}",
            goal="{happened: {event: {kind: coupon_redeemed}, since: ten_off}}",
        ),
    )
    company.know(
        ["c1", "c2", "c3"],
        [
            happened("page_viewed", 1, "10:00", "c1", duration_seconds=120),
            happened("page_viewed", 1, "11:00", "c2", duration_seconds=300),
            happened("coupon_redeemed", 3, "12:00", "c2"),
            happened("page_viewed", 1, "10:00", "c3", duration_seconds=119),
        ],
    )
    for day in range(7):
        company.night(dt.date(2018, 1, 2) + dt.timedelta(days=day))
    assert states(company) == [("c1", 1, "done", None), ("c2", 1, "goal", None)]
    assert company.way("c1") == [
        ("ten_off", dt.datetime(2018, 1, 2, 10)),
        ("three_days", dt.datetime(2018, 1, 2, 10)),
        ("reminder", dt.datetime(2018, 1, 5, 10)),
    ]
    assert [(row["contact_id"], row["step_id"], row["state"]) for row in company.messages()] == [
        ("c1", "reminder", "planned")
    ]
    assert {row["contact_id"] for row in company.coupons()} == {"c1", "c2"}
    assert all(row["code"].startswith("TEN") for row in company.coupons())
    before = company.entries(), company.visits(), company.messages(), company.coupons()
    company.night(dt.date(2018, 1, 8))
    assert (company.entries(), company.visits(), company.messages(), company.coupons()) == before


@pytest.mark.requirement("R81")
def test_a_branch_asks_what_happened_up_to_its_instant(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: hello, send: {content: hello}",
            "id: pause, wait: 2d",
            "id: warm, branch: [{when: {happened: {event: {kind: mail_clicked}, at_least: 2}}, go: call}], otherwise: again",
            "id: again, send: {content: reminder}, go: end",
            "id: call, task: {kind: demo, due: 2d, to: bob}",
        )
    )
    clicks = [happened("mail_clicked", 2, "10:00"), happened("mail_clicked", 3, "10:00")]
    late = [happened("mail_clicked", 2, "10:00", "c2"), happened("mail_clicked", 3, "10:00:01", "c2")]
    views = [happened("page_viewed", 1, "10:00", who) for who in ("c1", "c2")]
    company.know(["c1", "c2"], [*views, *clicks, *late])
    company.night(dt.date(2018, 1, 10))
    assert [step for step, _ in company.way("c1")] == ["hello", "pause", "warm", "call"]
    assert [step for step, _ in company.way("c2")] == ["hello", "pause", "warm", "again"]
    (task,) = company.tasks()
    assert (task["contact_id"], task["kind"], task["owner"], task["is_open"]) == ("c1", "demo", "bob", True)
    assert task["due_at"] == on_day(5, "10:00")


def test_a_wait_ends_at_the_instant_of_what_it_waits_for(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: until_form, until: {when: {happened: {event: {kind: form_submitted}}}, at_most: 5d}",
            "id: late, branch: [{when: {happened: {event: {kind: form_submitted}}}, go: end}], otherwise: hello",
            "id: hello, send: {content: hello}",
        )
    )
    views = [happened("page_viewed", 1, "10:00", who) for who in ("c1", "c2", "c3")]
    company.know(
        ["c1", "c2", "c3"],
        [*views, happened("form_submitted", 2, "09:00"), happened("form_submitted", 6, "10:01", "c3")],
    )
    company.night(dt.date(2018, 1, 9))
    assert company.way("c1")[1] == ("late", dt.datetime(2018, 1, 3, 9))
    assert company.way("c2")[1] == ("late", dt.datetime(2018, 1, 7, 10))
    assert {row["contact_id"] for row in company.messages()} == {"c2", "c3"}


def test_a_wait_without_at_most_ends_the_journey_at_its_limit(company: Company) -> None:
    company.define(
        journeys__j1=journey("id: until_form, within: 5d, until: {when: {happened: {event: {kind: form_submitted}}}}")
    )
    company.know(["c1"], [happened("page_viewed", 1, "10:00")])
    company.night(dt.date(2018, 1, 6))
    assert states(company) == [("c1", 1, "active", None)]
    company.night(dt.date(2018, 1, 7))
    (entry,) = company.entries()
    assert (entry["state"], entry["reason"], entry["ended_at"]) == ("expired", "limit", on_day(6, "10:00"))


def test_a_wait_for_a_time_of_day_and_a_day_of_the_week(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            'id: nine, clock: {at: "09:00"}',
            'id: monday, clock: {at: "09:00", days: [monday]}',
            "id: hello, send: {content: hello}",
        )
    )
    company.know(["c1"], [happened("page_viewed", 1, "09:00")])  # day 1 is a Tuesday
    company.night(dt.date(2018, 1, 20))
    assert company.way() == [
        ("nine", dt.datetime(2018, 1, 2, 9)),
        ("monday", dt.datetime(2018, 1, 3, 9)),
        ("hello", dt.datetime(2018, 1, 8, 9)),
    ]


@pytest.mark.requirement("R81")
def test_a_refused_message_is_the_steps_outcome_and_the_journey_goes_on(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: hello, send: {content: hello}",
            "id: got_it, branch: [{when: {refused: hello}, go: call}]",
            "id: pause, wait: 1d, go: end",
            "id: call, task: {kind: call, due: 1d}",
        )
    )
    company.know(["c1", "c2"], [happened("page_viewed", 1, "10:00", who) for who in ("c1", "c2")])
    company.consenting = ["c2"]
    company.night(dt.date(2018, 1, 2))
    assert [step for step, _ in company.way("c1")] == ["hello", "got_it", "call"]
    assert [step for step, _ in company.way("c2")] == ["hello", "got_it", "pause"]
    assert [(row["contact_id"], row["reason"]) for row in company.refusals()] == [("c1", "no_consent")]
    assert next(row["outcome"] for row in company.visits() if row["contact_id"] == "c1") == "no_consent"
    assert [row["owner"] for row in company.tasks()] == ["anna"]
