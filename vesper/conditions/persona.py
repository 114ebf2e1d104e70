"""`persona: {id: young_parent}`: the contact is of a persona (R26, R30)."""

from typing import ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.groups import InGroup
from vesper.model.definition import Name, Strict


class IsPersona(InGroup, Strict):
    """The contact is of a persona."""

    word: ClassVar[str] = "persona"
    folder: ClassVar[str] = "personas"

    group_id: Name = Field(alias="id")
    """The persona."""

    def table(self) -> tuple[sa.Table, str, str]:
        """Contacts by persona."""
        from vesper.marts.persona import PERSONA  # the mart is made of conditions

        return PERSONA, "persona_id", "since_on"
