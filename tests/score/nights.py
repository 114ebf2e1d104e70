"""Nights of a small company: the score and segment stages run one after the other, each reading what the night before published.

What belongs here: the company's definitions and running its marts in their own order. What does not: what must come of it.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.conditions.world import Facts, Tables, night
from vesper.lead import PREVIOUS_MESSAGE
from vesper.load import parse
from vesper.marts import all_marts, marts_of
from vesper.marts.score_reason import SCORE_REASON
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.definition import Definition
from vesper.model.lead import LeadPolicy
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.night import Night
from vesper.tables.campaign import CAMPAIGN_MEMBER
from vesper.tables.declare import previous
from vesper.tables.identity import CONTACT_ALIAS
from warehouse.lint import refuse_unstable

PRESETS = Path(__file__).resolve().parents[2] / "definitions"
STAGES = ("score", "segment")
MEMORY = {made.table: previous(made.table) for made in all_marts().values() if made.stage in STAGES}
"""Every table of these stages, and the one it is the night after."""
BESIDE = (CAMPAIGN_MEMBER, CONTACT_ALIAS, PREVIOUS_MESSAGE)
"""Tables of other stages that a test may fill; empty until it does."""

LIFECYCLE_A = parse("lifecycle", "preset_a", (PRESETS / "lifecycle" / "preset_a.yml").read_text(encoding="utf-8"))
SCALE = parse("policy", "scoring", (PRESETS / "policy" / "scoring.yml").read_text(encoding="utf-8"))
LEADS = parse("policy", "lead", (PRESETS / "policy" / "lead.yml").read_text(encoding="utf-8"))
WORDS = {"says": "测试", "owner": "marketing"}


def rule(
    id: str, when: dict[str, Any], points: int | None = None, kind: str = "engagement", **more: Any
) -> ScoringRule:
    """A scoring rule; its one example is only there because every rule must have one."""
    example = {"given": {}, "points": 0}
    return ScoringRule.model_validate(
        {"id": id, **WORDS, "kind": kind, "when": when, "points": points, "examples": [example], **more}
    )


def segment(id: str, members: dict[str, Any]) -> Segment:
    return Segment.model_validate({"id": id, **WORDS, "members": members})


def scale(**settings: Any) -> ScoringPolicy:
    return ScoringPolicy.model_validate({"id": "scoring", **WORDS, **settings})


def source(id: str, feeds: str, event_kind: str | None = None) -> Source:
    """A daily source; only what it feeds matters here."""
    fields = {
        "order_line": {
            "order_id": "text",
            "product_code": "text",
            "quantity": "integer",
            "amount": "money",
            "ordered_at": "instant",
        },
        "event": {"at": "instant", "card": "text"},
        "contact": {"member_id": "text"},
        "bant": {"bant_id": "text", "card": "text", "budget": "text", "at": "instant"},
    }[feeds]
    return Source.model_validate(
        {
            "id": id,
            **WORDS,
            "system": "csv",
            "path": f"{id}/{{on}}.csv",
            "feeds": feeds,
            "cadence": {"every": "day", "due": "06:00"},
            "late": "block",
            "rows": {"min": 0, "max": 1000},
            "key": [next(iter(fields))],
            "event_kind": event_kind,
            "fields": {name: {"column": name, "type": kind} for name, kind in fields.items()},
        }
    )


class Company:
    """One company over its nights."""

    def __init__(self, tables: Tables, *definitions: Definition) -> None:
        self.tables = tables
        own = {one.id for one in definitions if isinstance(one, LeadPolicy)}
        self.definitions = definitions if own else (*definitions, LEADS)
        for table in BESIDE:
            tables.put(table, [])
        for declared, before in MEMORY.items():
            tables.put(declared, [])
            tables.put(before, [])

    def run(self, facts: Facts, on: dt.date, held: Iterable[str] = ()) -> Night:
        """One night: prepare, score, segment. Tonight's tables stay; what they replace is yesterday's."""
        tonight = night(*self.definitions, on=on, held=held)
        for declared, before in MEMORY.items():
            self.tables.become_previous(declared, before)
        self.tables.put_facts(facts, tonight)
        for stage in STAGES:
            for made, select in marts_of(stage, tonight):
                refuse_unstable(select, made.table.name)
                self.tables.make(made.table, select, on)
        return tonight

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        return self.tables.rows(table.select().order_by(*[table.c[name] for name in table.info["grain"]]))

    def of(self, table: sa.Table, column: str) -> dict[str, Any]:
        """One column by contact."""
        return {row["contact_id"]: row[column] for row in self.rows(table)}

    def points(self, contact_id: str) -> dict[str, int]:
        """The reasons of a contact."""
        return {row["rule_id"]: row["points"] for row in self.rows(SCORE_REASON) if row["contact_id"] == contact_id}

    def members(self, segment_id: str) -> set[str]:
        return {row["contact_id"] for row in self.rows(SEGMENT_MEMBER) if row["segment_id"] == segment_id}
