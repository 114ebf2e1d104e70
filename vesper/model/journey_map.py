"""The journey map: what people need and do in each stage of buying, where the company meets them, and with which content (S2, S3).

What belongs here: the shape, and the gaps that the map itself shows. What does not: whether what it names exists (`vesper/checks/journey_map.py`),
the page (`tasks/content_page.py`), the journeys that run (`model/journey.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from vesper.model.condition import Path
from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.problem import wrong

Words = Annotated[tuple[Wording, ...], Field(min_length=1)]


class Touchpoint(Strict):
    """One place where the company meets people of a stage."""

    says: Wording
    """What happens there."""
    channel: Text
    """Channel in the company's own words: an exhibition is one, too."""
    content: Name | None = None
    """Content that is used there; without one it is a gap."""
    is_key: bool = False
    """Whether the stage stands or falls with it."""


class MapStage(Strict):
    """One stage of buying."""

    id: Name
    """The stage's word."""
    name: Wording | None = None
    """Short name."""
    stages: tuple[Name, ...] = ()
    """Lifecycle stages that it stands for."""
    need: Wording
    """What people need here."""
    behaviour: Wording
    """What they do."""
    touchpoints: tuple[Touchpoint, ...] = ()
    """Where the company meets them."""
    four_c: dict[Name, Words] = {}
    """C of the map -> what it is in this stage."""

    def title(self, language: str) -> str:
        """The short name in a language."""
        return self.name.of(language) if self.name else self.id


class Aspect(Strict):
    """One of the Cs."""

    id: Name
    """Its word."""
    name: Wording
    """Short name."""


@dataclass(frozen=True)
class Gap:
    """Something that the map does not have: `kind` is touchpoint, content, key or c; `of` is the touchpoint or the C."""

    kind: str
    stage: MapStage
    path: Path
    of: Wording | str = ""


class JourneyMap(Definition):
    """A journey map: stages of buying by need, behaviour, channel, content and key touchpoint, and by the Cs of the company's own list."""

    persona: Name | None = None
    """Persona whose journey it is."""
    four_c: tuple[Aspect, ...] = ()
    """The Cs, an open list: 4C names four, and a company may tell other ones apart."""
    stages: Annotated[tuple[MapStage, ...], Field(min_length=1)]
    """Stages of buying in their order."""

    @model_validator(mode="after")
    def _whole(self) -> "JourneyMap":
        for ids in ([stage.id for stage in self.stages], [aspect.id for aspect in self.four_c]):
            if len(set(ids)) < len(ids):
                raise wrong("Two stages or two Cs have the same id.", "Give each its own id.")
        return self

    def gaps(self) -> Iterator[Gap]:
        """What it does not have, in its own order."""
        for place, stage in enumerate(self.stages):
            path: Path = ("stages", place)
            if not stage.touchpoints:
                yield Gap("touchpoint", stage, path)
            elif not any(one.is_key for one in stage.touchpoints):
                yield Gap("key", stage, (*path, "touchpoints"))
            for number, one in enumerate(stage.touchpoints):
                if one.content is None:
                    yield Gap("content", stage, (*path, "touchpoints", number), one.says)
            for aspect in self.four_c:
                if aspect.id not in stage.four_c:
                    yield Gap("c", stage, path, aspect.name)
