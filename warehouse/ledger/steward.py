"""What people decided about identity and values: must-link, cannot-link and pins in the ledger, appended and never changed (R104).

What belongs here: adding, lifting and listing rules. What does not: what a rule does to a cluster or a field (`vesper/identity/`,
`vesper/consolidate/`), and whether the records exist (`tasks/steward.py`). A rule ends by a second row that lifts it; only the erasure of a
person takes rules away (`erasure.py`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import STEWARD_RULE

Kind = Literal["must_link", "cannot_link", "pin"]
LIFT = "lift"
OPPOSITE: dict[str, str] = {"must_link": "cannot_link", "cannot_link": "must_link"}


class RuleRefused(LookupError):
    """A rule that cannot stand beside those in force, or a lift of a rule that is none. `rule_id` is the rule that it meets."""

    def __init__(self, reason: Literal["same", "opposite", "unknown", "lifted"], rule_id: int) -> None:
        super().__init__(f"rule {rule_id}: {reason}")
        self.reason = reason
        self.rule_id = rule_id


@dataclass(frozen=True)
class Rule:
    """One rule. Of a link `record_a` < `record_b`; of a pin `record_a` is a record of the contact. `recorded_on`: the first night that it binds."""

    rule_id: int
    kind: str
    record_a: str
    record_b: str | None
    field: str | None
    value: str | None
    by: str
    reason: str
    recorded_on: dt.date


COLUMNS = [STEWARD_RULE.c[name] for name in Rule.__dataclass_fields__]


def add_link(engine: sa.Engine, kind: Kind, records: tuple[str, str], by: str, reason: str, on: dt.date) -> int:
    """Say that two records are one person, or are not; returns the rule's id.

    Raises RuleRefused when a rule in force says the same, or the opposite: that one is lifted first.
    """
    record_a, record_b = sorted(records)
    if record_a == record_b:
        raise ValueError("a record is not linked with itself")
    row = {"kind": kind, "record_a": record_a, "record_b": record_b}
    with engine.begin() as connection:
        pair = (STEWARD_RULE.c.record_a == record_a, STEWARD_RULE.c.record_b == record_b)
        for rule in connection.execute(_unlifted().where(*pair)):
            raise RuleRefused("same" if rule.kind == kind else "opposite", rule.rule_id)
        return _append(connection, row, by, reason, on)


def add_pin(engine: sa.Engine, record: str, field: str, value: str | None, by: str, reason: str, on: dt.date) -> int:
    """Say what a field of a record's contact is, whatever sources say; a later pin of the field replaces it. Returns the rule's id."""
    row = {"kind": "pin", "record_a": record, "field": field, "value": value}
    with engine.begin() as connection:
        return _append(connection, row, by, reason, on)


def lift(engine: sa.Engine, rule_id: int, by: str, reason: str, on: dt.date) -> int:
    """End a rule from a night on; returns the id of the lifting row. Raises RuleRefused when there is no such rule in force."""
    with engine.begin() as connection:
        known = sa.select(STEWARD_RULE.c.rule_id).where(STEWARD_RULE.c.rule_id == rule_id, STEWARD_RULE.c.kind != LIFT)
        if connection.scalar(known) is None:
            raise RuleRefused("unknown", rule_id)
        if connection.scalar(sa.select(STEWARD_RULE.c.rule_id).where(STEWARD_RULE.c.lifts == rule_id)) is not None:
            raise RuleRefused("lifted", rule_id)
        return _append(connection, {"kind": LIFT, "lifts": rule_id}, by, reason, on)


def rules_in_force(engine: sa.Engine, on: dt.date | None = None) -> list[Rule]:
    """The rules that bind a night, oldest first: recorded by it and not lifted by it. Without a date: all that nobody has lifted."""
    with reading(engine) as connection:
        return [Rule(*row) for row in connection.execute(_unlifted(on))]


def _unlifted(on: dt.date | None = None) -> sa.Select[Any]:
    end = STEWARD_RULE.alias("ending")
    ended = sa.exists().where(end.c.lifts == STEWARD_RULE.c.rule_id)
    rules = sa.select(*COLUMNS).where(STEWARD_RULE.c.kind != LIFT).order_by(STEWARD_RULE.c.rule_id)
    if on is None:
        return rules.where(~ended)
    return rules.where(STEWARD_RULE.c.recorded_on <= on, ~ended.where(end.c.recorded_on <= on))


def _append(connection: sa.Connection, row: dict[str, Any], by: str, reason: str, on: dt.date) -> int:
    whole = row | {"by": by, "reason": reason, "at": now(), "recorded_on": on}
    inserted = connection.execute(sa.insert(STEWARD_RULE).values(whole)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])
