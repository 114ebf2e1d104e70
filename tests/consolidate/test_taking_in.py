"""Rows of a batch: new, changed, unchanged, superseded or set aside, none lost; what was said once keeps its arrival."""

import datetime as dt
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.consolidate.company import ZONE, Company, File, balances, day, member, members, quarantined
from vesper.clock import instant
from vesper.stage_report import StageFailed


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path / "company")


@pytest.mark.requirement("R1", "R10")
def test_every_row_is_new_changed_unchanged_superseded_or_set_aside(company: Company) -> None:
    company.land(members(day(0), member("1", name="王小明"), member("2", name="李雷"), member("3", name="张三")))
    first = company.night(day(0))
    assert balances(first, "crm_member") == {
        "received": 3,
        "new": 3,
        "changed": 0,
        "unchanged": 0,
        "quarantined": 0,
        "superseded": 0,
    }
    company.land(
        members(
            day(1),
            member("1", name="王小明"),
            member("2", name="李雷雷"),
            member("2", name="李磊"),
            member("4", name="赵四"),
            member("", name="无名"),
            {"member_id": "5", "registered_at": ""},
        )
    )
    second = company.night(day(1))
    assert balances(second, "crm_member") == {
        "received": 6,
        "new": 1,
        "changed": 1,
        "unchanged": 1,
        "quarantined": 2,
        "superseded": 1,
    }
    assert second.quarantined == {("crm_member", "required:member_id"): 1, ("crm_member", "required:registered_at"): 1}
    assert quarantined(company) == [("crm_member", "required:member_id"), ("crm_member", "required:registered_at")]
    names = {row["record_key"]: row["name"] for row in company.rows("core__source_record")}
    assert names == {"1": "王小明", "2": "李磊", "3": "张三", "4": "赵四"}
    (people,) = [one for one in second.balances if one.name == "consolidate contacts"]
    assert (people.total, people.parts) == (4, {"golden": 4, "merged": 0})


@pytest.mark.requirement("R1")
def test_the_last_word_of_a_batch_counts_and_a_repetition_keeps_its_arrival(company: Company) -> None:
    arrived = [instant(day(number), dt.time(12), ZONE) for number in range(3)]
    company.land(members(day(0), member("1", name="王"), member("2", name="李")))
    company.quick_night(day(0))
    company.land(members(day(1), member("1", name="王"), member("2", name="李磊"), arrives=day(2)))
    company.land(members(day(2), member("1", name="王"), member("2", name="李")))
    report = company.quick_night(day(2))
    # 2 said something else in between, so that its last word is news although it equals the first.
    assert balances(report, "crm_member") == {
        "received": 4,
        "new": 0,
        "changed": 1,
        "unchanged": 1,
        "quarantined": 0,
        "superseded": 2,
    }
    found = {
        row["member_id"]: (row["name"], row["received_at"].date(), row["file"])
        for row in company.rows("raw_crm__member")
    }
    assert found == {"1": ("王", arrived[0].date(), "2018-03-01.csv"), "2": ("李", arrived[2].date(), "2018-03-03.csv")}


def test_a_row_that_moves_to_another_day_leaves_the_old_one(company: Company) -> None:
    """In tables that are cut by day: orders and events, also when nothing else is left on the old day."""
    order = {"order_id": "O1", "product_code": "P0", "card": "101", "quantity": 1, "amount": "5"}
    redemption = {"card": "101", "coupon_code": "K1"}
    for number, (on, at) in enumerate((("2018-01-05", "2018-01-05 10:00:00"), ("2018-02-07", "2018-02-07 11:00:00"))):
        company.land(
            File("shop_order", day(number), day(number), ({**order, "ordered_at": at},)),
            File("shop_redemption", day(number), day(number), ({**redemption, "at": on},)),
        )
        company.quick_night(day(number))
        for table, column in (
            ("core__order_line", "ordered_on"),
            ("core__order_day", "ordered_on"),
            ("core__event", "on"),
            ("raw_shop__order", "on"),
        ):
            assert [str(row[column]) for row in company.rows(table)] == [on], table


def test_a_product_that_changes_its_category_changes_its_old_order_lines(company: Company) -> None:
    order = {
        "order_id": "O1",
        "product_code": "P0",
        "card": "101",
        "quantity": 1,
        "amount": "5",
        "ordered_at": "2018-01-05 10:00:00",
    }
    company.land(File("shop_order", day(0), day(0), (order,)))
    company.quick_night(day(0))
    company.land(File("shop_product", day(1), day(1), ({"product_code": "P0", "category": "TEA"},)))
    company.quick_night(day(1))
    assert [row["category"] for row in company.rows("core__order_line")] == ["TEA"]
    assert [row["category"] for row in company.rows("core__order_line", day(0))] == ["COFFEE"]


def test_a_corrected_file_of_an_earlier_day_is_taken_in(company: Company) -> None:
    company.land(members(day(0), member("1", name="王")))
    company.quick_night(day(0))
    company.land(members(day(0), member("1", name="王小明"), arrives=day(1)))
    report = company.quick_night(day(1))
    assert balances(report, "crm_member")["changed"] == 1
    assert [row["name"] for row in company.rows("core__contact")] == ["王小明"]
    assert [row["name"] for row in company.rows("core__contact", day(0))] == ["王"]


@pytest.mark.requirement("R2")
def test_a_damaged_page_of_a_parquet_file_stops_the_stage_with_the_files_name(tmp_path: Path) -> None:
    company = Company(tmp_path / "company")
    source = company.root / "definitions" / "sources" / "crm_member.yml"
    text = source.read_text(encoding="utf-8")
    source.write_text(
        text.replace("system: csv", "system: parquet").replace(".csv", ".parquet").replace("encoding: utf-8\n", ""),
        encoding="utf-8",
    )
    landing = company.root / ".vesper" / "landing" / "crm_member"
    landing.mkdir(parents=True)
    columns = ("member_id", "card", "name", "phone", "email", "region", "registered_at")
    words = {name: [f"{name} {number}" for number in range(1000)] for name in columns}
    table = pa.table(words | {"registered_at": ["2018-03-01 10:00:00"] * 1000})
    for on in (day(0), day(1)):
        pq.write_table(table, landing / f"{on}.parquet", compression="zstd")
    damaged = landing / f"{day(1)}.parquet"
    data = bytearray(damaged.read_bytes())
    data[4:2000] = b"\7" * 1996
    damaged.write_bytes(data)
    for file in landing.iterdir():
        at = instant(day(0), dt.time(12), ZONE).replace(tzinfo=dt.UTC).timestamp()
        os.utime(file, (at, at))
    with pytest.raises(StageFailed, match=rf"crm_member/{day(1)}\.parquet: it is not a whole Parquet file"):
        company.night(day(1))
