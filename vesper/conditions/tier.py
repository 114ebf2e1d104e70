"""`tier: {of: value, in: [gold]}`: the tier of a tiering that a contact stands in (R28)."""

from typing import Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import Asked, People, day_starts_at, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Name, Strict


class InTier(ConditionBody, Strict):
    """The contact's tier is one of these."""

    word: ClassVar[str] = "tier"

    of: Name
    """The tiering."""
    among: Annotated[tuple[Name, ...], Field(alias="in", min_length=1)]
    """Accepted tiers of it."""

    def people(self, asked: Asked) -> People:
        """Contacts by their tier, since it last changed."""
        from vesper.marts.tier import TIER  # the mart is made of conditions

        since = day_starts_at(TIER.c.since_on, asked.night)
        found = sa.select(*evidence(TIER.c.contact_id, 1, since_at=since))
        return found.where(TIER.c.tiering_id == self.of, TIER.c.tier.in_(self.among))
