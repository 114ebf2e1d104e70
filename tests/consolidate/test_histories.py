"""Random histories of files over four nights: what the nights made step by step is what one night makes of everything (architecture, section 3)."""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.consolidate.company import Company, File, Row, day

NIGHTS = 4
TABLES = (
    "core__source_record", "core__contact_member", "core__contact", "core__contact_identifier", "core__order_line", "core__order_day",
    "core__product", "core__event", "core__calendar", "core__coverage",
)  # fmt: skip

OFTEN_EMPTY = {
    "name": ["", "王小明", "王 小明", "李雷", "韩梅梅", "张三", "赵四"],
    "region": ["", "上海", "上海市", "浙江杭州", "不知道"],
}
PHONES = [
    "",
    "13900139001",
    "+86 139 0013 9001",
    "１３９００１３９００２",
    "13900139003",
    "010-62345678",
    "13800138000",
    "12345",
]
EMAILS = ["", "a@x.com", "A@X.com ", "b@x.com", "c@x.com", "bad@"]
CARDS = ["", "101", "102", "103", "１０３", "104"]
REGISTERED = ["2017-05-01 09:00:00", "2017-06-01 10:30:00", "2018-02-28 23:59:59"]


def _rows(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(fields), max_size=6)


def _some(values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def _rows_of(source: str, on: dt.date) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A source's rows of a day; now and then one lacks its key or a required field, repeats a key, or is of the day before."""
    if source == "crm_member":
        texts = {name: _some(values) for name, values in OFTEN_EMPTY.items()}
        key = _some(["", "1", "2", "3", "4", "5"])
        return _rows(
            member_id=key,
            card=_some(CARDS),
            phone=_some(PHONES),
            email=_some(EMAILS),
            registered_at=_some(["", *REGISTERED]),
            **texts,
        )
    if source == "app_signup":
        names = _some(OFTEN_EMPTY["name"])
        return _rows(
            member_id=_some(["A1", "A2", "A3"]),
            name=names,
            phone=_some(PHONES),
            email=_some(EMAILS),
            registered_at=_some(REGISTERED),
        )
    if source == "shop_product":
        return _rows(product_code=_some(["P0", "P1", "P2"]), category=_some(["", "COFFEE", "TEA"]))
    if source == "shop_redemption":
        days = _some([on.isoformat(), (on - dt.timedelta(days=1)).isoformat()])
        return _rows(card=_some(CARDS), coupon_code=_some(["K1", "K2"]), at=days)
    times = [f"{each} {clock}" for each in (on, on - dt.timedelta(days=1)) for clock in ("08:00:00", "23:30:00")]
    return _rows(
        order_id=_some(["", "O1", "O2", "O3", "O4"]), product_code=_some(["P0", "P1", "P2", "P9"]), card=_some(CARDS),
        quantity=_some(["0", "1", "2"]), amount=_some(["0.00", "3.50", "10", "x"]), ordered_at=_some(times),
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[File]:
    """Files of all sources for four days. Some do not come, some come a night late."""
    files = []
    for source in ("crm_member", "app_signup", "shop_order", "shop_product", "shop_redemption"):
        for number in range(NIGHTS):
            # The catalogue of the first day stands already.
            if draw(st.integers(0, 3)) == 0 or (source == "shop_product" and number == 0):
                continue
            rows: list[Row] = list(draw(_rows_of(source, day(number))))
            late = draw(st.integers(0, 3)) == 0 and number < NIGHTS - 1
            files.append(File(source, day(number), day(number + late), tuple(rows)))
    return files


def tables_of(company: Company) -> dict[str, list[tuple[Any, ...]]]:
    """Every core table, its contacts named by their smallest source row instead of by their id."""
    contact_of = company.contact_of()
    name_of = {id: min(record for record, its in contact_of.items() if its == id) for id in contact_of.values()}
    found = {}
    for table in TABLES:
        rows = [
            row | ({"contact_id": name_of.get(row["contact_id"])} if "contact_id" in row else {})
            for row in company.rows(table)
        ]
        found[table] = sorted((tuple(sorted(row.items())) for row in rows), key=repr)
    found["set aside"] = sorted(
        (row["source"], row["row_key"], row["rule_id"]) for row in company.rows("dq__quarantine")
    )
    return found


def people(contact_of: dict[str, str]) -> dict[frozenset[str], str]:
    """Contact id by the source rows that are one person."""
    rows: dict[str, set[str]] = {}
    for record, id in contact_of.items():
        rows.setdefault(id, set()).add(record)
    return {frozenset(records): id for id, records in rows.items()}


def changed(before: dict[frozenset[str], str], now: dict[frozenset[str], str]) -> dict[frozenset[str], str]:
    """The people of the night before whose rows are others now: only they may have another id."""
    return {records: id for records, id in before.items() if records not in now}


@pytest.mark.requirement("R1", "R13", "R121")
@given(history=histories())
@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
def test_nights_one_by_one_equal_one_night_for_everything(history: list[File]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        by_night, at_once = Company(Path(folder) / "by_night"), Company(Path(folder) / "at_once")
        before: dict[str, str] = {}
        for number in range(NIGHTS):
            by_night.land(*[file for file in history if file.arrives == day(number)])
            by_night.quick_night(day(number))
            now = by_night.contact_of()
            assert people(before).items() <= people(now).items() | changed(people(before), people(now)).items()
            before = now
        at_once.land(*history)
        at_once.quick_night(day(NIGHTS - 1))
        expected, found = tables_of(at_once), tables_of(by_night)
        for name, rows in expected.items():
            assert found[name] == rows, name
        records = {f"{row['source']}:{row['record_key']}" for row in by_night.rows("core__source_record")}
        assert records == set(by_night.contact_of())
