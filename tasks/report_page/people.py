"""Scores, lifecycle and segments on the page: how many people where, and who came and went tonight."""

from dataclasses import dataclass
from typing import Any

from tasks.new_mqls import NewMql, read_new_mqls
from tasks.report_page import Reader
from vesper.key_figures import scored
from vesper.lifecycle import stages_of
from vesper.marts.calibration import CALIBRATION
from vesper.marts.score_hold import SCORE_HOLD
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import ScoringPolicy
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.watch import contact_count, of_tonight, people_by_stage, scores_by_value, segment_moves, segment_sizes

WIDTH = 5
MOST_EMPTY_BINS = 60  # beyond, the scale is so wide that only the bins with people are drawn


@dataclass(frozen=True)
class ScoreBin:
    """People with a score of `low` to `high`, and how many of them are MQLs; a bin never holds both sides of the MQL line."""

    low: int
    high: int
    people: int
    mqls: int


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
    new_mql_count: int
    new_mqls: tuple[NewMql, ...]
    holds: tuple[Any, ...]
    calibration: tuple[Any, ...]
    is_strict: bool = False

    @property
    def scored(self) -> int:
        return sum(each.people for each in self.scores)

    @property
    def mql(self) -> int:
        return sum(each.mqls for each in self.scores)


def read_people(reader: Reader, night: Night) -> PeopleView:
    contacts = reader.rows(contact_count())[0].people
    return PeopleView(
        contacts,
        _scores(reader, night),
        _scale(night)[0],
        _stages(reader, night),
        _segments(reader, night),
        reader.rows(scored(night))[0].new_mqls if _is_scored(night) else 0,
        tuple(read_new_mqls(reader, night)) if _is_scored(night) else (),
        tuple(reader.rows(of_tonight(SCORE_HOLD, night))),
        tuple(reader.rows(of_tonight(CALIBRATION, night))),
        any(policy.mql_preset == "strict" for policy in night.definitions.of(ScoringPolicy).values()),
    )


def _is_scored(night: Night) -> bool:
    """Whether there is a scale to be scored on; every company has one but the bare ones of tests."""
    return bool(night.definitions.of(ScoringPolicy))


def _scale(night: Night) -> tuple[int, int]:
    """The MQL line and the ceiling."""
    policies = [*night.definitions.of(ScoringPolicy).values(), ScoringPolicy(says="-", owner="-")]
    return policies[0].mql_at, policies[0].ceiling


def _scores(reader: Reader, night: Night) -> tuple[ScoreBin, ...]:
    """Bins from the lowest score to the highest, those without people among them, so that a distance on the page is one of points."""
    scale, counted = _scale(night), dict[tuple[int, int], tuple[int, int]]()
    for row in reader.rows(scores_by_value(night)):
        edges = _bin(row.score, scale)
        people, mqls = counted.get(edges, (0, 0))
        counted[edges] = people + row.people, mqls + (row.people if row.is_mql else 0)
    if not counted:
        return ()
    lowest, highest = min(counted)[0], max(counted)[1]
    if highest - lowest <= MOST_EMPTY_BINS * WIDTH:
        for score in range(lowest, highest + 1):
            counted.setdefault(_bin(score, scale), (0, 0))
    return tuple(ScoreBin(*edges, *counts) for edges, counts in sorted(counted.items()))


def _bin(score: int, scale: tuple[int, int]) -> tuple[int, int]:
    """Smallest and largest score of the bin that a score falls into, on a scale with an MQL line and a ceiling."""
    line, ceiling = scale
    low = score - score % WIDTH
    high = max(min(low + WIDTH - 1, ceiling), score)
    return (max(low, line), high) if score >= line else (low, min(high, line - 1))


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
