"""`bant: {dimension: budget, in: [clear]}` or `bant: {dimension: authority, is: known}`: what the newest BANT statement says (R55).

What belongs here: which statement counts, and the condition on it. What does not: where statements come from (vesper/consolidate/sales.py).
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import at, cutoff_at
from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict, Text
from vesper.night import Night
from vesper.problem import wrong
from vesper.tables.contact import CONTACT
from vesper.tables.sales import BANT

Dimension = Literal["budget", "authority", "need", "timing"]


class Bant(ConditionBody, Strict):
    """What sales know of budget, authority, need or timing. Of several statements the newest counts, whichever source it is from."""

    word: ClassVar[str] = "bant"
    feeds: ClassVar[frozenset[str]] = frozenset({"bant"})

    dimension: Dimension
    """What is asked for."""
    among: Annotated[tuple[Text, ...] | None, Field(alias="in", min_length=1)] = None
    """Accepted values; who has no statement is neither in the list nor outside it."""
    presence: Annotated[Literal["known", "missing"] | None, Field(alias="is")] = None
    """Whether there is a statement at all."""

    @model_validator(mode="after")
    def _one_question(self) -> "Bant":
        if (self.among is None) == (self.presence is None):
            raise wrong("bant asks either for values or for presence.", "Write in: [...] or is: known or is: missing.")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by the newest statement of the dimension."""
        if self.presence == "missing":
            return sa.select(*evidence(CONTACT.c.contact_id, 0)).where(CONTACT.c.contact_id.not_in(self._stated(asked)))
        said = newest(self.dimension, asked.night).subquery("said")
        since = said.c.first_at if self.presence else said.c.at
        answer = sa.select(*evidence(said.c.contact_id, 1, said.c.at, said.c.at, since))
        return answer.where(said.c.value.in_(self.among)) if self.among is not None else answer

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Who has no statement has no value; whether there is one is always known."""
        if self.among is None:
            return None
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c.contact_id.not_in(self._stated(asked)))

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Statements dated between the two cut-offs: one that was still to come has come."""
        earlier = at(cutoff_at(since, asked.night.zone))
        yield self._stated(asked).where(BANT.c.at > earlier)

    def _stated(self, asked: Asked) -> sa.Select[Any]:
        return sa.select(BANT.c.contact_id).where(*_known(self.dimension, asked.night))


def newest(dimension: str, night: Night) -> sa.Select[Any]:
    """contact_id, value, at, first_at: the newest statement of each contact by (at, source, record_key), and when the first was made."""
    said = BANT.c
    order = [said.at.desc(), said.source.desc(), said.record_key.desc()]
    numbered = (
        sa.select(
            said.contact_id,
            said.value,
            said.at,
            sa.func.min(said.at).over(partition_by=said.contact_id).label("first_at"),
            sa.func.row_number().over(partition_by=said.contact_id, order_by=order).label("nth"),
        )
        .where(*_known(dimension, night))
        .subquery("numbered")
    )
    columns = [numbered.c[name] for name in ("contact_id", "value", "at", "first_at")]
    return sa.select(*columns).where(numbered.c.nth == 1)


def _known(dimension: str, night: Night) -> list[sa.ColumnElement[bool]]:
    return [BANT.c.dimension == dimension, BANT.c.contact_id.is_not(None), BANT.c.at <= at(night.cutoff_at)]
