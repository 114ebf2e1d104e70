"""What a night may leave as it was: the rows of contacts whom neither a changed fact nor time touches, on random histories of a small company.

What belongs here: `vesper/touched.py` against two full nights, and conditions in one row of a contact against their own Selects. What does not: the
lake (test_incremental_lake.py).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.conditions.strategies import conditions, facts
from tests.conditions.test_against_oracle import put
from tests.conditions.world import TONIGHT, Facts, Tables, ago, night
from tests.score.nights import LIFECYCLE_A, SCALE, Company, rule, segment
from vesper.conditions import Condition
from vesper.conditions.people import Asked
from vesper.conditions.sets import ids
from vesper.marts import all_marts
from vesper.marts.activity import ACTIVITY
from vesper.membership import ContactRow
from vesper.night import Night
from vesper.shared import Shared
from vesper.tables.campaign import EVENT
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT
from vesper.tables.declare import stored
from vesper.tables.order import ORDER_DAY, ORDER_LINE
from vesper.tables.sales import BANT, LEAD_OUTCOME
from vesper.touched import STAGES, moved

FACTS = (CONTACT, ORDER_LINE, ORDER_DAY, EVENT, BANT, LEAD_OUTCOME)
NOT_UPSTREAM = {"score", "stage", "segment", "lead", "mql", "tag", "persona", "tier"}
"""Conditions on what a score may not ask for, or what this small company does not make anew each night."""

Rows = dict[str, dict[str, list[dict[str, Any]]]]


def upstream(condition: dict[str, Any], without: set[str]) -> bool:
    """Whether a drawn condition is one that a definition may hold, and asks for none of some words."""
    try:
        found = Condition.model_validate(condition)
    except ValidationError:
        return False
    return not without & {body.word for _, body in found.walk()}


for_rules = conditions.filter(lambda one: upstream(one, NOT_UPSTREAM))
for_segments = conditions.filter(lambda one: upstream(one, {"stage", "segment", "lead", "tag", "persona", "tier"}))


def by_contact(company: Company, tables: Iterable[sa.Table]) -> Rows:
    """What files would hold of each contact, by table."""
    found: Rows = {}
    for table in tables:
        columns = list(stored(table).c.keys())
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in company.tables.rows(sa.select(*[table.c[name] for name in columns])):
            rows.setdefault(row["contact_id"], []).append(row)
        found[table.name] = {id: sorted(mine, key=repr) for id, mine in rows.items() if id is not None}
    return found


def differing(before: Rows, now: Rows) -> set[str]:
    """Contacts of whom a row came, went or changed."""
    return {
        id for name in now for id in before[name].keys() | now[name].keys() if before[name].get(id) != now[name].get(id)
    }


def of_changed_companies(company: Company, before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    changed = {id for id in before.keys() | now.keys() if before.get(id) != now.get(id)}
    return {row["contact_id"] for row in company.rows(CONTACT) if row["company_id"] in changed}


def timed(company: Company, stage: str, tonight: Night, since: dt.date) -> set[str]:
    """Contacts whom time alone may have moved."""
    found = [company.tables.rows(ids(select)) for select in moved(stage, tonight, since)]
    return {row["contact_id"] for rows in found for row in rows}


def some(history: Facts, arrived: set[int]) -> Facts:
    """What was known earlier: without the facts that arrived on the last night."""
    return replace(
        history,
        orders=tuple(one for n, one in enumerate(history.orders) if n not in arrived),
        events=tuple(one for n, one in enumerate(history.events) if n not in arrived),
    )


@pytest.mark.requirement("R35")
@pytest.mark.requirement("R106")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    facts(),
    st.sets(st.integers(0, 13), max_size=3),
    st.lists(for_rules, min_size=1, max_size=3),
    st.lists(for_segments, min_size=1, max_size=3),
    st.sampled_from((1, 1, 2, 5)),
)
def test_who_is_not_touched_keeps_the_rows_of_the_night_before(
    history: Facts,
    arrived: set[int],
    rules: list[dict[str, Any]],
    segments: list[dict[str, Any]],
    nights_between: int,
) -> None:
    since = ago(nights_between)
    definitions = [rule(f"r{n}", one, 5) for n, one in enumerate(rules)]
    definitions += [segment(f"s{n}", one) for n, one in enumerate(segments)]  # type: ignore[misc]
    company = Company(Tables(), LIFECYCLE_A, SCALE, *definitions)
    company.run(some(history, arrived), since)
    scored = [mart.table for mart in of_contacts("score") if mart.table.info["patched"]]
    members = [mart.table for mart in of_contacts("segment") if mart.table.info["patched"]]
    before = by_contact(company, [*FACTS, ACTIVITY, *scored, *members])
    tonight = company.run(history, TONIGHT)
    now = by_contact(company, [*FACTS, ACTIVITY, *scored, *members])
    read = differing(
        *[{name: rows[name] for name in rows if name not in names(scored + members)} for rows in (before, now)]
    )
    assert_untouched(company, before, now, scored, read | timed(company, "score", tonight, since))
    made = differing(*[{name: rows[name] for name in names(scored)} for rows in (before, now)])
    assert_untouched(company, before, now, members, read | made | timed(company, "segment", tonight, since))


def names(tables: list[sa.Table]) -> list[str]:
    return [table.name for table in tables]


def of_contacts(stage: str) -> list[Any]:
    return [mart for mart in all_marts().values() if mart.stage == stage and mart.is_by_contact]


def assert_untouched(company: Company, before: Rows, now: Rows, tables: list[sa.Table], touched: set[str]) -> None:
    assert tables
    for table in tables:
        changed = differing({table.name: before[table.name]}, {table.name: now[table.name]})
        assert changed <= touched, f"{table.name}: {changed - touched} changed and nobody said so"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example({"not": {"events": {"kind": "app_signup", "at_most": 0}}}, Facts({"c1": {}, "c2": {}}))
@given(conditions.filter(lambda one: upstream(one, set())), facts())
def test_one_row_of_a_contact_says_what_the_select_of_a_condition_says(one: dict[str, Any], known: Facts) -> None:
    condition, tables = Condition.model_validate(one), Tables()
    alone = night(on=TONIGHT)
    put(tables, known, alone)
    shared = Shared()
    together = replace(alone, shared=shared)
    row = ContactRow(together)
    answers = {"holds": row.holds(condition), "unknown": row.unknown(condition)}
    select = sa.select(CONTACT.c.contact_id, *[truth.label(name) for name, truth in answers.items()])
    select = select.select_from(row.source())
    shared.want([select])
    for scan in shared.scans.values():
        made = shared.made_by(scan.table.name)
        assert made is not None
        tables.make(
            sa.Table(scan.table.name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in made.selected_columns]), made
        )
    found = tables.rows(select)
    assert not [row for row in found if row["holds"] is None or row["unknown"] is None]
    golden = {row["contact_id"] for row in found}
    for name, asked in (
        ("holds", condition.body.people(Asked(alone))),
        ("unknown", condition.body.unknown(Asked(alone))),
    ):
        expected = set() if asked is None else {row["contact_id"] for row in tables.rows(ids(asked))}
        assert {row["contact_id"] for row in found if row[name]} == expected & golden, name


def test_every_stage_that_makes_marts_of_contacts_says_whom_time_moves() -> None:
    assert {mart.stage for mart in all_marts().values() if mart.is_by_contact} == STAGES
    assert COMPANY.info["grain"] == ("company_id",)
