"""Mail that came back: reports of mail servers (RFC 3464) and of people who complained (RFC 5965), read from one mail.

What belongs here: reading. What does not: the mailbox they come in (`tasks/returned_mail.py`), what follows (`warehouse/ledger/provider.py`).

Only a report in the standard form, which names one of our messages, says something: by the address it came back to (`[mail] bounce = "verp"`),
by the envelope's id, or by the Message-ID of the mail it returns. What a mailbox answers in words of its own is for a person to read.
"""

import datetime as dt
import email
import email.utils
import hashlib
import re
from collections.abc import Iterator
from email.message import Message

from connectors.channels.reply import RECIPIENT, bounce_of
from vesper.provider_event import COMPLAINED, HARD, SOFT, Fact

_VERP = re.compile(r"\bb\+([A-Za-z0-9]{26})@", re.IGNORECASE)
_ID = re.compile(r"<?([A-Za-z0-9]{26})(?:@|>|$)")
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")
_TO = ("To", "Delivered-To", "X-Original-To")
KINDS = {"hard": HARD, "soft": SOFT}


def returned(mail: bytes, received_at: dt.datetime) -> Fact | None:
    """What one mail tells; None where it is no report, speaks of no message of ours, or of one that is only late or refused by policy.

    Args:
        received_at: when it came in (UTC), for a report without a date.
    """
    report = email.message_from_bytes(mail)
    if report.get_content_type() != "multipart/report":
        return None
    message_id = _message_id(report)
    kind, status = _complaint(report) or _failure(report)
    if message_id is None or kind is None:
        return None
    id = hashlib.sha256(f"{message_id}|{kind}|{status}".encode()).hexdigest()[:32]
    return Fact(id, kind, _date(report, received_at), message_id, None, status)


def _complaint(report: Message) -> tuple[str | None, str] | None:
    """A feedback report; only its type is kept."""
    for part in report.walk():
        if part.get_content_type() == "message/feedback-report":
            said = re.search(r"(?im)^Feedback-Type:\s*([a-z-]{1,30})", _text(part))
            return (COMPLAINED, said[1]) if said and said[1].lower() in ("abuse", "fraud") else (None, "")
    return None


def _failure(report: Message) -> tuple[str | None, str]:
    """The worst that a delivery report says of a recipient, and its status."""
    found: list[tuple[str, str]] = []
    for group in _groups(report):
        status = _STATUS.search(str(group.get("Status", "")))
        if str(group.get("Action", "")).strip().lower() != "failed" or status is None:
            continue
        code = 550 if status[0].startswith("5") else 450
        kind = KINDS.get(bounce_of(code, f"{status[0]} ".encode(), RECIPIENT) or "")
        if kind:
            found.append((kind, status[0]))
    return min(found, default=(None, ""), key=lambda one: one[0] != HARD)


def _groups(report: Message) -> Iterator[Message]:
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status" and isinstance(part.get_payload(), list):
            yield from (group for group in part.get_payload() if isinstance(group, Message))


def _message_id(report: Message) -> str | None:
    for name in _TO:
        for value in report.get_all(name, ()):
            if found := _VERP.search(str(value)):
                return found[1].lower()
    for group in _groups(report):
        if found := _ID.match(str(group.get("Original-Envelope-Id", "")).strip()):
            return found[1]
    for part in report.walk():
        if part.get_content_type() == "text/rfc822-headers":
            inner = email.message_from_string(_text(part))
        elif part.get_content_type() == "message/rfc822" and isinstance(part.get_payload(), list):
            inner = part.get_payload()[0]  # type: ignore[assignment,index]
        else:
            continue
        if found := _ID.match(str(inner.get("Message-ID", "")).strip()):
            return found[1]
    return None


def _text(part: Message) -> str:
    """The words of a part, however it is coded; a part that holds mails is their text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n".join(str(one) for one in payload)
    coded = part.get_payload(decode=True)
    return coded.decode("utf-8", "replace") if isinstance(coded, bytes) else str(payload)


def _date(report: Message, otherwise: dt.datetime) -> dt.datetime:
    """The report's own date, never later than it came in."""
    try:
        at = email.utils.parsedate_to_datetime(str(report["Date"]))
        stated = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).replace(tzinfo=None)
        return min(stated, otherwise)
    except (TypeError, ValueError, OverflowError):
        return otherwise
