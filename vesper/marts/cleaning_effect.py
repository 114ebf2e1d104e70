"""What each rule that fills in or purges data did: rows touched, by source and night (R12).

What belongs here: the rules by name and version, and their counts. What does not: the rules' own working (`vesper/cleaning/`, survivorship).
"""

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import DATE, INTEGER, TEXT, column, previous, table

COUNT = (0, 1_000_000_000)
POLICY = "policy/survivorship"
COMPLETED = ("card", "name", "phone", "email", "province", "city", "company", "job_title", "owner")
"""Fields that a source row may lack and its contact have from another row."""

CLEANING_EFFECT = table(
    "mart__cleaning_effect",
    column("business_on", DATE, "Night", required=True),
    column("source", TEXT, "Source id", required=True),
    column("rule_id", TEXT, "Rule", required=True),
    column("effect", TEXT, "What it does to a row's field", required=True, among=("filled", "purged")),
    column("field", TEXT, "Field that it fills or purges; row for the whole row", required=True),
    column(
        "version", TEXT, "Version of the rule; of a rule that is a definition, the definition's hash", required=True
    ),
    column("row_count", INTEGER, "Live source rows that bear its mark tonight", required=True, between=COUNT),
    column("new_count", INTEGER, "Those of them that are new or changed tonight", required=True, between=COUNT),
    column("definition_hash", TEXT, "Hash of the survivorship policy", required=True),
    grain=("business_on", "source", "rule_id"),
    cut="business_on",
    owner="data",
    says="Rows that were filled in or purged, by rule, version and source, night by night.",
)

RECORD = SOURCE_RECORD.c


@dataclass(frozen=True)
class Rule:
    """A rule of cleaning. Raise `version` with every change of what it decides, so that figures of two nights can be told apart."""

    id: str
    effect: Literal["filled", "purged"]
    field: str
    holds: sa.ColumnElement[bool]
    version: int = 1


RULES = (
    Rule("phone_invalid", "purged", "phone", RECORD.phone_status == "invalid"),
    Rule("phone_dummy", "purged", "phone", RECORD.phone_status == "dummy"),
    Rule("email_invalid", "purged", "email", RECORD.email_status == "invalid"),
    Rule("email_placeholder", "purged", "email", RECORD.email_status == "placeholder"),
    Rule("region_ambiguous", "purged", "region", RECORD.region_status == "ambiguous"),
    Rule("company_nobody", "purged", "company", sa.and_(RECORD.company.is_not(None), RECORD.company_key.is_(None))),
    Rule("region_from_phone", "filled", "region", RECORD.region_from == "phone_prefix"),
    Rule("company_from_mail_domain", "filled", "company", RECORD.company_from == "mail_domain"),
    Rule("deleted_at_source", "purged", "row", RECORD.excluded_by == "deleted_at_source"),
    Rule("erased", "purged", "row", RECORD.excluded_by == "erased"),
)


@mart(CLEANING_EFFECT, stage="consolidate")
def cleaning_effect(night: Night) -> sa.Select[Any]:
    """One row for each rule and source, also where a rule found nothing."""
    rows = _rows().cte("row")
    policy = hash_of(night, POLICY)
    rules = [_counted(rows, rule.id, rule.effect, rule.field, str(rule.version)) for rule in RULES]
    rules += [_counted(rows, _golden(name), "filled", name, policy) for name in COMPLETED]
    counted = sa.union_all(*rules).subquery("counted")
    return sa.select(on(night.business_on).label("business_on"), counted, sa.literal(policy).label("definition_hash"))


def _golden(field: str) -> str:
    """The rule that a field of a row is completed by the golden record."""
    return f"golden_{field}"


def _rows() -> sa.Select[Any]:
    """Source rows with a flag for each rule that holds, and whether they arrived since the night before."""
    records, member, before = SOURCE_RECORD, CONTACT_MEMBER, previous(SOURCE_RECORD)
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    known = sa.and_(
        before.c.source == records.c.source,
        before.c.record_key == records.c.record_key,
        before.c.received_at == records.c.received_at,
    )
    completed = [
        sa.and_(records.c[name].is_(None), CONTACT.c[name].is_not(None)).label(_golden(name)) for name in COMPLETED
    ]
    return sa.select(
        records.c.source,
        before.c.source.is_(None).label("is_new"),
        *[rule.holds.label(rule.id) for rule in RULES],
        *completed,
    ).select_from(
        records.join(member, same, isouter=True)
        .join(CONTACT, CONTACT.c.contact_id == member.c.contact_id, isouter=True)
        .join(before, known, isouter=True)
    )


def _counted(rows: sa.FromClause, rule_id: str, effect: str, field: str, version: str) -> sa.Select[Any]:
    return sa.select(
        rows.c.source,
        sa.literal(rule_id).label("rule_id"),
        sa.literal(effect).label("effect"),
        sa.literal(field).label("field"),
        sa.literal(version).label("version"),
        sa.func.count().filter(rows.c[rule_id]).label("row_count"),
        sa.func.count().filter(rows.c[rule_id], rows.c.is_new).label("new_count"),
    ).group_by(rows.c.source)
