"""Values that SQL cannot clean: each distinct one is read once in Python, and its result is looked up in a table that a night binds.

What belongs here: the tables and who fills them. What does not: how a value is read (a file for each kind), and which values are left over.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import company, email, mail_domain, name, phone, region

WRITTEN = "written"
Results = Iterable[tuple[Any, ...]]


@dataclass(frozen=True)
class LookUp:
    """A table of results by value as it was written, and the function that gives results, in the order of the table's other columns."""

    table: sa.Table
    read: Callable[[Sequence[str]], Results]

    def columns(self, values: Sequence[str]) -> dict[str, list[Any]]:
        """The table's columns for distinct values, in their order."""
        rows = [(value, *result) for value, result in zip(values, self.read(values), strict=True)]
        return {c.name: [row[place] for row in rows] for place, c in enumerate(self.table.c)}


def _table(name: str, *columns: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *[sa.Column(each, sa.String()) for each in (WRITTEN, *columns)])


def _one(read: Callable[[str], str | None]) -> Callable[[Sequence[str]], Results]:
    return lambda values: ((read(value),) for value in values)


def _several(read: Callable[[str], tuple[Any, ...]]) -> Callable[[Sequence[str]], Results]:
    return lambda values: (tuple(read(value)) for value in values)


PHONE = LookUp(_table("cleaned_phone", "number", "other", "status"), _several(phone.read))
EMAIL = LookUp(_table("cleaned_email", "address"), _one(email.read))
MAIL_DOMAIN = LookUp(_table("cleaned_mail_domain", "verdict"), _one(mail_domain.verdict))
NAME = LookUp(_table("cleaned_name", "key"), _one(name.read))
COMPANY = LookUp(_table("cleaned_company", "key"), _one(company.read))
REGION = LookUp(_table("cleaned_region", "province", "city", "status"), _several(region.resolve))
PHONE_REGION = LookUp(_table("cleaned_phone_region", "province", "city"), region.by_phone)
