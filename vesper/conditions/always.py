"""`always: {}`: every contact. The last stage of a lifecycle, the whole-panel market."""

from typing import ClassVar

import sqlalchemy as sa

from vesper.conditions.people import Asked, People, evidence, first_seen_at
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.tables.contact import CONTACT


class Always(ConditionBody, Strict):
    """Every golden contact."""

    word: ClassVar[str] = "always"

    def people(self, asked: Asked) -> People:
        """Everyone, since the company first knew them."""
        return sa.select(*evidence(CONTACT.c.contact_id, 1, since_at=first_seen_at(asked.night)))
