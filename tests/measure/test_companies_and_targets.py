"""Markets that count companies, targets of fields and their progress, and the sources that would close a gap."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measure.shop import AT, TONIGHT, Shop, market, night
from vesper.marts.visibility import VISIBILITY, visibility
from vesper.marts.visibility_gap import visibility_gap
from vesper.marts.visibility_source import visibility_source
from vesper.measure import people_to_ask
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD

FIELDS = ("name", "phone")


def company(shop: Shop, id: str, **fields: object) -> None:
    shop.put(COMPANY, {"company_id": id, "name": id, "company_key": id, **fields})


def record(shop: Shop, source: str, key: str, contact_id: str, **fields: object) -> None:
    given_row = {
        "source": source,
        "record_key": key,
        "phone_status": "missing",
        "email_status": "missing",
        "region_status": "none",
        "received_at": AT,
        "trust": 50,
    }
    shop.put(SOURCE_RECORD, {**given_row, **fields})
    shop.put(CONTACT_MEMBER, {"source": source, "record_key": key, "contact_id": contact_id, "rule": "founder"})


@pytest.mark.requirement("R117", "R18")
def test_a_company_is_known_by_all_its_contacts_together(shop: Shop) -> None:
    company(shop, "k1", industry="仪器仪表")
    company(shop, "k2")
    shop.contact("c1", company_id="k1", name="王小明")
    shop.contact("c2", company_id="k1", phone="+8613812345678")
    shop.contact("c3", company_id="k2", name="李雷", phone="+8613912345678")
    shop.contact("c4", name="韩梅梅", phone="+8613712345678")
    firms = market(size=4, counts="companies", fields=(*FIELDS, "company.industry"))
    (row,) = shop.rows(visibility(night(firms)))
    assert (row.counts, row.known_count, row.complete_count) == ("companies", 2, 1)
    gaps = {gap.field: (gap.have_count, gap.missing_count) for gap in shop.rows(visibility_gap(night(firms)))}
    assert gaps == {"name": (2, 0), "phone": (2, 0), "company.industry": (1, 1)}


@pytest.mark.requirement("R117")
def test_one_contact_of_a_company_is_asked_for_what_the_company_lacks(shop: Shop) -> None:
    company(shop, "k1")
    shop.contact("c1", company_id="k1", name="王小明")
    shop.contact("c2", company_id="k1", name="王大明")
    firms = market(size=1, counts="companies", fields=FIELDS)
    (asked,) = shop.rows(people_to_ask(firms, night(firms)))
    assert (asked.contact_id, asked.missing) == ("c1", "phone")


@pytest.mark.requirement("R22")
def test_a_target_tells_distance_progress_and_its_day(shop: Shop) -> None:
    for number in range(4):
        shop.contact(f"c{number}", name="王", phone="+8613812345678")
    goal = {"ratio": 0.8, "due_on": "2017-12-31", "from": {"ratio": 0.2, "on": "2017-01-01"}}
    late = market(size=10, fields=FIELDS, target=goal, field_targets={"phone": {"ratio": 0.9, "due_on": "2018-03-01"}})
    (row,) = shop.rows(visibility(night(late)))
    assert (row.to_target_count, row.is_overdue) == (4, True)
    assert row.progress_ratio == pytest.approx(1 / 3)
    by_field = {gap.field: (gap.target_ratio, gap.target_due_on) for gap in shop.rows(visibility_gap(night(late)))}
    assert by_field == {"name": (None, None), "phone": (0.9, dt.date(2018, 3, 1))}
    on_the_day = market(size=5, fields=FIELDS, target=goal)
    (reached,) = shop.rows(visibility(night(on_the_day)))
    assert (reached.to_target_count, reached.is_overdue) == (0, False)


@pytest.mark.requirement("R22")
def test_the_source_that_would_close_most_is_told_from_the_others(shop: Shop) -> None:
    for number in range(8):
        shop.contact(f"c{number}", name="王")
        record(shop, "crm", f"r{number}", f"c{number}", name="王")
    for number in range(2):
        record(shop, "hotline", f"h{number}", f"c{number}", phone="+8613812345678")
    for number in range(4):
        record(shop, "web", f"w{number}", "c9", phone="+8613812345678" if number else None)
    everybody = market(size=10, fields=FIELDS)
    rows = {row.source: row for row in shop.rows(visibility_source(night(everybody))) if row.field == "phone"}
    assert {id: (row.missing_count, row.absent_count, row.expected_count) for id, row in rows.items()} == {
        "crm": (8, 0, 0),
        "hotline": (8, 6, 6),
        "web": (8, 8, 6),
    }
    assert not [row for row in shop.rows(visibility_source(night(everybody))) if row.field == "name"]


@pytest.mark.requirement("R22")
@settings(max_examples=40, deadline=None)
@given(complete=st.integers(0, 30), size=st.integers(1, 30), percent=st.integers(1, 120))
def test_no_distance_is_left_exactly_when_the_target_is_reached(
    lasting: Shop, complete: int, size: int, percent: int
) -> None:
    from vesper.tables.contact import CONTACT

    with lasting.engine.begin() as connection:
        connection.execute(CONTACT.delete())
    for number in range(complete):
        lasting.contact(f"c{number}", name="王", phone="+8613812345678")
    goal = {"ratio": percent / 100, "due_on": TONIGHT}
    (row,) = lasting.rows(visibility(night(market(size=size, fields=FIELDS, target=goal))))
    assert (row.to_target_count == 0) == (complete * 100 >= percent * size)
    assert VISIBILITY.c.to_target_count.nullable is False or row.to_target_count is not None
