"""`outcome: {in: [won], within: 180d}`: how often sales said so of the contact's leads (R43, R45)."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, left_window, tally
from vesper.model.condition import ConditionBody, CountedInWindow
from vesper.model.definition import Text
from vesper.tables.sales import LEAD_OUTCOME

Outcome = Literal["accepted", "rejected", "to_sales", "invalid", "recycle", "won", "lost"]


class LeadOutcome(ConditionBody, CountedInWindow):
    """Number of lead outcomes of some kinds in a window of company days, of any reason or of some."""

    word: ClassVar[str] = "outcome"
    feeds: ClassVar[frozenset[str]] = frozenset({"lead_outcome"})

    among: Annotated[tuple[Outcome, ...], Field(alias="in", min_length=1)]
    """Outcomes that count."""
    reason: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Reason codes that count; any reason, stated or not, where it is missing."""

    def people(self, asked: Asked) -> People:
        """Contacts by their number of such outcomes."""
        said = LEAD_OUTCOME.c
        number, first, last = sa.func.count(), sa.func.min(said.at), sa.func.max(said.at)
        since = first if self.within is None and self.minimum == 1 else NO_INSTANT
        counted = tally(said.contact_id, number, number, first, last, since)
        counted = counted.where(*self._counts(), in_window(said.on, self.within, asked.night))
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with an outcome that left the window, or whose day has come."""
        said = LEAD_OUTCOME.c
        yield from left_window(said.contact_id, said.on, self.within, asked.night, since, *self._counts())

    def _counts(self) -> list[sa.ColumnElement[Any]]:
        said = LEAD_OUTCOME.c
        of_reason: list[sa.ColumnElement[Any]] = [said.reason_code.in_(self.reason)] if self.reason else []
        return [said.outcome.in_(self.among), *of_reason]
