"""BANT: of several statements the newest counts, and the verdict follows from them alone (R55)."""

import datetime as dt
from typing import Any

import pytest

from tests.conditions.sales_facts import Sales, Statement
from tests.conditions.world import TONIGHT, Facts, Tables, ago, night
from vesper.clock import cutoff_at
from vesper.conditions import Condition
from vesper.conditions.people import Asked, people
from vesper.night import Night

ZONE = "America/New_York"
CUTOFF = cutoff_at(TONIGHT, ZONE)
CLEAR: dict[str, Any] = {"bant": {"dimension": "budget", "in": ["clear"]}}


def said(value: str, at: dt.datetime, id: str = "c1", source: str = "crm_bant") -> Statement:
    return Statement(id, "budget", value, at, source)


def holding(tables: Tables, written: dict[str, Any], *statements: Statement, tonight: Night | None = None) -> set[str]:
    tonight = tonight or night()
    tables.put_facts(Facts({"c1": {}, "c2": {}}, sales=Sales(statements)), tonight)
    return {row["contact_id"] for row in tables.rows(people(Condition.model_validate(written), tonight))}


@pytest.mark.requirement("R55")
def test_the_newest_statement_counts_whichever_source_it_is_from(tables: Tables) -> None:
    monday, tuesday = CUTOFF - dt.timedelta(days=2), CUTOFF - dt.timedelta(days=1)
    later = said("unclear", tuesday, source="hotline_bant")
    assert holding(tables, CLEAR, said("clear", monday)) == {"c1"}
    assert holding(tables, CLEAR, said("clear", monday), later) == set()
    assert holding(tables, CLEAR, later, said("clear", tuesday, source="webform_bant")) == {
        "c1"
    }  # one instant: by source


@pytest.mark.requirement("R55")
def test_a_contact_without_a_statement_is_neither_clear_nor_not_clear(tables: Tables) -> None:
    unclear = said("unclear", CUTOFF)
    assert holding(tables, {"not": CLEAR}, unclear) == {"c1"}
    assert holding(tables, {"bant": {"dimension": "budget", "is": "missing"}}, unclear) == {"c2"}
    assert holding(tables, {"bant": {"dimension": "authority", "is": "known"}}, unclear) == set()


def test_a_statement_dated_ahead_counts_when_its_time_has_come(tables: Tables) -> None:
    ahead = said("clear", CUTOFF + dt.timedelta(seconds=1))
    tomorrow = night(on=ago(-1))
    assert holding(tables, CLEAR, ahead) == set()
    assert holding(tables, CLEAR, ahead, tonight=tomorrow) == {"c1"}
    moved = Condition.model_validate(CLEAR).body.moved(Asked(tomorrow), TONIGHT)
    assert {row["contact_id"] for select in moved for row in tables.rows(select)} == {"c1"}
