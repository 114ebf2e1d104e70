"""The watch stage: what campaigns brought, the funnel, the monitoring table; then the report page, and what retention lets go."""

import datetime as dt
from pathlib import Path

from tasks.bench import Mode
from tasks.marts import fill_marts
from tasks.page import write_page
from tasks.retention import retain
from tasks.stage import open_stage
from tasks.stale_score import warn_of_held_scores
from vesper import key_figures
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.sales_figures import buried_count, lost_reasons
from vesper.stage_report import StageReport


def watch(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Watch one night. Raises StageFailed with one sentence; nothing is published then."""
    with open_stage(root, "watch", business_on, may_send, mode, threads) as bench:
        bench.require(SEGMENT_MEMBER.name, "segment")
        fill_marts(bench)
        bench.report.facts["goals"] = bench.records(key_figures.goals(bench.night))
        bench.report.facts["lost_reasons"] = bench.records(lost_reasons(bench.night))
        bench.report.facts["buried_leads"] = bench.rows(buried_count())[0].people
        bench.report.facts["leakage"] = bench.records(key_figures.leakage(bench.night))
        bench.report.facts["campaign_effect"] = bench.records(key_figures.campaign_kinds(bench.night))
        warn_of_held_scores(bench)
    if mode == "night":
        write_page(root, business_on)
        retain(root)
    return bench.report
