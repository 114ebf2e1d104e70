"""The send stage: every running campaign's audience judged, intents kept in the ledger, due messages sent, and what became of them."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from data_quality.conservation import broken_sentence
from tasks.bench import Bench, Mode
from tasks.delivery import Letters, deliver, live, simulated
from tasks.marts import fill_marts
from tasks.stage import open_stage
from vesper.clock import cutoff_at, now
from vesper.language import translator
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.refusal import RAW_REFUSAL
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.send import audience, balance, campaigns_of, plan, planned_at, recipients
from vesper.stage_report import StageFailed, StageReport
from warehouse.ledger.handover import tasks_as_arrow
from warehouse.ledger.outbox import messages_as_arrow, record, refusals_as_arrow, standing, suppressions_as_arrow


def send(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Send one night. Without `may_send` (another date than the clock's, replay, backfill) nothing is planned and nothing leaves."""
    with open_stage(root, "send", business_on, may_send, mode, threads) as bench:
        bench.require(SEGMENT_MEMBER.name, "segment")
        _bind_ledger(bench)
        if may_send:
            _plan(bench)
            _deliver(bench)
            _bind_ledger(bench)
        else:
            bench.report.facts["rehearsal"] = "yes: a night of another date plans nothing and sends nothing"
        fill_marts(bench)
    return bench.report


def _bind_ledger(bench: Bench) -> None:
    bench.runner.bind_arrow(RAW_MESSAGE.name, messages_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_REFUSAL.name, refusals_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_SUPPRESSION.name, suppressions_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_HUMAN_TASK.name, tasks_as_arrow(bench.house.engine))


def _plan(bench: Bench) -> None:
    """Judge every audience; keep intents and refusals only when not one person is lost between them (conservation)."""
    planned: list[dict[str, Any]] = []
    _ = translator(bench.house.workspace.company.language)
    for campaign in campaigns_of(bench.night):
        rows = bench.rows(plan(campaign, bench.night))
        bench.balance(balance(campaign, len(bench.rows(audience(campaign))), rows))
        sentence = broken_sentence(bench.report.balances, bench.house.workspace.notices.owner, _)
        if sentence:
            raise StageFailed(sentence, bench.report)
        record(bench.house.engine, rows)
        decisions = Counter(row.decision for row in rows)
        planned.append({"campaign_id": campaign.id, "audience": len(rows), **dict(sorted(decisions.items()))})
    bench.report.facts["planned"] = planned


def _deliver(bench: Bench) -> None:
    """Send what is due. On a simulated clock the hours up to the next night's cut-off are played."""
    _bind_ledger(bench)
    workspace, night = bench.house.workspace, bench.night
    letters = Letters(workspace, night.definitions, bench.rows(recipients()))
    if workspace.clock.mode == "simulated":
        until = cutoff_at(night.business_on + dt.timedelta(days=1), night.zone)
        clock = simulated(planned_at(night))
    else:
        until, clock = now(), live()
    report = deliver(bench.house.engine, workspace, night.definitions, letters, until, clock)
    bench.report.warnings.extend(report.warnings(translator(workspace.company.language)))
    bench.report.facts |= report.facts(standing(bench.house.engine))
