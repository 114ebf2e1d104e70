"""The score stage: scores with their reasons, and the lifecycle stage of everybody."""

import datetime as dt
from pathlib import Path

from data_quality.conservation import scored
from tasks.bench import Mode
from tasks.marts import fill_marts
from tasks.new_mqls import as_facts, read_new_mqls
from tasks.stage import open_stage
from vesper import key_figures
from vesper.language import translator
from vesper.marts.score import SCORE
from vesper.marts.visibility import VISIBILITY
from vesper.stage_report import StageReport
from vesper.tables.contact import CONTACT


def score(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Score one night. Raises StageFailed with one sentence; nothing is published then."""
    with open_stage(root, "score", business_on, may_send, mode, threads) as bench:
        bench.require(VISIBILITY.name, "measure")
        fill_marts(bench)
        people = bench.snapshot(CONTACT.name)
        bench.balance(scored(people.row_count if people else 0, bench.report.rows[SCORE.name]))
        bench.report.facts |= bench.records(key_figures.scored(bench.night))[0]
        _ = translator(bench.night.workspace.company.language)
        bench.report.facts["newly_ready_for_sales"] = as_facts(read_new_mqls(bench, bench.night), bench.night, _)
        bench.report.facts["score_bands"] = bench.records(key_figures.score_bands())
        bench.report.facts["lifecycle"] = bench.records(key_figures.stages())
        bench.report.facts["refused_transitions"] = bench.records(key_figures.refused_transitions())
        bench.report.facts["leads"] = bench.records(key_figures.leads())
    return bench.report
