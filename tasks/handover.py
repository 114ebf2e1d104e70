"""The hand-over stage: who is ready goes to sales, with a notice in the same transaction; sales' answers come back (R63 to R69).

What belongs here: reading, recording, publishing. What does not: rules and Selects (`vesper/handover.py`), the wire (`tasks/handover_notices.py`).
A company without policy/sales.yml hands nobody over, and its stage writes nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench, Mode
from tasks.delivery import live, simulated
from tasks.handover_notices import Messenger, NoticeReport
from tasks.handover_profiles import profiles_on
from tasks.marts import fill_marts
from tasks.stage import open_stage
from vesper.clock import cutoff_at, now
from vesper.handover import PLACE, assigned, beginning, handed_at, load, policy_of, reasons, waiting
from vesper.handover_answers import answers
from vesper.handover_clock import due_at
from vesper.handover_figures import breaches, team
from vesper.handover_history import kept, task_turns, turns
from vesper.handover_notices import notices_of
from vesper.handover_team import places
from vesper.language import translator
from vesper.marts.handover_reason import HANDOVER_REASON as REASON_COPY
from vesper.marts.score import SCORE
from vesper.model.sales import SalesPolicy
from vesper.sales_figures import handover_states
from vesper.stage_report import Balance, StageReport
from warehouse.ledger.engine import reading
from warehouse.ledger.handover import NightOfSales, Recorded, copies, reasons_as_arrow, record
from warehouse.ledger.runs import latest_run

BEGUN = "handover_begun"


@dataclass(frozen=True)
class Moment:
    """When a night hands over: by its own clock, when its scores were committed, and now."""

    at: dt.datetime
    scored_at: dt.datetime
    recorded_at: dt.datetime


def handover(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Hand over one night. Without `may_send` (another date than the clock's, replay, backfill) nobody is handed over and nobody told."""
    with open_stage(root, "handover", business_on, may_send, mode, threads) as bench:
        bench.require(SCORE.name, "score")
        policy = policy_of(bench.night)
        if policy is None:
            bench.report.facts["handed_over_to_sales"] = "nobody: the company has no policy/sales.yml"
            return bench.report
        bind_sales(bench)
        if may_send:
            hand_over(bench, policy)
            tell(bench, policy)
            bind_sales(bench)
        else:
            bench.report.facts["rehearsal"] = "yes: a night of another date hands nobody over and tells nobody"
        fill_marts(bench)
        _figures(bench)
    return bench.report


def bind_sales(bench: Bench) -> None:
    """Make the ledger's hand-overs, tasks, notices and reasons readable as they stand now."""
    for name, rows in copies(bench.house.engine).items():
        bench.runner.bind_arrow(name, rows)
    bench.runner.bind_arrow(REASON_COPY.name, reasons_as_arrow(bench.house.engine, REASON_COPY))


def hand_over(bench: Bench, policy: SalesPolicy) -> Recorded:
    """Decide and record the night in one ledger transaction. Sales' answers are kept first: they give representatives room."""
    engine, night = bench.house.engine, bench.night
    record(engine, NightOfSales(night.business_on, answers=bench.records(answers(night))))
    bind_sales(bench)
    begun = bench.materialize(beginning(night, policy), BEGUN)
    rows = _assigned(bench, policy, begun)
    moment = _moment(bench)
    zone = night.zone
    due = due_at(policy.calendar, policy.follow_up, moment.at, zone)
    recorded = record(
        engine,
        NightOfSales(
            night.business_on,
            handovers=[handover_row(row, night.business_on, moment, due) for row in rows if row.is_new],
            reasons=bench.records(reasons(begun, night)),
            tasks=[task_row(row, night.business_on, moment) for row in rows if row.opens_task],
            notices=notices_of(rows, policy, moment.at, zone),
            owners=[_owner(row, moment, due) for row in rows if row.waits and row.owner],
            turns=bench.records(turns(night, policy)),
            task_turns=bench.records(task_turns(night, policy)),
        ),
    )
    _say(bench, rows, recorded)
    bind_sales(bench)
    (whole,) = bench.rows(kept(night, policy))
    bench.balance(Balance("ready_for_sales", whole.ready, {"handed_over": whole.handed_over}))
    return recorded


def _assigned(bench: Bench, policy: SalesPolicy, begun: sa.Table) -> list[Any]:
    """The night's rows with their representatives (R69)."""
    cells = {row.cell: row.people for row in bench.rows(waiting(begun))}
    loads = {row.owner: row.people for row in bench.rows(load(policy))}
    dealt = [{"cell": p.cell, "number": p.number, "owner": p.owner} for p in places(policy, cells, loads)]
    return bench.rows(assigned(begun, bench.bind_rows(PLACE.name, PLACE, dealt)))


def _moment(bench: Bench) -> Moment:
    workspace, recorded_at = bench.house.workspace, now()
    with reading(bench.house.engine) as connection:
        scored = latest_run(connection, "score", bench.business_on)
    scored_at = scored["ended_at"] if scored and scored["ended_at"] else recorded_at
    at = handed_at(bench.night) if workspace.clock.mode == "simulated" else recorded_at
    return Moment(at, scored_at, recorded_at)


def handover_row(row: Any, on: dt.date, moment: Moment, due: dt.datetime) -> dict[str, Any]:
    """A hand-over of the ledger, of a row of `vesper.handover.assigned`."""
    same = {
        name: getattr(row, name)
        for name in ("handover_id", "contact_id", "episode", "cause", "score", "mql_preset", "owner")
    }
    return same | {
        "business_on": on,
        "scored_at": moment.scored_at,
        "recorded_at": moment.recorded_at,
        "created_at": moment.at,
        "assigned_at": moment.at if row.owner else None,
        "due_at": due,
        "state": "open",
    }


def _owner(row: Any, moment: Moment, due: dt.datetime) -> dict[str, Any]:
    """A first representative: the clock of the follow-up starts with the one who can follow up."""
    return {"handover_id": row.handover_id, "owner": row.owner, "assigned_at": moment.at, "due_at": due}


def task_row(row: Any, on: dt.date, moment: Moment) -> dict[str, Any]:
    """A human task of the ledger, of such a row."""
    same = {name: getattr(row, name) for name in ("task_id", "contact_id", "number", "handover_id", "event_id")}
    return same | {"cause": row.task_cause, "opened_on": on, "opened_at": moment.at, "is_open": True}


def _say(bench: Bench, rows: Sequence[Any], recorded: Recorded) -> None:
    """How many were handed over by cause, and how many nobody has room for (R69)."""
    _ = translator(bench.house.workspace.company.language)
    new = [row for row in rows if row.is_new]
    bench.report.facts["handed_over_to_sales"] = recorded.handovers
    bench.report.facts["human_tasks_opened"] = recorded.tasks
    bench.report.facts["handed_over_because"] = dict(sorted(Counter(row.cause for row in new).items()))
    left = sum(1 for row in rows if (row.is_new or row.waits) and not row.owner)
    if left:
        said = _(
            "Contacts ready for sales for whom nobody of the team has room: {count}. Raise a limit in policy/sales.yml, or end open hand-overs."
        )
        bench.report.warnings.append(said.format(count=left))


def tell(bench: Bench, policy: SalesPolicy) -> NoticeReport:
    """Send the notices that are due. On a simulated clock the hours up to the next night's cut-off are played."""
    workspace, night = bench.house.workspace, bench.night

    def profiles(ids: Iterable[str]) -> Any:
        return profiles_on(bench, ids)

    messenger = Messenger(bench.house.engine, workspace, night.definitions, policy, profiles)
    if workspace.clock.mode == "simulated":
        report = messenger.deliver(
            cutoff_at(night.business_on + dt.timedelta(days=1), night.zone), simulated(handed_at(night))
        )
    else:
        report = messenger.deliver(now(), live())
    bench.report.facts["notices"] = dict(sorted(report.outcomes.items()))
    bench.report.warnings.extend(report.warnings(translator(workspace.company.language)))
    return report


def _figures(bench: Bench) -> None:
    """The team's table; and every hand-over of the night that came too late, by its number (R63)."""
    _ = translator(bench.house.workspace.company.language)
    bench.report.facts["handovers"] = bench.records(handover_states(bench.night))
    bench.report.facts["team"] = bench.records(team(bench.night))
    late = bench.records(breaches(bench.night))
    if late:
        bench.report.facts["later_than_ten_minutes"] = late
        said = _("Hand-overs recorded or told of more than ten minutes after their score: {count}.")
        bench.report.warnings.append(said.format(count=len(late)))
