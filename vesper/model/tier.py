"""A tiering: ordered tiers of which each contact stands in exactly one, the first that holds (R28)."""

from typing import Annotated

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.definition import Definition, Name, Strict, Wording
from vesper.model.example import TierExample
from vesper.problem import wrong


class Tier(Strict):
    """One tier."""

    id: Name
    """The tier's word, e.g. gold."""
    name: Wording | None = None
    """Short name for lists and reports."""
    when: Condition
    """Holds for the contacts of this tier who are in none above."""

    def title(self, language: str) -> str:
        """The short name in a language."""
        return self.name.of(language) if self.name else self.id


class Tiering(Definition):
    """One way to sort all contacts into tiers."""

    tiers: Annotated[tuple[Tier, ...], Field(min_length=2)]
    """Tiers from the highest to the lowest; the last one is `when: {always: {}}`."""
    examples: tuple[TierExample, ...] = ()
    """Contacts and the tier they stand in."""

    @model_validator(mode="after")
    def _whole(self) -> "Tiering":
        ids = [tier.id for tier in self.tiers]
        if len(set(ids)) < len(ids):
            raise wrong("Two tiers have the same id.", "Give each tier its own id.")
        if self.tiers[-1].when.word != "always":
            raise wrong(
                "The last tier does not hold for everybody, so some contact would have no tier.",
                "End with a tier that says when: {{always: {{}}}}.",
            )
        if any(tier.when.word == "always" for tier in self.tiers[:-1]):
            raise wrong(
                "A tier above the last holds for everybody, so nobody reaches those below it.",
                "Move it to the end.",
            )
        return self
