"""`rfm: {recency: [4, 5], frequency: [4, 5], money: [4, 5]}`: fifths of the buyers by last order, number of orders and sum paid."""

from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.marts.activity import ACTIVITY
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.problem import wrong
from vesper.tables.contact import CONTACT

Fifths = Annotated[tuple[Annotated[int, Field(ge=1, le=5)], ...], Field(min_length=1)]


class Rfm(ConditionBody, Strict):
    """Fifths 1 (lowest) to 5 (highest) among the contacts who ordered in the window of policy/analysis; who did not never matches."""

    word: ClassVar[str] = "rfm"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    recency: Fifths | None = None
    """Accepted fifths by last order; 5 ordered most recently."""
    frequency: Fifths | None = None
    """Accepted fifths by number of orders."""
    money: Fifths | None = None
    """Accepted fifths by sum paid."""

    @model_validator(mode="after")
    def _any_axis(self) -> "Rfm":
        if self.recency is None and self.frequency is None and self.money is None:
            raise wrong("rfm names no fifths.", "Write recency, frequency or money, e.g. recency: [4, 5].")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by their fifths in mart__activity."""
        had = ACTIVITY.c
        asks = {had.recency_rank: self.recency, had.frequency_rank: self.frequency, had.money_rank: self.money}
        answer = sa.select(*evidence(had.contact_id, had.order_count, had.first_at, had.last_at))
        return answer.where(*[rank.in_(fifths) for rank, fifths in asks.items() if fifths])

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """Who did not order in the window stands in no fifth."""
        return sa.select(CONTACT.c.contact_id).where(
            CONTACT.c.contact_id.not_in(sa.select(ACTIVITY.c.contact_id).where(ACTIVITY.c.recency_rank.is_not(None)))
        )
