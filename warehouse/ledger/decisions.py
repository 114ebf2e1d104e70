"""Many links that a person decided at once, as steward rules in one transaction: all of them or none (R104).

What belongs here: that transaction. What does not: rules one by one, lifting and listing (`steward.py`), the sheet that decisions come on.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.schema import STEWARD_RULE
from warehouse.ledger.steward import OPPOSITE, Kind, RuleRefused


@dataclass(frozen=True)
class Decision:
    """Two records are one person, or are not, and why. `records` are in order; a pair stands once among decisions."""

    kind: Kind
    records: tuple[str, str]
    reason: str


class DecisionRefused(RuleRefused):
    """A decision that a rule in force contradicts. `place` is its place among the decisions, from 0."""

    def __init__(self, place: int, rule_id: int) -> None:
        super().__init__("opposite", rule_id)
        self.place = place


def add_all(engine: sa.Engine, decisions: Sequence[Decision], by: str, on: dt.date) -> list[Decision]:
    """Record every decision that no rule in force says already; returns those that were recorded.

    Raises DecisionRefused when a rule in force says the opposite of one of them; nothing is recorded then.
    """
    with engine.begin() as connection:
        rules = {(rule.record_a, rule.record_b): rule for rule in connection.execute(_links_in_force())}
        new = []
        for place, decision in enumerate(decisions):
            rule = rules.get(decision.records)
            if rule is None:
                new.append(decision)
            elif rule.kind != decision.kind:
                raise DecisionRefused(place, rule.rule_id)
        if new:
            told = {"by": by, "at": now(), "recorded_on": on}
            connection.execute(sa.insert(STEWARD_RULE), [_row(decision) | told for decision in new])
    return new


def _row(decision: Decision) -> dict[str, str]:
    record_a, record_b = decision.records
    return {"kind": decision.kind, "record_a": record_a, "record_b": record_b, "reason": decision.reason}


def _links_in_force() -> sa.Select[tuple[int, str, str, str]]:
    rule, ending = STEWARD_RULE, STEWARD_RULE.alias("ending")
    is_lifted = sa.exists().where(ending.c.lifts == rule.c.rule_id)
    return sa.select(rule.c.rule_id, rule.c.kind, rule.c.record_a, rule.c.record_b).where(
        rule.c.kind.in_(sorted(OPPOSITE)), ~is_lifted
    )
