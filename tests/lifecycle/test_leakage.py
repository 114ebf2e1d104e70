"""Where leads are lost: the leakage report, buried leads, lost reasons by segment (R46, R47, R48)."""

from typing import Any

import pytest

from tests.conditions.sales_facts import Outcome, Sales
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.lifecycle.nights import Company, lead_policy
from tests.score.nights import source
from vesper.marts.buried_lead import BURIED_LEAD
from vesper.marts.lead import LEAD
from vesper.marts.leakage import LEAKAGE
from vesper.marts.lost_reason import LOST_REASON
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.tables.campaign import CAMPAIGN_MEMBER

CALLED = "hotline_called"


def called(**days: int) -> tuple[Event, ...]:
    return tuple(Event(id, CALLED, ago(back)) for id, back in days.items())


def leak(company: Company, kind: str) -> tuple[Any, ...]:
    [row] = [row for row in company.rows(LEAKAGE) if row["kind"] == kind]
    return row["leaked_count"], row["base_count"], row["leak_ratio"], row["after_days"]


@pytest.mark.requirement("R46")
def test_the_leakage_report_counts_each_kind_over_those_to_whom_it_could_happen(tables: Tables) -> None:
    company = Company(tables, lead_policy(opened_by=[CALLED]), made=(LEAD, LEAKAGE))
    outcomes = (
        Outcome("bad", "invalid", ago(95)),
        Outcome("back", "recycle", ago(91)),
        Outcome("worked", "recycle", ago(89)),
        Outcome("sold", "won", ago(90)),
        Outcome("kept", "won", ago(100)),
        Outcome("kept", "to_sales", ago(10)),
        Outcome("fresh_sale", "won", ago(89)),
    )
    ids = "young quiet old bad back worked sold kept fresh_sale buyer"
    events = called(young=1, quiet=2, old=90, bad=99, back=99, worked=99, sold=99, kept=101, fresh_sale=99)
    facts = Facts(
        {id: {} for id in ids.split()}, orders=(Order("buyer", ago(200)),), events=events, sales=Sales((), outcomes)
    )
    company.run(facts, TONIGHT)
    # Everybody but `young` is old enough; only `quiet` and `old` never heard from us.
    assert leak(company, "untouched") == (2, 8, 2 / 8, 2)
    # Ended: bad, back, worked, sold, kept, fresh_sale.
    assert leak(company, "discarded") == (1, 6, 1 / 6, 0)
    # In the pool for 90 days: old, back, worked; `worked` was last spoken to 89 days ago.
    assert leak(company, "ignored") == (2, 3, 2 / 3, 90)
    # Sold 90 days ago or more: sold, kept, buyer; sales spoke to `kept` again.
    assert leak(company, "not_reengaged") == (2, 3, 2 / 3, 90)


def test_a_company_without_leads_has_a_report_without_ratios(tables: Tables) -> None:
    company = Company(tables, lead_policy(), made=(LEAD, LEAKAGE))
    company.run(Facts({"c1": {}}), TONIGHT)
    assert [(row["base_count"], row["leak_ratio"]) for row in company.rows(LEAKAGE)] == [(0, None)] * 4


@pytest.mark.requirement("R47")
def test_a_lead_that_fits_and_nobody_spoke_to_is_buried(tables: Tables) -> None:
    icp = {"attribute": {"field": "province", "in": ["上海"]}}
    company = Company(tables, lead_policy(opened_by=[CALLED], icp=icp), made=(LEAD, BURIED_LEAD))
    tables.put(CAMPAIGN_MEMBER, [{"campaign_id": "k", "contact_id": "mailed", "mailed_on": ago(179)}])
    outcomes = (
        Outcome("bad", "invalid", ago(300)),
        Outcome("sold", "won", ago(300)),
        Outcome("handed", "accepted", ago(180)),
    )
    home = {id: {"province": "上海"} for id in ("buried", "young", "mailed", "bad", "sold", "handed", "buyer")}
    facts = Facts(
        {**home, "elsewhere": {"province": "江苏"}, "unplaced": {}},
        orders=(Order("buyer", ago(300)),),
        events=called(
            buried=180, young=179, mailed=400, bad=400, sold=400, handed=400, elsewhere=400, unplaced=400, buyer=400
        ),
        sales=Sales((), outcomes),
    )
    company.run(facts, TONIGHT)
    assert [(row["contact_id"], row["status"], row["idle_days"]) for row in company.rows(BURIED_LEAD)] == [
        ("buried", "open", 180),
        ("handed", "to_sales", 180),
    ]


@pytest.mark.requirement("R47", "R106")
def test_while_the_profile_cannot_be_judged_buried_leads_stay_as_they_were(tables: Tables) -> None:
    icp = {"orders": {"at_most": 0}}
    shop = source("shop_order", "order_line")
    company = Company(tables, lead_policy(opened_by=[CALLED], icp=icp), shop, made=(LEAD, BURIED_LEAD))
    company.run(Facts({"c1": {}, "gone": {}}, events=called(c1=200, gone=200, c2=179)), ago(1))
    company.run(Facts({"c1": {}, "c2": {}}, events=called(c1=200, c2=200)), TONIGHT, held={"shop_order"})
    assert [(row["contact_id"], row["business_on"]) for row in company.rows(BURIED_LEAD)] == [("c1", TONIGHT)]


@pytest.mark.requirement("R48")
def test_lost_reasons_are_counted_by_segment(tables: Tables) -> None:
    company = Company(tables, lead_policy(lost_within="30d"), made=(LEAD, LOST_REASON))
    tables.put(
        SEGMENT_MEMBER,
        [{"segment_id": "east", "contact_id": id, "entered_on": TONIGHT} for id in ("c1", "c2")],
    )
    outcomes = (
        Outcome("c1", "lost", ago(29), "price"),
        Outcome("c2", "lost", ago(1), "price"),
        Outcome("c3", "lost", ago(1)),
        Outcome("c3", "lost", ago(30), "price"),
        Outcome("c2", "rejected", ago(1), "wrong_number"),
        Outcome("c1", "won", ago(1)),
        Outcome(None, "lost", ago(1), "price"),
    )
    company.run(Facts({id: {} for id in ("c1", "c2", "c3")}, sales=Sales((), outcomes)), TONIGHT)
    keys = ("segment_id", "outcome", "reason_code", "outcome_count", "reason_ratio")
    assert [tuple(row[key] for key in keys) for row in company.rows(LOST_REASON)] == [
        ("*", "lost", "price", 3, 0.75),
        ("*", "lost", "unstated", 1, 0.25),
        ("*", "rejected", "wrong_number", 1, 1.0),
        ("east", "lost", "price", 2, 1.0),
        ("east", "rejected", "wrong_number", 1, 1.0),
    ]
