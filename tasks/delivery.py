"""Sends what is due: the loop between ledger and channel. `tasks/send.py` calls it after a night's plan is recorded.

What belongs here: the order of sending, playing time on a simulated clock, what became of the messages. What does not: the rules of each step
(`warehouse/ledger/dispatch.py`), the wire (`connectors/channels/`), planning. Nothing here tries a wire call twice.
"""

import datetime as dt
import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from connectors.channels import Channel, ChannelUnreachable, Letter, opened
from vesper.address import AddressKey, address_hash
from vesper.clock import now
from vesper.content import ContentError, render
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.workspace import Company, Workspace
from vesper.said import Said
from vesper.send_limits import Limits, limits_of
from warehouse.ledger.dispatch import Begun, Gone, Later, Refused, Stopped, begin, recover, refuse, settle
from warehouse.ledger.outbox import Due, Standing, due
from warehouse.ledger.send_stop import is_stopped
from warehouse.secret import address_key

Clock = Callable[[dt.datetime], dt.datetime]
Render = Callable[[Due, dt.datetime], Letter]


class NoRecipient(Exception):
    """The contact of a message has no address any more; the message is refused."""


class Withheld(Said):
    """A message that cannot be written now; it stays planned. Its text is a sentence without a person in it."""


def simulated(start: dt.datetime) -> Clock:
    """Plays time: a message goes at its own instant, but not before `start`, the instant of planning. The same on every rerun."""
    return lambda not_before: max(not_before, start)


def live() -> Clock:
    """A message goes now."""
    return lambda _: now()


@dataclass
class DeliveryReport:
    """What one delivery did, in messages. `recovered` were left by a crashed run and are unknown now; `problem` ended the delivery early."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    is_stopped: bool = False
    problem: str | None = None

    def warnings(self, _: Translate) -> list[str]:
        """One sentence for each thing that a person should look at."""
        lines = [
            _("{sentence} Messages that wait for it: {count}.").format(sentence=s, count=c)
            for s, c in sorted(self.withheld.items())
        ]
        if self.recovered:
            lines.append(
                _(
                    "Messages on the wire when an earlier run ended: {count}. They are unknown and never sent again by themselves."
                ).format(count=self.recovered)
            )
        if self.is_stopped:
            lines.append(_("Sending is stopped; every message waits until it is resumed."))
        return [*lines, *([self.problem] if self.problem else [])]

    def facts(self, standing: Iterable[Standing]) -> dict[str, Any]:
        """Figures for a stage's report: what became of the messages of this run, and every message by campaign and state (R113)."""
        counted = {kind: self.outcomes[kind] for kind in ("accepted", "rejected", "deferred")}
        table = [
            {
                "campaign": s.campaign_id,
                "state": s.state,
                "reason": s.reason,
                "people": s.people,
                "waits_until": s.next_at,
            }
            for s in standing
        ]
        return counted | {
            "unknown": self.outcomes["unknown"] + self.recovered,
            "refused_at_sending": dict(sorted(self.refused.items())),
            "postponed": dict(sorted(self.postponed.items())),
            "messages": table,
        }


def deliver(
    engine: sa.Engine,
    workspace: Workspace,
    definitions: DefinitionSet,
    render: Render,
    until: dt.datetime,
    clock: Clock,
) -> DeliveryReport:
    """Send every message that may go by `until`, in the order of `Due`; a postponed one comes back at its new place in that order.

    First, messages that a crashed run left on the wire become unknown. Safe to call again at any time: what is final stays so. On a live
    clock `until` is now.
    """
    report = DeliveryReport(recovered=recover(engine))
    waiting = due(engine, until)
    if waiting and is_stopped(engine):
        report.is_stopped = True
    elif waiting:
        try:
            with opened(workspace) as channel:
                key = address_key(workspace.store)
                delivery = Delivery(engine, channel, definitions, workspace.company, render, report, key)
                _drain(delivery, waiting, until, clock)
        except ChannelUnreachable as error:
            report.problem = error.said(translator(workspace.company.language))
    return report


def _drain(delivery: "Delivery", waiting: list[Due], until: dt.datetime, clock: Clock) -> None:
    heapq.heapify(waiting)
    while waiting and not delivery.report.is_stopped:
        message = heapq.heappop(waiting)
        later = delivery.one(message, clock(message.not_before))
        if later is not None and later.until <= until:
            heapq.heappush(waiting, message.at(later.until))


@dataclass
class Delivery:
    """One delivery under way."""

    engine: sa.Engine
    channel: Channel
    definitions: DefinitionSet
    company: Company
    render: Render
    report: DeliveryReport
    key: AddressKey
    _limits: dict[tuple[str, str | None], Limits] = field(default_factory=dict)

    def one(self, message: Due, at: dt.datetime) -> Later | None:
        """Take one message as far as it goes at an instant; returns until when it waits, if it does.

        The letter is made and the connection stands before the ledger is asked, so that nothing can fail between intent and wire.
        """
        letter = None
        if at <= message.expires_at:
            letter = self._letter(message, at)
            if letter is None:
                return None
            self.channel.ready()
        begun = begin(self.engine, message, at, self._limits_of(message))
        if isinstance(begun, Begun) and letter is not None:
            return self._call(message, begun, letter)
        return self._noted(begun)

    def _call(self, message: Due, begun: Begun, letter: Letter) -> Later | None:
        """The wire call, between the two commits."""
        outcome = self.channel.send(letter)
        self.report.outcomes[outcome.kind] += 1
        return settle(self.engine, message, begun, outcome.kind, outcome.code, outcome.detail)

    def _letter(self, message: Due, at: dt.datetime) -> Letter | None:
        try:
            letter = self.render(message, at)
        except (Withheld, ContentError) as error:
            self.report.withheld[error.said(translator(self.company.language))] += 1
            return None
        except NoRecipient:
            self._noted(refuse(self.engine, message, at, "no_address"))
            return None
        if address_hash(self.key, message.channel, letter.address) != message.address_hash:
            self._noted(refuse(self.engine, message, at, "address_changed"))
            return None
        return letter

    def _noted(self, begun: Begun | Later | Refused | Stopped | Gone) -> Later | None:
        if isinstance(begun, Refused):
            self.report.refused[begun.reason] += 1
        if isinstance(begun, Stopped):
            self.report.is_stopped = True
        if isinstance(begun, Later):
            self.report.postponed[begun.reason] += 1
            return begun
        return None

    def _limits_of(self, message: Due) -> Limits:
        key = (message.purpose, message.stage_at_plan)
        if key not in self._limits:
            self._limits[key] = limits_of(self.definitions, self.company.zone, *key)
        return self._limits[key]


class Letters:
    """Writes the letter of a message: content of its campaign, words of its contact. Holds addresses, so it lives as long as one delivery.

    `recipients` are the rows of `vesper.send.recipients()`: contact_id, address, name, city.
    """

    def __init__(self, workspace: Workspace, definitions: DefinitionSet, recipients: Iterable[Any]) -> None:
        self.workspace, self.definitions = workspace, definitions
        self.people = {row.contact_id: row for row in recipients}

    def __call__(self, message: Due, at: dt.datetime) -> Letter:
        """The letter, dated `at`. Raises NoRecipient, Withheld, or ContentError."""
        content = self._content(message.campaign_id)
        person = self.people.get(message.contact_id)
        if person is None or not person.address:
            raise NoRecipient(message.contact_id)
        language = self.workspace.company.language
        said, words = content.message(language), self._words(message, person)
        filled = render(
            said.subject,
            said.text,
            words,
            language=language,
            is_marketing=message.purpose == "marketing",
            where=f"content/{content.id}.yml",
        )
        url = words["unsubscribe_url"]
        return Letter(message.message_id, person.address, filled.subject, filled.text, filled.html, url, at)

    def _content(self, campaign_id: str) -> Content:
        campaign = self.definitions.of(Campaign).get(campaign_id)
        if campaign is None or campaign.state != "full":
            raise Withheld(
                "campaigns/{id}.yml: the campaign is not in state full. Set it so, or let its messages expire.",
                id=campaign_id,
            )
        return self.definitions.one(Content, campaign.content)

    def _words(self, message: Due, person: Any) -> dict[str, str]:
        """Exactly the words of CONTENT_WORDS; what is not known of a person is empty, so that a template can say `name or 'Dear member'`.

        Until there is an address that unsubscribes at a click, a mail to the sender does.
        """
        leave = f"mailto:{self.workspace.mail.sender}?subject={quote(f'unsubscribe {message.message_id}')}"
        return {
            "name": person.name or "",
            "city": person.city or "",
            "company": self.workspace.company.name,
            "unsubscribe_url": leave,
        }
