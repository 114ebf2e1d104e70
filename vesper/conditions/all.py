"""`all: [...]`: every one of the conditions holds."""

import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field, RootModel

from vesper.conditions.people import Asked, People
from vesper.conditions.sets import either, ids, joined, without
from vesper.model.condition import ConditionBody, Path

if TYPE_CHECKING:
    from vesper.conditions import Condition


class All(ConditionBody, RootModel[Annotated[tuple["Condition", ...], Field(min_length=1)]], frozen=True):
    """Every one of the conditions holds."""

    word: ClassVar[str] = "all"

    def parts(self) -> "Iterator[tuple[Path, Condition]]":
        """The joined conditions."""
        for place, condition in enumerate(self.root):
            yield (place,), condition

    def people(self, asked: Asked) -> People:
        """Contacts that are in every part; the evidence is that of all parts together."""
        return joined([part.body.people(asked) for part in self.root], everyone=True)

    def unknown(self, asked: Asked) -> sa.Select[typing.Any] | None:
        """No part is false, and one at least is unknown."""
        unknowns = [part.body.unknown(asked) for part in self.root]
        if all(unknown is None for unknown in unknowns):
            return None
        trues = [part.body.people(asked) for part in self.root]
        not_false = [
            ids(true) if unknown is None else either(true, unknown)
            for true, unknown in zip(trues, unknowns, strict=True)
        ]
        return without(sa.intersect(*not_false), self.people(asked))
