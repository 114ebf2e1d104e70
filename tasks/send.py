"""The send stage: every running campaign's audience judged, journeys advanced, intents kept in the ledger, due messages sent, and what became of them."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data_quality.conservation import broken_sentence
from tasks.bench import Bench, Mode
from tasks.delivery import Letters, deliver, simulated
from tasks.experiment import bind_experiments, deal_entries, judge_experiments
from tasks.journey import advance
from tasks.marts import fill_marts
from tasks.recommended import recommending
from tasks.rollout import versions
from tasks.send_now import deliver_now
from tasks.stage import open_stage
from vesper.bounce import given_up
from vesper.clock import cutoff_at
from vesper.complaint import complaint_rate
from vesper.language import Translate, translator
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.refusal import RAW_REFUSAL
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.consent import consent_policy
from vesper.model.outreach import outreaches
from vesper.recipient import recipients_of
from vesper.send import (
    HOLDS,
    audience,
    balance,
    campaigns_of,
    decisions_of,
    plan,
    planned_at,
    sending_of,
    without_address,
)
from vesper.stage_report import StageFailed, StageReport
from warehouse.ledger import journey_copies
from warehouse.ledger.coupon import held_by
from warehouse.ledger.handover import tasks_as_arrow
from warehouse.ledger.outbox import messages_as_arrow, refusals_as_arrow, standing, suppressions_as_arrow
from warehouse.ledger.planned import record
from warehouse.ledger.send_stop import paused
from warehouse.ledger.suppression import keep_out

PLAN = "send_plan"


def send(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Send one night. Without `may_send` (another date than the clock's, replay, backfill) nothing is planned and nothing leaves."""
    with open_stage(root, "send", business_on, may_send, mode, threads) as bench:
        bench.require(SEGMENT_MEMBER.name, "segment")
        _bind_ledger(bench)
        if may_send:
            _give_up_addresses(bench)
            deal_entries(bench)
            _plan(bench)
            _advance(bench)
            _deliver(bench)
            _bind_ledger(bench)
        else:
            bench.report.facts["rehearsal"] = "yes: a night of another date plans nothing and sends nothing"
        fill_marts(bench)
        judge_experiments(bench, may_decide=may_send)
    return bench.report


def _bind_ledger(bench: Bench) -> None:
    bench.runner.bind_arrow(RAW_MESSAGE.name, messages_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_REFUSAL.name, refusals_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_SUPPRESSION.name, suppressions_as_arrow(bench.house.engine))
    bench.runner.bind_arrow(RAW_HUMAN_TASK.name, tasks_as_arrow(bench.house.engine))
    for name, rows in journey_copies.copies(bench.house.engine).items():
        bench.runner.bind_arrow(name, rows)
    bind_experiments(bench)


def _give_up_addresses(bench: Bench) -> None:
    """Keep out the addresses that mail comes back from, before anybody is written to (rule C12)."""
    found = bench.rows(given_up(bench.night))
    by_reason = {
        row.reason: [(one.channel, one.address_hash) for one in found if one.reason == row.reason] for row in found
    }
    with bench.house.engine.begin() as connection:
        for reason, addresses in sorted(by_reason.items()):
            keep_out(connection, addresses, reason, bench.night.cutoff_at)
    if found:
        bench.report.facts["addresses_given_up"] = {reason: len(these) for reason, these in sorted(by_reason.items())}
        bench.runner.bind_arrow(RAW_SUPPRESSION.name, suppressions_as_arrow(bench.house.engine))


def _plan(bench: Bench) -> None:
    """Judge every audience, one campaign after the other."""
    stopped = paused(bench.house.engine)
    _warn_of_complaints(bench)
    bench.report.facts["planned"] = [
        _plan_one(bench, campaign, campaign.id in stopped) for campaign in campaigns_of(bench.night)
    ]


def _warn_of_complaints(bench: Bench) -> None:
    """Say how many mails were reported as spam before it costs the sender's name (rule C5)."""
    rule, _ = consent_policy(bench.night.definitions).complaints, translator(bench.house.workspace.company.language)
    (row,) = bench.rows(complaint_rate(planned_at(bench.night)))
    if row.accepted < rule.of_at_least or row.complained < rule.warn_at * row.accepted:
        return
    said = _("Of {count} mails of the last seven days {reported} were reported as spam ({share}).")
    halted = _("No further marketing mail is planned until it is less than {share}.").format(
        share=f"{rule.halt_at:.1%}"
    )
    figures = said.format(count=row.accepted, reported=row.complained, share=f"{row.complained / row.accepted:.2%}")
    is_halted = row.complained >= rule.halt_at * row.accepted
    bench.report.warnings.append(f"{figures} {halted}" if is_halted else figures)


def _plan_one(bench: Bench, campaign: Campaign, is_paused: bool) -> dict[str, Any]:
    """Keep a campaign's intents and refusals only when not one person is lost between them (conservation)."""
    _ = translator(bench.house.workspace.company.language)
    people = audience(campaign)
    rows = bench.materialize(without_address(plan(sending_of(campaign, is_paused), people, bench.night)), PLAN)
    found = bench.rows(decisions_of(rows))
    asked = int(bench.scalar(sa.select(sa.func.count()).select_from(people.subquery("asked"))))
    bench.balance(balance(campaign, asked, {row.decision: row.people for row in found}))
    sentence = broken_sentence(bench.report.balances, bench.house.workspace.notices.owner, _)
    if sentence:
        raise StageFailed(sentence, bench.report)
    record(bench.house.engine, bench.runner.batches(sa.select(rows)))
    bench.report.warnings += [_held(campaign, row, _) for row in found if row.decision in HOLDS]
    counts = {row.decision: row.people for row in found}
    title = campaign.title(bench.house.workspace.company.language)
    return {"campaign_id": campaign.id, "campaign": title, "state": campaign.state, "audience": asked, **counts}


def _held(campaign: Campaign, row: Any, _: Translate) -> str:
    """What is said of a campaign that holds: the two figures, and whom to ask (R107)."""
    if row.decision == "deviation":
        said = _(
            "{id} holds: it would reach another number of people than was approved ({figures}). {owner} looks at it."
        )
    else:
        said = _("{id} holds: it would reach more people than max_people allows ({figures}). {owner} looks at it.")
    return said.format(id=f"campaigns/{campaign.id}", figures=row.detail, owner=campaign.owner)


def _advance(bench: Bench) -> None:
    """Take every journey through the night's turn."""
    advanced = advance(bench.house, bench.runner, bench.night, read=bench.read)
    bench.report.warnings += advanced.warnings(translator(bench.house.workspace.company.language))
    names = _titles(bench)
    rows = [{"journey": names.get(row["journey_id"], row["journey_id"]), **row} for row in advanced.facts()]
    bench.report.facts |= {"journeys": rows} if rows else {}


def _deliver(bench: Bench) -> None:
    """Send what is due. On a simulated clock the hours up to the next night's cut-off are played."""
    _bind_ledger(bench)
    workspace, night, engine = bench.house.workspace, bench.night, bench.house.engine
    if workspace.clock.mode == "simulated":
        known = (versions(engine), partial(held_by, engine))
        look, recommend = (lambda ids: bench.rows(recipients_of(ids))), recommending(night, bench.rows)
        letters = Letters(workspace, night.definitions, look, *known, recommend=recommend)
        until = cutoff_at(night.business_on + dt.timedelta(days=1), night.zone)
        clock = simulated(planned_at(night))
        report = deliver(engine, workspace, night.definitions, letters, until, clock, workspace.mail.connections)
    else:  # who filled in a form after the cut-off is no contact of this night, and is written to all the same
        report = deliver_now(bench.house)
    bench.report.warnings.extend(report.warnings(translator(workspace.company.language)))
    bench.report.facts |= report.facts(standing(engine), _titles(bench))


def _titles(bench: Bench) -> dict[str, str]:
    """What people call campaigns and journeys, by id."""
    language = bench.house.workspace.company.language
    return {id: one.title(language) for id, one in outreaches(bench.night.definitions).items()}
