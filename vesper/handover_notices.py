"""Which notices a hand-over makes: to whom, by which channel, from when on (R63, R113). Written with it in one transaction.

What belongs here: notices as rows of the ledger. What does not: their words (`handover_words.py`), sending them (`tasks/handover_notices.py`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from vesper.handover_clock import leaves_at
from vesper.model.sales import SalesPolicy

NoticeKind = Literal["new", "unassigned", "takeover", "withdrawn"]
MANAGER, TEAM, CRM = "manager", "team", "crm"
NOTICE_ID_LENGTH = 26
IN_THE_CRM: tuple[NoticeKind, ...] = ("new", "takeover", "withdrawn")
"""What a CRM is told: it knows no manager."""


def notices_of(rows: Iterable[Any], policy: SalesPolicy, at: dt.datetime, zone: str) -> list[dict[str, Any]]:
    """The notices of a night's rows (of `vesper.handover.assigned`) made at an instant: new hand-overs, first owners, takeovers."""
    made: list[dict[str, Any]] = []
    for row in rows:
        owner = row.owner if row.owner in policy.team else None
        if row.is_new or (row.waits and owner):
            kind: NoticeKind = "new" if owner else "unassigned"
            made += list(_notices(row.handover_id, row.handover_id, kind, owner, policy, at, zone))
        if row.opens_task and not row.is_new:
            made += list(_notices(row.task_id, row.handover_id, "takeover", owner, policy, at, zone))
    return made


def withdrawals(
    handover_id: str, told: Iterable[tuple[str, str]], policy: SalesPolicy, at: dt.datetime, zone: str
) -> list[dict[str, Any]]:
    """One notice of withdrawal to each (channel, recipient) that may know of the hand-over."""
    return [
        _notice(handover_id, handover_id, "withdrawn", channel, recipient, at, _from(channel, policy, at, zone))
        for channel, recipient in sorted(set(told))
    ]


def _notices(
    about: str,
    handover_id: str,
    kind: NoticeKind,
    owner: str | None,
    policy: SalesPolicy,
    at: dt.datetime,
    zone: str,
) -> Iterator[dict[str, Any]]:
    recipients: list[tuple[str, str]] = []
    if policy.notices.email or owner is None:
        recipients.append(("email", owner or MANAGER))
    if policy.notices.wecom:
        recipients.append(("wecom", TEAM))
    if policy.notices.webhook and kind in IN_THE_CRM:
        recipients.append(("webhook", CRM))
    for channel, recipient in recipients:
        yield _notice(about, handover_id, kind, channel, recipient, at, _from(channel, policy, at, zone))


def _from(channel: str, policy: SalesPolicy, at: dt.datetime, zone: str) -> dt.datetime:
    """A CRM never sleeps; people have hours."""
    return at if channel == "webhook" else leaves_at(policy.calendar, policy.notices, at, zone)


def _notice(
    about: str, handover_id: str, kind: str, channel: str, recipient: str, at: dt.datetime, not_before: dt.datetime
) -> dict[str, Any]:
    text = f"{about}|{kind}|{channel}|{recipient}"
    return {
        "notice_id": hashlib.sha256(text.encode()).hexdigest()[:NOTICE_ID_LENGTH],
        "about": about,
        "handover_id": handover_id,
        "kind": kind,
        "channel": channel,
        "recipient": recipient,
        "state": "planned",
        "created_at": at,
        "not_before": not_before,
        "attempts": 0,
    }
