"""Tiers: the one tier of each tiering that a contact stands in tonight, and since when (R28).

What belongs here: the Selects. What does not: the table (`vesper/marts/tier.py`) and any one tiering (definitions/tiers/).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.people import people
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.model.tier import Tiering
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import empty


def tiers_of_everyone(night: Night, declared: sa.Table, previous_tier: sa.Table) -> sa.Select[Any]:
    """One row per tiering and golden contact; `since_on` is kept from the night before while the tier stays."""
    tierings = night.definitions.of(Tiering).values()
    if not tierings:
        return empty(declared)
    found = sa.union_all(*[_of(tiering, night, previous_tier) for tiering in tierings]).subquery("found")
    before = previous_tier.alias("before")
    same = sa.and_(before.c.tiering_id == found.c.tiering_id, before.c.contact_id == found.c.contact_id)
    since = sa.case((before.c.tier == found.c.tier, before.c.since_on), else_=on(night.business_on))
    return sa.select(
        on(night.business_on).label("business_on"),
        found.c.tiering_id,
        found.c.contact_id,
        found.c.tier,
        since.label("since_on"),
        found.c.definition_hash,
    ).join_from(found, before, same, isouter=True)


def _of(tiering: Tiering, night: Night, previous_tier: sa.Table) -> sa.Select[Any]:
    is_waiting = any(is_held(tier.when, night) for tier in tiering.tiers)
    tier, joined = _yesterday(tiering, previous_tier) if is_waiting else _first_match(tiering, night)
    return sa.select(
        CONTACT.c.contact_id,
        sa.literal(tiering.id).label("tiering_id"),
        tier.label("tier"),
        sa.literal(hash_of(night, f"tiers/{tiering.id}")).label("definition_hash"),
    ).select_from(joined)


def _first_match(tiering: Tiering, night: Night) -> tuple[sa.ColumnElement[str], sa.FromClause]:
    """The first tier that holds; the last one is everybody's, so that it needs no look."""
    joined: sa.FromClause = CONTACT
    cases: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[str]]] = []
    for tier in tiering.tiers[:-1]:
        who = people(tier.when, night).subquery(f"{tiering.id}_{tier.id}")
        joined = joined.join(who, who.c.contact_id == CONTACT.c.contact_id, isouter=True)
        cases.append((who.c.contact_id.is_not(None), sa.literal(tier.id)))
    return sa.case(*cases, else_=sa.literal(tiering.tiers[-1].id)), joined


def _yesterday(tiering: Tiering, previous_tier: sa.Table) -> tuple[sa.ColumnElement[str], sa.FromClause]:
    """The tier of the night before, because a source that the tiers read has a hole (R106); who is new stands in the last one."""
    old = previous_tier.alias(f"old_{tiering.id}")
    mine = sa.and_(old.c.tiering_id == tiering.id, old.c.contact_id == CONTACT.c.contact_id)
    joined = CONTACT.join(old, mine, isouter=True)
    return sa.func.coalesce(old.c.tier, sa.literal(tiering.tiers[-1].id)), joined
