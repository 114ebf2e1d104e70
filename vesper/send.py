"""Send decisions: which campaigns run tonight, and for every person who is to get something one intent or the reason for none.

What belongs here: the plan of one sending as a Select, the ids of messages, the people a waiting message is written to. What does not: what a
person's own facts say (`send_person.py`), which content and channel a matrix has for whom (`send_content.py`), the circle of people of a state
(`rollout.py`), and what may change until the moment of sending (caps, consent now, suppression now: `warehouse/ledger/dispatch.py` checks again).

A plan is a pure function: it reads the ledger's copies only as far as they were before its instant, so a second run of the same night gives
the same plan, and the ledger's unique keys make it a plan without news.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from vesper.clock import at as moment
from vesper.clock import instant, on
from vesper.experiment.assign import WAITS as EXPERIMENT
from vesper.experiment.given import ARM_COLUMNS, WAITS
from vesper.experiment.holdout import HELD_OUT, HOLDOUT
from vesper.held import held_sources, is_held
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.from_matrix import FromMatrix
from vesper.model.lifecycle import Lifecycle
from vesper.model.outreach import RUNNING, Outreach
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.rollout import is_inside, is_named
from vesper.send_content import held_by_matrix
from vesper.send_limits import limits_of
from vesper.send_person import Sending, channels_of, mailbox_message, people_known, planned_at, reasons
from vesper.stage_report import Balance
from vesper.zone import every_zone, zones_of

__all__ = ["INTENT", "REFUSALS", "STEP", "Sending", "audience", "campaigns_of", "plan", "planned_at", "sending_of"]

STEP = "send"
FIRST = 1
PRIORITY = {"operational": 0, "requested": 1, "marketing": 2}
RANKS = 100
ID_LENGTH = 26

INTENT = "intent"
REFUSALS = (
    "already_planned",
    "gap",
    "no_address",
    "no_consent",
    "suppressed",
    "age",
    "human_takeover",
    "complaints",
    "stage",
    "personalisation",
    "no_variant",
    "duplicate_address",
    "no_window",
    "held",
    "paused",
    "pilot",
    "partial",
    "holdout",
    "experiment",
    "over_max_people",
    "deviation",
)
"""Why a plan writes to nobody, in the order in which they are looked at. Journeys and the moment of sending have some of their own."""
HOLDS = ("over_max_people", "deviation")
"""Reasons that hold a whole campaign (R107)."""
Expression = sa.ColumnElement[Any]


def sending_of(campaign: Campaign, is_paused: bool = False) -> Sending:
    """What a campaign sends: its one step."""
    return Sending(campaign, STEP, campaign.channel, campaign.content, campaign.purpose, is_paused=is_paused)


def campaigns_of(night: Night) -> list[Campaign]:
    """The campaigns that make messages tonight, by id: in a running state and inside their dates."""
    running = night.definitions.of(Campaign).values()
    return [c for c in running if c.state in RUNNING and c.starts_on <= night.business_on <= c.ends_on]


def expires_at(outreach: Outreach, night: Night, at: dt.datetime) -> dt.datetime:
    """When a message stops making sense: max_lateness after its planning, or the end of the day after the last night, so that the last
    night's plan meets a window."""
    last = instant(outreach.ends_on + dt.timedelta(days=2), dt.time(), night.zone)
    return min(last, at + outreach.max_lateness.timedelta) if outreach.max_lateness else last


def not_before(
    sending: Sending, night: Night, at: dt.datetime, zone: str | None = None, channel: str | None = None
) -> dt.datetime | None:
    """The next instant, from planning on, that lies in a window of the sending in every zone that a person may be in (R82, R113); None where
    there is none before the message expires. `zone` is what `zone_of` says of the person, `channel` is theirs where a matrix says it."""
    zones = zones_of(zone, night.definitions, night.zone)
    own = sending.outreach.windows
    opening = limits_of(
        night.definitions, zones, sending.purpose, None, own, channel or sending.channel or ""
    ).in_window(at)
    return opening if opening and opening <= expires_at(sending.outreach, night, at) else None


def message_id(campaign_id: str, contact_id: str, step_id: str = STEP, occurrence: int = FIRST) -> str:
    """The id of a message: the first 26 hex digits of sha256 over `campaign|contact|step|occurrence`. The same in SQL below."""
    text = f"{campaign_id}|{contact_id}|{step_id}|{occurrence}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def audience(campaign: Campaign) -> sa.Select[Any]:
    """Everybody the campaign is meant for: the members of its segment, one row each (contact_id, occurrence)."""
    members = sa.select(SEGMENT_MEMBER.c.contact_id).distinct().where(SEGMENT_MEMBER.c.segment_id == campaign.segment)
    return members.add_columns(sa.literal(FIRST).label("occurrence"))


def unknown_behind(outreach: Outreach, night: Night) -> list[str]:
    """The sources with a hole tonight behind the segment, or behind the stages that it tells apart: nobody new is written to (R106)."""
    segment = night.definitions.of(Segment).get(outreach.segment) if isinstance(outreach, Campaign) else None
    asked = [segment.members] if segment else []
    for lifecycle in night.definitions.of(Lifecycle).values():
        stages = lifecycle.stages or ()
        if {stage.id for stage in stages} - set(outreach.brief.stages):
            asked += [stage.when for stage in stages]
    return sorted({name for one in asked if is_held(one, night) for name in held_sources(one, night)})


def plan(sending: Sending, people: sa.Select[Any], night: Night, at: dt.datetime | None = None) -> sa.Select[Any]:
    """Exactly one row for each row of `people` (contact_id, occurrence, and inbox_id where the inbox asked for it): `decision` is `intent`
    or the reason why not (one of REFUSALS), `detail` what exactly blocked it.

    The columns are those of the ledger's message, plus `address` (personal: in memory only), `decision` and `detail`. `occurrence` says which
    time a contact entered. `at` is the instant of planning (UTC); 21:00 of the business date where it is missing. More people than
    `max_people`, counted with those of earlier plans, or another number than was approved, and nobody new is written to (R107).
    """
    at = at or planned_at(night)
    person = _persons(sending, people, night, at).cte("person")
    placed = _placed(sending, person, night).cte("placed")
    judged = _judged(sending, placed).cte("judged")
    counted = _counted(judged).cte("counted")
    decision, detail = _decision(sending, counted)
    constants = _constants(sending, night, at) | {name: counted.c[name] for name in ("channel", "content_id")}
    return sa.select(
        _message_id(sending, counted.c.contact_id, counted.c.occurrence).label("message_id"),
        counted.c.contact_id,
        counted.c.occurrence,
        counted.c.address,
        counted.c.address_hash,
        counted.c.stage.label("stage_at_plan"),
        counted.c.inbox_id,
        counted.c.zone,
        counted.c.variant,
        sa.func.coalesce(counted.c.not_before, moment(expires_at(sending.outreach, night, at))).label("not_before"),
        decision.label("decision"),
        sa.cast(detail, sa.String).label("detail"),
        *[counted.c[name] for name in ARM_COLUMNS if name in counted.c],
        *[value.label(name) for name, value in constants.items()],
    ).order_by(counted.c.contact_id, counted.c.occurrence)


def without_address(planned: sa.Select[Any]) -> sa.Select[Any]:
    """A plan as it may be kept: all but the address."""
    made = planned.subquery("made")
    return sa.select(*[column for column in made.c if column.name != "address"])


def decisions_of(planned: sa.FromClause) -> sa.Select[Any]:
    """Of a plan's rows: decision, people, and one detail of it; of a hold all details are the same."""
    return (
        sa.select(planned.c.decision, sa.func.count().label("people"), sa.func.min(planned.c.detail).label("detail"))
        .group_by(planned.c.decision)
        .order_by(planned.c.decision)
    )


def balance(outreach: Outreach, audience_count: int, people_by_decision: Mapping[str, int]) -> Balance:
    """Conservation: everybody of the audience is an intent or a refusal."""
    return Balance(outreach.id, audience_count, dict(people_by_decision))


def definition_hash(sending: Sending, night: Night) -> str | None:
    """The version that plans: the sending's own, or the one in force tonight."""
    kind = "campaigns" if isinstance(sending.outreach, Campaign) else "journeys"
    return sending.definition_hash or night.definitions.hashes.get(f"{kind}/{sending.outreach.id}")


def _constants(sending: Sending, night: Night, at: dt.datetime) -> dict[str, Expression]:
    outreach = sending.outreach
    return {
        "campaign_id": sa.literal(outreach.id),
        "step_id": sa.literal(sending.step_id),
        "purpose": sa.literal(sending.purpose),
        "priority": sa.literal(PRIORITY[sending.purpose] * RANKS + RANKS - 1 - outreach.priority),
        "business_on": on(night.business_on),
        "planned_at": moment(at),
        "expires_at": moment(expires_at(outreach, night, at)),
        "definition_hash": sa.cast(definition_hash(sending, night), sa.String),
    }


def _persons(sending: Sending, people: sa.Select[Any], night: Night, at: dt.datetime) -> sa.Select[Any]:
    """What is known of the people, with `refusal` and `detail` of the first reason that the person alone gives; NULL for none."""
    known = people_known(sending, people, night, at).cte("known")
    taken = mailbox_message(sending, at).cte("taken")
    found = reasons(known, sending, night, at)
    same = sa.and_(taken.c.address_hash == known.c.address_hash, taken.c.occurrence == known.c.occurrence)
    return sa.select(
        known,
        sa.cast(sa.case(*[(holds, word) for holds, word, _ in found], else_=sa.null()), sa.String).label("refusal"),
        sa.cast(sa.case(*[(holds, _text(what)) for holds, _, what in found], else_=sa.null()), sa.String).label(
            "detail"
        ),
        taken.c.message_id.label("taken_by"),
        _openings_on(sending, night, at, known).label("not_before"),
    ).select_from(known.outerjoin(taken, same))


def _openings_on(sending: Sending, night: Night, at: dt.datetime, known: sa.CTE) -> Expression:
    """SQL: `not_before` by the zone of each person, and by their channel where a matrix says it."""
    channels = channels_of(sending, night)
    if not isinstance(sending.content, FromMatrix):
        return _openings(sending, night, at, known.c.zone)
    by_channel = {channel: _openings(sending, night, at, known.c.zone, channel) for channel in channels}
    return sa.case(by_channel, value=known.c.channel, else_=_moment(None)) if by_channel else _moment(None)


def _openings(
    sending: Sending, night: Night, at: dt.datetime, zone: Expression, channel: str | None = None
) -> Expression:
    """SQL: `not_before` by the zone of each person."""
    by_opening: dict[dt.datetime | None, list[str]] = {}
    for name in every_zone():
        by_opening.setdefault(not_before(sending, night, at, name, channel), []).append(name)
    unknown = not_before(sending, night, at, None, channel)
    by_opening.pop(unknown, None)
    known = [(zone.in_(names), _moment(opening)) for opening, names in by_opening.items()]
    return sa.case(*known, else_=_moment(unknown)) if known else _moment(unknown)


def _placed(sending: Sending, person: sa.CTE, night: Night) -> sa.Select[Any]:
    """Of several people with one mailbox who all could be written to, the lowest contact_id is; `own` is the decision so far."""
    box, id = (person.c.address_hash, person.c.occurrence, person.c.refusal.is_(None)), person.c.contact_id
    place = sa.func.row_number().over(partition_by=box, order_by=id)
    first = sa.func.first_value(id).over(partition_by=box, order_by=id)
    sources = unknown_behind(sending.outreach, night)
    if isinstance(sending.content, FromMatrix):
        sources = sorted({*sources, *held_by_matrix(sending.content, night)})
    found: list[tuple[Expression, Any, Expression | None]] = [
        (person.c.refusal.is_not(None), person.c.refusal, person.c.detail),
        (
            sa.or_(person.c.taken_by.is_not(None), place > 1),
            "duplicate_address",
            sa.func.coalesce(person.c.taken_by, first),
        ),
        (person.c.not_before.is_(None), "no_window", person.c.zone),
    ]
    found += [(sa.true(), "held", sa.literal(", ".join(sources)))] if sources else []
    found += [(sa.true(), "paused", None)] if sending.is_paused else []
    rest = [column for column in person.c if column.name not in ("refusal", "detail", "taken_by")]
    return sa.select(
        *rest,
        sa.case(*[(holds, word) for holds, word, _ in found], else_=INTENT).label("own"),
        sa.cast(sa.case(*[(holds, _text(what)) for holds, _, what in found], else_=sa.null()), sa.String).label(
            "detail"
        ),
    )


def _judged(sending: Sending, placed: sa.CTE) -> sa.Select[Any]:
    """With `is_new`, an intent to somebody not reached before, and `is_inside`, whether the circle of the state holds the person."""
    outreach, is_new = sending.outreach, sa.and_(placed.c.own == INTENT, placed.c.reached_place.is_(None))
    is_new = sa.and_(is_new, placed.c[HELD_OUT].is_(None)) if HELD_OUT in placed.c else is_new
    may_be_pilot = is_named(outreach, placed.c.contact_id) if outreach.pilot.names_people else sa.true()
    order = (placed.c.bucket, placed.c.contact_id)
    new_place = sa.func.row_number().over(partition_by=(is_new, may_be_pilot), order_by=order)
    inside = is_inside(outreach, placed.c.contact_id, placed.c.reached_place, new_place, placed.c.reached_count)
    return sa.select(placed, is_new.label("is_new"), inside.label("is_inside"))


def _counted(judged: sa.CTE) -> sa.Select[Any]:
    """With `most`, the people whom the outreach would have reached in state full, and `reach`, those whom it reaches in its own."""
    new, inside = _number(judged.c.is_new), _number(sa.and_(judged.c.is_new, judged.c.is_inside))
    return sa.select(
        judged,
        (judged.c.reached_count + new).label("most"),
        (judged.c.reached_count + inside).label("reach"),
    )


def _number(holds: Expression) -> Expression:
    """How many rows of all a condition holds for. Not `count(*) filter`: over all rows DuckDB counts it anew for each of them."""
    return sa.cast(sa.func.sum(sa.case((holds, 1), else_=0)).over(), sa.Integer)


def _decision(sending: Sending, counted: sa.CTE) -> tuple[Expression, Expression]:
    """The decision on each row, and its detail."""
    outreach = sending.outreach
    found: list[tuple[Expression, Any, Expression | None]] = [
        (counted.c.own != INTENT, counted.c.own, counted.c.detail),
        (sa.not_(counted.c.is_inside), sa.literal(outreach.state), None),
    ]
    if HELD_OUT in counted.c:
        found.append((counted.c[HELD_OUT].is_not(None), HOLDOUT, counted.c[HELD_OUT]))
    if WAITS in counted.c:
        found.append((counted.c[WAITS], EXPERIMENT, None))
    is_over = sa.and_(counted.c.is_new, counted.c.reach > outreach.max_people)
    found.append((is_over, "over_max_people", _words(counted.c.reach, f" > {outreach.max_people}")))
    if isinstance(outreach, Campaign) and outreach.approved_people:
        approved, share = outreach.approved_people, outreach.deviation
        is_off = sa.func.abs(counted.c.most - approved) > approved * share
        found.append((is_off, "deviation", _words(counted.c.most, f" / {approved} ± {share:.0%}")))
    decision = sa.case(*[(holds, word) for holds, word, _ in found], else_=INTENT)
    return decision, sa.case(*[(holds, _text(what)) for holds, _, what in found], else_=sa.null())


def _words(count: Expression, rest: str) -> Expression:
    return sa.cast(count, sa.String) + sa.literal(rest)


def _text(what: Expression | None) -> Expression:
    return sa.cast(sa.null() if what is None else what, sa.String)


def _moment(opening: dt.datetime | None) -> Expression:
    return moment(opening) if opening else sa.cast(sa.null(), sa.DateTime)


def _message_id(sending: Sending, contact_id: Expression, occurrence: Expression) -> Expression:
    step = sa.literal(f"|{sending.step_id}|")
    text = sa.literal(f"{sending.outreach.id}|") + contact_id + step + sa.cast(occurrence, sa.String)
    return sa.func.substr(sa.func.sha256(text), 1, ID_LENGTH, type_=sa.String)
