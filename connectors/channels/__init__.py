"""Channels: ways to a person, one file each, all with the same small contract (R84).

What belongs here: the contract and the choice of a channel. What does not: the ledger, the fence that keeps rehearsals away from people
(`_fence.py`). A channel hands a letter over at most once for each `send`, and never tries again later by itself: whether to is the ledger's decision.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from vesper.model.workspace import Workspace
from vesper.said import Said

__all__ = ["LONGEST_CALL", "Bounce", "Channel", "ChannelUnreachable", "Letter", "Outcome", "opened"]

Bounce = Literal["hard", "soft", "policy"]

LONGEST_CALL = dt.timedelta(seconds=960)
"""No `send` takes longer, whatever a server does. A lease on a message that is being sent must be longer."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, ready for the wire. `address` is personal: it lives in memory only. `sent_at` (UTC, naive) is the date it shows."""

    message_id: str
    address: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str
    """Address that unsubscribes at one click (https, or http on this machine), or a mailto; empty where nothing can be left."""
    sent_at: dt.datetime
    unsubscribe_mailto: str = ""
    """The same by mail, for programmes that know no other way."""
    payload: Mapping[str, Any] | None = None
    """What a webhook is told."""
    campaign_id: str = ""
    series: str = ""
    """Campaign series: mail programmes show it as a list, mailbox providers report complaints by it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one wire call.

    `accepted`: the server took it. `rejected`: it never will. `deferred`: it proved not to have taken it, try later. `unknown`: it may
    have. `detail` holds no address. `bounce` says of a refusal whose fault it is: `hard`, the address does not exist and is to be kept out
    (rule C12); `soft`, the mailbox cannot take it now; `policy`, the server objects to us.
    """

    kind: Literal["accepted", "rejected", "deferred", "unknown"]
    code: str | None = None
    detail: str | None = None
    bounce: Bounce | None = None


class ChannelUnreachable(Said):
    """The channel cannot be used at all; nothing was sent by the call that raised it. One sentence: where, what, what to do."""


class Channel(Protocol):
    """What every channel offers."""

    @property
    def provider(self) -> str:
        """Channel and server, by which limits of speed are kept."""

    def ready(self) -> None:
        """Make sure that a call can be made, connecting where needed; raises ChannelUnreachable."""

    def send(self, letter: Letter) -> Outcome:
        """One wire call for one letter. Never raises for what a server does, and never takes longer than LONGEST_CALL."""


@contextmanager
def opened(workspace: Workspace, channel: str = "email", folder: str = "sink") -> Iterator[Channel]:
    """One connection of a channel; a worker opens several. `loopback` starts a server in this process that keeps everything in `.vesper/<folder>`.

    Raises:
        ChannelUnreachable: when a rehearsal names a server that could reach people, or a variable of the environment is not set.
    """
    from connectors.channels._mail import mail_opened
    from connectors.channels._posts import posts_opened

    ways = {"email": mail_opened, "webhook": posts_opened}
    if channel not in ways:
        raise ChannelUnreachable(
            "There is no channel {channel}; messages on it wait. Channels with an adapter: {known}.",
            channel=channel,
            known=", ".join(ways),
        )
    with ways[channel](workspace, folder) as one:
        yield one
