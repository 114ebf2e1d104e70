"""Nights of stages and leads alone: scores are given, what sales said is given, and the marts behind them follow night by night.

What belongs here: the company and its nights. What does not: what must come of them, and whole stages (tests/score/nights.py).
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from tests.conditions.world import Facts, Tables, night
from tests.score.nights import BESIDE, LEADS, PRESETS, WORDS
from vesper.load import parse
from vesper.marts import Mart, all_marts
from vesper.marts.contact_history import CONTACT_HISTORY
from vesper.marts.lead import LEAD
from vesper.marts.lead_change import LEAD_CHANGE
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.marts.score import SCORE
from vesper.model.definition import Definition
from vesper.model.lead import LeadPolicy
from vesper.model.lifecycle import Lifecycle
from vesper.night import Night
from vesper.tables.declare import previous
from warehouse.lint import refuse_unstable

MADE = (LEAD, LEAD_CHANGE, LIFECYCLE, LIFECYCLE_CHANGE, CONTACT_HISTORY)


def preset(letter: str) -> Lifecycle:
    """A lifecycle that ships with Vesper."""
    id = f"preset_{letter}"
    found = parse("lifecycle", id, (PRESETS / "lifecycle" / f"{id}.yml").read_text(encoding="utf-8"))
    assert isinstance(found, Lifecycle)
    return found


def lifecycle(*stages: Mapping[str, Any]) -> Lifecycle:
    """Stages of a company's own."""
    whole = [{"says": WORDS["says"], **stage} for stage in stages]
    return Lifecycle.model_validate({"id": "main", **WORDS, "stages": whole})


def lead_policy(**settings: Any) -> LeadPolicy:
    everybody: dict[str, Any] = {"icp": {"always": {}}}
    return LeadPolicy.model_validate({"id": "lead", **WORDS, **everybody, **settings})


class Company:
    """One company over its nights."""

    def __init__(self, tables: Tables, *definitions: Definition, made: Collection[sa.Table] = MADE) -> None:
        own = [one for one in definitions if isinstance(one, LeadPolicy)]
        self.tables, self.definitions = tables, definitions if own else (*definitions, LEADS)
        self.marts: list[Mart] = [all_marts()[table.name] for table in made]
        for table in (*BESIDE, SCORE):
            tables.put(table, [])
        for table in (SCORE, *made):
            tables.put(table, [])
            tables.put(previous(table), [])

    def run(self, facts: Facts, on: dt.date, held: Collection[str] = ()) -> Night:
        """One night. Scores and MQLs are those of the facts; tonight's tables stay; what they replace is yesterday's."""
        tonight = night(*self.definitions, on=on, held=held)
        for table in (SCORE, *[mart.table for mart in self.marts]):
            self.tables.become_previous(table, previous(table))
        self.tables.put_facts(facts, tonight)
        scores = [
            {"contact_id": id, "score": facts.scores.get(id, 60), "is_mql": id in facts.mqls} for id in facts.contacts
        ]
        self.tables.put(SCORE, scores)
        for mart in self.marts:
            select = mart.select(tonight)
            refuse_unstable(select, mart.table.name)
            self.tables.make(mart.table, select, on)
        return tonight

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        return self.tables.rows(table.select().order_by(*[table.c[name] for name in table.info["grain"]]))

    def of(self, table: sa.Table, column: str) -> dict[str, Any]:
        """One column by contact."""
        return {row["contact_id"]: row[column] for row in self.rows(table)}
