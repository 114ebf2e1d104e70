"""Where each value of the golden contact comes from, and what put it above the others: core__contact_provenance."""

from typing import Any

import sqlalchemy as sa

from vesper.consolidate.contact import DEMOGRAPHIC, FIELDS, PARTS, candidates, surveyed
from vesper.consolidate.survivorship import decided_by
from vesper.model.survivorship import SurvivorshipPolicy

COLUMNS = ("contact_id", "field", "source", "record_key", "rule")


def provenance(
    gold: sa.FromClause,
    rival: sa.FromClause,
    pins: sa.FromClause,
    policy: SurvivorshipPolicy,
    statement: sa.FromClause,
    survey: tuple[str, sa.FromClause] | None,
) -> sa.CompoundSelect[Any]:
    """core__contact_provenance: one row for each contact and each of its columns that has a value which rows could differ about.

    `company_id` is that of `company`; figures over all rows (source_count, first_seen_on, updated_at) come from no single one.

    Args:
        gold, rival: the rows of `contact.golden` and of `rivals`.
        pins: the rows of `pin.pins`.
        policy, statement: as `gold` was made with.
        survey: id and raw rows of the household survey.
    """
    rows = candidates(policy, statement).cte("candidate")
    survived = sa.union_all(*[_of_field(field, gold, rows, rival, policy) for field in FIELDS]).cte("survived")
    same = sa.and_(pins.c.contact_id == survived.c.contact_id, pins.c.field == survived.c.field)
    hidden = sa.exists().where(same)
    parts: list[sa.Select[Any]] = [
        sa.select(*[survived.c[name] for name in COLUMNS]).where(~hidden, ~_city_left_behind(survived, gold, pins)),
        sa.select(
            pins.c.contact_id, pins.c.field, pins.c.source, pins.c.record_key, sa.literal("pin").label("rule")
        ).where(pins.c.value.is_not(None)),
    ]
    if survey is not None:
        parts.extend(_of_survey(*survey))
    return sa.union_all(*parts)


def rivals(gold: sa.FromClause, policy: SurvivorshipPolicy, statement: sa.FromClause) -> sa.Select[Any]:
    """For each contact of several rows and each part: the best place of a value that did not survive."""
    rows = candidates(policy, statement).cte("candidate")
    best = [
        sa.func.min(rows.c[f"{name}_place"])
        .filter(rows.c[part.compared] != gold.c[part.compared])
        .label(f"{name}_rival")
        for name, part in PARTS.items()
    ]
    return (
        sa.select(gold.c.contact_id, *best)
        .join_from(gold, rows, rows.c.contact_id == gold.c.contact_id)
        .where(gold.c.source_count > 1)
        .group_by(gold.c.contact_id)
    )


def _of_field(
    field: str, gold: sa.FromClause, rows: sa.FromClause, rival: sa.FromClause, policy: SurvivorshipPolicy
) -> sa.Select[Any]:
    """The row that each contact has its value of a field from, and the rule: the only value, all agree, or what beat the next best."""
    part = FIELDS[field]
    place, next_best = gold.c[f"{part}_place"], rival.c[f"{part}_rival"]
    rule = sa.case(
        (gold.c[f"{part}_says"] == 1, "only"),
        (next_best.is_(None), "agreed"),
        else_=decided_by(place, next_best, policy.rule("contact", part)),
    )
    winner = sa.and_(rows.c.contact_id == gold.c.contact_id, rows.c[f"{part}_place"] == place)
    joined = gold.join(rows, winner).join(rival, rival.c.contact_id == gold.c.contact_id, isouter=True)
    return (
        sa.select(
            gold.c.contact_id,
            sa.literal(field).label("field"),
            rows.c.source,
            rows.c.record_key,
            rule.label("rule"),
        )
        .select_from(joined)
        .where(gold.c[field].is_not(None))
    )


def _city_left_behind(survived: sa.FromClause, gold: sa.FromClause, pins: sa.FromClause) -> sa.ColumnElement[bool]:
    """A city whose province a pin changed is no longer the contact's."""
    moved = sa.and_(
        survived.c.field == "city",
        pins.c.contact_id == survived.c.contact_id,
        pins.c.field == "province",
        gold.c.contact_id == survived.c.contact_id,
        pins.c.value.is_distinct_from(gold.c.province),
    )
    return sa.exists().where(moved)


def _of_survey(source: str, survey: sa.FromClause) -> list[sa.Select[Any]]:
    """The survey's answers: nobody else is asked, so each is the only value."""
    answers = surveyed(survey).cte("surveyed")
    return [
        sa.select(
            answers.c.contact_id,
            sa.literal(name).label("field"),
            sa.literal(source).label("source"),
            answers.c.card.label("record_key"),
            sa.literal("only").label("rule"),
        ).where(answers.c[name].is_not(None))
        for name in DEMOGRAPHIC
    ]
