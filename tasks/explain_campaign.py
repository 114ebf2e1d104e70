"""A campaign taken apart, in markdown: its audience by night, who was refused and why, what waits and until when, what it brought.

What belongs here: the sections of the answer and their words. What does not: finding out which campaign is meant (`tasks/explain.py`) and
the Selects over the published tables (`vesper/explain.py`).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import Asked, asking, night_line, page, section, table
from vesper import explain as ask
from vesper.model.campaign import Campaign
from vesper.model.matrix import Matrix
from vesper.model.outreach import Outreach
from vesper.sent import contents_behind, sent_by
from vesper.wording import figure
from warehouse.ledger.journey_schema import JOURNEY_ENTRY
from warehouse.ledger.outbox import Standing, standing
from warehouse.ledger.schema import ATTEMPT, MESSAGE, REFUSAL
from warehouse.ledger.send_stop import is_stopped

NIGHTS = 7


def about_campaign(asked: Asked, id: str) -> str:
    _ = asked._
    own = asked.outreaches.get(id)
    reported = asked.rows(ask.campaign(id))
    title = own.title(asked.language) if own else reported[0].name
    parts = [_own(asked, own), *_sending(asked, own)] if own else [_reported(asked, reported[0])]
    return page(f"{id} · {title}", night_line(asked), *parts, section(_("What it brought"), _effect(asked, id)))


def _own(asked: Asked, own: Outreach) -> str:
    _ = asked._
    facts = {
        _("what it is"): own.says.of(asked.language),
        _("owner"): own.owner,
        _("series"): own.series,
        _("state"): asked.word(own.state),
        _("nights"): f"{own.starts_on} - {own.ends_on}",
        _("purpose"): asked.word(own.purpose),
        _("at most"): _("{count} people").format(count=figure(own.max_people)),
    }
    files = [*_files(own, asked.definitions("send").of(Matrix)), "policy/frequency"]
    decided = "; ".join(asked.decided_by("send", name) for name in files)
    return "\n".join(f"- {name}: {value}" for name, value in {**facts, _("decided by"): decided}.items())


def _files(own: Outreach, matrices: Mapping[str, Matrix]) -> list[str]:
    """The definitions that it is made of; what a matrix may have for somebody stands behind the matrix."""
    first = [f"campaigns/{own.id}", f"segments/{own.segment}"] if isinstance(own, Campaign) else [f"journeys/{own.id}"]
    contents = {f"content/{id}" for sent in sent_by(own) for id, _channels in contents_behind(sent, matrices)}
    return [*first, *sorted({sent.name for sent in sent_by(own)} | contents)]


def _sending(asked: Asked, own: Outreach) -> Iterable[str]:
    _ = asked._
    if isinstance(own, Campaign):
        members = asked.rows(ask.members_of(own.segment))[0][0]
        said = _("Segment {segment} has {count} members.").format(segment=own.segment, count=figure(members))
        yield section(_("Audience"), said + "\n\n" + _nights(asked, own.id))
    else:
        yield section(_("People on the way"), _people(asked, own.id))
        yield section(_("Messages by night"), _nights(asked, own.id))
    states = [one for one in standing(asked.house.engine) if one.campaign_id == own.id]
    yield section(_("Messages"), _states(asked, own.id, states))


def _people(asked: Asked, id: str) -> str:
    """Of a journey: how many stand at each step, and how it ended for the others."""
    _ = asked._
    entry, count = JOURNEY_ENTRY.c, sa.func.count()
    key = (entry.state, entry.step_id)
    counted = (
        sa.select(*key, count, sa.func.min(entry.due_at)).where(entry.journey_id == id).group_by(*key).order_by(*key)
    )
    rows = [
        [asked.word(state), step, figure(people), asked.time(due) if state == "active" else "-"]
        for state, step, people, due in asked.ledger(counted)
    ]
    return table([_(word) for word in ("state", "step", "people", "first limit")], rows) or _("Nobody has entered yet.")


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


def _states(asked: Asked, id: str, states: Sequence[Standing]) -> str:
    _ = asked._
    rows = [
        [asked.word(one.state), asked.word(one.reason), figure(one.people), asked.time(one.next_at)] for one in states
    ]
    waiting = table([_("state"), _("reason"), _("people"), _("next send")], rows)
    return "\n\n".join(filter(None, [waiting, " ".join(_outlook(asked, id, states))]))


def _outlook(asked: Asked, id: str, states: Sequence[Standing]) -> Iterable[str]:
    """When the next message goes, how fast they go and how long that takes; what stops them."""
    _ = asked._
    times = [one.next_at for one in states if one.next_at]
    yield _("Next send: {at}.").format(at=asked.time(min(times))) if times else _("Nothing waits to be sent.")
    left, pace = sum(one.people for one in states if one.next_at), _pace(asked, id)
    if left and pace:
        minutes = -(-left // pace)
        yield _(
            "In its last busy minute {pace} went; the {left} that wait take about {minutes} minutes of an open window."
        ).format(pace=figure(pace), left=figure(left), minutes=figure(minutes))
    unknown = sum(one.people for one in states if one.state == "unknown")
    if unknown:
        yield _(
            "{count} may or may not have arrived; they are never sent again by themselves. `vesper reconcile` looks."
        ).format(count=figure(unknown))
    if is_stopped(asked.house.engine):
        yield _("Sending is stopped; every message waits until it is resumed.")
    if is_stopped(asked.house.engine, id):
        yield _("It is paused; its messages wait until it is resumed.")


def _pace(asked: Asked, id: str) -> int:
    """Wire calls in the minute before the newest one, itself included."""
    mine = sa.select(ATTEMPT.c.started_at).join(MESSAGE, MESSAGE.c.message_id == ATTEMPT.c.message_id)
    newest = asked.ledger(
        sa.select(sa.func.max(mine.where(MESSAGE.c.campaign_id == id).subquery("calls").c.started_at))
    )
    if not newest or newest[0][0] is None:
        return 0
    since = newest[0][0] - dt.timedelta(minutes=1)
    calls = mine.where(MESSAGE.c.campaign_id == id, ATTEMPT.c.started_at > since).subquery("calls")
    return int(asked.ledger(sa.select(sa.func.count()).select_from(calls))[0][0])


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
    return table(heads, rows) or _("Nothing is measured yet: the stage watch measures at the end of each night.")


def campaign_pages(root: Path) -> dict[str, str]:
    """The page of every campaign and journey that runs, pilots or is stopped, by id: what the dashboard shows after each night."""
    with asking(root) as asked:
        shown = [id for id, own in sorted(asked.outreaches.items()) if own.state != "draft"]
        return {id: about_campaign(asked, id) for id in shown}
