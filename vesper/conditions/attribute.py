"""`attribute: {field: phone, is: known}` or `attribute: {field: province, in: [上海]}`: what stands in the golden contact."""

from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.contact_field import ContactField
from vesper.model.definition import Strict, Text
from vesper.problem import wrong
from vesper.tables.contact import CONTACT


class Attribute(ConditionBody, Strict):
    """A field of the golden contact is known or missing, or has one of some values. A missing value is in no list."""

    word: ClassVar[str] = "attribute"
    feeds: ClassVar[frozenset[str]] = frozenset({"contact", "demographic"})

    field: ContactField
    """Field of core__contact."""
    among: Annotated[tuple[Text, ...] | None, Field(alias="in", min_length=1)] = None
    """Accepted values."""
    presence: Annotated[Literal["known", "missing"] | None, Field(alias="is")] = None
    """Whether the field has a value at all."""

    @model_validator(mode="after")
    def _one_question(self) -> "Attribute":
        if (self.among is None) == (self.presence is None):
            raise wrong(
                "attribute asks either for values or for presence.", "Write in: [...] or is: known or is: missing."
            )
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by what stands in the field."""
        value = CONTACT.c[self.field]
        if self.among is not None:
            holds = value.in_(self.among)
        else:
            holds = value.is_(None) if self.presence == "missing" else value.is_not(None)
        return sa.select(*evidence(CONTACT.c.contact_id, 0 if self.presence == "missing" else 1)).where(holds)

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """A value that nobody stated is neither in a list nor outside it; whether it is missing is always known."""
        if self.among is None:
            return None
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c[self.field].is_(None))
