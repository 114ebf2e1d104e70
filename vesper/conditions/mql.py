"""`mql: {}`: the contact is a marketing-qualified lead tonight, by the preset of policy/scoring (R53, R54)."""

from typing import ClassVar

import sqlalchemy as sa

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict


class Mql(ConditionBody, Strict):
    """The night's score makes the contact an MQL."""

    word: ClassVar[str] = "mql"

    def people(self, asked: Asked) -> People:
        """Contacts whose score says so."""
        from vesper.marts.score import SCORE  # the mart is made of conditions

        return sa.select(*evidence(SCORE.c.contact_id, 1)).where(SCORE.c.is_mql)
