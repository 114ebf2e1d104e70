"""Broadcasts on their way: gathered messages become one call, calls without an answer are looked into, and results become states of messages.

What belongs here: the order of these steps. What does not: transitions (`warehouse/ledger/broadcast.py`), providers
(`connectors/channels/broadcast.py`), gathering (`send_worker.py`). Safe to run at any time and by several processes: whoever moves a broadcast to
`calling` makes its call.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from connectors.channels import ChannelUnreachable, Letter, Tokens
from connectors.channels._fence import may_reach
from connectors.channels.broadcast import FEWEST, Broadcaster, broadcasting
from tasks.letters import Unwritable, Writer
from tasks.short_letter import Withheld
from vesper.address import AddressKey, address_hash
from vesper.clock import now
from vesper.content import ContentError, NoVariant, Oversized
from vesper.language import translator
from vesper.model.content_short import BROADCASTS
from vesper.model.workspace import Workspace
from warehouse.ledger import broadcast as ledger
from warehouse.ledger.broadcast import CALLING, FORMED, SUBMITTED, Broadcast
from warehouse.ledger.outbox import ABANDONED, Due
from warehouse.ledger.send_stop import paused

CALL_IS_OVER = dt.timedelta(minutes=20)
"""No call lasts longer, so nobody is at one that began before."""
LATER = dt.timedelta(minutes=5)
"""A provider that was too busy is left alone so long."""
LOOK_EVERY = dt.timedelta(minutes=10)
GIVEN_UP = dt.timedelta(days=30)
"""An employee who has not sent it by then never will."""
HORIZON = dt.timedelta(hours=72)
FOLDER = "sink"


class Broadcasts:
    """All broadcasts of a workspace."""

    def __init__(
        self, engine: sa.Engine, workspace: Workspace, writer: Writer, key: AddressKey, tokens: Tokens, is_live: bool
    ) -> None:
        self.engine, self.workspace, self.writer, self.key = engine, workspace, writer, key
        self.tokens, self.is_live = tokens, is_live

    def run(self) -> list[str]:
        """One turn over every channel; gives a sentence for each that could not be used."""
        problems = []
        for channel in sorted(BROADCASTS):
            waiting = self._running(ledger.gathered(self.engine, channel))
            has_step = any(_has_step(one) for one in ledger.open_ones(self.engine, channel))
            if len(waiting) < FEWEST.get(channel, 1) and not has_step:
                continue
            try:
                with broadcasting(self.workspace, channel, FOLDER, self.tokens) as provider:
                    self._turn(channel, waiting, provider)
            except ChannelUnreachable as error:
                problems.append(error.said(translator(self.workspace.company.language)))
        return problems

    def _turn(self, channel: str, waiting: Sequence[Due], provider: Broadcaster) -> None:
        self._form(waiting, provider)
        for one in ledger.open_ones(self.engine, channel):
            if one.state == FORMED and self._may_go(one) and ledger.claim(self.engine, one.broadcast_id, now()):
                self._call(one, provider)
            elif one.state == CALLING and one.called_at and _has_step(one):
                self._look_for(one, one.called_at, provider)
        for one in ledger.open_ones(self.engine, channel):
            if one.state == SUBMITTED and _has_step(one):
                self._look(one, provider)

    def _may_go(self, one: Broadcast) -> bool:
        """Whether it may be called now: not paused, and not put off a moment ago."""
        members = ledger.members(self.engine, one.broadcast_id)
        return _has_step(one) and (not members or bool(self._running(members)))

    def _running(self, messages: Iterable[Due]) -> list[Due]:
        """Those whose campaign may send now, and that are not too late."""
        held, kept = paused(self.engine), []
        for message in messages:
            if self.is_live and message.expires_at < now():
                ledger.failed(self.engine, {message.message_id: "expired"}, now())
            elif message.campaign_id not in held and self.writer.running(message.campaign_id) is None:
                kept.append(message)
        return kept

    def _form(self, messages: Sequence[Due], provider: Broadcaster) -> None:
        """One broadcast for each text of each campaign, as large as one call may be; fewer than a call needs go on waiting."""
        groups: dict[tuple[str, str], list[Due]] = defaultdict(list)
        letters = self._letters(messages)
        for message in messages:
            if message.message_id in letters:
                groups[message.campaign_id, letters[message.message_id].text].append(message)
        for (_campaign, text), all_of in sorted(groups.items(), key=lambda group: group[0]):
            for start in range(0, len(all_of), provider.most):
                part = all_of[start : start + provider.most]
                if len(part) >= provider.fewest:
                    ledger.form(self.engine, part, text)

    def _call(self, one: Broadcast, provider: Broadcaster) -> None:
        """The one call of a broadcast that is ours, and its answer."""
        messages = self._running(ledger.members(self.engine, one.broadcast_id))
        out = ledger.suppressed(self.engine, messages)
        letters = self._letters([message for message in messages if message.message_id not in out])
        people = {_own(letter): id for id, letter in letters.items()}
        if len(people) < provider.fewest:
            ledger.failed(self.engine, dict.fromkeys(letters, "too_few"), self._at)
            ledger.answered(self.engine, one.broadcast_id, ledger.SETTLED, settled_at=now(), reason="too_few")
            return
        answer = provider.call(one.broadcast_id, people, one.text)
        outcome = answer.outcome
        if outcome.kind == "accepted":
            ledger.answered(self.engine, one.broadcast_id, SUBMITTED, provider_id=outcome.detail)
            refused = {people[address]: "not_reachable" for address in answer.refused if address in people}
            ledger.failed(self.engine, refused, self._at)
        elif outcome.kind == "deferred":
            ledger.answered(self.engine, one.broadcast_id, FORMED, reason=outcome.code)
        elif outcome.kind == "rejected":
            ledger.failed(self.engine, dict.fromkeys(people.values(), outcome.code or "rejected"), self._at)
            ledger.answered(self.engine, one.broadcast_id, "refused", settled_at=now(), reason=outcome.code)

    def _look_for(self, one: Broadcast, called_at: dt.datetime, provider: Broadcaster) -> None:
        """A call that nobody answered: made again where that is harmless, otherwise looked for, and given up in the end."""
        if now() - called_at < provider.repeats_for:
            if ledger.claim(self.engine, one.broadcast_id, now(), called_at):
                self._call(one, provider)
            return
        found = provider.found(one.text, called_at, ledger.known_ids(self.engine, one.channel))
        if found.provider_id:
            ledger.answered(self.engine, one.broadcast_id, SUBMITTED, provider_id=found.provider_id)
        elif found.is_not_there:
            ledger.answered(self.engine, one.broadcast_id, FORMED, reason="not_accepted")
        elif now() - called_at > HORIZON:
            ids = [message.message_id for message in ledger.members(self.engine, one.broadcast_id)]
            ledger.failed(self.engine, dict.fromkeys(ids, "no_evidence"), self._at, ABANDONED)
            ledger.answered(self.engine, one.broadcast_id, ledger.SETTLED, settled_at=now(), reason="no_evidence")

    def _look(self, one: Broadcast, provider: Broadcaster) -> None:
        """What became of the messages of a broadcast that the provider has."""
        messages = ledger.members(self.engine, one.broadcast_id)
        people = {_own(letter): id for id, letter in self._letters(messages).items()}
        fates = provider.fates(one.provider_id or "", people)
        ledger.sent(self.engine, [people[a] for a, fate in fates.items() if fate == "sent"], self._at)
        ledger.failed(self.engine, {people[a]: "not_sent" for a, fate in fates.items() if fate == "failed"}, self._at)
        if one.called_at and now() - one.called_at > GIVEN_UP:
            left = [message.message_id for message in ledger.members(self.engine, one.broadcast_id)]
            ledger.failed(self.engine, dict.fromkeys(left, "not_confirmed"), self._at)
        ledger.looked(self.engine, one.broadcast_id, now())

    @property
    def _at(self) -> dt.datetime | None:
        """When something happens: now, or at a message's own instant where time is played."""
        return now() if self.is_live else None

    def _letters(self, messages: Sequence[Due]) -> dict[str, Letter]:
        """Message id -> its letter; messages that can never be written are over."""
        if not messages:
            return {}
        write, letters, over = self.writer.batch(messages), {}, {}
        for message in messages:
            try:
                letter = write(message, message.not_before)
            except (Unwritable, NoVariant, Oversized) as error:
                over[message.message_id] = error.reason
            except (Withheld, ContentError):
                continue
            else:
                is_same = address_hash(self.key, message.channel, letter.address) == message.address_hash
                if is_same and may_reach(self.workspace, letter.address, message.channel):
                    letters[message.message_id] = letter
                else:
                    over[message.message_id] = "fence" if is_same else "address_changed"
        ledger.failed(self.engine, over, self._at)
        return letters


def _has_step(one: Broadcast) -> bool:
    """Whether a broadcast has something to do now; otherwise its provider is left alone."""
    since, pause = {
        FORMED: (one.called_at, LATER),
        CALLING: (one.called_at, CALL_IS_OVER),
        SUBMITTED: (one.looked_at, LOOK_EVERY),
    }[one.state]
    return since is None or now() - since > pause


def _own(letter: Letter) -> str:
    """An openid without its app."""
    return letter.address.partition(":")[2] or letter.address
