"""Send decisions: which campaigns run tonight, and for every person of an audience one intent or the reason for none.

What belongs here: the plan of a campaign as a Select, the ids of messages, the people a waiting message is written to. What does not:
what may change until the moment of sending (caps, consent now, suppression now: `warehouse/ledger/dispatch.py` checks them again), sending.

The plan of a night is a pure function: it reads the ledger's copies only as far as they were before the night, so a second run of the
same night gives the same plan, and the ledger's unique keys make it a plan without news.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from vesper.address import hashed_address
from vesper.clock import at, instant, on
from vesper.handover_history import taken_over
from vesper.held import is_held
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.lifecycle import Lifecycle
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.send_limits import limits_of
from vesper.stage_report import Balance
from vesper.tables.contact import CONSENT, CONTACT

STEP = "send"
PLANNED_AT = dt.time(21)
PRIORITY = {"operational": 0, "requested": 1, "marketing": 2}
ADDRESS = {"email": CONTACT.c.email}
ID_LENGTH = 26

INTENT = "intent"
REFUSALS = (
    "already_planned",
    "no_address",
    "no_consent",
    "suppressed",
    "human_takeover",
    "stage",
    "duplicate_address",
    "held",
    "over_max_people",
)


def campaigns_of(night: Night) -> list[Campaign]:
    """The campaigns that make messages tonight, by id: in state `full` and inside their dates."""
    running = night.definitions.of(Campaign).values()
    return [c for c in running if c.state == "full" and c.starts_on <= night.business_on <= c.ends_on]


def planned_at(night: Night) -> dt.datetime:
    """The instant of planning (UTC): 21:00 of the business date in the company's zone, whenever the program really runs."""
    return instant(night.business_on, PLANNED_AT, night.zone)


def expires_at(campaign: Campaign, night: Night) -> dt.datetime:
    """When a message stops making sense: the end of the day after the campaign's last night, so that its last plan meets a window."""
    return instant(campaign.ends_on + dt.timedelta(days=2), dt.time(), night.zone)


def not_before(campaign: Campaign, night: Night) -> dt.datetime:
    """The next instant, from planning on, that lies in a window of the campaign's purpose (R82, R113)."""
    opening = limits_of(night.definitions, night.zone, campaign.purpose, None).in_window(planned_at(night))
    return opening or expires_at(campaign, night)


def message_id(campaign_id: str, contact_id: str, step_id: str = STEP, occurrence: int = 1) -> str:
    """The id of a message: the first 26 hex digits of sha256 over `campaign|contact|step|occurrence`. The same in SQL below."""
    text = f"{campaign_id}|{contact_id}|{step_id}|{occurrence}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def audience(campaign: Campaign) -> sa.Select[Any]:
    """Everybody the campaign is meant for: the members of its segment, one row each."""
    return sa.select(SEGMENT_MEMBER.c.contact_id).distinct().where(SEGMENT_MEMBER.c.segment_id == campaign.segment)


def is_unknown(campaign: Campaign, night: Night) -> bool:
    """Whether a source behind the segment, or behind the stages that the campaign tells apart, has a hole tonight (R106)."""
    segment = night.definitions.of(Segment).get(campaign.segment)
    asked = [segment.members] if segment else []
    for lifecycle in night.definitions.of(Lifecycle).values():
        stages = lifecycle.stages or ()
        if {stage.id for stage in stages} - set(campaign.brief.stages):
            asked += [stage.when for stage in stages]
    return any(is_held(condition, night) for condition in asked)


def plan(campaign: Campaign, night: Night, occurrence: int = 1) -> sa.Select[Any]:
    """Exactly one row for each person of the audience: `decision` is `intent` or the reason why not (one of REFUSALS).

    The columns are those of the ledger's message, plus `address` (personal: in memory only) and `decision`. `occurrence` says which
    time a contact enters the campaign; once is the rule. More intents than `max_people`, counted with those of earlier nights, and nobody
    is written to (R107); a source with a hole behind the audience, and nobody new is (R106: `held`).
    """
    person = _persons(campaign, night, occurrence).cte("person")
    judged = sa.select(person, _decision(person, is_unknown(campaign, night)).label("own")).cte("judged")
    wanted = sa.func.count().filter(judged.c.own == INTENT).over()
    over = sa.and_(judged.c.own == INTENT, wanted + _planned_before(campaign, night) > campaign.max_people)
    return sa.select(
        _message_id(campaign, judged.c.contact_id, occurrence).label("message_id"),
        judged.c.contact_id,
        judged.c.address,
        judged.c.address_hash,
        judged.c.stage.label("stage_at_plan"),
        sa.case((over, "over_max_people"), else_=judged.c.own).label("decision"),
        *[value.label(name) for name, value in _constants(campaign, night, occurrence).items()],
    ).order_by(judged.c.contact_id)


def balance(campaign: Campaign, audience_count: int, rows: Iterable[Any]) -> Balance:
    """Conservation: everybody of the audience is an intent or a refusal. `rows` are those of `plan`, `audience_count` those of `audience`."""
    return Balance(campaign.id, audience_count, dict(sorted(Counter(row.decision for row in rows).items())))


def recipients() -> sa.Select[Any]:
    """Whom the waiting messages are written to: contact_id, address, name, city of every contact with a planned message. Personal."""
    waiting = sa.select(RAW_MESSAGE.c.contact_id).where(RAW_MESSAGE.c.state == "planned")
    return sa.select(CONTACT.c.contact_id, CONTACT.c.email.label("address"), CONTACT.c.name, CONTACT.c.city).where(
        CONTACT.c.contact_id.in_(waiting)
    )


def _constants(campaign: Campaign, night: Night, occurrence: int) -> dict[str, sa.ColumnElement[Any]]:
    return {
        "campaign_id": sa.literal(campaign.id),
        "step_id": sa.literal(STEP),
        "occurrence": sa.literal(occurrence),
        "channel": sa.literal(campaign.channel),
        "purpose": sa.literal(campaign.purpose),
        "priority": sa.literal(PRIORITY[campaign.purpose]),
        "business_on": on(night.business_on),
        "planned_at": at(planned_at(night)),
        "not_before": at(not_before(campaign, night)),
        "expires_at": at(expires_at(campaign, night)),
    }


def _persons(campaign: Campaign, night: Night, occurrence: int) -> sa.Select[Any]:
    """The audience with address, stage and `refusal`, the first reason that the person alone gives; NULL for none."""
    member = audience(campaign).cte("audience")
    address = sa.func.nullif(sa.func.trim(ADDRESS[campaign.channel]), "", type_=sa.String)
    joined = member.outerjoin(CONTACT, CONTACT.c.contact_id == member.c.contact_id).outerjoin(
        LIFECYCLE, LIFECYCLE.c.contact_id == member.c.contact_id
    )
    known = (
        sa.select(
            member.c.contact_id,
            address.label("address"),
            hashed_address(campaign.channel, address).label("address_hash"),
            LIFECYCLE.c.stage,
        )
        .select_from(joined)
        .cte("known")
    )
    refusal = sa.cast(sa.case(*_reasons(known, campaign, night, occurrence), else_=sa.null()), sa.String)
    return sa.select(
        known, refusal.label("refusal"), _mailbox_taken(known, campaign, night, occurrence).label("is_taken")
    )


def _reasons(
    known: sa.CTE, campaign: Campaign, night: Night, occurrence: int
) -> list[tuple[sa.ColumnElement[bool], str]]:
    """What each person's own facts say, in the order of the reasons."""
    consented = sa.select(CONSENT.c.contact_id).where(
        CONSENT.c.channel == campaign.channel, CONSENT.c.purpose == campaign.purpose, CONSENT.c.is_granted
    )
    suppressed = sa.select(RAW_SUPPRESSION.c.address_hash).where(
        RAW_SUPPRESSION.c.channel == campaign.channel, RAW_SUPPRESSION.c.at <= at(night.cutoff_at)
    )
    planned = _earlier(RAW_MESSAGE.c.contact_id, campaign, night).where(RAW_MESSAGE.c.occurrence == occurrence)
    reasons = [(known.c.contact_id.in_(planned), "already_planned"), (known.c.address.is_(None), "no_address")]
    if campaign.purpose == "marketing":
        reasons.append((known.c.contact_id.not_in(consented), "no_consent"))
    if campaign.purpose != "operational":
        reasons.append((known.c.address_hash.in_(suppressed), "suppressed"))
    if campaign.purpose == "marketing":
        reasons.append((known.c.contact_id.in_(taken_over(night, planned_at(night))), "human_takeover"))
    off_stage = sa.or_(known.c.stage.is_(None), known.c.stage.not_in(campaign.brief.stages))
    return [*reasons, (off_stage, "stage")]


def _decision(person: sa.CTE, is_held_back: bool) -> sa.ColumnElement[str]:
    """Of several people with one mailbox who all could be written to, the lowest contact_id is."""
    place = sa.func.row_number().over(
        partition_by=(person.c.address_hash, person.c.refusal.is_(None)), order_by=person.c.contact_id
    )
    return sa.case(
        (person.c.refusal.is_not(None), person.c.refusal),
        (sa.or_(person.c.is_taken, place > 1), "duplicate_address"),
        else_="held" if is_held_back else INTENT,
    )


def _mailbox_taken(known: sa.CTE, campaign: Campaign, night: Night, occurrence: int) -> sa.ColumnElement[bool]:
    """Whether an earlier night of the campaign planned a message to the same mailbox."""
    taken = _earlier(RAW_MESSAGE.c.address_hash, campaign, night).where(RAW_MESSAGE.c.occurrence == occurrence)
    return sa.func.coalesce(known.c.address_hash.in_(taken), sa.false())


def _planned_before(campaign: Campaign, night: Night) -> sa.ScalarSelect[Any]:
    counted = sa.func.count(sa.distinct(RAW_MESSAGE.c.contact_id))
    return _earlier(counted, campaign, night).scalar_subquery()


def _earlier(column: sa.ColumnElement[Any], campaign: Campaign, night: Night) -> sa.Select[Any]:
    """A column of the campaign's messages that nights before this one planned."""
    return sa.select(column).where(
        RAW_MESSAGE.c.campaign_id == campaign.id,
        RAW_MESSAGE.c.step_id == STEP,
        RAW_MESSAGE.c.business_on < on(night.business_on),
    )


def _message_id(campaign: Campaign, contact_id: sa.ColumnElement[str], occurrence: int) -> sa.ColumnElement[str]:
    text = sa.literal(f"{campaign.id}|") + contact_id + sa.literal(f"|{STEP}|{occurrence}")
    return sa.func.substr(sa.func.sha256(text), 1, ID_LENGTH, type_=sa.String)
