"""Campaign effect: whom a campaign reached, who answered, what they bought; what nobody measures is empty and not 0."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.measure.shop import AT, TONIGHT, Shop, night
from vesper.marts.campaign_effect import campaign_effect
from vesper.marts.message import MESSAGE
from vesper.model.policy import AnalysisPolicy
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER, EVENT

START, END = dt.date(2017, 6, 1), dt.date(2017, 6, 30)


def campaign(shop: Shop, campaign_id: str = "18", kind: str = "Type A") -> None:
    row = {"campaign_id": campaign_id, "name": campaign_id, "kind": kind, "starts_on": START, "ends_on": END}
    shop.put(CAMPAIGN, row)


def mailed(shop: Shop, contact_id: str, campaign_id: str = "18", on: dt.date = START, responded: bool = False) -> None:
    row = {
        "campaign_id": campaign_id,
        "contact_id": contact_id,
        "mailed_on": on,
        "responded_at": AT if responded else None,
    }
    shop.put(CAMPAIGN_MEMBER, row)


def message(shop: Shop, number: int, state: str = "accepted", campaign_id: str = "winback", **fields: Any) -> None:
    sent_at = AT if state in ("accepted", "unknown") else None
    row = {"message_id": f"m{number}", "campaign_id": campaign_id, "series_id": "Winback", "contact_id": f"c{number}"}
    state_of = {"step_id": "send", "occurrence": 1, "channel": "email", "purpose": "marketing", "state": state}
    times = {"business_on": START, "planned_at": AT, "sent_at": sent_at}
    shop.put(MESSAGE, {**row, **state_of, **times, **fields})


def event(shop: Shop, id: str, contact_id: str, kind: str, **fields: Any) -> None:
    at = AT + dt.timedelta(hours=1)
    row = {
        "event_id": id,
        "on": at.date(),
        "contact_id": contact_id,
        "kind": kind,
        "at": at,
        "received_at": at,
        "source": "till",
    }
    shop.put(EVENT, {**row, "is_machine": False, **fields})


def effect(shop: Shop, *definitions: Any) -> dict[str, Any]:
    return {row.campaign_id: row for row in shop.rows(campaign_effect(night(*definitions)))}


@pytest.mark.requirement("R96")
def test_revenue_is_what_responders_paid_from_the_mailing_to_the_last_day(shop: Shop) -> None:
    campaign(shop)
    mailed(shop, "c1", responded=True)
    mailed(shop, "c2")
    shop.bought("c1", START - dt.timedelta(days=1), 1000)
    shop.bought("c1", START, 10)
    shop.bought("c1", END, 5)
    shop.bought("c1", END + dt.timedelta(days=1), 1000)
    shop.bought("c2", START, 1000)
    row = effect(shop)["18"]
    assert (row.mailed_count, row.responded_count, row.converted_count) == (2, 1, 1)
    assert (row.revenue, row.kind, row.channel) == (Decimal("15.00"), "Type A", "mailing")


def test_what_nobody_measures_is_empty(shop: Shop) -> None:
    campaign(shop)
    mailed(shop, "c1", responded=True)
    row = effect(shop)["18"]
    unmeasured = (
        row.delivered_count,
        row.opened_count,
        row.clicked_count,
        row.cost,
        row.roi_ratio,
        row.unsubscribe_ratio,
    )
    assert unmeasured == (None,) * 6
    assert row.revenue == 0


def test_a_responder_who_bought_nothing_is_not_converted(shop: Shop) -> None:
    campaign(shop)
    mailed(shop, "c1", responded=True)
    assert (effect(shop)["18"].responded_count, effect(shop)["18"].converted_count) == (1, 0)


def test_a_mailing_after_the_night_does_not_count(shop: Shop) -> None:
    campaign(shop)
    mailed(shop, "c1", on=TONIGHT + dt.timedelta(days=1))
    assert effect(shop) == {}


def test_own_messages_count_by_state(shop: Shop) -> None:
    for number, state in enumerate(("accepted", "accepted", "rejected", "unknown", "planned", "refused")):
        message(shop, number, state)
    row = effect(shop)["winback"]
    assert (row.channel, row.mailed_count, row.delivered_count, row.opened_count) == ("email", 4, 2, None)


def test_a_response_to_an_own_message_comes_after_it_in_its_series(shop: Shop) -> None:
    for number in range(3):
        message(shop, number)
    event(shop, "e0", "c0", "coupon_redeemed", series_id="Winback")
    event(shop, "e1", "c1", "coupon_redeemed", series_id="Winback", at=AT - dt.timedelta(hours=1))
    event(shop, "e2", "c2", "coupon_redeemed", series_id="another")
    assert effect(shop)["winback"].responded_count == 1


@pytest.mark.requirement("R91")
def test_unsubscribes_and_complaints_are_shares_of_the_delivered_once_a_source_reports_them(shop: Shop) -> None:
    for number in range(4):
        message(shop, number)
    message(shop, 9, campaign_id="newsletter")
    event(shop, "e1", "c0", "mail_unsubscribed", message_id="m0")
    event(shop, "e2", "c1", "mail_unsubscribed", message_id="m1", is_machine=True)
    event(shop, "e3", "c2", "mail_complained", message_id="m2")
    winback, newsletter = effect(shop)["winback"], effect(shop)["newsletter"]
    assert (winback.unsubscribe_ratio, winback.complaint_ratio) == (0.25, 0.25)
    assert (newsletter.unsubscribe_ratio, newsletter.complaint_ratio) == (0.0, 0.0)
    assert winback.clicked_count is None


@pytest.mark.requirement("R96")
def test_return_on_a_stated_cost(shop: Shop) -> None:
    stated = {"id": "analysis", "says": "成本", "owner": "marketing", "effect": {"cost_per_message": 0.5}}
    message(shop, 1)
    message(shop, 2)
    event(shop, "e1", "c1", "coupon_redeemed", series_id="Winback")
    shop.bought("c1", AT.date(), 3)
    row = effect(shop, AnalysisPolicy.model_validate(stated))["winback"]
    assert (row.revenue, row.cost, row.roi_ratio) == (Decimal("3.00"), Decimal("1.00"), 2.0)
