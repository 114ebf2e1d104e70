"""All texts that were read, as the checks look things up in them.

What belongs here: which ids, stages and kinds of event there are. What does not: any check.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from vesper.conditions import Condition
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.definition import Definition
from vesper.model.lifecycle import Lifecycle, LifecycleStage
from vesper.model.market import Market
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.reading import Reading

Model = TypeVar("Model", bound=Definition)
MAIN = "main"


@dataclass(frozen=True)
class Book:
    """Every reading, those that failed too: a name is known as soon as its file is there."""

    readings: tuple[Reading, ...]

    def of(self, model: type[Model]) -> Iterator[tuple[Reading, Model]]:
        """Readings of one kind that could be read, with their models."""
        for reading in self.readings:
            if isinstance(reading.model, model):
                yield reading, reading.model

    def ids(self, kind: str) -> set[str]:
        """Ids of a kind."""
        return {reading.id for reading in self.readings if reading.kind == kind}

    @cached_property
    def stages(self) -> tuple[LifecycleStage, ...]:
        """The stages of the company's lifecycle, its preset resolved; none where it could not be read."""
        known = {reading.id: lifecycle for reading, lifecycle in self.of(Lifecycle)}
        main = known.get(MAIN)
        if main and main.preset:
            main = known.get(main.preset)
        return main.stages or () if main else ()

    @cached_property
    def stage_ids(self) -> set[str]:
        return {stage.id for stage in self.stages}

    @cached_property
    def event_kinds(self) -> set[str]:
        """Kinds of event that the sources bring."""
        return {source.event_kind for _, source in self.of(Source) if source.event_kind}

    @cached_property
    def conditions(self) -> tuple[tuple[Reading, Path, Condition], ...]:
        """Every condition with its text and its path there."""
        found: list[tuple[Reading, Path, Condition]] = []
        for reading in self.readings:
            model = reading.model
            if isinstance(model, Market | Segment):
                found.append((reading, ("members",), model.members))
            elif isinstance(model, ScoringRule):
                found.append((reading, ("when",), model.when))
            elif isinstance(model, Lifecycle):
                found += [(reading, ("stages", n, "when"), stage.when) for n, stage in enumerate(model.stages or ())]
        return tuple(found)


def unknown(reading: Reading, path: Path, what: str, word: str, known: set[str], _: Translate) -> Iterator[Problem]:
    """A problem when a word is not known, with the nearest one that is. `what` is translated already and has a {word}."""
    if word not in known:
        yield reading.problem(path, what.format(word=word), suggestion(word, known, _))
