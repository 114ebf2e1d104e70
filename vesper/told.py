"""What the chat and the call centre tell of a person: their posts, read into rows of the inbox (R45, R65).

What belongs here: the contract of these posts. What does not: signatures (`intake/signature.py`), what follows: a human task
(`vesper/handover.py`), the score of the next night.

```
{"events": [{"id": "c-17", "at": "2026-03-02T03:00:00Z", "email": "a@example.com", "intent": "buy"}]}             to /chat
{"events": [{"id": "t-3", "contact_id": "c0123...", "result": "interested", "duration_seconds": 95}]}              to /call
```
Whom an event is about: `contact_id` (a golden contact, as Vesper handed it out), else `email` or `phone`. What was said is not taken in: nobody
needs the words of a conversation to call back.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHAT, CALL = "chat_intent", "call_result"
"""Kinds of event."""
WORD_IN = {CHAT: "intent", CALL: "result"}
"""The field that says what came of it; it becomes `keyword` of the event."""
PERSON = ("email", "phone", "name", "company")
MOST_EVENTS = 1000
_WORD = re.compile(r"[a-z][a-z0-9_]{0,40}")
_CONTACT = re.compile(r"c[0-9a-f]{8,40}")
_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class ToldWrongly(ValueError):
    """A post that is not what its contract says; the word names the place, never a value."""


@dataclass(frozen=True)
class Told:
    """One event. `said` is the payload of its row."""

    id: str
    kind: str
    at: dt.datetime
    contact_id: str | None
    said: Mapping[str, Any]


def told_of(kind: str, body: Any, now: dt.datetime) -> list[Told]:
    """The events of a post, all of them or none. Raises ToldWrongly with the place: `events[2].at`."""
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        raise ToldWrongly("events")
    return [_told(kind, event, now, f"events[{place}]") for place, event in enumerate(events)]


def _told(kind: str, event: Any, now: dt.datetime, where: str) -> Told:
    if not isinstance(event, dict):
        raise ToldWrongly(where)
    id, word = _text(event.get("id"), 200), event.get(WORD_IN[kind])
    if not id:
        raise ToldWrongly(f"{where}.id")
    if not isinstance(word, str) or not _WORD.fullmatch(word):
        raise ToldWrongly(f"{where}.{WORD_IN[kind]}")
    contact_id = event.get("contact_id")
    if contact_id is not None and not (isinstance(contact_id, str) and _CONTACT.fullmatch(contact_id)):
        raise ToldWrongly(f"{where}.contact_id")
    person = {name: text for name in PERSON if (text := _text(event.get(name), 200))}
    if not (contact_id or person.get("email") or person.get("phone")):
        raise ToldWrongly(f"{where}.contact_id")
    said = {"keyword": word} | ({"contact_id": contact_id} if contact_id else person)
    return Told(id, kind, _instant(event.get("at"), now, where), contact_id, said)


def _instant(value: Any, now: dt.datetime, where: str) -> dt.datetime:
    """UTC; now where none is stated, and never later than now."""
    if value is None:
        return now
    try:
        at = dt.datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            raise ValueError
        return min(at.astimezone(dt.UTC).replace(tzinfo=None), now)
    except (ValueError, OverflowError):
        raise ToldWrongly(f"{where}.at") from None


def _text(value: Any, most: int) -> str | None:
    return " ".join(_PRINTED.sub(" ", str(value)).split())[:most] or None if isinstance(value, str | int) else None
