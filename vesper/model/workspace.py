"""The company's settings: `vesper.toml` of a workspace, validated. Nothing secret stands here."""

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from vesper.model.channel import App, Sms
from vesper.model.section import VARIABLE as _VARIABLE
from vesper.model.section import Section, elsewhere
from vesper.problem import wrong

_ENCRYPTED = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]|\$\{")


class Company(Section):
    name: str
    zone: str = "Asia/Shanghai"
    language: Literal["zh_CN", "en"] = "zh_CN"
    currency: str = "CNY"
    composed: str = ""

    @field_validator("zone")
    @classmethod
    def known_zone(cls, zone: str) -> str:
        if zone not in _zones():
            raise ValueError(f"{zone!r} is not a time zone; write one such as Asia/Shanghai")
        return zone


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class Clock(Section):
    """`simulated` declares the night to run; nothing of it may reach a person (architecture, section 3)."""

    mode: Literal["live", "simulated"] = "live"
    simulated_on: dt.date | None = None


class LedgerSettings(Section):
    """`full` keeps each commit through a power cut; `normal` only through a crash of the process, in a fifth of the time (SQLite)."""

    url: str = ""
    synchronous: Literal["full", "normal"] = "full"


class Definitions(Section):
    """A development workspace may activate an edited file by itself (R119)."""

    activate: Literal["automatic", "recorded"] = "recorded"


class Mail(Section):
    """How mail leaves. No secret stands here: user and password are variables of the environment, `${SMTP_PASSWORD}`."""

    server: str = "loopback"
    """`loopback` starts a sink inside the run; otherwise host:port of the SMTP server."""
    security: Literal["", "starttls", "tls", "none"] = ""
    """Empty: none on this machine, starttls elsewhere. The certificate is verified, and there is no way back to clear text."""
    user: str = ""
    password: str = ""
    sender: str = "vesper@localhost.localdomain"
    sender_name: str = "Vesper"
    reply_to: str = ""
    """Where answers go; to the sender where it is empty."""
    bounce: str = ""
    """Who hears of mail that comes back: the sender, another address, or `verp`: b+<message id>@ the sender's domain."""
    postal_address: str = ""
    """Address of the company in the footer of marketing mail, as the United States ask for."""
    test_addresses: tuple[str, ...] = ()
    """Whom a workspace that is not production may write to on a real server; nobody else."""
    mails_per_connection: int = Field(default=90, ge=1)
    """A connection is renewed after so many; a server that tires earlier is believed."""
    connections: int = Field(default=4, ge=1, le=64)
    """Connections of one process that sends."""
    per_second: float = Field(default=0, ge=0)
    """Mails a second over all workers together; 0 for no limit but what the server asks for."""
    returned: str = ""
    """Maildir that mail comes back to: its reports suppress addresses that do not exist, and tell of those who complained."""
    log: str = ""
    """Where a reconciler finds what the server took: its log, a Maildir that everything is copied to, or the folder of a loopback sink."""

    @field_validator("user", "password")
    @classmethod
    def secret_is_elsewhere(cls, value: str) -> str:
        return elsewhere(value)


class Webhook(Section):
    """Where messages of the channel webhook are posted, signed. `loopback` keeps them in a server inside the run."""

    url: str = "loopback"
    secret: str = ""
    """Key of the signature, a variable of the environment: ${WEBHOOK_SECRET}. Needed wherever the address is not loopback."""
    per_second: float = Field(default=0, ge=0)
    """Posts a second over all workers together; 0 for no limit but what the receiver asks for."""
    deduplicates: bool = False
    """True when the receiver takes an Idempotency-Key once only: then what was left without an answer may be posted again."""

    @model_validator(mode="after")
    def signed_and_encrypted(self) -> "Webhook":
        if self.url == "loopback":
            return self
        if not _ENCRYPTED.match(self.url):
            raise wrong(
                "The webhook's address is not encrypted.", 'Write https:// (http:// on this machine), or "loopback".'
            )
        if not _VARIABLE.fullmatch(self.secret):
            raise wrong(
                "The webhook needs the key of its signature, and no secret stands in a file.",
                "Write secret = a variable of the environment such as ${{WEBHOOK_SECRET}}.",
            )
        return self


Poster = Literal["sendgrid", "mailgun", "postmark", "vesper", "shop", "chat", "call"]
"""Systems that post to the web app: mail providers, any provider that signs as Vesper does, the shop's tills, the chat, the call centre."""


class Intake(Section):
    """Where people reach Vesper: the address that stands in messages, and where its small web app listens behind it.

    Without an address nothing listens, and an unsubscribe is a mail to the sender. TLS ends at the proxy in front of it.
    """

    address: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=1, le=65535)
    keys: Mapping[Poster, str] = {}
    """Who may post what happened, and the key that it signs with, a variable of the environment: `keys.mailgun = "${MAILGUN_KEY}"`."""

    @field_validator("keys")
    @classmethod
    def keys_are_elsewhere(cls, keys: Mapping[Poster, str]) -> Mapping[Poster, str]:
        for key in keys.values():
            elsewhere(key or "missing")
        return keys

    @field_validator("address")
    @classmethod
    def a_bare_address(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise wrong(
                "{address} is no address that a link can begin with.",
                "Write one such as https://mail.example.com.",
                address=address,
            )
        return address.rstrip("/")

    @property
    def is_public(self) -> bool:
        """Whether mail programs will POST there: over https (RFC 8058)."""
        return urlsplit(self.address).scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine itself."""
        return urlsplit(self.address).hostname in ("127.0.0.1", "localhost", "::1")


class Notices(Section):
    """Where a failed gate is told: apprise URLs (mail, WeCom, DingTalk, Feishu). Empty: mail to the stage's owner through [mail]."""

    urls: tuple[str, ...] = ()
    owner: str = "data-team@localhost.localdomain"


class Retention(Section):
    raw_days: int = Field(default=400, ge=1)
    derived_days: int = Field(default=35, ge=2)


class Workspace(Section):
    """One company. `root` is the folder that holds vesper.toml."""

    root: Path
    production: bool = False
    company: Company
    clock: Clock = Clock()
    ledger: LedgerSettings = LedgerSettings()
    definitions: Definitions = Definitions()
    mail: Mail = Mail()
    webhook: Webhook = Webhook()
    push: Webhook = Webhook()
    sms: Sms = Sms()
    wechat: App = App()
    wecom: App = App()
    intake: Intake = Intake()
    notices: Notices = Notices()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def played_nights_reach_nobody(self) -> "Workspace":
        if self.production and self.clock.mode == "simulated":
            raise ValueError('production = true needs clock mode = "live": a simulated night must never reach a person')
        return self

    @model_validator(mode="after")
    def unsubscribing_goes_over_https(self) -> "Workspace":
        address = self.intake.address
        if address and not self.intake.is_public and (self.production or not self.intake.is_loopback):
            raise wrong(
                "[intake] address {address} is not https: mail programs would not unsubscribe there.",
                "Write https; only a workspace that is not production may use http, and only on 127.0.0.1.",
                address=address,
            )
        return self

    @property
    def store(self) -> Path:
        """The folder of everything Vesper writes."""
        return self.root / ".vesper"

    @property
    def landing(self) -> Path:
        return self.store / "landing"

    @property
    def ledger_url(self) -> str:
        return self.ledger.url or f"sqlite:///{self.store / 'ledger.db'}"
