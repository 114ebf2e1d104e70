"""What keeps yesterday's rows tonight, because a source it reads has a hole (R106).

What belongs here: from a condition to the sources behind it, through the scores, stages and segments it names. What does not: finding holes
(coverage, in consolidate) and what a held rule's rows are (each stage's own file).
"""

from collections.abc import Iterator

from vesper.conditions import Condition
from vesper.conditions.groups import InGroup
from vesper.conditions.mql import Mql
from vesper.conditions.score import Score
from vesper.conditions.stage import Stage
from vesper.conditions.tier import InTier
from vesper.model.condition import ConditionBody
from vesper.model.lifecycle import Lifecycle
from vesper.model.persona import Persona
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Group, Segment
from vesper.model.source import Source
from vesper.model.tag import Tag
from vesper.model.tier import Tiering
from vesper.mql import strict_condition
from vesper.night import Night

GROUPS: dict[str, type[Group]] = {"segments": Segment, "tags": Tag, "personas": Persona}


def is_held(condition: Condition, night: Night) -> bool:
    """Whether the condition reads a source with a hole: nothing it says tonight may score, move or send."""
    return bool(night.held) and bool(night.held & sources_behind(condition, night))


def held_sources(condition: Condition, night: Night) -> list[str]:
    """The sources that hold it, for the words on the stage's page."""
    return sorted(night.held & sources_behind(condition, night))


def bodies_behind(condition: Condition, night: Night) -> list[ConditionBody]:
    """Every condition inside, and inside what it names."""
    return list(_bodies(condition, night, set()))


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
    if isinstance(body, InGroup):
        group = night.definitions.of(GROUPS[body.folder]).get(body.group_id)
        yield from [(f"{body.folder}/{body.group_id}", group.condition)] if group else []
    if isinstance(body, InTier):
        tiering = night.definitions.of(Tiering).get(body.of)
        yield from ((f"tiers/{body.of}/{tier.id}", tier.when) for tier in (tiering.tiers if tiering else ()))
    if isinstance(body, Stage):
        for lifecycle in night.definitions.of(Lifecycle).values():
            yield from ((f"lifecycle/{lifecycle.id}/{stage.id}", stage.when) for stage in lifecycle.stages or ())
    if isinstance(body, Score | Mql):
        yield from ((f"scoring/{rule.id}", rule.when) for rule in night.definitions.of(ScoringRule).values())
    if isinstance(body, Mql):
        scales = night.definitions.of(ScoringPolicy).values()
        yield from (("policy/scoring", strict_condition(one)) for one in scales if one.mql_preset == "strict")


def _read_by(body: ConditionBody, night: Night) -> Iterator[str]:
    sources = night.definitions.of(Source).values()
    kinds = {kind for _, kind in body.event_kinds()}
    of_kind = [source.id for source in sources if kinds & set(source.event_kinds)]
    yield from of_kind
    read = body.feeds - {"event"} if of_kind else body.feeds
    yield from (source.id for source in sources if source.feeds in read)
