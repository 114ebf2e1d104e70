"""A small company that writes short messages: people with phones, their consent to it, a campaign, and how it is planned and sent."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.delivery import DeliveryReport, Letters, deliver, simulated
from tests.send.company import (
    NIGHT,
    Person,
    campaign,
    copy_ledger,
    definitions,
    fill,
    hashed,
    lake,
    looking_up,
    night,
    plan_of,
    rows_of,
    statement,
)
from vesper import send
from vesper.definition_set import DefinitionSet
from vesper.model.content import Content
from vesper.model.policy import FrequencyPolicy
from vesper.model.workspace import Workspace
from vesper.tables.contact import CONSENT, IDENTIFIER
from warehouse.ledger import outbox
from warehouse.ledger.consent import append_consent

SMS = {
    "text": "{{ name or '会员' }}，到店立减 10 元",
    "template": "SMS_123",
    "params": {"name": "{{ name or '会员' }}"},
}


def content(**changes: Any) -> Content:
    """A content with words for short messages only."""
    message = {"sms": SMS} | changes
    return Content.model_validate({"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": message}})


def known(*, policy: FrequencyPolicy | None = None, said: Content | None = None, **changes: Any) -> DefinitionSet:
    """One campaign by short message."""
    return definitions(campaign(**{"channel": "sms", **changes}), policy=policy, said=said or content())


def people(count: int, **changes: Any) -> list[Person]:
    return [Person(f"c{n:04}", None, consents=None, phone=f"+86138{n:08}", **changes) for n in range(count)]


def planned(
    ledger: sa.Engine,
    space: DefinitionSet,
    root: Path,
    persons: Sequence[Person],
    on: dt.date = NIGHT,
    openids: Mapping[str, str] | None = None,
) -> list[Any]:
    """Consent, plan and record through the real Select; gives the plan's rows. `openids`: contact id -> openid."""
    engine = lake()
    fill(engine, persons)
    IDENTIFIER.create(engine)
    with engine.begin() as connection:
        for contact_id, openid in (openids or {}).items():
            connection.execute(IDENTIFIER.insert().values(kind="openid", value=openid, contact_id=contact_id))
        for one in persons:
            row = {"contact_id": one.contact_id, "channel": "sms", "purpose": "marketing", "source": "crm_member"}
            connection.execute(CONSENT.insert().values(**row, is_granted=True))
    append_consent(
        ledger,
        [statement(p.phone, channel="sms", address_hash=hashed("sms", p.phone)) for p in persons if p.phone],
    )
    copy_ledger(engine, ledger)
    tonight = night(space, root, on)
    rows = [row for each in send.campaigns_of(tonight) for row in rows_of(engine, plan_of(each, tonight))]
    outbox.record(ledger, rows)
    engine.dispose()
    return rows


def delivered(
    ledger: sa.Engine, space: DefinitionSet, workspace: Workspace, persons: Sequence[Person], on: dt.date = NIGHT
) -> DeliveryReport:
    """Send what is due within a day of the planning, on the simulated clock."""
    start = send.planned_at(night(space, workspace.root, on))
    letters = Letters(workspace, space, looking_up(persons))
    return deliver(ledger, workspace, space, letters, start + dt.timedelta(days=1), simulated(start))
