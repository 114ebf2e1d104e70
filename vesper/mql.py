"""Who is an MQL: the score alone, or the score with a clear budget and a decision maker (R53, R54).

What belongs here: the two presets of policy/scoring. What does not: the score (`score.py`), and when sales are told (hand-over).
"""

from typing import Any

import sqlalchemy as sa

from vesper.conditions import Condition
from vesper.conditions.people import people
from vesper.model.policy import ScoringPolicy
from vesper.night import Night


def strict_condition(scale: ScoringPolicy) -> Condition:
    """What the preset `strict` asks for beside the score, as any definition would write it."""
    asked = {"budget": scale.strict.budget, "authority": scale.strict.authority}
    parts = [{"bant": {"dimension": dimension, "in": list(values)}} for dimension, values in asked.items()]
    return Condition.model_validate({"all": parts})


def is_mql(
    scale: ScoringPolicy, night: Night, total: sa.FromClause, previous_score: sa.Table, *, is_held: bool
) -> sa.ColumnElement[Any]:
    """Whether the row of `total` (contact_id, score) is an MQL tonight.

    While a source of BANT statements has a hole (`is_held`), nobody becomes a strict MQL; who was one stays one as long as the score is there (R106).
    """
    reached = total.c.score >= scale.mql_at
    if scale.mql_preset == "score":
        return reached
    if is_held:
        return sa.and_(reached, sa.func.coalesce(previous_score.c.is_mql, sa.false()))
    known = people(strict_condition(scale), night).subquery("bant_known")
    return sa.and_(reached, total.c.contact_id.in_(sa.select(known.c.contact_id)))
