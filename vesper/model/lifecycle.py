"""A lifecycle: the stages a contact passes, in order; the first that holds wins, the last holds for everybody (R40)."""

from typing import Annotated

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.definition import Definition, Name, Strict, Wording
from vesper.model.example import StageExample
from vesper.problem import wrong


class LifecycleStage(Strict):
    """One stage."""

    id: Name
    """The stage's word, e.g. loyal."""
    name: Wording | None = None
    """Short name for lists and reports."""
    says: Wording
    """Who stands in it."""
    when: Condition
    """Holds for the contacts of this stage who are in none above."""
    comes_from: Annotated[tuple[Name, ...] | None, Field(alias="from")] = None
    """Stages that a contact may enter it from; from any where it is missing. Newcomers enter anywhere; [] means newcomers alone (R41)."""

    def admits(self, before: str | None) -> bool:
        """Whether a contact may stand here who stood in `before` the night before; None is a newcomer."""
        return self.comes_from is None or before in (None, self.id, *self.comes_from)

    def title(self, language: str) -> str:
        """The short name in a language."""
        return self.name.of(language) if self.name else self.id


class Lifecycle(Definition):
    """The company's lifecycle: a preset by name, or stages of its own."""

    preset: Name | None = None
    """A lifecycle that ships with Vesper, e.g. preset_a. Its stages are taken when the definitions are loaded."""
    stages: Annotated[tuple[LifecycleStage, ...], Field(min_length=2)] | None = None
    """Stages in the order they are tried; the last one is `when: {always: {}}`."""
    examples: tuple[StageExample, ...] = ()
    """Contacts and the stage they stand in."""

    @model_validator(mode="after")
    def _whole(self) -> "Lifecycle":
        if not self.preset and not self.stages:
            raise wrong("A lifecycle needs stages.", "Name a preset (preset: preset_a) or write stages.")
        ids = [stage.id for stage in self.stages or ()]
        if len(set(ids)) < len(ids):
            raise wrong("Two stages have the same id.", "Give each stage its own id.")
        if self.stages and self.stages[-1].when.word != "always":
            raise wrong(
                "The last stage does not hold for everybody, so some contact would have no stage.",
                "End with a stage that says when: {{always: {{}}}}.",
            )
        return self
