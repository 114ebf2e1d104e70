"""Tell a person outside Prefect that something needs them: a failed gate, a warning, a night that did not start (R112).

Through apprise when the workspace names addresses (mail, WeCom, DingTalk, Feishu), else as a plain mail to the owner. What to
say is decided by the caller; campaign mail goes through connectors/channels. Addresses hold secrets and are never shown.
"""

import datetime as dt
import logging
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from urllib.parse import parse_qs, urlsplit

from connectors.channels import ChannelUnreachable
from connectors.channels._fence import is_loopback
from connectors.channels._mail import route_to
from connectors.channels.dialogue import Dialogue, Patience
from connectors.channels.sink import HOST, Sink
from vesper import clock
from vesper.language import translator
from vesper.model.workspace import Workspace

TIMEOUT_SECONDS = 10
MAIL_PORT = 25
LOOPBACK = "loopback"
# Apart from the folder of campaign mail, which holds messages to contacts and nothing else.
NOTICES = "notices"
# Kinds of address that go to the host they name and nowhere else; every other apprise service has a host of its own.
SELF_HOSTED = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})
# Query arguments by which apprise may be sent to another host than the address names.
DETOURS = ("smtp", "proxy", "http", "https")


class NoticeFailed(Exception):
    """A notice did not go out; one sentence without any secret."""


def notify(settings: Workspace, subject: str, body: str, owner: str, *, server: str | None = None) -> None:
    """Send one notice to the owner.

    Args:
        owner: the stage's owner; a mail address, else `[notices] owner` gets the mail.
        server: host:port of a mail server instead of `[mail] server`. The word loopback keeps the mail in `.vesper/notices`.

    Raises:
        NoticeFailed: it could not be sent, or would have left the machine on a simulated clock.
    """
    heading = " ".join(subject.split())
    if settings.notices.urls:
        _through_apprise(settings, heading, body)
    else:
        _by_mail(
            settings, heading, body, owner if "@" in owner else settings.notices.owner, server or settings.mail.server
        )


def _through_apprise(settings: Workspace, subject: str, body: str) -> None:
    """The same notice to every address; one that fails keeps none of the others from being tried."""
    _ = translator(settings.company.language)
    for url in settings.notices.urls:
        _refuse_to_leave(settings, _kind(url), _stays_here(url))
    failed = [_kind(url) for url in settings.notices.urls if not _taken(url, subject, body)]
    if failed:
        sentence = _("The notice was not taken by {addresses}. Check [notices] urls and the servers they name.")
        raise NoticeFailed(sentence.format(addresses=", ".join(failed)))


def _taken(url: str, subject: str, body: str) -> bool:
    import apprise

    # Its log lines carry parts of the addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    target = apprise.Apprise()
    return bool(target.add(url) and target.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT))


def _by_mail(settings: Workspace, subject: str, body: str, to: str, server: str) -> None:
    """One plain mail. The word loopback starts a mail server of this machine for it, which keeps the notice as a file."""
    message = _composed(settings, subject, body, to)
    if server == LOOPBACK:
        with Sink(settings.store / NOTICES) as sink:
            return _deliver(settings, message, HOST, sink.port)
    parts = urlsplit(f"//{server}")
    host = parts.hostname or ""
    _refuse_to_leave(settings, host, is_loopback(host))
    return _deliver(settings, message, host, parts.port or MAIL_PORT)


def _composed(settings: Workspace, subject: str, body: str, to: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((settings.mail.sender_name, settings.mail.sender))
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = clock.now().replace(tzinfo=dt.UTC)
    message.set_content(body)
    return message


def _deliver(settings: Workspace, message: EmailMessage, host: str, port: int) -> None:
    """Over TLS and signed in as `[mail]` says, like every other mail."""
    try:
        patience = Patience(TIMEOUT_SECONDS, TIMEOUT_SECONDS, TIMEOUT_SECONDS)
        hello = settings.mail.sender.rpartition("@")[2]
        with Dialogue(route_to(settings.mail, host, port), hello, patience).opened() as client:
            client.wait_at_most(TIMEOUT_SECONDS)
            client.send_message(message)
    except ChannelUnreachable as error:
        _ = translator(settings.company.language)
        raise NoticeFailed(_("The notice was not sent. {why}").format(why=error.said(_))) from None
    except (OSError, smtplib.SMTPException) as error:
        _ = translator(settings.company.language)
        sentence = _("The notice was not sent: the mail server {server} answered {error}. Check [mail] server.")
        raise NoticeFailed(sentence.format(server=f"{host}:{port}", error=type(error).__name__)) from None


def _refuse_to_leave(settings: Workspace, target: str, stays: bool) -> None:
    """Nothing of a simulated night reaches a person (architecture, section 3)."""
    if settings.clock.mode == "simulated" and not stays:
        _ = translator(settings.company.language)
        sentence = _("The notice to {target} was not sent: on a simulated clock only loopback addresses are permitted.")
        raise NoticeFailed(sentence.format(target=target))


def _stays_here(url: str) -> bool:
    """Whether an apprise address can reach this machine only."""
    try:
        parts = urlsplit(url)
        hosts = [parts.hostname or "", *(value for name in DETOURS for value in _arguments(parts.query, name))]
    except ValueError:
        return False
    return parts.scheme.lower() in SELF_HOSTED and all(is_loopback(_bare(host)) for host in hosts)


def _arguments(query: str, name: str) -> list[str]:
    return [value for key, values in parse_qs(query).items() if key.lower() == name for value in values]


def _bare(host: str) -> str:
    return urlsplit(host if "//" in host else f"//{host}").hostname or ""


def _kind(url: str) -> str:
    """An address as it may be shown: its kind alone, for the rest of it may be a secret."""
    return f"{url.split(':', 1)[0]}://…" if "://" in url else "…"
