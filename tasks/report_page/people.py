"""Scores, lifecycle and segments on the page: how many people where, and who came and went tonight."""

from dataclasses import dataclass

from tasks.report_page import Reader
from vesper.lifecycle import stages_of
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import ScoringPolicy
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.watch import contact_count, people_by_stage, scores_by_value, segment_moves, segment_sizes

WIDTH = 5


@dataclass(frozen=True)
class ScoreBin:
    """People with a score from `low` up to the next bin; a bin never holds both sides of the MQL line."""

    low: int
    high: int
    people: int
    is_mql: bool


@dataclass(frozen=True)
class SegmentView:
    """One segment: members now, who came and who went tonight, as a count of people."""

    segment: Segment
    members: int
    entered: int
    left: int


@dataclass(frozen=True)
class StageView:
    """One lifecycle stage and how many people stand in it."""

    titles: dict[str, str]
    people: int


@dataclass(frozen=True)
class PeopleView:
    """Everybody, by score, stage and segment."""

    contacts: int
    scores: tuple[ScoreBin, ...]
    mql_at: int
    stages: tuple[StageView, ...]
    segments: tuple[SegmentView, ...]

    @property
    def scored(self) -> int:
        return sum(each.people for each in self.scores)

    @property
    def mql(self) -> int:
        return sum(each.people for each in self.scores if each.is_mql)


def read_people(reader: Reader, night: Night) -> PeopleView:
    contacts = reader.rows(contact_count())[0].people
    return PeopleView(
        contacts, _scores(reader, night), _mql_at(night), _stages(reader, night), _segments(reader, night)
    )


def _mql_at(night: Night) -> int:
    policies = night.definitions.of(ScoringPolicy).values()
    return next((policy.mql_at for policy in policies), ScoringPolicy.model_fields["mql_at"].default)


def _scores(reader: Reader, night: Night) -> tuple[ScoreBin, ...]:
    bins: dict[tuple[int, bool], int] = {}
    for row in reader.rows(scores_by_value(night)):
        key = (row.score - row.score % WIDTH, bool(row.is_mql))
        bins[key] = bins.get(key, 0) + row.people
    return tuple(ScoreBin(low, low + WIDTH - 1, people, is_mql) for (low, is_mql), people in sorted(bins.items()))


def _stages(reader: Reader, night: Night) -> tuple[StageView, ...]:
    """From the first step of the relation to the last; the lifecycle lists them the other way round."""
    counted = {row.stage: row.people for row in reader.rows(people_by_stage())}
    if not counted or not night.definitions.of(Lifecycle):
        return ()
    titles = {stage.id: {each: stage.title(each) for each in ("zh_CN", "en")} for stage in reversed(stages_of(night))}
    return tuple(StageView(titles[id], counted.get(id, 0)) for id in titles)


def _segments(reader: Reader, night: Night) -> tuple[SegmentView, ...]:
    members = {row.segment_id: row.people for row in reader.rows(segment_sizes())}
    moves = {(row.segment_id, row.change): row.people for row in reader.rows(segment_moves(night))}
    return tuple(
        SegmentView(segment, members.get(id, 0), moves.get((id, "entered"), 0), moves.get((id, "left"), 0))
        for id, segment in night.definitions.of(Segment).items()
    )
