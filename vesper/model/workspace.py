"""The company's settings: `vesper.toml` of a workspace, validated. Nothing secret stands here."""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
    url: str = ""


class Definitions(Section):
    """A development workspace may activate an edited file by itself (R119)."""

    activate: Literal["automatic", "recorded"] = "recorded"


class Mail(Section):
    """`loopback` starts a sink inside the run; otherwise the address of the SMTP server."""

    server: str = "loopback"
    sender: str = "vesper@localhost.localdomain"
    sender_name: str = "Vesper"


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
    notices: Notices = Notices()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def played_nights_reach_nobody(self) -> "Workspace":
        if self.production and self.clock.mode == "simulated":
            raise ValueError('production = true needs clock mode = "live": a simulated night must never reach a person')
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
