"""`vesper explain PERSON --campaign X`: why somebody got a message of a campaign or journey, or why not.

What belongs here: the sections of the answer. What does not: the whole person (`explain_person.py`), the whole campaign (`explain_campaign.py`),
the rules themselves: the plan of tonight is asked for this one person, so that the answer is the plan's own.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import Asked, night_line, page, section, table
from tasks.explain_experiment import arms_of
from tasks.explain_matrix import matrices
from tasks.sql import Unanswered
from tasks.trial import Trial
from vesper import explain as ask
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.journey import Journey
from vesper.model.outreach import Outreach
from vesper.night import Night
from vesper.send import FIRST, plan, sending_of
from vesper.wording import figure
from warehouse.ledger.journey_schema import JOURNEY_ENTRY, JOURNEY_VISIT
from warehouse.ledger.schema import ATTEMPT, MESSAGE, REFUSAL
from warehouse.ledger.send_stop import is_stopped


def why(asked: Asked, contact_id: str, campaign: str) -> str:
    """The answer in markdown. Raises Unanswered for a campaign that nobody knows."""
    own = asked.outreaches.get(campaign)
    if own is None:
        said = asked._("There is no campaign and no journey {word}.").format(word=campaign)
        raise Unanswered(f"{said} {', '.join(sorted(asked.outreaches)) or '-'}")
    who = asked.rows(ask.person(contact_id))[0]
    return page(
        f"{contact_id} · {who.name or '-'} · {own.title(asked.language)}",
        night_line(asked),
        "\n".join(f"- {line}" for line in _circumstances(asked, own)),
        *_contents(asked, contact_id, own),
        *arms_of(asked, contact_id, own),
        section(asked._("Messages"), _messages(asked, contact_id, own.id)),
        *_way(asked, contact_id, own),
        section(asked._("Not written to"), _refusals(asked, contact_id, own.id)),
        *_tonight(asked, contact_id, own),
    )


def _circumstances(asked: Asked, own: Outreach) -> Iterable[str]:
    _ = asked._
    yield _("state: {state}, nights {first} to {last}, {purpose}").format(
        state=asked.word(own.state), first=own.starts_on, last=own.ends_on, purpose=asked.word(own.purpose)
    )
    if is_stopped(asked.house.engine):
        yield _("Sending is stopped; every message waits until it is resumed.")
    if is_stopped(asked.house.engine, own.id):
        yield _("It is paused; its messages wait until it is resumed.")


def _contents(asked: Asked, contact_id: str, own: Outreach) -> Iterable[str]:
    """The row of the matrix that the person meets, where it sends by one."""
    met = matrices(asked, contact_id, own)
    if met:
        yield section(asked._("Contents by matrix"), met)


def _messages(asked: Asked, contact_id: str, id: str) -> str:
    """Each message with every wire call it took."""
    _ = asked._
    mine = sa.select(MESSAGE).where(MESSAGE.c.contact_id == contact_id, MESSAGE.c.campaign_id == id)
    rows = [
        [
            row.message_id,
            row.step_id,
            asked.word(row.state),
            asked.word(row.reason),
            row.detail or "-",
            asked.time(row.planned_at),
            asked.time(row.sending_at or row.not_before),
            _calls(asked, row.message_id),
        ]
        for row in asked.ledger(mine.order_by(MESSAGE.c.planned_at, MESSAGE.c.message_id))
    ]
    words = ("message", "step", "state", "reason", "what exactly", "planned at", "sent or due", "attempts")
    return table([_(word) for word in words], rows) or _("No message of it was planned for this contact.")


def _calls(asked: Asked, message_id: str) -> str:
    calls = sa.select(ATTEMPT).where(ATTEMPT.c.message_id == message_id).order_by(ATTEMPT.c.attempt_id)
    return "; ".join(
        f"{asked.time(row.started_at)} {asked.word(row.outcome)} {row.code or ''}".strip()
        for row in asked.ledger(calls)
    )


def _refusals(asked: Asked, contact_id: str, id: str) -> str:
    _ = asked._
    mine = sa.select(REFUSAL).where(REFUSAL.c.contact_id == contact_id, REFUSAL.c.campaign_id == id)
    rows = [
        [figure(row.business_on), row.step_id, asked.word(row.reason), row.detail or "-"]
        for row in asked.ledger(mine.order_by(REFUSAL.c.business_on.desc(), REFUSAL.c.step_id))
    ]
    return table([_(word) for word in ("night", "step", "reason", "what exactly")], rows) or _(
        "No night passed this contact over."
    )


def _way(asked: Asked, contact_id: str, own: Outreach) -> Iterable[str]:
    """Of a journey: each entry, and the steps gone through."""
    if not isinstance(own, Journey):
        return
    _ = asked._
    mine = JOURNEY_ENTRY.c.journey_id == own.id, JOURNEY_ENTRY.c.contact_id == contact_id
    entries = [
        [
            figure(row.occurrence),
            asked.time(row.entered_at),
            asked.word(row.state),
            row.step_id,
            asked.time(row.due_at),
            asked.word(row.reason),
        ]
        for row in asked.ledger(sa.select(JOURNEY_ENTRY).where(*mine).order_by(JOURNEY_ENTRY.c.occurrence))
    ]
    words = ("entry", "entered", "state", "step", "limit", "reason")
    yield section(
        _("On the journey"), table([_(word) for word in words], entries) or _("This contact never entered it.")
    )
    visit = JOURNEY_VISIT.c
    steps = sa.select(visit.occurrence, visit.step_id, visit.at, visit.outcome).where(
        visit.journey_id == own.id, visit.contact_id == contact_id
    )
    rows = [
        [figure(row.occurrence), row.step_id, asked.time(row.at), asked.word(row.outcome)]
        for row in asked.ledger(steps.order_by(visit.occurrence, visit.number))
    ]
    if rows:
        yield section(_("Steps"), table([_(word) for word in ("entry", "step", "reached at", "outcome")], rows))


def _tonight(asked: Asked, contact_id: str, own: Outreach) -> Iterable[str]:
    """Of a campaign: whether the contact is in its audience, and what the plan would say tonight."""
    if not isinstance(own, Campaign):
        return
    _ = asked._
    member = sa.select(sa.func.count()).where(
        SEGMENT_MEMBER.c.segment_id == own.segment, SEGMENT_MEMBER.c.contact_id == contact_id
    )
    if not asked.rows(member)[0][0]:
        said = _("Not a member of segment {segment}, so the campaign is not meant for this contact.")
        yield section(_("Audience"), said.format(segment=own.segment))
        return
    row = _planned(asked, contact_id, own)
    said = _("A member of segment {segment}. Planned now, the answer would be: {decision}.")
    why = f" {row.detail}" if row.detail else ""
    yield section(_("Audience"), said.format(segment=own.segment, decision=asked.word(row.decision)) + why)


def _planned(asked: Asked, contact_id: str, own: Campaign) -> Any:
    """The plan of tonight, for this one person."""
    on = asked.pinned[SEGMENT_MEMBER.name].business_on
    night = Night(on, asked.house.workspace, asked.definitions("send"))
    one = sa.select(sa.literal(contact_id).label("contact_id"), sa.literal(FIRST).label("occurrence"))
    sending = sending_of(own, is_stopped(asked.house.engine, own.id))
    return Trial(asked.house, asked.runner, night).rows(plan(sending, one, night))[0]
