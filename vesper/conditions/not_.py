"""`not: {...}`: the condition does not hold. Where its facts are unknown, it is unknown too, never true (R106)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from pydantic import RootModel

from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.sets import ids
from vesper.model.condition import ConditionBody, Path
from vesper.tables.contact import CONTACT

if TYPE_CHECKING:
    from vesper.conditions import Condition


class Not(ConditionBody, RootModel["Condition"], frozen=True):
    """Contacts for whom the condition does not hold."""

    word: ClassVar[str] = "not"

    def parts(self) -> "Iterator[tuple[Path, Condition]]":
        """The one condition inside."""
        yield (), self.root

    def people(self, asked: Asked) -> People:
        """Every contact but those for whom the inner condition is true or unknown; the evidence is an absence."""
        inner: ConditionBody = self.root.body
        unknown = inner.unknown(asked)
        apart = [ids(inner.people(asked))] + ([] if unknown is None else [ids(unknown)])
        return sa.select(*evidence(CONTACT.c.contact_id, 0)).where(
            *[CONTACT.c.contact_id.not_in(part) for part in apart]
        )

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Unknown where the inner condition is."""
        body: ConditionBody = self.root.body
        return body.unknown(asked)
