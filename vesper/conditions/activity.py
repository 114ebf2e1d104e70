"""`activity: {level: [high]}`: how active a contact is, as mart__activity reckons it (R36)."""

from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.sets import never_ordered
from vesper.marts.activity import ACTIVITY
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict

Level = Literal["high", "medium", "low"]


class Activity(ConditionBody, Strict):
    """The contact's activity level is one of these. Who never ordered has no level: neither in the list nor outside it."""

    word: ClassVar[str] = "activity"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    level: Annotated[tuple[Level, ...], Field(min_length=1)]
    """Accepted levels: high, medium, low."""

    def people(self, asked: Asked) -> People:
        """Contacts by their level, with the orders behind it."""
        had = ACTIVITY.c
        answer = sa.select(*evidence(had.contact_id, had.order_count, had.first_at, had.last_at))
        return answer.where(had.activity_level.in_(self.level))

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Who never ordered."""
        return never_ordered()
