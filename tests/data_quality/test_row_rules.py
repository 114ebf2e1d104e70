"""Rows: which rule a row broke first, what is superseded, and that every row ends in exactly one place."""

import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_quality.row_rules import critical_rules, typed
from data_quality.split import clean_select, count_select, quarantine_select
from vesper import clock
from warehouse.lint import refuse_unstable

LEVEL = {"type": "category", "allowed": ("gold", "silver"), "map": {"金卡": "gold"}}


@pytest.mark.requirement("R10")
def test_a_row_without_a_required_value_names_the_field_and_keeps_what_came(judge: Any, source: Any) -> None:
    good, broken = judge(source(), [{"会员号": "m1", "电话": "13800000000"}, {"会员号": " ", "电话": "13900000000"}])
    assert (good["failed_rule"], good["row_json"]) == (None, None)
    assert broken["failed_rule"] == "required:member_id"
    assert json.loads(broken["row_json"]) == {"会员号": " ", "电话": "13900000000"}


def test_the_first_broken_rule_wins_in_the_order_required_type_category(judge: Any, source: Any) -> None:
    made = source(
        fields={
            "member_id": {"column": "会员号", "type": "text", "required": True},
            "registered_at": {"column": "注册时间", "type": "instant"},
            "level": {"column": "等级", **LEVEL, "unknown": "quarantine"},
        }
    )
    rows = [
        {"会员号": None, "注册时间": "x", "等级": "x"},
        {"会员号": "m1", "注册时间": "x", "等级": "x"},
        {"会员号": "m2", "注册时间": None, "等级": "x"},
        {"会员号": "m3", "注册时间": "2018-01-01", "等级": "金卡"},
    ]
    found = [row["failed_rule"] for row in judge(made, rows)]
    assert found == ["required:member_id", "type:registered_at", "category:level", "time:registered_at"]


@pytest.mark.requirement("R10")
def test_a_text_that_nobody_can_have_meant_is_set_aside_by_its_beginning(judge: Any, source: Any) -> None:
    rows = [
        {"会员号": "m1", "电话": "1\x002"},
        {"会员号": "m2", "电话": "长" * 200_000},
        {"会员号": "m3", "电话": "x" * 400_000, "注册时间": "x"},
        {"会员号": "m4", "电话": "x" * 400_000},
    ]
    found = judge(source(), rows)
    assert [row["failed_rule"] for row in found] == ["nul:phone", "long:phone", "type:registered_at", None]
    assert json.loads(found[0]["row_json"])["电话"] == "1\x002"
    assert json.loads(found[1]["row_json"])["电话"] == "长" * 1000 + "… (600000 bytes)"
    assert json.loads(found[2]["row_json"])["注册时间"] == "x"


def test_a_missing_optional_column_is_empty(judge: Any, source: Any) -> None:
    (row,) = judge(source(), [{"会员号": "m1"}])
    assert (row["phone"], row["registered_at"], row["failed_rule"]) == (None, None, None)


def test_an_unknown_category_is_fatal_only_where_it_is_declared_so(source: Any) -> None:
    assert critical_rules(source({**LEVEL, "unknown": "fail"})) == {"category:it"}
    assert critical_rules(source({**LEVEL, "unknown": "quarantine"})) == frozenset()


def test_an_instant_may_be_an_hour_ahead_of_its_arrival_and_no_more(judge: Any, source: Any) -> None:
    rows = [
        {"会员号": "m1", "注册时间": "2017-06-02T07:00:00Z"},
        {"会员号": "m2", "注册时间": "2017-06-02T07:00:01Z"},
    ]
    assert [row["failed_rule"] for row in judge(source(), rows)] == [None, "time:registered_at"]


def test_the_day_of_an_event_is_not_after_the_day_of_its_arrival(judge: Any, source: Any) -> None:
    made = source(
        feeds="event",
        event_kind="coupon_redeemed",
        key=("card", "at"),
        fields={"card": {"column": "卡号", "type": "text"}, "at": {"column": "日期", "type": "date"}},
    )
    rows = [{"卡号": "1", "日期": "2017-06-02"}, {"卡号": "2", "日期": "2017-06-03"}]
    assert [row["failed_rule"] for row in judge(made, rows)] == [None, "time:at"]


def test_a_later_row_of_a_file_supersedes_an_earlier_one_with_its_key(judge: Any, source: Any) -> None:
    rows = [
        {"会员号": "m1", "电话": "1", "file": "a.csv"},
        {"会员号": "m1", "电话": "2", "file": "a.csv"},
        {"会员号": "m1", "电话": "3", "file": "b.csv"},
        {"会员号": "m1", "注册时间": "x", "file": "b.csv"},
    ]
    found = judge(source(), rows)
    assert [row["is_superseded"] for row in found] == [True, False, False, False]
    assert found[3]["failed_rule"] == "type:registered_at"


def test_rows_without_a_whole_key_never_supersede_each_other(judge: Any, source: Any) -> None:
    rows = [{"会员号": "m1", "电话": None}, {"会员号": "m1", "电话": None}]
    assert [row["is_superseded"] for row in judge(source(key=("member_id", "phone")), rows)] == [False, False]


def test_the_select_is_stable_and_has_one_row_for_each_that_came(source: Any) -> None:
    incoming = sa.table("incoming", sa.column("会员号"), sa.column("file"), sa.column("source_row"))
    select = typed(incoming, source(), zone="Asia/Shanghai", received_at=clock.at(dt.datetime(2017, 6, 2)))
    refuse_unstable(select, "raw_crm__member")


CELL = st.one_of(
    st.none(), st.sampled_from(["", "m1", "m2", "m3", "2017-06-01", "2018-06-01", "金卡", "gold"]), st.text()
)


@pytest.mark.requirement("R10")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELL, CELL, CELL, st.sampled_from(["a.csv", "b.csv"])), max_size=30))
def test_every_row_is_good_quarantined_or_superseded(judge: Any, source: Any, cells: list[Any]) -> None:
    made = source(
        fields={
            "member_id": {"column": "会员号", "type": "text", "required": True},
            "registered_at": {"column": "注册时间", "type": "instant"},
            "level": {"column": "等级", **LEVEL, "unknown": "quarantine"},
        }
    )
    names = ("会员号", "注册时间", "等级", "file")
    rows = [
        {name: cell.replace("\x00", "") if cell else cell for name, cell in zip(names, row, strict=True)}
        for row in cells
    ]
    judged = judge(made, rows) if rows else []
    assert len(judged) == len(rows)
    outcomes = Counter("superseded" if row["is_superseded"] else row["failed_rule"] or "good" for row in judged)
    good = [row for row in judged if row["failed_rule"] is None and not row["is_superseded"]]
    assert outcomes.total() == len(rows)
    assert len({(row["file"], row["member_id"]) for row in good}) == len(good)
    newest = {(row["file"], row["member_id"]): row["source_row"] for row in judged if row["failed_rule"] is None}
    assert {(row["file"], row["member_id"]): row["source_row"] for row in good} == newest


@pytest.mark.requirement("R10")
def test_judged_rows_split_into_clean_quarantine_and_counts(engine: sa.Engine, source: Any) -> None:
    made = source()
    rows = [("m1", "1", 2), ("m1", "2", 3), (None, "3", 4), ("m2", None, 5)]
    with engine.connect() as connection:
        selects = [
            sa.select(
                sa.cast(member, sa.String).label("会员号"),
                sa.cast(phone, sa.String).label("电话"),
                sa.literal("a.csv").label("file"),
                sa.literal(place).label("source_row"),
            )
            for member, phone, place in rows
        ]
        incoming = sa.union_all(*selects).subquery("incoming")
        received_at = clock.at(dt.datetime(2017, 6, 2, 6))
        judged = typed(incoming, made, zone="Asia/Shanghai", received_at=received_at).subquery("judged")
        clean = connection.execute(clean_select(judged, made).order_by("source_row")).all()
        broken = connection.execute(quarantine_select(judged, made, dt.date(2017, 6, 2))).mappings().all()
        counts = {row.outcome: row.row_count for row in connection.execute(count_select(judged))}
    assert [(row.member_id, row.phone, row.source_row) for row in clean] == [("m1", "2", 3), ("m2", None, 5)]
    (row,) = broken
    assert (row["row_key"], row["rule_id"], row["source"]) == ("a.csv:4", "required:member_id", "crm_member")
    assert counts == {"good": 2, "superseded": 1, "required:member_id": 1}
