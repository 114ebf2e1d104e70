"""The measure stage: computed attributes, market visibility and what is missing for it."""

import datetime as dt
from pathlib import Path

from tasks.bench import Mode
from tasks.marts import fill_marts
from tasks.stage import open_stage
from vesper import key_figures
from vesper.stage_report import StageReport
from vesper.tables.contact import CONTACT
from vesper.visibility_figures import best_sources, gaps


def measure(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Measure one night. Raises StageFailed with one sentence; nothing is published then."""
    with open_stage(root, "measure", business_on, may_send, mode, threads) as bench:
        bench.require(CONTACT.name, "consolidate")
        fill_marts(bench)
        bench.report.facts["visibility"] = bench.records(key_figures.visibility(bench.night))
        bench.report.facts["visibility_gaps"] = bench.records(gaps(bench.night))
        bench.report.facts["sources_for_gaps"] = bench.records(best_sources(bench.night))
        bench.report.facts["tiers"] = bench.records(key_figures.tiers(bench.night))
        bench.report.facts["tags"] = bench.records(key_figures.tags(bench.night))
        bench.report.facts["personas"] = bench.records(key_figures.personas(bench.night))
    return bench.report
