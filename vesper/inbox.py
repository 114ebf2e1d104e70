"""The inbox between two nights: what came in since the last one, in the shapes that Selects read.

What belongs here: how a row of the inbox is named as a source row and as an event, whom a form is of, and people and events as they stand now:
published union arrived. What does not: ledger rows (`warehouse/ledger/inbox.py`) and running anything (`tasks/inbox.py`).

A form of somebody nobody knows yet makes a provisional contact. Its id is minted from the form's own source row, as identity mints the id of a
new cluster, so that the night that takes the form in gives the same one.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day
from vesper.identity.ids import ID_LENGTH, minted
from vesper.identity.keys import record_id
from vesper.load import parse
from vesper.marts.lifecycle import LIFECYCLE
from vesper.model.lifecycle import Lifecycle
from vesper.model.source import Source
from vesper.night import Night
from vesper.presets import preset_text
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT, IDENTIFIER

FORM, EVENTS = "vesper_form", "vesper_inbox"
"""Sources that the night takes the inbox in by: who somebody is, and what happened."""
KEY_DIGITS = 12
KINDS: Mapping[str, str] = {"unsubscribed": "mail_unsubscribed"}
"""Kinds of the ledger that core__event has another word for."""
PERSON = ("name", "phone", "email", "company", "job_title", "province", "city", "need", "consent_text")
"""What a form may say of its person: texts, by the names of the source."""
STATED = ("name", "phone", "email", "province", "city", "company", "job_title")
"""What the cleaned record of a form gives core__contact."""
PARTICULARS = ("series_id", "url", "content_id", "product_code", "keyword")
"""What a row's payload may say of its event: texts, by the names of core__event."""
LASTED = "duration_seconds"
"""What it may say in whole seconds."""
LONGEST_SECONDS = 7 * 86_400
ARRIVED = "arrived__"
"""Prefix of the tables that hold what came in; published tables keep their names with PUBLISHED before them."""
PUBLISHED = "published__"

CHAIN = 4
"""Records in a row of which each shares an address with the next are one person, up to so many; the night knows no limit."""
IDENTIFIED_BY = ("email", "phone")
"""What a form's person is found by, the more certain first."""


def source_key(inbox_id: int) -> str:
    """The key of a row inside the sources of the inbox: in the order of arrival also as text."""
    return f"{inbox_id:0{KEY_DIGITS}d}"


def event_id(inbox_id: int) -> str:
    """The id that a row has as an event until a night publishes it; `vesper/journey/entering.py` reads the row's number from it."""
    return f"inbox:{inbox_id}"


def seconds(value: Any) -> int | None:
    """How long an event lasted, as its sender says; None for anything but a whole number of seconds of a week at most."""
    text = str(value)
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST_SECONDS))
    return int(text) if is_number and int(text) <= LONGEST_SECONDS else None


def provisional_id(inbox_id: int) -> str:
    """The id that identity would mint for the source row of a form, were it the first of its cluster (`vesper.identity.ids.minted`)."""
    record = f"{FORM}:{source_key(inbox_id)}"
    return "c" + hashlib.md5(record.encode(), usedforsecurity=False).hexdigest()[:ID_LENGTH]


def provisional(raw: sa.FromClause, label: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """(record, contact_id) of forms that the night takes in, under which they were known since they came.

    To identity they are rows of the night before: a provisional contact keeps its id, or becomes the alias of the contact that it turns out to be.

    Args:
        raw: the raw table of FORM.
        label: (record, label) of the rows that are resolved tonight.
        before: core__contact_member of the night before.
    """
    record = sa.literal(f"{FORM}:") + raw.c.member_id
    joined = raw.join(label, label.c.record == record)
    known = sa.exists().where(before.c.source == FORM, before.c.record_key == raw.c.member_id)
    rows = sa.select(label.c.record, raw.c.contact_id).select_from(joined)
    return rows.where(raw.c.contact_id.is_not(None), ~known)


def form_source(night: Night) -> Source:
    """The source that forms are taken in by: the company's own, or the one that ships."""
    source = night.definitions.of(Source).get(FORM) or parse("sources", FORM, preset_text("sources", FORM) or "")
    assert isinstance(source, Source)
    return source


def live_kinds(night: Night) -> frozenset[str]:
    """Kinds of event that a company takes by its own inbox, and so knows at any moment."""
    source = night.definitions.of(Source).get(EVENTS)
    return source.event_kinds if source else frozenset()


def whose(record: sa.FromClause) -> sa.Select[Any]:
    """(record_key, contact_id, is_known) of the records of forms: the contact that an address names, else a provisional one.

    Forms of one address are one provisional contact, named by the first of them.
    """
    label = record_id(record)
    for _ in range(CHAIN):
        label, record = _smallest(label, record)
    joined: sa.FromClause = record
    found = []
    for name in IDENTIFIED_BY:
        mine = published(IDENTIFIER).alias(f"by_{name}")
        joined = joined.join(mine, sa.and_(mine.c.kind == name, mine.c.value == record.c[name]), isouter=True)
        found.append(mine.c.contact_id)
    known = sa.func.coalesce(*found)
    return sa.select(
        record.c.record_key,
        sa.func.coalesce(known, minted(label)).label("contact_id"),
        known.is_not(None).label("is_known"),
    ).select_from(joined)


def _smallest(label: sa.ColumnElement[str], record: sa.FromClause) -> tuple[sa.ColumnElement[str], sa.FromClause]:
    """The smallest label among the records that share an address, beside each record."""
    shared = [
        sa.case((record.c[name].is_not(None), sa.func.min(label).over(partition_by=record.c[name])), else_=label)
        for name in IDENTIFIED_BY
    ]
    columns = [c for c in record.c if c.name != "label"]
    rows = sa.select(*columns, sa.func.least(label, *shared).label("label")).subquery()
    return rows.c.label, rows


def published(table: sa.Table) -> sa.Table:
    """A table as the last night published it."""
    return table.to_metadata(sa.MetaData(), name=f"{PUBLISHED}{table.name}")


def contacts_now(record: sa.FromClause, whose: sa.FromClause, night: Night) -> sa.CompoundSelect[Any]:
    """core__contact as it stands now: what forms add to a known contact is filled in where the night had nothing, newcomers come last."""
    was = published(CONTACT)  # a card, an owner, a household of the night stay as they are
    said = _said(record, whose, night).cte("said")
    filled = [
        sa.func.coalesce(was.c[c.name], said.c[c.name]).label(c.name) if c.name in STATED else was.c[c.name]
        for c in CONTACT.c
    ]
    known = sa.select(*filled).select_from(was.join(said, said.c.contact_id == was.c.contact_id, isouter=True))
    new = sa.select(
        *[said.c[c.name] if c.name in said.c else sa.cast(sa.null(), c.type).label(c.name) for c in CONTACT.c]
    ).where(sa.not_(said.c.is_known))
    return sa.union_all(known, new)


def identifiers_now(record: sa.FromClause, whose: sa.FromClause) -> sa.CompoundSelect[Any]:
    """core__contact_identifier as it stands now."""
    joined = record.join(whose, whose.c.record_key == record.c.record_key)
    parts = [
        sa.select(
            sa.literal(name).label("kind"),
            record.c[name].label("value"),
            sa.func.min(whose.c.contact_id).label("contact_id"),
        )
        .select_from(joined)
        .where(record.c[name].is_not(None))
        .group_by(record.c[name])
        for name in IDENTIFIED_BY
    ]
    was = published(IDENTIFIER)
    new = sa.union_all(*parts).subquery("new")
    is_there = sa.exists().where(was.c.kind == new.c.kind, was.c.value == new.c.value)
    return sa.union_all(sa.select(*[was.c[c.name] for c in IDENTIFIER.c]), sa.select(new).where(~is_there))


def stages_now(record: sa.FromClause, whose: sa.FromClause, night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """mart__lifecycle as it stands now: a newcomer stands in the stage that holds for everybody, until the night has looked."""
    was = published(LIFECYCLE)
    now = sa.select(*[was.c[c.name] for c in LIFECYCLE.c])
    lifecycle = next(iter(night.definitions.of(Lifecycle).values()), None)
    if lifecycle is None or not lifecycle.stages:
        return now
    said = _said(record, whose, night).cte("said")
    stage = lifecycle.stages[-1].id
    columns = {
        "contact_id": said.c.contact_id,
        "stage": sa.literal(stage),
        "entered_at": said.c.updated_at,
        "rule_id": sa.literal(f"{lifecycle.id}/{stage}"),
        "definition_hash": sa.literal(""),
    }
    new = [columns.get(c.name, sa.cast(sa.null(), c.type)).label(c.name) for c in LIFECYCLE.c]
    return sa.union_all(now, sa.select(*new).where(sa.not_(said.c.is_known)))


def events_now(arrived: sa.FromClause) -> sa.CompoundSelect[Any]:
    """core__event as it stands now: published union what came in since."""
    was = published(EVENT)
    return sa.union_all(*[sa.select(*[rows.c[c.name] for c in EVENT.c]) for rows in (was, arrived)])


def _said(record: sa.FromClause, whose: sa.FromClause, night: Night) -> sa.Select[Any]:
    """What the forms of each contact say, one row each, by the names of core__contact; of several values the newest."""
    newest = {name: sa.func.arg_max(record.c[name], record.c.record_key) for name in STATED}
    columns = {
        "contact_id": whose.c.contact_id,
        "is_known": sa.func.bool_or(whose.c.is_known),
        **{name: sa.type_coerce(value, sa.String()) for name, value in newest.items()},
        "source_count": sa.func.count(),
        "first_source": sa.func.min(record.c.source),
        "first_seen_on": local_day(sa.func.min(record.c.received_at), night.zone),
        "updated_at": sa.func.max(record.c.received_at),
    }
    rows = sa.select(*[value.label(name) for name, value in columns.items()])
    joined = record.join(whose, whose.c.record_key == record.c.record_key)
    return rows.select_from(joined).group_by(whose.c.contact_id)
