"""`lead: {status: [recycled], recycled_at_least: 2}`: where the contact's lead stands (R43, R44)."""

from typing import Annotated, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict, Text
from vesper.problem import wrong

Status = Literal["open", "to_sales", "invalid", "recycled"]


class Lead(ConditionBody, Strict):
    """The contact is a lead and everything asked for is so. Who is no lead matches nothing."""

    word: ClassVar[str] = "lead"
    feeds: ClassVar[frozenset[str]] = frozenset({"lead_outcome"})

    status: Annotated[tuple[Status, ...], Field(min_length=1)] | None = None
    """Accepted states of the lead."""
    recycled_at_least: Annotated[int, Field(ge=1)] | None = None
    """Smallest number of times it came back from sales."""
    reason: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Accepted reason codes of the outcome that ended it last."""

    @model_validator(mode="after")
    def _asked(self) -> "Lead":
        if self.status is None and self.recycled_at_least is None and self.reason is None:
            raise wrong("lead asks nothing.", "Write status: [...], recycled_at_least or reason: [...].")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by their lead of this night."""
        from vesper.marts.lead import LEAD  # the mart stands downstream of conditions

        lead = LEAD.c
        begun = sa.case((lead.status == "open", lead.opened_at), else_=lead.closed_at)
        answer = sa.select(*evidence(lead.contact_id, 1, begun, begun, begun))
        if self.status is not None:
            answer = answer.where(lead.status.in_(self.status))
        if self.recycled_at_least is not None:
            answer = answer.where(lead.recycle_count >= self.recycled_at_least)
        return answer if self.reason is None else answer.where(lead.reason_code.in_(self.reason))
