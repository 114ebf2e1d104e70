"""Rows past the update limit of their source, and what the rules of cleaning did, by source and night."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consolidate.company import Company
from tests.consolidate.golden_rows import Golden, open_runner, record
from vesper.marts.cleaning_effect import CLEANING_EFFECT, RULES, cleaning_effect
from vesper.marts.stale_record import STALE_RECORD, stale_record
from vesper.night import Night
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.declare import previous
from warehouse.house import House

ON = dt.date(2018, 3, 4)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    company = Company(tmp_path / "company")
    source = company.root / "definitions" / "sources" / "crm_member.yml"
    source.write_text(source.read_text(encoding="utf-8") + "stale_after: 180d\n", encoding="utf-8")
    house = House.open(company.root)
    yield house.night(ON)
    house.close()


@pytest.fixture
def golden(tmp_path: Path) -> Iterator[Golden]:
    with open_runner(tmp_path) as runner:
        yield Golden(runner)


def noon(days_ago: int) -> dt.datetime:
    return dt.datetime(2018, 3, 4, 4) - dt.timedelta(days=days_ago)


@pytest.mark.requirement("R11")
def test_a_row_older_than_its_sources_limit_is_listed_with_age_and_owner(golden: Golden, night: Night) -> None:
    golden.make(
        [
            record("crm_member", "1", "c1", changed_at=noon(181), received_at=noon(0), owner="韩梅梅"),
            record("crm_member", "2", "c2", changed_at=noon(180), received_at=noon(0), owner="韩梅梅"),
            record("crm_member", "3", "c3", received_at=noon(400)),
            record("crm_member", "4", "c4", changed_at=noon(500), received_at=noon(0), excluded_by="deleted_at_source"),
            record("app_signup", "5", "c5", changed_at=noon(900), received_at=noon(0)),
        ]
    )
    golden.fill(STALE_RECORD, stale_record(night))
    found = {
        row["record_key"]: (row["contact_id"], row["age_days"], row["limit_days"], row["owner"], row["is_stated"])
        for row in golden.tables[STALE_RECORD.name]
    }
    assert found == {"1": ("c1", 181, 180, "韩梅梅", True), "3": ("c3", 400, 180, None, False)}


@pytest.mark.requirement("R11")
def test_without_a_limit_nothing_is_stale(golden: Golden, tmp_path: Path) -> None:
    house = House.open(Company(tmp_path / "other").root)
    golden.make([record("crm_member", "1", "c1", changed_at=noon(5000), received_at=noon(0))])
    golden.fill(STALE_RECORD, stale_record(house.night(ON)))
    house.close()
    assert golden.tables[STALE_RECORD.name] == []


@pytest.mark.requirement("R12")
def test_each_rule_says_how_many_rows_it_filled_or_purged(golden: Golden, night: Night) -> None:
    yesterday = record("crm_member", "1", "c1", phone_status="dummy", received_at=noon(1), name="王小明")
    records = [
        yesterday,
        record("crm_member", "2", "c2", phone_status="dummy", email_status="placeholder", received_at=noon(0)),
        record("app_signup", "A", "c1", email="w@x.cn", received_at=noon(0), province="浙江", city="杭州",
               region_from="phone_prefix"),
        record("app_signup", "B", "c3", company="个人", received_at=noon(0)),
        record("app_signup", "C", "c3", excluded_by="erased", received_at=noon(0)),
    ]  # fmt: skip
    golden.bind(previous(SOURCE_RECORD), [yesterday])
    golden.make(records)
    golden.fill(CLEANING_EFFECT, cleaning_effect(night))
    rows = golden.tables[CLEANING_EFFECT.name]
    found = {
        (row["source"], row["rule_id"]): (row["effect"], row["row_count"], row["new_count"])
        for row in rows
        if row["row_count"]
    }
    assert found == {
        ("crm_member", "phone_dummy"): ("purged", 2, 1),
        ("crm_member", "email_placeholder"): ("purged", 1, 1),
        ("app_signup", "region_from_phone"): ("filled", 1, 1),
        ("app_signup", "company_nobody"): ("purged", 1, 1),
        ("app_signup", "erased"): ("purged", 1, 1),
        ("crm_member", "golden_email"): ("filled", 1, 0),
        ("crm_member", "golden_province"): ("filled", 1, 0),
        ("crm_member", "golden_city"): ("filled", 1, 0),
        ("app_signup", "golden_name"): ("filled", 1, 1),
    }
    versions = {row["rule_id"]: row["version"] for row in rows}
    assert all(versions[rule.id] == str(rule.version) for rule in RULES)
    assert len(rows) == 2 * len(versions), "a rule that found nothing is reported, too"
