"""What mail providers tell of a message, each in its own words, as one kind of fact (R84, rule C12).

What belongs here: from a posted body, read as JSON, to facts. What does not: whether the body is the provider's (`intake/signature.py`), and what
follows (`warehouse/ledger/provider.py`). Opens and clicks of a provider are left aside: the company's own links tell them.

| provider | id of an event | the message | came back for good | for now |
|---|---|---|---|---|
| SendGrid | sg_event_id | `message_id` of its unique arguments, else smtp-id | bounce of type `bounce`, unless the mailbox is full (x.2.2) | blocked, full |
| Mailgun | event-data.id | user-variables.message_id, else message-id | failed, severity permanent | severity temporary |
| Postmark | ID, else MessageID and time | Metadata.message_id | HardBounce, BadEmailAddress | every other bounce |
| vesper | id | message_id | bounced_hard | bounced_soft |
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["mail_delivered", "mail_bounced_hard", "mail_bounced_soft", "mail_complained", "unsubscribed"]
DELIVERED, HARD, SOFT = "mail_delivered", "mail_bounced_hard", "mail_bounced_soft"
COMPLAINED, LEFT = "mail_complained", "unsubscribed"
MOST_EVENTS = 2000
_FULL = re.compile(r"\b[45]\.2\.[12]\b")
_ID = re.compile(r"<?([A-Za-z0-9._-]{1,100})(@[^<>\s]*)?>?")


class Unreadable(ValueError):
    """A body that is not what its provider documents."""


@dataclass(frozen=True)
class Fact:
    """One thing that happened to one message. `address` is the receiver, for messages that are not known by their id."""

    id: str
    kind: str
    at: dt.datetime
    message_id: str | None
    address: str | None
    reason: str


def facts_of(provider: str, body: Any, now: dt.datetime) -> list[Fact]:
    """What a provider tells; kinds that mean nothing here are left out.

    Args:
        body: JSON as it was read.
        now: instant (UTC) of those that state none, or one that cannot be read.

    Raises Unreadable.
    """
    try:
        found = list(_READERS[provider](body, now))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from None
    return found


def _sendgrid(body: Any, now: dt.datetime) -> Iterator[Fact]:
    for event in _listed(body):
        kind = _sendgrid_kind(event)
        if kind is not None:
            known = event.get("message_id") or event.get("smtp-id")
            at = _epoch(event.get("timestamp"), now)
            yield Fact(
                _must(event["sg_event_id"]),
                kind,
                at,
                _id(known),
                _text(event.get("email")),
                _reason(event.get("reason")),
            )


def _sendgrid_kind(event: Mapping[str, Any]) -> str | None:
    word = event["event"]
    if word == "bounce":
        told = f"{event.get('status', '')} {event.get('reason', '')}"
        return SOFT if event.get("type") == "blocked" or _FULL.search(told) else HARD
    return {"delivered": DELIVERED, "spamreport": COMPLAINED, "unsubscribe": LEFT, "group_unsubscribe": LEFT}.get(word)


def _mailgun(body: Any, now: dt.datetime) -> Iterator[Fact]:
    event = body["event-data"]
    failed = HARD if event.get("severity") == "permanent" else SOFT
    words = {"delivered": DELIVERED, "complained": COMPLAINED, "unsubscribed": LEFT, "failed": failed}
    kind = words.get(event["event"])
    if kind is not None:
        headers = (event.get("message") or {}).get("headers") or {}
        known = (event.get("user-variables") or {}).get("message_id") or headers.get("message-id")
        at = _epoch(event.get("timestamp"), now)
        reason = event.get("reason") or (event.get("delivery-status") or {}).get("code")
        yield Fact(_must(event["id"]), kind, at, _id(known), _text(event.get("recipient")), _reason(reason))


def _postmark(body: Any, now: dt.datetime) -> Iterator[Fact]:
    kind, stated = _postmark_kind(body)
    if kind is None:
        return
    at = _iso(stated, now)
    id = str(body.get("ID") or f"{body['MessageID']} {body['RecordType']} {stated}")
    known = (body.get("Metadata") or {}).get("message_id")
    yield Fact(
        _must(id), kind, at, _id(known), _text(body.get("Email") or body.get("Recipient")), _reason(body.get("Type"))
    )


def _postmark_kind(body: Mapping[str, Any]) -> tuple[str | None, Any]:
    """Which fact a record is, and when it says that it happened."""
    record = body["RecordType"]
    if record == "Bounce":
        kinds = {
            "HardBounce": HARD,
            "BadEmailAddress": HARD,
            "SpamNotification": COMPLAINED,
            "SpamComplaint": COMPLAINED,
        }
        return kinds.get(body.get("Type", ""), SOFT), body.get("BouncedAt")
    if record == "SubscriptionChange":  # its suppressions after a bounce or a complaint come as these themselves
        is_left = body.get("SuppressSending") is True and body.get("SuppressionReason") == "ManualSuppression"
        return (LEFT if is_left else None), body.get("ChangedAt")
    known = {"Delivery": (DELIVERED, "DeliveredAt"), "SpamComplaint": (COMPLAINED, "BouncedAt")}
    kind, field = known.get(record, (None, ""))
    return kind, body.get(field)


def _vesper(body: Any, now: dt.datetime) -> Iterator[Fact]:
    kinds = {
        "delivered": DELIVERED,
        "bounced_hard": HARD,
        "bounced_soft": SOFT,
        "complained": COMPLAINED,
        "unsubscribed": LEFT,
    }
    for event in _listed(body["events"]):
        kind = kinds.get(event["event"])
        if kind is not None:
            message_id, address = _id(event.get("message_id")), _text(event.get("address"))
            yield Fact(
                _must(event["id"]), kind, _iso(event.get("at"), now), message_id, address, _reason(event.get("reason"))
            )


_READERS: Mapping[str, Callable[[Any, dt.datetime], Iterator[Fact]]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "vesper": _vesper,
}
PROVIDERS = tuple(_READERS)


def _listed(events: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise ValueError
    return events


def _must(id: Any) -> str:
    """An event's own id: without one, what comes twice could not be told."""
    text = _text(id)
    if not text:
        raise ValueError
    return text


def _text(value: Any) -> str | None:
    """A text that any ledger can hold."""
    if not isinstance(value, str | int):
        return None
    return "".join(letter for letter in str(value) if letter.isprintable())[:300] or None


def _reason(value: Any) -> str:
    """Why, without the address that providers like to quote."""
    return re.sub(r"\S+@\S+", "***", _text(value) or "")[:200]


def _id(value: Any) -> str | None:
    """The message of ours: a header's id is one with our domain behind it."""
    found = _ID.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else None


def _epoch(value: Any, now: dt.datetime) -> dt.datetime:
    """Seconds since 1970; never later than now, whatever a clock out there says."""
    try:
        at = dt.datetime.fromtimestamp(float(value), dt.UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError, OSError):
        return now
    return min(at, now)


def _iso(value: Any, now: dt.datetime) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value)))
        at = at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError):
        return now
    return min(at, now)
