"""The fence: only a live clock in a workspace marked production may use a server that reaches people (architecture, section 3)."""

import ipaddress

from connectors.channels import ChannelUnreachable
from vesper.model.workspace import Workspace

SUBMISSION = 25


def allowed_server(workspace: Workspace) -> tuple[str, int]:
    """Host and port of the workspace's mail server; raises ChannelUnreachable with a sentence when this run must not talk to it."""
    host, port = _parsed(workspace.mail.server)
    if is_loopback(host) or (workspace.production and workspace.clock.mode == "live"):
        return host, port
    if workspace.clock.mode == "simulated":
        raise ChannelUnreachable(
            "vesper.toml: the clock is simulated, so mail may not leave this machine, and [mail] server {server} is elsewhere. Write "
            'server = "loopback".',
            server=workspace.mail.server,
        )
    raise ChannelUnreachable(
        "vesper.toml: the workspace is not marked production, so mail may not leave this machine, and [mail] server {server} is elsewhere. "
        'Write server = "loopback".',
        server=workspace.mail.server,
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name; names are never looked up, because an answer may change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if server.count(":") == 1 or server.startswith("[") else (server, "", "")
    host = host.strip("[]")
    if not host or (port and not port.isdecimal()):
        raise ChannelUnreachable(
            'vesper.toml: [mail] server {server} is no address. Write "host:port", or "loopback".', server=server
        )
    return host, int(port or SUBMISSION)
