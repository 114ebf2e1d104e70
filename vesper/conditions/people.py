"""The people a condition holds for: one shape of Select for every condition, and the question that asks for it.

What belongs here: `people`, the shape of the answer. What does not: any one condition's Select (`<word>.py`), counting in a
window (`tally.py`).

A condition is true, false or unknown for a contact. Unknown is a value that does not exist: an attribute nobody stated, the last order of
someone who never ordered. `people` gives the contacts for whom it is true; under `not`, unknown stays unknown (R106). A source with a hole is
another matter: what reads it keeps yesterday's rows (`vesper/held.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from vesper.clock import utc_instant
from vesper.night import Night
from vesper.tables.contact import CONTACT

if TYPE_CHECKING:
    from vesper.conditions import Condition

People = sa.Select[Any]
"""One row per contact: contact_id, evidence_count, first_at, last_at, since_at."""

NO_INSTANT = sa.cast(sa.null(), sa.DateTime)


@dataclass(frozen=True)
class Asked:
    """The night a condition is asked in.

    `together` are the groups that stand in the same Select, by "<folder>/<id>", e.g. `segments/dormant`; others are read from their table of members.
    """

    night: Night
    together: Mapping[str, sa.FromClause] = field(default_factory=dict)


def people(condition: "Condition", night: Night, together: Mapping[str, sa.FromClause] | None = None) -> People:
    """The contacts for whom the condition is true, one row each.

    `evidence_count` counts the facts it rests on (0 where it rests on their absence), `first_at` and `last_at` are the first and the last of them
    (UTC). `since_at` is the instant since which it has been true, where the facts tell it, else null.
    """
    answer: People = condition.body.people(Asked(night, together or {}))
    return answer


def evidence(
    contact_id: sa.ColumnElement[str],
    count: sa.ColumnElement[Any] | int,
    first_at: sa.ColumnElement[Any] = NO_INSTANT,
    last_at: sa.ColumnElement[Any] = NO_INSTANT,
    since_at: sa.ColumnElement[Any] = NO_INSTANT,
) -> list[sa.ColumnElement[Any]]:
    """The columns of an answer, by their names and types."""
    return [
        contact_id.label("contact_id"),
        sa.cast(count, sa.Integer).label("evidence_count"),
        sa.cast(first_at, sa.DateTime).label("first_at"),
        sa.cast(last_at, sa.DateTime).label("last_at"),
        sa.cast(since_at, sa.DateTime).label("since_at"),
    ]


def first_seen_at(night: Night) -> sa.ColumnElement[Any]:
    """When the company first knew the contact: the start of that company day (UTC)."""
    return day_starts_at(CONTACT.c.first_seen_on, night)


def day_starts_at(day: sa.ColumnElement[Any], night: Night) -> sa.ColumnElement[Any]:
    """The instant (UTC) at which a company day starts."""
    return utc_instant(sa.cast(day, sa.DateTime), night.zone)
