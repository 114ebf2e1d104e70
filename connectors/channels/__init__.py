"""Channels: ways to a person, one file each, all with the same small contract (R84).

What belongs here: the contract and the choice of a channel. What does not: the ledger, the fence that keeps rehearsals away from people
(`_fence.py`). A channel hands a letter over at most once for each `send`, and never tries again later by itself: whether to is the ledger's decision.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol

from vesper.model.workspace import Workspace
from vesper.said import Said

__all__ = ["LONGEST_CALL", "Bounce", "Channel", "ChannelUnreachable", "Letter", "Outcome", "opened"]

Bounce = Literal["hard", "soft", "policy"]
Fetch = Callable[[], tuple[str, dt.timedelta]]
"""Asks a provider for an access token: the token, and how long it is good for."""
Tokens = Callable[[str, Fetch, str], str]
"""App, how to fetch, and a token that was refused -> the token to use. Raises what fetching raises."""

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
    template: str = ""
    """Template that the provider fills by itself, and `params`, what it fills it with, in the order of the template."""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one wire call.

    `accepted`: the server took it. `rejected`: it never will. `deferred`: it proved not to have taken it, try later. `unknown`: it may
    have. `awaiting`: it goes out later, with others or when somebody confirms it. `detail` holds no address. `bounce` says of a refusal whose
    fault it is: `hard`, the address does not exist and is to be kept out (rule C12);
    `soft`, the mailbox cannot take it now; `policy`, the server objects to us.
    """

    kind: Literal["accepted", "rejected", "deferred", "unknown", "awaiting"]
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
def opened(
    workspace: Workspace, channel: str = "email", folder: str = "sink", tokens: Tokens | None = None
) -> Iterator[Channel]:
    """One connection of a channel; a worker opens several. `loopback` starts a server in this process that keeps everything in `.vesper/<folder>`.

    Args:
        tokens: who keeps the access tokens of apps for everybody; without one each connection fetches its own.

    Raises:
        ChannelUnreachable: when a rehearsal names a server that could reach people, or a variable of the environment is not set.
    """
    from connectors.channels._mail import mail_opened
    from connectors.channels._posts import posts_opened
    from connectors.channels.broadcast import gathered
    from connectors.channels.sms import sms_opened
    from connectors.channels.wechat import wechat_opened

    ways: dict[str, Callable[[Workspace, str], AbstractContextManager[Channel]]] = {
        "email": mail_opened,
        "webhook": posts_opened,
        "sms": sms_opened,
        "wechat": partial(wechat_opened, tokens=tokens),
        "wechat_mass": partial(gathered, name="wechat_mass"),
        "wecom": partial(gathered, name="wecom"),
        "push": partial(posts_opened, section="push"),
    }
    if channel not in ways:
        raise ChannelUnreachable(
            "There is no channel {channel}; messages on it wait. Channels with an adapter: {known}.",
            channel=channel,
            known=", ".join(ways),
        )
    with ways[channel](workspace, folder) as one:
        yield one
