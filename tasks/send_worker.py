"""One connection at work: claims a batch, writes its letters, and takes each over the wire between two commits.

What belongs here: the order of these steps for one connection. What does not: how many of them there are (`delivery.py`), the rules of a step
(`warehouse/ledger/dispatch.py`), the wire (`connectors/channels/`). Nothing here tries a wire call twice.
"""

import datetime as dt
import heapq
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from connectors.channels import Channel, Letter, Outcome
from connectors.channels._fence import may_reach
from tasks.delivery_report import DeliveryReport
from tasks.letters import Unwritable, Write, Writer
from tasks.short_letter import Withheld
from vesper.address import AddressKey, address_hash
from vesper.clock import now
from vesper.content import ContentError, NoVariant, Oversized
from vesper.definition_set import DefinitionSet
from vesper.language import translator
from vesper.model.content_short import BROADCASTS
from vesper.model.workspace import Workspace
from vesper.send_limits import Limits, limits_of_message
from warehouse.ledger import rate
from warehouse.ledger.claim import Wanted, claim, hold_back
from warehouse.ledger.dispatch import Begin, Begun, Held, Later, Refused, Result, Stopped, Terms, refuse, settle, step
from warehouse.ledger.outbox import Due
from warehouse.ledger.rate import Allowance
from warehouse.ledger.session import Session

Clock = Callable[[dt.datetime], dt.datetime]

BATCH = 1000
"""Messages of one claim, and people of one look into the lake."""
SLICE = 0.2
LONGEST_WAIT = dt.timedelta(seconds=60)
"""A pause longer than this ends the run; the rest waits for the next one."""
THROTTLED = frozenset({"421", "450", "451", "452", "454", "429", "503"})
"""Replies by which a server asks to be left alone for a while, unless they speak of one mailbox."""
PAUSES = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 15, 60, 180, 600))


@dataclass
class Job:
    """What all connections of one run share. `gate` lets one of them at a time claim and look into the lake."""

    engine: sa.Engine
    workspace: Workspace
    definitions: DefinitionSet
    writer: Writer
    worker_id: str
    key: AddressKey
    until: dt.datetime
    clock: Clock
    is_live: bool
    lease: dt.timedelta
    batch: int = BATCH
    ending: threading.Event = field(default_factory=threading.Event)
    """Set from outside: every connection ends after the call that it makes."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set from inside: this channel is done with for now."""
    gate: threading.Lock = field(default_factory=threading.Lock)
    without: set[str] = field(default_factory=set)
    """Campaigns and journeys that turned out to be paused or not running; they are not claimed again."""

    @property
    def is_over(self) -> bool:
        """Whether no further message is begun."""
        return self.over.is_set() or self.ending.is_set()


class Sender:
    """One connection with its own line to the ledger. Made and used in one thread."""

    def __init__(self, job: Job, session: Session, channel: Channel, name: str, report: DeliveryReport) -> None:
        self.job, self.session, self.channel, self.name, self.report = job, session, channel, name, report
        self._done: Result | None = None
        self._terms_of_last: Terms | None = None
        self._limits: dict[tuple[str, str, str | None, str | None], Limits] = {}
        self._kept: list[Due] = []
        self._throttles = 0
        self._allowance = _allowance(job, name, channel.provider)
        if self._allowance is not None:
            rate.know(session, self._allowance.provider, self._allowance.burst, now())

    def run(self) -> None:
        """Send until nothing is due, or sending is stopped, or the server asks for a long pause."""
        try:
            while not self.job.is_over and not self._is_held():
                messages, write = self._batch()
                if not messages:
                    return
                self._send(messages, write)
        finally:
            self._settle()

    def _batch(self) -> tuple[list[Due], Write]:
        job = self.job
        self._settle()
        with job.gate:
            wanted = Wanted(self.name, job.until, job.batch, frozenset(job.without), by_time=not job.is_live)
            messages = claim(self.session, job.worker_id, wanted, now() + job.lease)
            running = [message for message in messages if self._is_running(message)]
            return messages, job.writer.batch(running) if running else _nobody

    def _send(self, messages: Sequence[Due], write: Write) -> None:
        """One batch in its order. On a clock that plays time, what has to wait comes back at its new place among the others."""
        rest = list(messages)
        keep_until = self._keep_until(messages)
        if not self.job.is_live:
            heapq.heapify(rest)
        else:
            rest.reverse()
        while rest and not self.job.is_over:
            message = rest.pop() if self.job.is_live else heapq.heappop(rest)
            if message.campaign_id in self.job.without:
                continue
            self._one(message, write, keep_until)
            while self._kept:
                heapq.heappush(rest, self._kept.pop())

    def _keep_until(self, messages: Sequence[Due]) -> dt.datetime | None:
        """Until when a message that has to wait stays with this batch: as long as nothing else may come before it."""
        if self.job.is_live:
            return None
        is_all = len(messages) < self.job.batch
        return self.job.until if is_all else messages[-1].not_before - dt.timedelta(microseconds=1)

    def _one(self, message: Due, write: Write, keep_until: dt.datetime | None) -> None:
        """Take one message as far as it goes.

        The letter is made and the connection stands before the ledger is asked, so that nothing can fail between intent and wire.
        """
        at = self.job.clock(message.not_before)
        letter = None
        if at <= message.expires_at:
            letter = self._letter(message, write, at)
            if letter is None:
                return
            self.channel.ready()
        terms = Terms(
            self.job.worker_id,
            self._limits_of(message),
            self.channel.provider if self.job.is_live else "",
            self._allowance,
            keep_until,
            self.job.lease,
        )
        begun = self._begun(message, at, terms)
        if isinstance(begun, Begun) and letter is not None:
            self._call(message, begun, letter, terms)

    def _begun(self, message: Due, at: dt.datetime, terms: Terms) -> Begin:
        """Settle the last message and begin this one, in one commit; again after a pause that the server or the rate asks for."""
        while True:
            result, self._done = self._done, None
            try:
                _, begun = step(self.session, result, message, at, terms)
            except BaseException:
                self._done = result
                raise
            if not isinstance(begun, Held) or not self._waited(begun.until):
                self._note(message, begun)
                return begun
            at = self.job.clock(message.not_before)

    def _call(self, message: Due, begun: Begun, letter: Letter, terms: Terms) -> None:
        """The wire call, between the two commits. What was not taken is settled at once, because it may come back in this batch."""
        outcome = self.channel.send(letter)
        self.report.outcomes[outcome.kind] += 1
        self._done = Result(message, begun, outcome.kind, outcome.code, outcome.detail, outcome.bounce == "hard")
        self._terms_of_last = terms
        if outcome.kind == "deferred":
            later = self._settle()
            self._throttle(outcome)
            if later is not None and later.is_kept:
                self._kept.append(message.again(later.until, begun.number))
        elif outcome.kind == "accepted":
            self._throttles = 0

    def _settle(self) -> Later | None:
        """Commit the outcome of the last call by itself."""
        if self._done is None or self._terms_of_last is None:
            return None
        later = settle(self.session, self._done, self._terms_of_last)
        self._done = None
        return later

    # what keeps a message from going ----------------------------------------------------------------------------------

    def _is_running(self, message: Due) -> bool:
        """Whether its campaign may send; one that may not is left out of all further claims of this run."""
        if message.campaign_id in self.job.without:
            return False
        if self.job.writer.running(message.campaign_id) is None:
            return True
        self.job.without.add(message.campaign_id)
        return False

    def _letter(self, message: Due, write: Write, at: dt.datetime) -> Letter | None:
        try:
            letter = write(message, at)
        except (Unwritable, NoVariant, Oversized) as error:
            self._refuse(message, at, error.reason)
            return None
        except (Withheld, ContentError) as error:
            sentence = error.said(translator(self.job.workspace.company.language))
            self.report.withheld[sentence] += 1
            hold_back(self.session, message, getattr(error, "waits", "waiting:content"))
            return None
        if address_hash(self.job.key, message.channel, letter.address) != message.address_hash:
            self._refuse(message, at, "address_changed")
            return None
        if not may_reach(self.job.workspace, letter.address, message.channel):
            self._refuse(message, at, "fence")
            return None
        return letter

    def _refuse(self, message: Due, at: dt.datetime, reason: str) -> None:
        if isinstance(refuse(self.session, message, at, reason), Refused):
            self.report.refused[reason] += 1

    def _note(self, message: Due, begun: Begin) -> None:
        if isinstance(begun, Refused):
            self.report.refused[begun.reason] += 1
        elif isinstance(begun, Later):
            self.report.postponed[begun.reason] += 1
            if begun.is_kept:
                self._kept.append(message.again(begun.until))
        elif isinstance(begun, Stopped) and begun.scope == "campaign":
            self.job.without.add(message.campaign_id)
        elif isinstance(begun, Stopped):
            self.report.is_stopped = True
            self.job.over.set()
        elif isinstance(begun, Held):
            self.report.held_until = begun.until
            self.job.over.set()

    def _limits_of(self, message: Due) -> Limits:
        key = (message.campaign_id, message.purpose, message.stage_at_plan, message.zone)
        if key not in self._limits:
            zone = self.job.workspace.company.zone
            self._limits[key] = limits_of_message(self.job.definitions, zone, message)
        return self._limits[key]

    # speed ------------------------------------------------------------------------------------------------------------

    def _is_held(self) -> bool:
        """Whether the server asked for a pause that is too long to wait for; then nothing is claimed."""
        until = rate.held_until(self.session, self.channel.provider) if self.job.is_live else None
        if until is None or until <= now() or self._waited(until):
            return False
        self.report.held_until = until
        return True

    def _waited(self, until: dt.datetime) -> bool:
        """Wait for an instant if it is near; False when it is not, or when the run is over meanwhile. Nothing is left uncommitted."""
        if until - now() > LONGEST_WAIT:
            return False
        while now() < until and not self.job.is_over:
            self.job.over.wait(min(SLICE, max(0.0, (until - now()).total_seconds())))
        return not self.job.is_over

    def _throttle(self, outcome: Outcome) -> None:
        """A server that asks for a pause gets it from all workers, a longer one each time."""
        if not self.job.is_live or outcome.code not in THROTTLED or outcome.bounce == "soft":
            return
        pause = PAUSES[min(self._throttles, len(PAUSES) - 1)]
        self._throttles += 1
        rate.know(self.session, self.channel.provider, 0.0, now())
        rate.hold(self.session, self.channel.provider, now() + pause)


def _allowance(job: Job, channel: str, provider: str) -> Allowance | None:
    """The rate of a channel's settings. A clock that plays time reaches nobody, so nothing has to be slow."""
    space = job.workspace
    per_second = {
        "webhook": space.webhook.per_second,
        "push": space.push.per_second,
        "sms": space.sms.per_second,
        "wechat": space.wechat.per_second,
        **dict.fromkeys(BROADCASTS, 0.0),
    }.get(channel, space.mail.per_second)
    if not job.is_live or not per_second:
        return None
    return Allowance(provider, per_second, max(1.0, per_second))


def _nobody(message: Due, at: dt.datetime) -> Letter:
    raise Unwritable("no_address")
