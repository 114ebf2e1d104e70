"""`company: {field: employee_count, at_least: 500}`: what stands in the golden company of the contact (R33, R117)."""

from typing import Any, ClassVar

import sqlalchemy as sa
from pydantic import model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.value import ValueQuestion, fitting, holds
from vesper.model.condition import ConditionBody
from vesper.model.contact_field import CompanyField
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT


class OfCompany(ConditionBody, ValueQuestion):
    """A field of the contact's company is known or missing, or its value answers a question of the field's type.

    Who has no company has no value in any of its fields.
    """

    word: ClassVar[str] = "company"
    feeds: ClassVar[frozenset[str]] = frozenset({"contact", "company"})

    field: CompanyField
    """Field of core__company."""

    @model_validator(mode="after")
    def _fits(self) -> "OfCompany":
        fitting(self, self.field, COMPANY.c[self.field])
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by what stands in the field of their company."""
        known = 0 if self.presence == "missing" else 1
        answer = sa.select(*evidence(CONTACT.c.contact_id, known)).select_from(_with_company())
        return answer.where(holds(self, COMPANY.c[self.field]))

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Contacts without a company, or whose company nobody stated the value of."""
        if self.asks_presence:
            return None
        missing = COMPANY.c[self.field].is_(None)
        return sa.select(CONTACT.c.contact_id).select_from(_with_company()).where(missing)


def _with_company() -> sa.FromClause:
    return CONTACT.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id, isouter=True)
