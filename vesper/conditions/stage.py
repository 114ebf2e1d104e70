"""`stage: {in: [loyal]}`: the lifecycle stage a contact is in."""

from typing import Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Name, Strict


class Stage(ConditionBody, Strict):
    """The contact's lifecycle stage of this night is one of these."""

    word: ClassVar[str] = "stage"

    among: Annotated[tuple[Name, ...], Field(alias="in", min_length=1)]
    """Accepted stages of the company's lifecycle."""

    def people(self, asked: Asked) -> People:
        """Contacts by their lifecycle stage."""
        from vesper.marts.lifecycle import LIFECYCLE  # the mart is made of conditions

        entered = LIFECYCLE.c.entered_at
        return sa.select(*evidence(LIFECYCLE.c.contact_id, 1, entered, entered, entered)).where(
            LIFECYCLE.c.stage.in_(self.among)
        )
