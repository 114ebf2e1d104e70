"""`attribute: {field: phone, is: known}`, `attribute: {field: province, in: [上海]}`: what stands in the golden contact."""

from typing import Any, ClassVar

import sqlalchemy as sa
from pydantic import model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.value import ValueQuestion, fitting, holds
from vesper.model.condition import ConditionBody
from vesper.model.contact_field import ContactField
from vesper.tables.contact import CONTACT


class Attribute(ConditionBody, ValueQuestion):
    """A field of the golden contact is known or missing, or its value answers a question of the field's type."""

    word: ClassVar[str] = "attribute"
    feeds: ClassVar[frozenset[str]] = frozenset({"contact", "demographic"})

    field: ContactField
    """Field of core__contact."""

    @model_validator(mode="after")
    def _fits(self) -> "Attribute":
        fitting(self, self.field, CONTACT.c[self.field])
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by what stands in the field."""
        known = 0 if self.presence == "missing" else 1
        return sa.select(*evidence(CONTACT.c.contact_id, known)).where(holds(self, CONTACT.c[self.field]))

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """A value that nobody stated is neither in a list nor outside it; whether it is missing is always known."""
        if self.asks_presence:
            return None
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c[self.field].is_(None))
