"""Sends what is due: one run of a worker, with one connection or several. The night's send stage, the tick and `vesper send` all call it.

What belongs here: who sends in one run, and what is done before and after. What does not: the steps of one connection (`send_worker.py`), the
rules of each step (`warehouse/ledger/dispatch.py`), planning.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import get_args

import sqlalchemy as sa

from connectors.channels import Channel, ChannelUnreachable, opened
from tasks.broadcast import Broadcasts
from tasks.delivery_report import DeliveryReport
from tasks.letters import Letters, Writer
from tasks.send_worker import Clock, Job, Sender
from vesper.clock import now
from vesper.definition_set import DefinitionSet
from vesper.language import translator
from vesper.model.outreach import Channel as ChannelName
from vesper.model.workspace import Workspace
from warehouse.ledger.broadcast import is_open
from warehouse.ledger.claim import LEASE, expire, explain_waiting, release
from warehouse.ledger.outbox import is_due
from warehouse.ledger.provider_token import token
from warehouse.ledger.restore import settle_known
from warehouse.ledger.send_stop import is_stopped, paused
from warehouse.ledger.session import Session
from warehouse.ledger.worker import recover, registered
from warehouse.secret import address_key

__all__ = ["DeliveryReport", "Letters", "deliver", "live", "simulated"]

CHANNELS: Sequence[str] = get_args(ChannelName)


class Played:
    """Plays time: a message goes at its own instant, but not before `start`, the instant of planning. The same on every rerun."""

    def __init__(self, start: dt.datetime) -> None:
        self.start = start

    def __call__(self, not_before: dt.datetime) -> dt.datetime:
        return max(not_before, self.start)


def simulated(start: dt.datetime) -> Played:
    """A clock that plays time from an instant on."""
    return Played(start)


def live() -> Clock:
    """A message goes now."""
    return lambda _: now()


def deliver(
    engine: sa.Engine,
    workspace: Workspace,
    definitions: DefinitionSet,
    writer: Writer,
    until: dt.datetime,
    clock: Clock,
    connections: int = 1,
    lease: dt.timedelta = LEASE,
    ending: threading.Event | None = None,
) -> DeliveryReport:
    """Send every message that may go by `until`, in the order of claiming (`warehouse/ledger/claim.py`).

    First, what dead workers left on the wire becomes unknown, and what they had claimed is planned again. Safe to call at any time and by any
    number of processes: what is final stays so. On a live clock `until` is now; one that plays time has one connection, so that a rerun is the same.
    Setting `ending` lets every connection finish its call and begin no other.
    """
    report = DeliveryReport(recovered=recover(engine, workspace.store))
    is_live = not isinstance(clock, Played)
    key, has_due = address_key(workspace.store), is_due(engine, until)
    broadcasts = Broadcasts(engine, workspace, writer, key, partial(token, engine), is_live)
    if not has_due and not is_open(engine):
        return report
    if is_stopped(engine):
        report.is_stopped = True
        return report
    if not has_due:
        report.problems += broadcasts.run()
        return report
    with registered(engine, workspace.store) as worker_id, Session(engine) as session:
        report.refused["expired"] += _given_up(session, until, clock)
        job = Job(engine, workspace, definitions, writer, worker_id, key, until, clock, is_live, lease)
        job.ending = ending or job.ending
        _rounds(job, connections if is_live else 1, report)
        release(session, worker_id)
        _explain(session, job, report)
        if not job.ending.is_set():
            report.problems += broadcasts.run()
    report.refused = +report.refused
    return report


def _given_up(session: Session, until: dt.datetime, clock: Clock) -> int:
    """Messages that are too late by now; what a restore knows to be sent is settled before."""
    with session.writing() as connection:
        settle_known(connection)
    return expire(session, until, clock.start if isinstance(clock, Played) else now())


def _rounds(job: Job, connections: int, report: DeliveryReport) -> None:
    """Every channel in its turn; and once more for what workers that died meanwhile had claimed."""
    while True:
        for name in CHANNELS:
            job.over.clear()
            report.add(_sent(job, name, connections))
            if report.is_stopped or job.ending.is_set():
                return
        left = recover(job.engine, job.workspace.store)
        report.recovered = report.recovered.and_(left)
        if not left.returned or report.problems or report.held_until:
            return


def _sent(job: Job, name: str, connections: int) -> DeliveryReport:
    """Send what is due on one channel."""
    reports = [DeliveryReport() for _ in range(connections)]
    if connections == 1:
        _connection(job, name, reports[0])
    else:
        _together(job, name, reports)
    whole = DeliveryReport()
    for one in reports:
        whole.add(one)
    return whole


def _together(job: Job, name: str, reports: Sequence[DeliveryReport]) -> None:
    """One thread for each connection: they wait in sockets most of the time. The first error ends all of them and is raised here."""
    errors: list[BaseException] = []

    def work(report: DeliveryReport) -> None:
        try:
            _connection(job, name, report)
        except BaseException as error:
            errors.append(error)
            job.over.set()

    threads = [threading.Thread(target=work, args=(report,), name=f"send-{name}") for report in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _connection(job: Job, name: str, report: DeliveryReport) -> None:
    """One connection from opening to closing; nothing is opened for a channel that has nothing to send."""
    with ExitStack() as stack:
        session = stack.enter_context(Session(job.engine))
        if not is_due(job.engine, job.until, name):
            return
        try:
            channel: Channel = stack.enter_context(opened(job.workspace, name, tokens=partial(token, job.engine)))
            Sender(job, session, channel, name, report).run()
        except ChannelUnreachable as error:
            report.problems.append(error.said(translator(job.workspace.company.language)))


def _explain(session: Session, job: Job, report: DeliveryReport) -> None:
    """What waits because its campaign is paused or not running says so, and is counted."""
    held = paused(job.engine)
    if held:
        report.paused.update(explain_waiting(session, held, job.until, "waiting:paused"))
    idle = job.without - held
    if idle:
        _ = translator(job.workspace.company.language)
        for id, count in explain_waiting(session, idle, job.until, "waiting:not_running").items():
            said = job.writer.running(id)
            if said is not None:
                report.withheld[said.said(_)] += count
