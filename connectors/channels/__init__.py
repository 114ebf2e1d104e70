"""Channels: ways to a person, one file each, all with the same small contract (R84).

What belongs here: the contract, the fence that keeps rehearsals away from people, and the choice of a channel. What does not: the ledger.
A channel makes at most one wire call for each `send` and never tries again by itself: whether to is the ledger's decision.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from vesper.model.workspace import Workspace
from vesper.said import Said

__all__ = ["Channel", "ChannelUnreachable", "Letter", "Outcome", "opened"]


@dataclass(frozen=True)
class Letter:
    """One message, ready for the wire. `address` is personal: it lives in memory only. `sent_at` (UTC, naive) is the date it shows."""

    message_id: str
    address: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str
    sent_at: dt.datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one wire call.

    `accepted`: the server took it. `rejected`: it never will. `deferred`: it proved not to have taken it, try later. `unknown`: it may
    have. `detail` holds no address.
    """

    kind: Literal["accepted", "rejected", "deferred", "unknown"]
    code: str | None = None
    detail: str | None = None


class ChannelUnreachable(Said):
    """The channel cannot be used at all; nothing was sent by the call that raised it. One sentence: where, what, what to do."""


class Channel(Protocol):
    """What every channel offers."""

    def ready(self) -> None:
        """Make sure that a call can be made, connecting where needed; raises ChannelUnreachable."""

    def send(self, letter: Letter) -> Outcome:
        """One wire call for one letter. Never raises for what a server does."""


@contextmanager
def opened(workspace: Workspace, folder: str = "sink") -> Iterator[Channel]:
    """The mail channel of a workspace for one run; `loopback` starts a sink in this process that keeps its mail in `.vesper/<folder>`.

    Raises:
        ChannelUnreachable: when a rehearsal names a server that could reach people.
    """
    from connectors.channels._fence import allowed_server
    from connectors.channels.sink import Sink
    from connectors.channels.smtp import Smtp

    mail = workspace.mail
    if mail.server == "loopback":
        with (
            Sink(workspace.store / folder) as sink,
            Smtp("127.0.0.1", sink.port, mail.sender, mail.sender_name) as smtp,
        ):
            yield smtp
        return
    host, port = allowed_server(workspace)
    with Smtp(host, port, mail.sender, mail.sender_name) as smtp:
        yield smtp
