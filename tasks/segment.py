"""The segment stage: who belongs to which segment tonight, who entered and who left."""

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from data_quality.conservation import segmented
from tasks.bench import Bench, Mode
from tasks.marts import fill_marts
from tasks.stage import open_stage
from vesper import key_figures
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.stage_report import StageReport
from vesper.tables.declare import previous


def segment(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Refresh the segments of one night. Raises StageFailed with one sentence; nothing is published then."""
    with open_stage(root, "segment", business_on, may_send, mode, threads) as bench:
        bench.require(SCORE.name, "score")
        fill_marts(bench)
        _balance(bench)
    return bench.report


def _balance(bench: Bench) -> None:
    """Members are those of yesterday, plus entered, minus left, for each segment."""
    bench.read(sa.select(previous(SEGMENT_MEMBER)))
    nights = (bench.business_on, bench.night.days_ago(1))
    now, were = (bench.sizes(SEGMENT_MEMBER, "segment_id", "members", on) for on in nights)
    before = {row.segment_id: row.members for row in bench.runner.rows(sa.select(were))}
    movement = bench.records(key_figures.segments(bench.night, now))
    for row in movement:
        id = row["segment_id"]
        bench.balance(
            segmented(id, row["members"], previous=before.get(id, 0), entered=row["entered"], left=row["left"])
        )
    bench.report.facts["segments"] = movement
    bench.report.facts["since_yesterday"] = {row["segment"]: row["entered"] - row["left"] for row in movement}
