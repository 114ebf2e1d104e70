"""Broadcasts: many messages that go out as one call, or when an employee confirms them.

What belongs here: the contract of a broadcaster, the channel that only gathers, the loopback. What does not: providers (`wechat_mass.py`,
`wecom.py`), which messages go together and what became of them (`warehouse/ledger/broadcast.py`).
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from connectors.channels import Channel, Letter, Outcome, Tokens
from connectors.channels._fence import LOOPBACK
from connectors.channels.door import Door
from connectors.channels.http_sink import HttpSink
from connectors.channels.sms import door_to
from connectors.channels.webhook import post
from vesper.model.channel import App
from vesper.model.workspace import Workspace

Fate = Literal["sent", "failed", "waiting"]
FEWEST: Mapping[str, int] = {"wechat_mass": 2}
"""Channel -> people that one call needs at least, where it is more than one."""


@dataclass(frozen=True)
class Answer:
    """What one call brought; `outcome.detail` is what the provider calls the broadcast. `refused` are addresses that it will not reach."""

    outcome: Outcome
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """What a provider knows of a call without an answer: its id there, or that there is none; neither where it cannot tell."""

    provider_id: str = ""
    is_not_there: bool = False


class Broadcaster(Protocol):
    """What every broadcaster offers. Addresses are those of the provider, without the app's id."""

    @property
    def fewest(self) -> int:
        """People of one call at least."""

    @property
    def most(self) -> int:
        """People of one call at most."""

    @property
    def repeats_for(self) -> dt.timedelta:
        """How long after a call the same one again is harmless, and answers for the first."""

    def call(self, id: str, addresses: Collection[str], text: str) -> Answer:
        """One wire call. Never raises for what a provider does."""

    def found(self, text: str, since: dt.datetime, known: Collection[str]) -> Found:
        """What became of a call made at an instant (UTC) that nobody answered; `known` are ids that belong to other broadcasts."""

    def fates(self, provider_id: str, addresses: Collection[str]) -> Mapping[str, Fate]:
        """What became of each address so far; empty where the provider does not say."""


@dataclass(frozen=True)
class Gathering:
    """A channel (see `connectors.channels.Channel`) that calls nobody: its messages wait to go out together."""

    provider: str

    def ready(self) -> None:
        """Nothing is needed."""

    def send(self, letter: Letter) -> Outcome:
        """Nothing goes over a wire yet."""
        return Outcome("awaiting", "gathered")


@contextmanager
def gathered(workspace: Workspace, folder: str, name: str) -> Iterator[Channel]:
    """The channel of a broadcast."""
    yield Gathering(f"{name} {app_of(workspace, name).app_id or LOOPBACK}")


def app_of(workspace: Workspace, channel: str) -> App:
    """The app that a channel belongs to."""
    return workspace.wecom if channel == "wecom" else workspace.wechat


@contextmanager
def broadcasting(workspace: Workspace, channel: str, folder: str, tokens: Tokens | None) -> Iterator[Broadcaster]:
    """The broadcaster of a channel. Raises ChannelUnreachable."""
    from connectors.channels.app_call import calling
    from connectors.channels.wechat_mass import MassMessages
    from connectors.channels.wecom import CustomerMessages

    app, kind = app_of(workspace, channel), "wecom" if channel == "wecom" else "wechat"
    if not app.app_id:
        with HttpSink(workspace.store / folder) as sink, door_to(sink.address) as door:
            yield Kept(door)
        return
    with calling(workspace, app, kind, tokens) as call:
        call.ready()
        yield CustomerMessages(call) if channel == "wecom" else MassMessages(call)


@dataclass(frozen=True)
class Kept:
    """The loopback: one post for each broadcast, confirmed at once."""

    door: Door
    fewest: int = 1
    most: int = 10_000
    repeats_for: dt.timedelta = dt.timedelta(days=365)

    def call(self, id: str, addresses: Collection[str], text: str) -> Answer:
        """See Broadcaster."""
        said = {"event": "broadcast", "to": sorted(addresses), "text": text}
        outcome = post(self.door, said, id, LOOPBACK)
        return Answer(Outcome(outcome.kind, outcome.code, id))

    def found(self, text: str, since: dt.datetime, known: Collection[str]) -> Found:
        """See Broadcaster."""
        return Found()

    def fates(self, provider_id: str, addresses: Collection[str]) -> Mapping[str, Fate]:
        """See Broadcaster."""
        return dict.fromkeys(addresses, "sent")
