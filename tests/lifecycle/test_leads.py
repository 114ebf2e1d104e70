"""A lead begins, ends as one of three, and comes back with its history (R43, R44, R45)."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from tests.conditions.sales_facts import Outcome, Sales
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.lifecycle.nights import Company, lead_policy, preset
from tests.score.nights import source
from vesper.clock import cutoff_at
from vesper.lead import PREVIOUS_MESSAGE
from vesper.marts.lead import LEAD
from vesper.marts.lead_change import LEAD_CHANGE
from vesper.marts.lifecycle import LIFECYCLE
from vesper.tables.campaign import CAMPAIGN_MEMBER
from vesper.tables.identity import CONTACT_ALIAS

ZONE = "America/New_York"
ONLY = (LEAD, LEAD_CHANGE)
CALLED = "hotline_called"


def facts(
    *outcomes: Outcome, events: tuple[Event, ...] = (), mqls: frozenset[str] = frozenset(), ids: str = "c1"
) -> Facts:
    return Facts({id: {} for id in ids.split()}, events=events, sales=Sales((), outcomes), mqls=mqls)


def lead_of(company: Company, id: str = "c1") -> dict[str, Any]:
    [row] = [row for row in company.rows(LEAD) if row["contact_id"] == id]
    return row


@pytest.mark.requirement("R43")
@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("accepted", "to_sales"),
        ("to_sales", "to_sales"),
        ("won", "to_sales"),
        ("invalid", "invalid"),
        ("recycle", "recycled"),
        ("rejected", "recycled"),
        ("lost", "recycled"),
    ],
)
def test_a_worked_lead_ends_in_exactly_one_of_three(tables: Tables, outcome: str, status: str) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    called = Event("c1", CALLED, ago(3))
    company.run(facts(events=(called,)), ago(2))
    assert (lead_of(company)["status"], lead_of(company)["opened_at"]) == ("open", called.at)
    company.run(facts(Outcome("c1", outcome, ago(1), "代码"), events=(called,)), TONIGHT)
    lead = lead_of(company)
    assert (lead["status"], lead["reason_code"]) == (status, "代码")
    assert (lead["opened_at"], lead["closed_at"]) == (called.at, Outcome("c1", outcome, ago(1)).at)
    [change] = company.rows(LEAD_CHANGE)
    assert (change["from_status"], change["to_status"]) == ("open", status)


@pytest.mark.requirement("R44")
def test_a_recycled_lead_opens_again_and_keeps_its_history(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    told: list[Outcome] = []
    events: list[Event] = [Event("c1", CALLED, ago(40))]
    seen = []
    for back, comes in ((39, "recycle"), (30, CALLED), (20, "rejected"), (10, CALLED), (5, "accepted"), (1, CALLED)):
        if comes == CALLED:
            events.append(Event("c1", CALLED, ago(back)))
        else:
            told.append(Outcome("c1", comes, ago(back), f"r{back}"))
        company.run(facts(*told, events=tuple(events)), ago(back))
        lead = lead_of(company)
        seen.append((lead["status"], lead["recycle_count"], lead["opened_at"].date(), lead["reason_code"]))
    assert seen == [
        ("recycled", 1, ago(40), "r39"),
        ("open", 1, ago(30), "r39"),
        ("recycled", 2, ago(30), "r20"),
        ("open", 2, ago(10), "r20"),
        ("to_sales", 2, ago(10), "r5"),
        ("to_sales", 2, ago(10), "r5"),  # while sales have it, only they end it
    ]


@pytest.mark.requirement("R43")
def test_who_has_bought_or_was_invalid_begins_anew_with_the_next_call(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    told = (Outcome("c1", "won", ago(9)), Outcome("c2", "invalid", ago(9)))
    calls = (Event("c1", CALLED, ago(2)), Event("c2", CALLED, ago(2)))
    company.run(facts(*told, events=calls, ids="c1 c2"), TONIGHT)
    assert company.of(LEAD, "status") == {"c1": "open", "c2": "open"}
    assert company.of(LEAD, "closed_at") == {"c1": None, "c2": None}


def test_an_mql_is_a_lead_from_its_first_night_on(tables: Tables) -> None:
    company = Company(tables, lead_policy(), made=ONLY)
    company.run(facts(), ago(3))
    assert company.rows(LEAD) == []
    for back in (2, 1):
        company.run(facts(mqls=frozenset({"c1"})), ago(back))
    company.run(facts(), TONIGHT)
    assert (lead_of(company)["status"], lead_of(company)["opened_at"]) == ("open", cutoff_at(ago(2), ZONE))


def test_an_mql_after_the_lead_came_back_opens_it(tables: Tables) -> None:
    company = Company(tables, lead_policy(), made=ONLY)
    told = Outcome("c1", "recycle", ago(3))
    company.run(facts(told), ago(3))
    company.run(facts(told, mqls=frozenset({"c1"})), ago(2))
    assert (lead_of(company)["status"], lead_of(company)["recycle_count"]) == ("open", 1)


def test_an_order_ends_a_lead_as_a_won_deal_does(tables: Tables) -> None:
    ids = "bought_after called_again recycled never"
    events = (
        Event("bought_after", CALLED, ago(9)),
        Event("called_again", CALLED, ago(9)),
        Event("called_again", CALLED, ago(1)),
    )
    orders = tuple(Order(id, ago(5)) for id in ids.split())
    whole = replace(facts(Outcome("recycled", "recycle", ago(8), "晚点再说"), events=events, ids=ids), orders=orders)
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    company.run(whole, TONIGHT)
    assert company.of(LEAD, "status") == {"bought_after": "to_sales", "called_again": "open", "recycled": "to_sales"}
    assert {id: at.date() for id, at in company.of(LEAD, "opened_at").items()} == {
        "bought_after": ago(9),
        "called_again": ago(1),
        "recycled": ago(5),
    }
    assert company.of(LEAD, "recycle_count")["recycled"] == 1
    company = Company(tables, lead_policy(opened_by=[CALLED], order_ends=False), made=ONLY)
    company.run(whole, TONIGHT)
    assert company.of(LEAD, "status") == {"bought_after": "open", "called_again": "open", "recycled": "recycled"}


def test_a_lead_that_an_order_ends_began_after_the_order_before(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    calls, orders = (
        (Event("c1", CALLED, ago(40)), Event("c1", CALLED, ago(20))),
        (Order("c1", ago(30)), Order("c1", ago(10))),
    )
    seen = []
    for back in (40, 30, 20, 10, 9):
        known = facts(events=tuple(call for call in calls if call.at <= cutoff_at(ago(back), ZONE)))
        company.run(replace(known, orders=tuple(order for order in orders if order.on <= ago(back))), ago(back))
        seen.append((lead_of(company)["status"], lead_of(company)["opened_at"].date()))
    first, second = ago(40), ago(20)
    assert seen == [("open", first), ("to_sales", first), ("open", second), ("to_sales", second), ("to_sales", second)]


def test_without_a_list_the_events_of_contact_sources_make_leads(tables: Tables) -> None:
    hotline, app = source("hotline_lead", "contact", CALLED), source("app_page", "event", "page_viewed")
    company = Company(tables, lead_policy(), hotline, app, made=ONLY)
    company.run(facts(events=(Event("c1", CALLED, ago(1)), Event("c2", "page_viewed", ago(1))), ids="c1 c2"), TONIGHT)
    assert company.of(LEAD, "status") == {"c1": "open"}


def test_machines_and_the_future_open_nothing(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=ONLY)
    events = (Event("c1", CALLED, ago(1), is_machine=True), Event("c1", CALLED, ago(-3)))
    company.run(facts(Outcome("c1", "recycle", ago(-2)), events=events), TONIGHT)
    assert company.rows(LEAD) == []


def test_a_lead_follows_its_person_to_another_id(tables: Tables) -> None:
    company = Company(tables, lead_policy(), made=ONLY)
    company.run(facts(mqls=frozenset({"c1"})), ago(5))
    opened = lead_of(company)["opened_at"]
    tables.put(CONTACT_ALIAS, [{"old_id": "c1", "contact_id": "c2", "on": TONIGHT, "founder": "crm:1"}])
    company.run(facts(ids="c2"), TONIGHT)
    assert [(row["contact_id"], row["opened_at"]) for row in company.rows(LEAD)] == [("c2", opened)]


def test_the_last_touch_is_the_latest_of_call_mail_mailing_and_message(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED], touched_by=["mail_delivered"]), made=ONLY)
    ids = "called mailed outcome posted none"
    tables.put(CAMPAIGN_MEMBER, [{"campaign_id": "k", "contact_id": "mailed", "mailed_on": ago(4)}])
    sent_at = dt.datetime.combine(ago(3), dt.time(12))
    tables.put(PREVIOUS_MESSAGE, [{"message_id": "m", "contact_id": "posted", "sent_at": sent_at}])
    events = (*(Event(id, CALLED, ago(30)) for id in ids.split()), Event("called", "mail_delivered", ago(5)))
    company.run(facts(Outcome("outcome", "recycle", ago(2)), events=events, ids=ids), TONIGHT)
    touched = {id: at and at.date() for id, at in company.of(LEAD, "last_touch_at").items()}
    assert touched == {"called": ago(5), "mailed": ago(4), "outcome": ago(2), "posted": ago(3), "none": None}


@pytest.mark.requirement("R45")
def test_a_call_result_is_judged_in_the_next_run(tables: Tables) -> None:
    company = Company(tables, preset("b"))
    mqls = frozenset({"c1"})
    company.run(facts(), ago(3))
    company.run(facts(mqls=mqls), ago(2))
    accepted = Outcome("c1", "accepted", ago(1), at_time=dt.time(14))
    company.run(facts(accepted, mqls=mqls), ago(1))
    assert company.of(LIFECYCLE, "stage") == {"c1": "sql"}
    back = replace(facts(accepted, Outcome("c1", "recycle", TONIGHT, "暂无预算"), mqls=mqls))
    company.run(back, TONIGHT)
    assert company.of(LIFECYCLE, "stage") == {"c1": "prospect"}
    assert (lead_of(company)["status"], lead_of(company)["recycle_count"]) == ("recycled", 1)
