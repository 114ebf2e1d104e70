"""What keeps yesterday's rows tonight, because a source it reads has a hole (R106).

What belongs here: from a condition to the sources behind it, through the scores, stages and segments it names. What does not: finding holes
(coverage, in consolidate) and what a held rule's rows are (each stage's own file).
"""

from collections.abc import Iterator

from vesper.conditions import Condition
from vesper.conditions.events import Events
from vesper.conditions.score import Score
from vesper.conditions.segment import InSegment
from vesper.conditions.stage import Stage
from vesper.model.condition import ConditionBody
from vesper.model.lifecycle import Lifecycle
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.night import Night


def is_held(condition: Condition, night: Night) -> bool:
    """Whether the condition reads a source with a hole: nothing it says tonight may score, move or send."""
    return bool(night.held) and bool(night.held & sources_behind(condition, night))


def held_sources(condition: Condition, night: Night) -> list[str]:
    """The sources that hold it, for the words on the stage's page."""
    return sorted(night.held & sources_behind(condition, night))


def sources_behind(condition: Condition, night: Night) -> frozenset[str]:
    """Ids of the sources whose rows the condition reads, directly or through a score, a stage or another segment."""
    return frozenset(source for body in _bodies(condition, night, set()) for source in _read_by(body, night))


def _bodies(condition: Condition, night: Night, seen: set[str]) -> Iterator[ConditionBody]:
    """Every condition inside, and inside what it names; `seen` stops at a circle, which `check` reports."""
    for _, body in condition.walk():
        yield body
        for key, behind in _named(body, night):
            if key not in seen:
                seen.add(key)
                yield from _bodies(behind, night, seen)


def _named(body: ConditionBody, night: Night) -> Iterator[tuple[str, Condition]]:
    """The conditions of the definitions that a condition names."""
    if isinstance(body, InSegment) and body.segment_id in night.definitions.of(Segment):
        yield f"segments/{body.segment_id}", night.definitions.one(Segment, body.segment_id).members
    if isinstance(body, Stage):
        for lifecycle in night.definitions.of(Lifecycle).values():
            yield from ((f"lifecycle/{lifecycle.id}/{stage.id}", stage.when) for stage in lifecycle.stages or ())
    if isinstance(body, Score):
        yield from ((f"scoring/{rule.id}", rule.when) for rule in night.definitions.of(ScoringRule).values())


def _read_by(body: ConditionBody, night: Night) -> Iterator[str]:
    sources = night.definitions.of(Source).values()
    if isinstance(body, Events):
        of_kind = [source.id for source in sources if body.kind in source.event_kinds]
        yield from of_kind or [source.id for source in sources if source.feeds == "event"]
    else:
        yield from (source.id for source in sources if source.feeds in body.feeds)
