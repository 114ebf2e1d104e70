"""What the killed workers send over: mail to a sink, or a channel to the fake of its provider.

What belongs here: the company of each channel, its server outside the workers, its plan, and what its reconciler asks. What does not: killing and
counting (`workers.py`), one worker (`worker.py`).
"""

import contextlib
import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.channels.evidence import Evidence, Nothing, SinkFolder, evidence_of
from tasks.letters import Look
from tasks.provider_record import asked_of
from tests.channels import company as short
from tests.channels.fakes import tencent_sms, wechat
from tests.channels.fakes.served import KEY_ID, KEY_SECRET
from tests.send.company import KEY, campaign, definitions, frequency, looking_up, people, planned, workspace
from vesper.address import AddressKey
from vesper.clock import now
from vesper.definition_set import DefinitionSet
from vesper.model.channel import App, Sms
from vesper.model.workspace import Clock, Mail, Workspace
from warehouse.ledger.reconcile import doubts

REPOSITORY = Path(__file__).resolve().parents[2]
PLANNED_ON = now().date() - dt.timedelta(days=2)
SLOW_ANSWER = "0.02"
"""The server's pause between keeping a message and saying so: the moment that makes a message unknown."""
DATES: dict[str, Any] = {"starts_on": PLANNED_ON, "ends_on": PLANNED_ON + dt.timedelta(days=30), "max_people": 10**9}
TEMPLATES = {"aliyun": "SMS_123", "tencent": "449739"}
Company = tuple[Workspace, DefinitionSet]


@dataclass(frozen=True)
class Wire:
    """One channel. `tells_all`: its reconciler can also prove that a message was not taken."""

    server: Callable[[Path], AbstractContextManager[str]]
    company: Callable[[Path, str], Company]
    people: Callable[[int], list[Any]]
    plan: Callable[[sa.Engine, DefinitionSet, Path, list[Any]], object]
    evidence: Callable[[Workspace, sa.Engine, Path, list[Any]], Evidence]
    tells_all: bool = True
    look: Callable[[list[Any]], Look] = looking_up


def _mail(root: Path, server: str) -> Company:
    """A live workspace whose one campaign may send at any hour."""
    known = definitions(campaign(**DATES), policy=frequency(windows={}, quiet_hours=None))
    return workspace(root, clock=Clock(), mail=Mail(server=server)), known


def _short(provider: str) -> Callable[[Path, str], Company]:
    """The same by short message, without a purpose that has hours: the bench runs at any of them."""

    def company(root: Path, server: str) -> Company:
        os.environ.update(SMS_KEY_ID=KEY_ID, SMS_KEY_SECRET=KEY_SECRET)
        sms = Sms(
            provider=provider,  # type: ignore[arg-type]
            key_id="${SMS_KEY_ID}",
            key_secret="${SMS_KEY_SECRET}",
            sign="好邻居",
            app_id=tencent_sms.APP_ID,
            endpoint=server,
        )
        said = short.content(sms={**short.SMS, "template": TEMPLATES[provider]})
        quiet = frequency(windows={}, quiet_hours=None)
        known = short.known(policy=quiet, said=said, purpose="requested", **DATES)
        return workspace(root, clock=Clock(), sms=sms), known

    return company


def _asked(space: Workspace, engine: sa.Engine, _folder: Path, persons: list[Any]) -> Evidence:
    asked = asked_of(doubts(engine), looking_up(persons), AddressKey(KEY.encode()))
    return evidence_of(space, "sms", asked["sms"])


def _served(*command: str) -> Callable[[Path], AbstractContextManager[str]]:
    @contextlib.contextmanager
    def server(folder: Path) -> Iterator[str]:
        line = [sys.executable, "-m", *[part.format(folder=folder) for part in command]]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
            try:
                assert process.stdout is not None
                address = process.stdout.readline().strip()
                yield address if address.startswith("http") else f"127.0.0.1:{address}"
            finally:
                process.kill()

    return server


def _by_sms(provider: str, *, tells_all: bool) -> Wire:
    server = _served("tests.channels.fakes.served", f"{provider}_sms", "{folder}", SLOW_ANSWER)
    return Wire(server, _short(provider), short.people, _plan_short, _asked, tells_all)


def _wechat(root: Path, server: str) -> Company:
    """Service messages to the followers of an official account."""
    os.environ.update(WECHAT_SECRET=wechat.SECRET)
    app = App(app_id=wechat.APP_ID, secret="${WECHAT_SECRET}", endpoint=server)
    said = short.content(wechat={**short.SMS, "template": "TPL1"})
    quiet = frequency(windows={}, quiet_hours=None)
    known = short.known(policy=quiet, said=said, channel="wechat", purpose="requested", **DATES)
    return workspace(root, clock=Clock(), wechat=app), known


def _plan_wechat(engine: sa.Engine, known: DefinitionSet, root: Path, persons: list[Any]) -> object:
    openids = {one.contact_id: _openid(one.contact_id) for one in persons}
    return short.planned(engine, known, root, persons, on=PLANNED_ON, openids=openids)


def _followers(persons: list[Any]) -> Look:
    plain = looking_up(persons)
    return lambda ids: [replace(one, openid=_openid(one.contact_id)) for one in plain(ids)]


def _openid(contact_id: str) -> str:
    return f"{wechat.APP_ID}:o{contact_id[1:]}"


def _nothing(*_: Any) -> Evidence:
    return Nothing()


def _plan_short(engine: sa.Engine, known: DefinitionSet, root: Path, persons: list[Any]) -> object:
    return short.planned(engine, known, root, persons, on=PLANNED_ON)


def _plan_mail(engine: sa.Engine, known: DefinitionSet, root: Path, persons: list[Any]) -> object:
    return planned(engine, known, root, persons, on=PLANNED_ON)


def _folder(_space: Workspace, _engine: sa.Engine, folder: Path, _persons: list[Any]) -> Evidence:
    return SinkFolder(folder)


WIRES: dict[str, Wire] = {
    "email": Wire(
        _served("connectors.channels.sink", "{folder}", "0", SLOW_ANSWER), _mail, people, _plan_mail, _folder
    ),
    "sms": _by_sms("aliyun", tells_all=True),
    "sms_tencent": _by_sms("tencent", tells_all=False),
    "wechat": Wire(
        _served("tests.channels.fakes.served", "wechat", "{folder}", SLOW_ANSWER),
        _wechat,
        short.people,
        _plan_wechat,
        _nothing,
        tells_all=False,
        look=_followers,
    ),
}
