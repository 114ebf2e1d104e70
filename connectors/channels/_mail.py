"""The mail channel of a workspace: its settings put together.

What belongs here: from `[mail]` of vesper.toml to a channel. What does not: the dialogue (`smtp.py`), who may be written to (`_fence.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

from connectors.channels import Channel, ChannelUnreachable
from connectors.channels._environment import filled
from connectors.channels._fence import allowed_server, is_loopback, may_reach
from connectors.channels.dialogue import Route
from connectors.channels.header import Unsendable
from connectors.channels.mime import Letterhead
from connectors.channels.sink import HOST, Sink
from connectors.channels.smtp import Smtp
from vesper.model.workspace import Mail, Workspace

WHERE = "vesper.toml [mail]"


@contextmanager
def mail_opened(workspace: Workspace, folder: str) -> Iterator[Channel]:
    """One connection, made when it is first needed. Raises ChannelUnreachable."""
    mail = workspace.mail
    letterhead = letterhead_of(mail)
    if mail.server == "loopback":
        with Sink(workspace.store / folder) as sink, Smtp(Route(HOST, sink.port), letterhead) as smtp:
            yield smtp
        return
    route = route_of(workspace)
    with Smtp(route, letterhead, mail.mails_per_connection, reaches=partial(may_reach, workspace)) as smtp:
        yield smtp


def letterhead_of(mail: Mail) -> Letterhead:
    """Raises ChannelUnreachable when an address of the settings is none."""
    try:
        return Letterhead.of(mail)
    except Unsendable as error:
        raise ChannelUnreachable(
            "{where}: sender, sender_name, reply_to or bounce cannot stand in a mail ({why}). Correct it; every message waits.",
            where=WHERE,
            why=str(error),
        ) from None


def route_of(workspace: Workspace) -> Route:
    """The server that the workspace may use. Raises ChannelUnreachable."""
    return route_to(workspace.mail, *allowed_server(workspace))


def route_to(mail: Mail, host: str, port: int) -> Route:
    """A server and how it is spoken to. Raises ChannelUnreachable: nobody signs in over clear text that leaves this machine."""
    security: Literal["starttls", "tls", "none"] = mail.security or ("none" if is_loopback(host) else "starttls")
    if mail.user and security == "none" and not is_loopback(host):
        raise ChannelUnreachable(
            '{where}: user and password would leave this machine in clear text. Write security = "starttls" or "tls".',
            where=WHERE,
        )
    return Route(host, port, security, filled(mail.user, WHERE), filled(mail.password, WHERE))
