"""The fence: only a live clock in a workspace marked production may use a server that reaches people (architecture, section 3).

What belongs here: which server a run may talk to, and which address it may write to. What does not: consent, suppression (the ledger).
"""

import functools
import ipaddress
from urllib.parse import urlsplit

from connectors.channels import ChannelUnreachable
from connectors.channels._environment import filled
from vesper.model.workspace import Workspace

SUBMISSION = 25
LOOPBACK = "loopback"


def allowed_server(workspace: Workspace) -> tuple[str, int]:
    """Host and port of the workspace's mail server; raises ChannelUnreachable with a sentence when this run must not talk to it."""
    host, port = _parsed(workspace.mail.server)
    if is_loopback(host) or is_free(workspace):
        return host, port
    if workspace.clock.mode == "simulated":
        raise ChannelUnreachable(
            "vesper.toml: the clock is simulated, so mail may not leave this machine, and [mail] server {server} is elsewhere. Write "
            'server = "loopback".',
            server=workspace.mail.server,
        )
    if workspace.mail.test_addresses:
        return host, port
    raise ChannelUnreachable(
        "vesper.toml: the workspace is not marked production, so mail may not leave this machine, and [mail] server {server} is elsewhere. "
        'Write server = "loopback", or name in test_addresses who alone may be written to.',
        server=workspace.mail.server,
    )


def may_reach(workspace: Workspace, address: str, channel: str = "email") -> bool:
    """Whether a message may go to an address at all: to anybody from production, or where nothing leaves this machine; else to test addresses."""
    if is_free(workspace) or _stays_here(workspace, channel):
        return True
    allowed = {
        "email": workspace.mail.test_addresses,
        "sms": workspace.sms.test_numbers,
        "wechat": workspace.wechat.test_ids,
        "wechat_mass": workspace.wechat.test_ids,
        "wecom": workspace.wecom.test_ids,
    }.get(channel, ())
    return address.strip().casefold() in {a.strip().casefold() for a in allowed}


def is_free(workspace: Workspace) -> bool:
    """Whether a workspace may reach people."""
    return workspace.production and workspace.clock.mode == "live"


@functools.lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name; names are never looked up, because an answer may change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _stays_here(workspace: Workspace, channel: str) -> bool:
    if channel in ("webhook", "push"):
        hook = workspace.push if channel == "push" else workspace.webhook
        try:
            url = filled(hook.url, f"vesper.toml [{channel}]")
        except ChannelUnreachable:
            return False
        return url == LOOPBACK or is_loopback(urlsplit(url).hostname or "")
    if channel in ("wechat", "wechat_mass", "wecom"):
        app = workspace.wecom if channel == "wecom" else workspace.wechat
        return not app.app_id or is_loopback(urlsplit(app.endpoint).hostname or "")
    if channel == "sms":
        return workspace.sms.provider == LOOPBACK or is_loopback(urlsplit(workspace.sms.endpoint).hostname or "")
    return workspace.mail.server == LOOPBACK or is_loopback(_parsed(workspace.mail.server)[0])


def _parsed(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if server.count(":") == 1 or server.startswith("[") else (server, "", "")
    host = host.strip("[]")
    if not host or (port and not port.isdecimal()):
        raise ChannelUnreachable(
            'vesper.toml: [mail] server {server} is no address. Write "host:port", or "loopback".', server=server
        )
    return host, int(port or SUBMISSION)
