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
from vesper.model.content import Content
from vesper.model.definition import Definition
from vesper.model.journey import Journey
from vesper.model.lead import LeadPolicy
from vesper.model.lifecycle import Lifecycle, LifecycleStage
from vesper.model.market import Market
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Group
from vesper.model.source import Source
from vesper.model.tier import Tiering
from vesper.nearest import suggestion
from vesper.presets import preset_text
from vesper.problem import Problem
from vesper.reading import Reading
from vesper.yaml_text import read_yaml

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
    def knows_stages(self) -> bool:
        """Whether it can be said which stages there are: not while the company's lifecycle is itself wrong."""
        return bool(self.stages) or MAIN not in self.ids("lifecycle")

    @cached_property
    def tiers(self) -> dict[str, set[str]]:
        """Tiering -> its tiers, of those that could be read."""
        return {reading.id: {tier.id for tier in tiering.tiers} for reading, tiering in self.of(Tiering)}

    @cached_property
    def event_kinds(self) -> set[str]:
        """Kinds of event that the sources bring: stated for all rows, or the words that a column's words are read as."""
        return self._said_by_sources("event_kind") | {kind for _, one in self.of(Source) for kind in one.event_kinds}

    @cached_property
    def feeds(self) -> set[str]:
        """What the sources feed."""
        return self._said_by_sources("feeds")

    @cached_property
    def knows_sources(self) -> bool:
        """Whether all sources could at least be read as YAML; otherwise nothing can be said of what they lack."""
        sources = [reading for reading in self.readings if reading.kind == "sources"]
        return bool(sources) and all(isinstance(reading.tree.value, dict) for reading in sources)

    def _said_by_sources(self, key: str) -> set[str]:
        """The words that the sources state under a key; a source that is wrong elsewhere still states it."""
        trees = [reading.tree.value for reading in self.readings if reading.kind == "sources"]
        return {str(tree[key]) for tree in trees if isinstance(tree, dict) and tree.get(key)}

    @cached_property
    def conditions(self) -> tuple[tuple[Reading, Path, Condition], ...]:
        """Every condition with its text and its path there; a persona has one for each of its fields."""
        found: list[tuple[Reading, Path, Condition]] = []
        for reading in self.readings:
            model = reading.model
            if isinstance(model, Market):
                found.append((reading, ("members",), model.members))
            elif isinstance(model, Group):
                found += [(reading, path, part) for path, part in model.written()]
            elif isinstance(model, ScoringRule):
                found.append((reading, ("when",), model.when))
            elif isinstance(model, Tiering):
                found += [(reading, ("tiers", n, "when"), tier.when) for n, tier in enumerate(model.tiers)]
            elif isinstance(model, Content):
                found += [
                    (reading, ("variants", n, "when"), one.when) for n, one in enumerate(model.variants) if one.when
                ]
            elif isinstance(model, Journey):
                found += [(reading, path, part) for path, part in model.written()]
            elif isinstance(model, LeadPolicy):
                found.append((reading, ("icp",), model.icp))
            elif isinstance(model, Lifecycle):
                found += [(reading, ("stages", n, "when"), stage.when) for n, stage in enumerate(model.stages or ())]
        return tuple(found)


def is_shipped(reading: Reading) -> bool:
    """Whether it says what Vesper's own definition of that name says: the company wrote none, or copied it."""
    text = preset_text(reading.kind, reading.id)
    return text is not None and read_yaml(text).value == reading.tree.value


def unknown(reading: Reading, path: Path, what: str, word: str, known: set[str], _: Translate) -> Iterator[Problem]:
    """A problem when a word is not known, with the nearest one that is. `what` is translated already and has a {word}."""
    if word not in known:
        yield reading.problem(path, what.format(word=word), suggestion(word, known, _))


def unknown_stage(book: Book, reading: Reading, path: Path, word: str, _: Translate) -> Iterator[Problem]:
    """A problem when a word is no stage of the company's lifecycle."""
    if book.knows_stages:
        yield from unknown(reading, path, _("There is no lifecycle stage {word}."), word, book.stage_ids, _)
