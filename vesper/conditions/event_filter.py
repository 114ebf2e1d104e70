"""Which events a condition means: by kind, page, content, product, search words, series, length and amount (R27).

What belongs here: the one way in which every condition picks events. What does not: counting or ordering them (`events.py`, `sequence.py`).

An event that does not say something, e.g. how long it lasted, fails every test of it. Events made by machines never count, nor do answers to
a campaign that went wrong (R109).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BeforeValidator, Field, model_validator

from vesper.model.condition import Path
from vesper.model.definition import Name, Strict, Text
from vesper.model.timing import Lasting
from vesper.problem import wrong
from vesper.tables.campaign import EVENT


def _listed(value: Any) -> Any:
    """One word is a list of one."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(_listed, json_schema_input_type=Name | tuple[Name, ...]),
    Field(min_length=1),
]
"""One id, or a list of which any will do."""
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(_listed, json_schema_input_type=Text | tuple[Text, ...]),
    Field(min_length=1),
]
"""One text, or a list of which any will do."""


class TextTest(Strict):
    """A text is one of some, contains one of some, or starts with one of some. Capitals count."""

    among: Annotated[Texts | None, Field(alias="in")] = None
    """The whole text is one of these."""
    contains: Texts | None = None
    """One of these occurs in the text."""
    starts_with: Texts | None = None
    """The text starts with one of these."""

    @model_validator(mode="after")
    def _one_test(self) -> "TextTest":
        if sum(test is not None for test in (self.among, self.contains, self.starts_with)) != 1:
            raise wrong("A text is tested in one way.", "Write one of in, contains, starts_with.")
        return self

    def holds(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """The test as an expression; a text that nobody stated fails it."""
        if self.among is not None:
            return text.in_(self.among)
        words = self.contains or self.starts_with or ()
        test = sa.func.contains if self.contains is not None else sa.func.starts_with
        return sa.or_(*[test(text, word, type_=sa.Boolean) for word in words])


class EventFilter(Strict):
    """The events that are meant: every test that is written must hold."""

    kind: Names
    """Kind of event, or several of which any counts: the `event_kind` words of the sources."""
    url: TextTest | None = None
    """Page or link, e.g. {contains: /pricing} or {starts_with: "https://shop."}."""
    content_id: Texts | None = None
    """Content it was about."""
    product_code: Texts | None = None
    """Product it was about."""
    keyword: TextTest | None = None
    """Words that were searched for, e.g. {contains: 万用表}."""
    series: Texts | None = None
    """Campaign series it belongs to."""
    duration_at_least: Lasting | None = None
    """Shortest length that counts, e.g. 2m."""
    amount_at_least: Annotated[Decimal, Field(ge=0)] | None = None
    """Smallest amount that counts, in the company's currency."""

    @property
    def kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds, each with its path from here."""
        for place, kind in enumerate(self.kind):
            yield ("kind", place), kind

    def holds(self) -> sa.ColumnElement[bool]:
        """Whether a row of core__event is meant: true or false, never null."""
        particulars = list(self._particulars())
        tests = [EVENT.c.kind.in_(self.kind), ~EVENT.c.is_machine, EVENT.c.excluded_by.is_(None)]
        return sa.and_(*tests, *([sa.func.coalesce(sa.and_(*particulars), sa.false())] if particulars else []))

    def _particulars(self) -> Iterator[sa.ColumnElement[bool]]:
        """Tests of columns that may be empty."""
        event = EVENT.c
        lists = {event.content_id: self.content_id, event.product_code: self.product_code, event.series_id: self.series}
        yield from (column.in_(words) for column, words in lists.items() if words is not None)
        texts = {event.url: self.url, event.keyword: self.keyword}
        yield from (test.holds(column) for column, test in texts.items() if test is not None)
        if self.duration_at_least is not None:
            yield event.duration_seconds >= sa.literal(self.duration_at_least.seconds)
        if self.amount_at_least is not None:
            yield event.amount >= sa.literal(self.amount_at_least)
