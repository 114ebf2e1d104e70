"""`tag: {id: coffee_lover}`: the contact bears a tag (R26)."""

from typing import ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.groups import InGroup
from vesper.model.definition import Name, Strict


class HasTag(InGroup, Strict):
    """The contact bears a tag."""

    word: ClassVar[str] = "tag"
    folder: ClassVar[str] = "tags"

    group_id: Name = Field(alias="id")
    """The tag."""

    def table(self) -> tuple[sa.Table, str, str]:
        """Contacts by tag."""
        from vesper.marts.tag import TAG  # the mart is made of conditions

        return TAG, "tag_id", "since_on"
