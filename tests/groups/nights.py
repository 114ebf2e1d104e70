"""Nights of a small company with tags, tiers and personas: each night reads what the one before published, and segments stand on top.

What belongs here: the definitions in one line each, and running the marts in the night's order. What does not: what must come of it.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from tests.conditions.world import Facts, Tables, night
from vesper.marts.persona import PERSONA, PREVIOUS_PERSONA, persona
from vesper.marts.segment_member import PREVIOUS_MEMBER, SEGMENT_MEMBER, segment_member
from vesper.marts.tag import PREVIOUS_TAG, TAG, tag
from vesper.marts.tier import PREVIOUS_TIER, TIER, tier
from vesper.model.definition import Definition
from vesper.model.persona import Persona
from vesper.model.tag import Tag
from vesper.model.tier import Tiering
from warehouse.lint import refuse_unstable

WORDS = {"says": "测试", "owner": "marketing"}
MADE = (
    (TAG, PREVIOUS_TAG, tag),
    (TIER, PREVIOUS_TIER, tier),
    (PERSONA, PREVIOUS_PERSONA, persona),
    (SEGMENT_MEMBER, PREVIOUS_MEMBER, segment_member),
)


def tagged(id: str, members: dict[str, Any]) -> Tag:
    return Tag.model_validate({"id": id, **WORDS, "members": members})


def of_persona(id: str, members: dict[str, Any], **more: Any) -> Persona:
    return Persona.model_validate({"id": id, **WORDS, "product": "咖啡", "members": members, **more})


def tiering(id: str, **tiers: dict[str, Any]) -> Tiering:
    """Tiers by their word; the last one is added."""
    steps = [{"id": word, "when": when} for word, when in tiers.items()]
    return Tiering.model_validate({"id": id, **WORDS, "tiers": [*steps, {"id": "other", "when": {"always": {}}}]})


class Company:
    """One company over its nights."""

    def __init__(self, tables: Tables, *definitions: Definition) -> None:
        self.tables = tables
        self.definitions = definitions
        for declared, before, _ in MADE:
            tables.put(declared, [])
            tables.put(before, [])

    def run(self, facts: Facts, on: dt.date, held: Iterable[str] = ()) -> "Company":
        """One night: tags, tiers, personas, segments."""
        tonight = night(*self.definitions, on=on, held=held)
        for declared, before, _ in MADE:
            self.tables.become_previous(declared, before)
        self.tables.put_facts(facts, tonight)
        for declared, _, select in MADE:
            refuse_unstable(select(tonight), declared.name)
            self.tables.make(declared, select(tonight), on)
        return self

    def tags(self) -> dict[tuple[str, str], dt.date]:
        """(tag, contact) -> since when."""
        return {(row["tag_id"], row["contact_id"]): row["since_on"] for row in self.tables.rows(TAG.select())}

    def personas(self) -> dict[tuple[str, str], dt.date]:
        """(persona, contact) -> since when."""
        rows = self.tables.rows(PERSONA.select())
        return {(row["persona_id"], row["contact_id"]): row["since_on"] for row in rows}

    def tiers(self, of: str) -> dict[str, tuple[str, dt.date]]:
        """Contact -> its tier and since when; fails where a contact has two."""
        rows = [row for row in self.tables.rows(TIER.select()) if row["tiering_id"] == of]
        assert len({row["contact_id"] for row in rows}) == len(rows)
        return {row["contact_id"]: (row["tier"], row["since_on"]) for row in rows}

    def segment(self, id: str) -> set[str]:
        return {row["contact_id"] for row in self.tables.rows(SEGMENT_MEMBER.select()) if row["segment_id"] == id}
