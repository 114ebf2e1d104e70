"""A campaign taken apart, in markdown: its audience by night, who was refused and why, what waits and until when, what it brought.

What belongs here: the sections of the answer and their words. What does not: finding out which campaign is meant (`tasks/explain.py`) and
the Selects over the published tables (`vesper/explain.py`).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import Asked, night_line, page, section, table
from vesper import explain as ask
from vesper.model.campaign import Campaign
from vesper.wording import figure
from warehouse.ledger.outbox import Standing, standing
from warehouse.ledger.schema import MESSAGE, REFUSAL
from warehouse.ledger.send_stop import is_stopped

NIGHTS = 7


def about_campaign(asked: Asked, id: str) -> str:
    _ = asked._
    own = asked.definitions("send").of(Campaign).get(id)
    reported = asked.rows(ask.campaign(id))
    title = own.title(asked.language) if own else reported[0].name
    parts = [_own_campaign(asked, own), *_sending(asked, own)] if own else [_reported(asked, reported[0])]
    return page(f"{id} · {title}", night_line(asked), *parts, section(_("What it brought"), _effect(asked, id)))


def _own_campaign(asked: Asked, own: Campaign) -> str:
    _ = asked._
    facts = {
        _("what it is"): own.says.of(asked.language),
        _("owner"): own.owner,
        _("series"): own.series,
        _("state"): own.state,
        _("nights"): f"{own.starts_on} - {own.ends_on}",
        _("channel"): f"{own.channel}, {asked.word(own.purpose)}",
        _("at most"): _("{count} people").format(count=figure(own.max_people)),
    }
    files = [f"campaigns/{own.id}", f"segments/{own.segment}", f"content/{own.content}", "policy/frequency"]
    decided = "; ".join(asked.decided_by("send", name) for name in files)
    return "\n".join(f"- {name}: {value}" for name, value in {**facts, _("decided by"): decided}.items())


def _sending(asked: Asked, own: Campaign) -> Iterable[str]:
    _ = asked._
    members = asked.rows(ask.members_of(own.segment))[0][0]
    said = _("Segment {segment} has {count} members.").format(segment=own.segment, count=figure(members))
    yield section(_("Audience"), said + "\n\n" + _nights(asked, own.id))
    states = [one for one in standing(asked.house.engine) if one.campaign_id == own.id]
    yield section(_("Messages"), _states(asked, states))


def _nights(asked: Asked, id: str) -> str:
    """Of each of the last nights: the audience, and how it split into intents and refusals by reason."""
    _ = asked._
    count = sa.func.count()
    intents = sa.select(MESSAGE.c.business_on, count).where(MESSAGE.c.campaign_id == id).group_by(MESSAGE.c.business_on)
    nights: dict[dt.date, Counter[str]] = defaultdict(Counter)
    for on, number in asked.ledger(intents):
        nights[on]["intent"] = number
    key = (REFUSAL.c.business_on, REFUSAL.c.reason)
    for on, reason, number in asked.ledger(sa.select(*key, count).where(REFUSAL.c.campaign_id == id).group_by(*key)):
        nights[on][reason] += number
    rows = [
        [
            figure(on),
            figure(split.total()),
            figure(split["intent"]),
            ", ".join(f"{asked.word(r)} {figure(n)}" for r, n in split.most_common() if r != "intent") or "-",
        ]
        for on, split in sorted(nights.items(), reverse=True)[:NIGHTS]
    ]
    heads = [_("night"), _("audience"), _("intents"), _("refused, by reason")]
    return table(heads, rows) or _("No night has planned this campaign yet.")


def _states(asked: Asked, states: Sequence[Standing]) -> str:
    _ = asked._
    rows = [
        [asked.word(one.state), asked.word(one.reason), figure(one.people), asked.time(one.next_at)] for one in states
    ]
    times = [one.next_at for one in states if one.next_at]
    lines = [_("Next send: {at}.").format(at=asked.time(min(times)))] if times else [_("Nothing waits to be sent.")]
    if is_stopped(asked.house.engine):
        lines.append(_("Sending is stopped; every message waits until it is resumed."))
    waiting = table([_("state"), _("reason"), _("people"), _("next send")], rows)
    return "\n\n".join(filter(None, [waiting, " ".join(lines)]))


def _reported(asked: Asked, row: Any) -> str:
    said = asked._("A campaign that a source reports: {kind}, {first} - {last}. Vesper sends nothing for it.")
    return said.format(kind=row.kind, first=row.starts_on, last=row.ends_on)


def _effect(asked: Asked, id: str) -> str:
    _ = asked._
    names = (
        "mailed_count",
        "delivered_count",
        "responded_count",
        "response_ratio",
        "converted_count",
        "revenue",
        "roi_ratio",
    )
    rows = [
        [row.channel, *[figure(getattr(row, name), name) for name in names], row.definition_hash or "-"]
        for row in asked.rows(ask.effect(id))
    ]
    heads = [_("channel"), *[_(name.replace("_", " ")) for name in names], _("hash")]
    return table(heads, rows) or _("It has reached nobody yet.")
