"""`vesper explain` of a lead: where it stands, what sales said, which BANT statement counts, and nothing that a person typed."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from tasks.explain import explain
from tasks.explain_asked import Asked
from tasks.explain_lead import lead
from tasks.sql import open_to_read, run_sql
from vesper.language import translator
from vesper.tables.sales import BANT, LEAD_OUTCOME
from warehouse.arrow_schema import arrow_schema
from warehouse.runner import Runner

AT = dt.datetime(2017, 12, 1, 15)


@pytest.mark.requirement("R44")
def test_the_page_of_a_lead_says_where_it_stands_and_how_often_it_came_back(grocer: Path) -> None:
    [(contact_id, count), *_rest] = run_sql(grocer, "select contact_id, recycle_count from mart__lead order by 1")[1]
    said = explain(grocer, contact_id).split("## 线索\n", 1)[1].split("\n## ", 1)[0]
    assert f"退回流量池 {count} 次" in said


@pytest.mark.requirement("R44", "R55")
def test_outcomes_and_statements_are_listed_and_what_was_typed_is_not_shown(grocer: Path) -> None:
    with open_to_read(grocer) as house, Runner(house.lake) as runner:
        asked = Asked(house, runner, {}, translator("en"))
        statements = [("budget", "预算 13900139001", AT), ("budget", "unclear", AT - dt.timedelta(days=1))]
        bind(runner, BANT, [bant(place, *one) for place, one in enumerate(statements)])
        bind(runner, LEAD_OUTCOME, [outcome("recycle", AT), outcome("accepted", AT - dt.timedelta(days=9))])
        text = lead(asked, "c1")
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    assert [line.split(" | ")[1] for line in lines[1:3]] == ["recycle", "accepted"]
    assert [line.split(" | ")[4] for line in lines[4:]] == ["yes |", "- |"]
    assert "13900139001" not in text


def bind(runner: Runner, table: sa.Table, rows: list[dict[str, object]]) -> None:
    runner.bind_arrow(table.name, pa.Table.from_pylist(rows, schema=arrow_schema(table)))


def bant(place: int, dimension: str, value: str, at: dt.datetime) -> dict[str, object]:
    return {
        "contact_id": "c1",
        "dimension": dimension,
        "value": value,
        "source": "crm_bant",
        "record_key": f"b{place}",
        "at": at,
    }


def outcome(word: str, at: dt.datetime) -> dict[str, object]:
    row: dict[str, object] = {column.name: None for column in LEAD_OUTCOME.c}
    said = {"contact_id": "c1", "outcome": word, "source": "call_result", "record_key": word, "on": at.date(), "at": at}
    return row | said
