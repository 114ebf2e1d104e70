"""Sends the notices that are due: one letter to each recipient, one post to the CRM for each hand-over. Safe to call again at any time.

What belongs here: the loop between ledger and channel. What does not: who is told (`vesper/handover_notices.py`), words, the transitions
(`warehouse/ledger/notices.py`). A channel that cannot be used is one sentence, and its notices wait.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import sqlalchemy as sa

from connectors.channels import ChannelUnreachable, Letter, Outcome, opened
from connectors.channels.webhook import filled, post, posting, say
from tasks.new_mqls import title_of
from vesper.definition_set import DefinitionSet
from vesper.handover_profile import Profile
from vesper.handover_words import Told, group_message, html, payload, subject, text
from vesper.language import Translate, translator
from vesper.model.sales import SalesPolicy
from vesper.model.workspace import Workspace
from warehouse.ledger.handover import reasons_of
from warehouse.ledger.notices import DueNotice, begin, due, recover, settle

WHERE = "policy/sales.yml"
FOLDER = "notices"
Clock = Callable[[dt.datetime], dt.datetime]
Profiles = Callable[[Iterable[str]], Mapping[str, Profile]]
Batch = tuple[dt.datetime, Sequence[DueNotice]]


@dataclass
class NoticeReport:
    """What one round did, in notices. `recovered` were left by a crashed run and are unknown; `problems` kept a channel from being used."""

    outcomes: Counter[str] = field(default_factory=Counter)
    letters: int = 0
    recovered: int = 0
    problems: list[str] = field(default_factory=list)

    def warnings(self, _: Translate) -> list[str]:
        """One sentence for each thing that a person should look at."""
        lines = list(self.problems)
        if self.recovered or self.outcomes["unknown"]:
            said = _("Notices to sales of which nobody knows whether they arrived: {count}. They are never sent again.")
            lines.append(said.format(count=self.recovered + self.outcomes["unknown"]))
        if self.outcomes["rejected"]:
            said = _("Notices to sales that were not taken: {count}. Look at the addresses in policy/sales.yml.")
            lines.append(said.format(count=self.outcomes["rejected"]))
        return lines


@dataclass
class Messenger:
    """One round of notices. `profiles` gives what sales are told of contacts; it is asked only when something is due."""

    engine: sa.Engine
    workspace: Workspace
    definitions: DefinitionSet
    policy: SalesPolicy
    profiles: Profiles

    def deliver(self, until: dt.datetime, clock: Clock) -> NoticeReport:
        """Send everything that may go by an instant. On a live clock `until` is now; a simulated one plays the hours up to it."""
        crm = self.policy.notices.webhook
        report = NoticeReport(recovered=recover(self.engine, ("webhook",) if crm and crm.deduplicates else ()))
        closed: set[str] = set()
        while waiting := [one for one in due(self.engine, until) if one.channel not in closed]:
            told = self._told(waiting)
            before = sum(report.outcomes.values())
            for channel, mine in groupby(waiting, key=lambda one: one.channel):
                try:
                    self._channel(channel, list(_batches(mine, clock)), told, report)
                except ChannelUnreachable as error:
                    closed.add(channel)
                    report.problems.append(error.said(self._))
            if sum(report.outcomes.values()) == before:
                break
        return report

    @property
    def _(self) -> Translate:
        return translator(self.workspace.company.language)

    def _channel(self, channel: str, batches: Sequence[Batch], told: Mapping[str, Told], report: NoticeReport) -> None:
        """All letters of one channel, by one connection. Raises ChannelUnreachable before anything was claimed."""
        if channel == "email":
            with opened(self.workspace, folder=FOLDER) as mail:
                for at, notices in batches:
                    mail.ready()
                    self._go(at, notices, report, lambda key, at, going: mail.send(self._mail(key, at, going)), told)
        elif channel == "wecom" and self.policy.notices.wecom:
            with posting(self.workspace, self.policy.notices.wecom.url, "wecom", WHERE) as door:
                for at, notices in batches:
                    self._go(at, notices, report, lambda key, at, going: say(door, self._line(going), key), told)
        elif channel == "webhook" and self.policy.notices.webhook:
            self._posts(batches, told, report)
        else:
            raise ChannelUnreachable(
                "{where}: notices wait for the channel {word}, which it has no more.", where=WHERE, word=channel
            )

    def _posts(self, batches: Sequence[Batch], told: Mapping[str, Told], report: NoticeReport) -> None:
        """A CRM gets each hand-over by itself, under a key of its own."""
        crm = self.policy.notices.webhook
        assert crm is not None
        with posting(self.workspace, crm.url, "webhook", WHERE) as door:
            secret = filled(crm.secret, WHERE) if crm.url != "loopback" else "loopback"
            for at, notices in batches:
                for one in notices:
                    self._go(
                        at,
                        [one],
                        report,
                        lambda key, at, going: post(
                            door, payload(going[0], self.policy), key, secret, crm.deduplicates
                        ),
                        told,
                    )

    def _go(
        self,
        at: dt.datetime,
        notices: Sequence[DueNotice],
        report: NoticeReport,
        call: Callable[[str, dt.datetime, list[Told]], Outcome],
        told: Mapping[str, Told],
    ) -> None:
        """Claim, call, settle: nothing else may fail between the two commits."""
        key = letter_id([one.notice_id for one in notices])
        going = begin(self.engine, [one.notice_id for one in notices], key, at)
        if going:
            outcome = call(key, at, [told[one.notice_id] for one in notices if one.notice_id in going])
            settle(self.engine, key, outcome.kind, outcome.code, at)
            report.outcomes[outcome.kind] += len(going)
            report.letters += 1

    def _told(self, waiting: Sequence[DueNotice]) -> dict[str, Told]:
        profiles = self.profiles({one.contact_id for one in waiting})
        why = reasons_of(self.engine, {one.handover_id for one in waiting})
        title = partial(title_of, definitions=self.definitions, language=self.workspace.company.language, say=self._)

        return {
            one.notice_id: Told(
                one.notice_id,
                one.recipient,
                one.kind,
                one.handover_id,
                one.contact_id,
                one.score,
                one.cause,
                one.owner,
                one.due_at,
                [(row.rule_id, title(row.rule_id), row.points) for row in why.get(one.handover_id, ())],
                profiles.get(one.contact_id, Profile()),
            )
            for one in waiting
        }

    def _mail(self, key: str, at: dt.datetime, going: Sequence[Told]) -> Letter:
        plain = text(going, self.policy, self.workspace.company.zone, self._)
        return Letter(key, self._address(going), subject(going, self._), plain, html(plain), "", at)

    def _line(self, going: Sequence[Told]) -> str:
        return group_message(going, self.policy, self.workspace.company.zone, self._)

    def _address(self, going: Sequence[Told]) -> str:
        """The representative's; the manager's for what nobody of today's team is told of."""
        person = self.policy.team.get(going[0].recipient)
        return person.email if person else self.policy.manager


def letter_id(notice_ids: Sequence[str]) -> str:
    """The id of a letter: of its only notice, else a hash over all of them."""
    if len(notice_ids) == 1:
        return notice_ids[0]
    return hashlib.sha256("|".join(sorted(notice_ids)).encode()).hexdigest()[:26]


def _batches(notices: Iterable[DueNotice], clock: Clock) -> Iterator[Batch]:
    """Notices of one channel by recipient and by the instant at which they go: what waited for the morning goes together."""
    moments = [(one.recipient, clock(one.not_before), one) for one in notices]
    moments.sort(key=lambda moment: moment[:2])
    for (_recipient, at), mine in groupby(moments, key=lambda moment: moment[:2]):
        yield at, [one for _who, _at, one in mine]
