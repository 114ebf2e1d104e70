"""What sales read: a mail or a line in the group for people, JSON for a CRM (R66, R113).

What belongs here: words and shape, as pure functions. What does not: who is told when (`handover_notices.py`), the wire. People are shown by masked
names and by the number of the hand-over; the CRM gets the fields that policy/sales allows.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from vesper.clock import local_time
from vesper.handover_profile import Profile
from vesper.language import Translate
from vesper.model.sales import SalesPolicy
from vesper.privacy import mask_name

REASONS_SHOWN = 5
CONTACTS_SHOWN = 50
IN_THE_GROUP = 15


@dataclass(frozen=True)
class Told:
    """One notice with what it speaks of. `reasons` are (rule, its title, points), the weightiest first; instants are UTC."""

    notice_id: str
    recipient: str
    kind: str
    handover_id: str
    contact_id: str
    score: int
    cause: str
    owner: str | None
    due_at: dt.datetime
    reasons: Sequence[tuple[str, str, int]]
    profile: Profile


def subject(told: Sequence[Told], _: Translate) -> str:
    """One line that says how many of what."""
    counts = {kind: sum(one.kind == kind for one in told) for kind in ("new", "takeover", "unassigned", "withdrawn")}
    said = [
        (_("{count} handed over to you"), counts["new"]),
        (_("{count} to talk to in person"), counts["takeover"]),
        (_("{count} for whom nobody has room"), counts["unassigned"]),
        (_("{count} withdrawn"), counts["withdrawn"]),
    ]
    return _("Vesper: ") + ", ".join(line.format(count=count) for line, count in said if count)


def text(told: Sequence[Told], policy: SalesPolicy, zone: str, _: Translate) -> str:
    """The mail: a paragraph for each contact, then how to answer."""
    paragraphs = ["\n".join(_lines(one, policy, zone, _)) for one in told[:CONTACTS_SHOWN]]
    paragraphs += _more(len(told) - CONTACTS_SHOWN, _)
    codes = ", ".join(policy.reject_reasons)
    answer = _("Answer each with accepted or rejected, and a code where you reject: {codes}.").format(codes=codes)
    return "\n\n".join([*paragraphs, answer]) + "\n"


def html(plain: str) -> str:
    """The same mail for programmes that show HTML."""
    return "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in plain.strip().split("\n\n"))


def group_message(told: Sequence[Told], policy: SalesPolicy, zone: str, _: Translate) -> str:
    """The line in the team's group: short, by owner, without names of people."""
    lines = [f"**{subject(told, _)}**"]
    for one in told[:IN_THE_GROUP]:
        owner = policy.team[one.owner].name if one.owner in policy.team else _("nobody yet")
        line = _("{what}: {number}, score {score}, {owner}, answer by {due}")
        lines.append(
            "> "
            + line.format(
                what=_kind(one, _),
                number=one.handover_id,
                score=one.score,
                owner=owner,
                due=_moment(one.due_at, zone),
            )
        )
    return "\n".join([*lines, *_more(len(told) - IN_THE_GROUP, _)])


def payload(told: Told, policy: SalesPolicy) -> dict[str, Any]:
    """What a CRM or a call system gets: the hand-over with campaigns, behaviours, score and reasons (R66)."""
    fields = policy.notices.webhook.fields if policy.notices.webhook else ()
    owner = policy.team.get(told.owner or "")
    return {
        "event": f"handover.{told.kind}",
        "notice_id": told.notice_id,
        "handover_id": told.handover_id,
        "contact_id": told.contact_id,
        "contact": {name: told.profile.person.get(name) for name in fields},
        "score": told.score,
        "cause": told.cause,
        "reasons": [{"rule": rule, "says": title, "points": points} for rule, title, points in told.reasons],
        "campaigns": [_dated(row) for row in told.profile.campaigns],
        "behaviours": [_dated(row) for row in told.profile.behaviours],
        "owner": {"id": told.owner, "name": owner.name, "email": owner.email} if owner else None,
        "due_at": told.due_at.isoformat() + "Z",
    }


def _lines(one: Told, policy: SalesPolicy, zone: str, _: Translate) -> list[str]:
    person = one.profile.person
    who = [mask_name(person.get("name")), person.get("company"), person.get("job_title"), person.get("city")]
    lines = [f"{_kind(one, _)}: {', '.join(part for part in who if part) or one.contact_id}"]
    lines.append(_("Number {number}, score {score}.").format(number=one.handover_id, score=one.score))
    if one.kind == "withdrawn":
        return [*lines, _("Do not follow it up any more.")]
    why = [f"{title} ({points:+d})" for _rule, title, points in one.reasons if points][:REASONS_SHOWN]
    if why:
        lines.append(_("Why: {reasons}.").format(reasons=", ".join(why)))
    did = [f"{row['kind']} {_moment(row['at'], zone)}" for row in one.profile.behaviours[:3]]
    if did:
        lines.append(_("Last seen: {events}.").format(events=", ".join(did)))
    joined = [str(row["name"] or row["campaign_id"]) for row in one.profile.campaigns[-3:]]
    if joined:
        lines.append(_("Campaigns: {names}.").format(names=", ".join(joined)))
    return [*lines, _("Answer by {due}.").format(due=_moment(one.due_at, zone))]


def _more(count: int, _: Translate) -> list[str]:
    """The best scores come first; the others stand in the sheet."""
    said = _("And {count} more: `vesper handover write FILE.xlsx` lists them all.")
    return [said.format(count=count)] if count > 0 else []


def _kind(one: Told, _: Translate) -> str:
    return {
        "new": _("New hand-over"),
        "takeover": _("Please talk to them in person"),
        "unassigned": _("Nobody has room for"),
        "withdrawn": _("Withdrawn"),
    }[one.kind]


def _moment(at: dt.datetime, zone: str) -> str:
    return f"{local_time(at, zone):%m-%d %H:%M}"


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON takes it: instants are UTC."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dt.datetime):
            shown[name] = value.isoformat() + "Z"
        else:
            shown[name] = value.isoformat() if isinstance(value, dt.date) else value
    return shown
