"""Who says in a chat between two nights that they want to buy: the Selects with which a turn opens their human tasks (R65).

What belongs here: scores as they stand between two nights, and the rows of `vesper.handover.beginning` that a chat brings about. What does not:
the rules of a hand-over (`handover.py`), recording one (`tasks/chat.py`).

A turn decides as the night would, by the same Select, and the ledger's keys are the same: the night that follows finds the hand-over made.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.handover import beginning
from vesper.inbox import published
from vesper.journey.turn import PEOPLE
from vesper.marts.score import SCORE
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.contact import CONTACT

CAUSE = "chat_intent"
PRESET = "score"
"""What a contact without a score has not reached."""


def scores_now(night: Night) -> sa.CompoundSelect[Any]:
    """mart__score as it stands now: everybody's last score as tonight's, and 0 for people who came since."""
    was = published(SCORE)
    known = [on(night.business_on).label(c.name) if c.name == "business_on" else was.c[c.name] for c in SCORE.c]
    nothing: dict[str, Any] = {
        "business_on": on(night.business_on),
        "contact_id": CONTACT.c.contact_id,
        "score": 0,
        "fit_score": 0,
        "engagement_score": 0,
        "is_mql": sa.false(),
        "mql_preset": sa.literal(PRESET),
        "score_changed_on": on(night.business_on),
        "definition_hash": sa.literal(""),
    }
    new = [sa.cast(nothing.get(c.name, sa.null()), c.type).label(c.name) for c in SCORE.c]
    has_score = sa.exists().where(was.c.contact_id == CONTACT.c.contact_id)
    return sa.union_all(sa.select(*known), sa.select(*new).where(~has_score))


def begun_by_chat(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """The rows of `beginning` of the contacts of PEOPLE for whom a chat opens a task now."""
    rows = beginning(night, policy).subquery("beginning")
    mine = rows.c.contact_id.in_(sa.select(PEOPLE.c.contact_id))
    return sa.select(rows).where(mine, rows.c.opens_task, rows.c.task_cause == CAUSE)
