"""What a plan knows of each person, and the first reason that the person alone gives for getting nothing.

What belongs here: address, stage, zone, variant, earlier messages, consent, suppression, age, one person at a time. What does not: which content and
channel a matrix has for somebody (`send_content.py`), what lies between people (one mailbox, rollout, limits of a campaign: `send.py`), anything that
may change until the moment of sending.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.address import hashed_address
from vesper.clock import at as moment
from vesper.clock import instant, on
from vesper.complaint import CHANNEL as COMPLAINED_OF
from vesper.complaint import is_halted
from vesper.content_variant import NO_VARIANT, refuses_personalisation, variant_of
from vesper.experiment.given import Given, by_experiment
from vesper.experiment.holdout import held_columns
from vesper.handover_history import taken_over
from vesper.held import bodies_behind
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.model.campaign import Campaign
from vesper.model.consent import consent_policy
from vesper.model.content import DEFAULT, Content
from vesper.model.from_matrix import FromMatrix
from vesper.model.outreach import Outreach
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.recipient import EXTERNAL_ID, OPENID
from vesper.rollout import bucket_of
from vesper.send_content import Way, by_matrix, matrix_of
from vesper.tables.contact import CONSENT, CONTACT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.zone import zone_of

ADDRESS: dict[str, sa.ColumnElement[Any]] = {
    "email": CONTACT.c.email,
    "webhook": CONTACT.c.contact_id,
    "sms": CONTACT.c.phone,
    "wechat": OPENID,
    "wechat_mass": OPENID,
    "wecom": EXTERNAL_ID,
    "push": CONTACT.c.contact_id,
}
"""What a channel reaches somebody by. A webhook goes to one place and says whom it is about."""
MARKETING, OPERATIONAL = "marketing", "operational"
GAP = "gap"
"""The refusal of whom the matrix has no content for."""
SCORED = frozenset({"score", "mql"})
"""Conditions that ask for a score."""
GUARDIAN = "guardian"
"""Purpose of the consent that a guardian gave for somebody too young."""
PLANNED_AT = dt.time(21)
Expression = sa.ColumnElement[Any]
Reason = tuple[sa.ColumnElement[bool], str, Expression | None]
"""When it holds, its word, and what exactly blocks (`refusal.detail`)."""


@dataclass(frozen=True)
class Sending:
    """One content of a campaign or journey on one channel, or what a matrix has for each person: what `plan` decides about.

    `step_id` is `send` for a campaign and the step's id for a journey; `content` is the content's id, `channel` is None with a matrix.
    `definition_hash` names the version where it is not the one in force tonight: people in flight stay on theirs. A paused campaign or journey makes no
    messages.
    """

    outreach: Outreach
    step_id: str
    channel: str | None
    content: str | FromMatrix
    purpose: str
    definition_hash: str | None = None
    is_paused: bool = False


def planned_at(night: Night) -> dt.datetime:
    """The instant of planning (UTC) of a night: 21:00 of the business date in the company's zone, whenever the program really runs."""
    return instant(night.business_on, PLANNED_AT, night.zone)


def people_known(sending: Sending, people: sa.Select[Any], night: Night, at: dt.datetime) -> sa.Select[Any]:
    """One row for each row of `people`: contact_id, occurrence, inbox_id, stage, zone, bucket; channel, content_id, variant, gap, address,
    address_hash; planned_as, the message that the person has already for this step and occurrence; reached_place, the place among those whom the
    outreach reached before."""
    asked, earlier = people.cte("people"), _earlier(sending, at).cte("earlier")
    planned, reached = _planned(sending, earlier).cte("planned"), _reached(sending, earlier).cte("reached")
    same = sa.and_(planned.c.contact_id == asked.c.contact_id, planned.c.occurrence == asked.c.occurrence)
    joined: sa.FromClause = (
        asked.outerjoin(CONTACT, CONTACT.c.contact_id == asked.c.contact_id)
        .outerjoin(LIFECYCLE, LIFECYCLE.c.contact_id == asked.c.contact_id)
        .outerjoin(planned, same)
        .outerjoin(reached, reached.c.contact_id == asked.c.contact_id)
    )
    columns = [
        asked.c.contact_id,
        asked.c.occurrence,
        (asked.c.inbox_id if "inbox_id" in asked.c else sa.cast(sa.null(), sa.Integer)).label("inbox_id"),
        LIFECYCLE.c.stage,
        CONTACT.c.birth_on,
        sa.cast(zone_of(), sa.String).label("zone"),
        bucket_of(sending.outreach.id, asked.c.contact_id).label("bucket"),
        planned.c.message_id.label("planned_as"),
        reached.c.place.label("reached_place"),
        sa.func.coalesce(sa.select(sa.func.count()).select_from(reached).scalar_subquery(), 0).label("reached_count"),
        *held_columns(sending.outreach, sending.purpose, night, asked.c.contact_id),
    ]
    if isinstance(sending.content, FromMatrix):
        ways = {channel: _way(channel, sending, night, at) for channel in channels_of(sending, night)}
        return by_matrix(sending.content, night, joined, columns, ways)
    return _by_content(sending, sending.content, joined, columns, asked, night, at)


def _by_content(
    sending: Sending,
    content_id: str,
    joined: sa.FromClause,
    columns: Sequence[Any],
    asked: sa.CTE,
    night: Night,
    at: dt.datetime,
) -> sa.Select[Any]:
    """Rows of `joined` with `columns` and what each person gets of one content on one channel, or by the arm of an experiment."""
    joined, variant = _variant(content_id, night, joined, asked.c.contact_id)
    place, usual = (sending.outreach.id, sending.step_id), Given(joined, sa.literal(content_id), variant)
    given = by_experiment(place, usual, asked, night, at)
    (channel,) = channels_of(sending, night)
    return sa.select(
        *columns,
        address_on(channel).label("address"),
        hashed_address(channel, address_on(channel)).label("address_hash"),
        sa.literal(channel).label("channel"),
        given.content_id.label("content_id"),
        sa.cast(given.variant, sa.String).label("variant"),
        sa.cast(sa.null(), sa.String).label("gap"),
        *given.columns,
    ).select_from(given.joined)


def channels_of(sending: Sending, night: Night) -> tuple[str, ...]:
    """The channels that it may go out on: its own, or those of the matrix."""
    if isinstance(sending.content, FromMatrix):
        matrix = matrix_of(sending.content, night)
        return matrix.used_channels if matrix else ()
    if sending.channel is None:
        raise ValueError(f"{sending.outreach.id}/{sending.step_id} says no channel")
    return (sending.channel,)


def address_on(channel: str) -> Expression:
    """What a contact is reached by on a channel; NULL where there is nothing."""
    return sa.func.nullif(sa.func.trim(ADDRESS[channel]), "", type_=sa.String)


def _way(channel: str, sending: Sending, night: Night, at: dt.datetime) -> Way:
    """A contact on one channel of a matrix."""
    address = address_on(channel)
    hashed = hashed_address(channel, address)
    tests = [address.is_not(None)]
    if sending.purpose == MARKETING:
        tests.append(CONTACT.c.contact_id.in_(_granted(channel, MARKETING)))
    if sending.purpose != OPERATIONAL:
        tests.append(hashed.not_in(_suppressed(channel, night, at)))
    return Way(address, hashed, sa.and_(*tests))


def mailbox_message(sending: Sending, at: dt.datetime) -> sa.Select[Any]:
    """address_hash, occurrence, and message_id of the step's earlier message to that mailbox."""
    earlier = _earlier(sending, at).subquery("earlier_mail")
    key = (earlier.c.address_hash, earlier.c.occurrence)
    taken = sa.select(*key, sa.func.min(earlier.c.message_id).label("message_id"))
    return taken.where(earlier.c.step_id == sending.step_id).group_by(*key)


def reasons(known: sa.CTE, sending: Sending, night: Night, at: dt.datetime) -> list[Reason]:
    """What each person's own facts say, in the order of the reasons."""
    found: list[Reason] = [
        (known.c.planned_as.is_not(None), "already_planned", known.c.planned_as),
        *_gaps(known, sending),
        (known.c.address.is_(None), "no_address", None),
    ]
    channels = channels_of(sending, night)
    if sending.purpose == MARKETING:
        refused = _on(known, channels, lambda channel: known.c.contact_id.not_in(_granted(channel, MARKETING)))
        found.append((refused, "no_consent", None))
    if sending.purpose != OPERATIONAL:
        kept_out = _on(known, channels, lambda channel: known.c.address_hash.in_(_suppressed(channel, night, at)))
        found.append((kept_out, "suppressed", None))
        found.append((_is_too_young(known, night), "age", None))
    if sending.purpose == MARKETING:
        found.append((known.c.contact_id.in_(taken_over(night, at)), "human_takeover", None))
    if sending.purpose == MARKETING and COMPLAINED_OF in channels:
        halted = sa.or_(is_halted(night.definitions, at), is_halted(night.definitions, at, sending.outreach.id))
        is_by_mail = known.c.channel == COMPLAINED_OF
        found.append((halted if len(channels) == 1 else sa.and_(is_by_mail, halted), "complaints", None))
    found.append((_is_off_stage(known, sending), "stage", known.c.stage))
    if sending.purpose == MARKETING and _reads_scores(sending.outreach, night):
        found.append((known.c.contact_id.in_(refuses_personalisation()), "personalisation", None))
    if isinstance(sending.content, FromMatrix) or sending.content in night.definitions.of(Content):
        found.append((known.c.variant.is_(None), NO_VARIANT, None))
    return found


def _gaps(known: sa.CTE, sending: Sending) -> list[Reason]:
    """For whom the matrix has nothing. Whom the campaign does not speak to is no gap of it."""
    if not isinstance(sending.content, FromMatrix):
        return []
    is_gap = known.c.gap.is_not(None)
    return [
        (sa.and_(is_gap, _is_off_stage(known, sending)), "stage", known.c.stage),
        (is_gap, GAP, known.c.gap),
    ]


def _is_off_stage(known: sa.CTE, sending: Sending) -> Expression:
    return sa.or_(known.c.stage.is_(None), known.c.stage.not_in(sending.outreach.brief.stages))


def _on(known: sa.CTE, channels: tuple[str, ...], test: Callable[[str], Expression]) -> Expression:
    """A test of each person on their own channel."""
    if len(channels) == 1:
        return test(channels[0])
    return sa.or_(sa.false(), *[sa.and_(known.c.channel == channel, test(channel)) for channel in channels])


def _earlier(sending: Sending, at: dt.datetime) -> sa.Select[Any]:
    """The messages that the campaign or journey planned before an instant, by the contact of today."""
    message, merged = RAW_MESSAGE.c, CONTACT_ALIAS.alias("mailed_alias")
    contact_id = sa.func.coalesce(merged.c.contact_id, message.contact_id).label("contact_id")
    mine = sa.select(message.message_id, message.step_id, message.occurrence, message.address_hash, contact_id)
    return mine.select_from(RAW_MESSAGE.outerjoin(merged, merged.c.old_id == message.contact_id)).where(
        message.campaign_id == sending.outreach.id, message.planned_at < moment(at)
    )


def _planned(sending: Sending, earlier: sa.CTE) -> sa.Select[Any]:
    key = (earlier.c.contact_id, earlier.c.occurrence)
    mine = sa.select(*key, sa.func.min(earlier.c.message_id).label("message_id"))
    return mine.where(earlier.c.step_id == sending.step_id).group_by(*key)


def _reached(sending: Sending, earlier: sa.CTE) -> sa.Select[Any]:
    """Each person reached once, with the place by bucket, from 1."""
    person = sa.select(earlier.c.contact_id).distinct().subquery("reached_person")
    order = (bucket_of(sending.outreach.id, person.c.contact_id), person.c.contact_id)
    return sa.select(person.c.contact_id, sa.func.row_number().over(order_by=order).label("place"))


def _variant(
    content_id: str, night: Night, joined: sa.FromClause, contact_id: Expression
) -> tuple[sa.FromClause, Expression]:
    """What is joined, with the variant of the content for each person: the same one for all where it has no variants."""
    content = night.definitions.of(Content).get(content_id)
    if content is None:
        return joined, sa.null()
    if not content.variants:
        return joined, sa.literal(DEFAULT)
    chosen = variant_of(content, night).cte("chosen")
    return joined.outerjoin(chosen, chosen.c.contact_id == contact_id), chosen.c.variant


def _granted(channel: str | None, purpose: str) -> sa.Select[Any]:
    said = sa.select(CONSENT.c.contact_id).where(CONSENT.c.purpose == purpose, CONSENT.c.is_granted)
    return said.where(CONSENT.c.channel == channel) if channel else said


def _suppressed(channel: str, night: Night, at: dt.datetime) -> sa.Select[Any]:
    """Addresses kept out: by the cut-off for a night's plan, by its own instant for a tick's."""
    seen_until = night.cutoff_at if at == planned_at(night) else at
    return sa.select(RAW_SUPPRESSION.c.address_hash).where(
        RAW_SUPPRESSION.c.channel == channel, RAW_SUPPRESSION.c.at <= moment(seen_until)
    )


def _is_too_young(known: sa.CTE, night: Night) -> sa.ColumnElement[bool]:
    """Younger than the policy allows, and no guardian agreed. Of whom no birthday is known, nothing tells."""
    oldest = birthday_of(night.business_on, consent_policy(night.definitions).minimum_age)
    young = sa.func.coalesce(known.c.birth_on > on(oldest), sa.false())
    return sa.and_(young, known.c.contact_id.not_in(_granted(None, GUARDIAN)))


def birthday_of(day: dt.date, years: int) -> dt.date:
    """The latest day of birth of somebody who is so many years old on a day; who is born on 29 February has a birthday on 1 March."""
    last = day.replace(day=28) if (day.month, day.day) == (2, 29) else day
    return last.replace(year=day.year - years)


def _reads_scores(outreach: Outreach, night: Night) -> bool:
    """Whether people are picked by a score: who refuses personalisation is not (PIPL 24)."""
    segment = night.definitions.of(Segment).get(outreach.segment) if isinstance(outreach, Campaign) else None
    return segment is not None and any(body.word in SCORED for body in bodies_behind(segment.condition, night))
