"""A small company that sends: its definitions, its people in DuckDB, its ledger, and plans for both."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from tasks.delivery import DeliveryReport, Letters, deliver, simulated
from tasks.letters import Look
from vesper import send
from vesper.address import ADDRESS_KEY, AddressKey, address_hash
from vesper.definition_set import DefinitionSet
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.policy import FrequencyPolicy
from vesper.model.workspace import Clock, Company, Workspace
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONSENT, CONTACT
from vesper.tables.identity import CONTACT_ALIAS
from warehouse.ledger import outbox
from warehouse.ledger.consent import append_consent
from warehouse.ledger.schema import ATTEMPT, MESSAGE, TOUCH

NIGHT = dt.date(2018, 1, 1)
ZONE = "Asia/Shanghai"
KEY = "the key of a small company that sends, 64 characters or so long"
CONSENTED_AT = dt.datetime(2017, 5, 1)
TEXT = "{{ name or '会员' }}，您好：\n\n一月到店立减 10 元。\n{{ company }}\n\n退订：{{ unsubscribe_url }}\n"
BRIEF = {
    "persona": "老顾客",
    "message": "回来看看",
    "cta": {"what": "到店", "benefit": "立减 10 元"},
    "stages": ["prospect", "loyal"],
    "timing": "一月",
    "goal": "8% 复购",
}


def campaign(id: str = "winback", **changes: Any) -> Campaign:
    fields = {
        "id": id,
        "says": "挽回",
        "owner": "marketing",
        "series": "Winback2018",
        "state": "full",
        "brief": BRIEF,
        "segment": "everyone",
        "channel": "email",
        "content": "coupon",
        "purpose": "marketing",
        "max_people": 1000,
        "starts_on": NIGHT,
        "ends_on": NIGHT + dt.timedelta(days=30),
    }
    return Campaign.model_validate(fields | changes)


def frequency(**changes: Any) -> FrequencyPolicy:
    fields: dict[str, Any] = {
        "id": "frequency",
        "says": "频次",
        "owner": "vesper",
        "caps": {
            "all_channels": {"touches": 2, "within": "24h"},
            "prospect_mail": {"touches": 2, "within": "7d", "channel": "email", "stages": ["prospect"]},
        },
        "windows": {"marketing": [{"starts": "10:00", "ends": "12:00"}, {"starts": "19:00", "ends": "21:00"}]},
        "quiet_hours": {"starts": "21:00", "ends": "08:00"},
    }
    return FrequencyPolicy.model_validate(fields | changes)


def content(text: str = TEXT, subject: str = "{{ name or '会员' }}，好久不见") -> Content:
    message = {"subject": subject, "text": text}
    return Content.model_validate({"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": message}})


def definitions(
    *campaigns: Campaign, policy: FrequencyPolicy | None = None, said: Content | None = None
) -> DefinitionSet:
    items: dict[type, dict[str, Any]] = {
        Campaign: {c.id: c for c in campaigns},
        FrequencyPolicy: {"frequency": policy or frequency()},
        Content: {"coupon": said or content()},
    }
    versions = {f"campaigns/{c.id}": hashlib.sha256(c.model_dump_json().encode()).hexdigest() for c in campaigns}
    return DefinitionSet(items, versions)


def workspace(root: Path, **changes: Any) -> Workspace:
    company = Company(name="好邻居超市", zone=ZONE)
    return Workspace(root=root, company=company, **({"clock": Clock(mode="simulated", simulated_on=NIGHT)} | changes))


def night(known: DefinitionSet, root: Path, on: dt.date = NIGHT) -> Night:
    return Night(on, workspace(root), known)


@dataclass(frozen=True)
class Person:
    """A contact with everything that the send stage may ask."""

    contact_id: str
    email: str | None
    stage: str | None = "loyal"
    consents: bool | None = True
    name: str | None = "王小明"
    city: str | None = "上海"
    phone: str | None = None
    province: str | None = None
    birth_on: dt.date | None = None


def people(count: int, stage: str = "loyal") -> list[Person]:
    return [Person(f"c{n:04}", f"person{n}@example.com", stage) for n in range(count)]


def lake() -> sa.Engine:
    """DuckDB in memory with the tables that a plan reads."""
    engine = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)
    for table in (
        CONTACT,
        CONSENT,
        LIFECYCLE,
        SEGMENT_MEMBER,
        RAW_MESSAGE,
        RAW_SUPPRESSION,
        ADDRESS_KEY,
        RAW_HUMAN_TASK,
        CONTACT_ALIAS,
        EVENT,
    ):
        table.create(engine)
    inner, outer = AddressKey(KEY.encode()).pads
    with engine.begin() as connection:
        connection.execute(sa.insert(ADDRESS_KEY), {"inner_pad": inner, "outer_pad": outer})
    return engine


def hashed(channel: str, address: str) -> str:
    """An address as this company's ledger knows it."""
    return address_hash(AddressKey(KEY.encode()), channel, address)


def fill(engine: sa.Engine, persons: Iterable[Person], segment: str = "everyone") -> None:
    """Put people into the lake, all of them members of a segment."""
    base = {"source_count": 1, "first_source": "crm_member", "first_seen_on": NIGHT, "updated_at": CONSENTED_AT}
    tag = {"business_on": NIGHT, "definition_hash": "x"}
    with engine.begin() as connection:
        for p in persons:
            names = ("contact_id", "email", "name", "city", "phone", "province", "birth_on")
            connection.execute(CONTACT.insert().values({name: getattr(p, name) for name in names} | base))
            connection.execute(
                SEGMENT_MEMBER.insert().values(segment_id=segment, contact_id=p.contact_id, entered_on=NIGHT, **tag)
            )
            if p.stage:
                row = {"contact_id": p.contact_id, "stage": p.stage, "entered_at": CONSENTED_AT, "rule_id": "x"}
                connection.execute(LIFECYCLE.insert().values(**row, **tag))
            if p.consents is not None:
                row = {"contact_id": p.contact_id, "channel": "email", "purpose": "marketing", "source": "crm_member"}
                connection.execute(CONSENT.insert().values(**row, is_granted=p.consents))


def copy_ledger(lake_engine: sa.Engine, ledger: sa.Engine) -> None:
    """What a night does at its start: the ledger's messages and suppressions become tables of the lake."""
    copies = ((RAW_MESSAGE, outbox.messages_as_arrow(ledger)), (RAW_SUPPRESSION, outbox.suppressions_as_arrow(ledger)))
    with lake_engine.begin() as connection:
        for table, rows in copies:
            connection.execute(sa.delete(table))
            if rows.num_rows:
                connection.execute(sa.insert(table), rows.to_pylist())


def statement(email: str, granted: bool = True, **changes: Any) -> dict[str, Any]:
    row = {
        "channel": "email",
        "purpose": "marketing",
        "address_hash": hashed("email", email),
        "is_granted": granted,
        "at": CONSENTED_AT,
        "source": "crm_member",
        "row_key": email,
        "text_version": "2017-05",
        "recorded_on": NIGHT,
    }
    return row | changes


def consent_in_ledger(ledger: sa.Engine, persons: Iterable[Person]) -> None:
    append_consent(ledger, [statement(p.email, p.consents) for p in persons if p.email and p.consents is not None])


def plan_of(each: Campaign, tonight: Night) -> sa.Select[Any]:
    """The plan of a campaign for its whole audience."""
    return send.plan(send.sending_of(each), send.audience(each), tonight)


def rows_of(engine: sa.Engine, select: sa.Select[Any]) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select))


def planned(
    ledger: sa.Engine, known: DefinitionSet, root: Path, persons: Sequence[Person], on: dt.date = NIGHT
) -> None:
    """Consent, plan and record every campaign for some people, through the real Select."""
    engine = lake()
    fill(engine, persons)
    copy_ledger(engine, ledger)
    consent_in_ledger(ledger, persons)
    tonight = night(known, root, on)
    for each in send.campaigns_of(tonight):
        outbox.record(ledger, rows_of(engine, plan_of(each, tonight)))
    engine.dispose()


def delivered(
    ledger: sa.Engine,
    known: DefinitionSet,
    space: Workspace,
    persons: Sequence[Person],
    days: int = 1,
    on: dt.date = NIGHT,
) -> DeliveryReport:
    """Deliver what is due within some days of the planning, on the simulated clock."""
    start = send.planned_at(night(known, space.root, on))
    letters = Letters(space, known, looking_up(persons))
    return deliver(ledger, space, known, letters, start + dt.timedelta(days=days), simulated(start))


@dataclass(frozen=True)
class Recipient:
    """A row of `vesper.recipient.recipients_of`."""

    contact_id: str
    email: str | None
    name: str | None
    city: str | None
    province: str | None = None
    job_title: str | None = None
    industry: str | None = None
    phone: str | None = None
    openid: str | None = None
    external_id: str | None = None


def looking_up(persons: Iterable[Person]) -> Look:
    """What a worker asks the lake."""
    known = {p.contact_id: Recipient(p.contact_id, p.email, p.name, p.city, phone=p.phone) for p in persons}
    return lambda ids: [known[id] for id in ids if id in known]


def messages(ledger: sa.Engine) -> list[Any]:
    return rows_of(ledger, sa.select(MESSAGE).order_by(MESSAGE.c.message_id))


def touches(ledger: sa.Engine) -> list[Any]:
    return rows_of(ledger, sa.select(TOUCH).order_by(TOUCH.c.at, TOUCH.c.message_id))


def attempts(ledger: sa.Engine) -> list[Any]:
    return rows_of(ledger, sa.select(ATTEMPT).order_by(ATTEMPT.c.attempt_id))


def mails(root: Path) -> list[str]:
    """Message ids in the sink, one entry for each mail that arrived."""
    return sorted(file.name.split(".")[0] for file in (root / ".vesper" / "sink").glob("*.eml"))
