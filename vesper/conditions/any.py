"""`any: [...]`: at least one of the conditions holds."""

import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field, RootModel

from vesper.conditions.people import Asked, People
from vesper.conditions.sets import ids, joined, without
from vesper.model.condition import ConditionBody, Path

if TYPE_CHECKING:
    from vesper.conditions import Condition


class Any(ConditionBody, RootModel[Annotated[tuple["Condition", ...], Field(min_length=1)]], frozen=True):
    """At least one of the conditions holds."""

    word: ClassVar[str] = "any"

    def parts(self) -> "Iterator[tuple[Path, Condition]]":
        """The joined conditions."""
        for place, condition in enumerate(self.root):
            yield (place,), condition

    def people(self, asked: Asked) -> People:
        """Contacts that are in one of the parts; the evidence is that of the parts that hold."""
        return joined([part.body.people(asked) for part in self.root], everyone=False)

    def unknown(self, asked: Asked) -> sa.Select[typing.Any] | None:
        """No part is true, and one at least is unknown."""
        unknowns = [unknown for part in self.root if (unknown := part.body.unknown(asked)) is not None]
        return without(sa.union(*[ids(unknown) for unknown in unknowns]), self.people(asked)) if unknowns else None
