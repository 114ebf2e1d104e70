"""What providers tell afterwards: receipts of short messages and answers to them, read from the bodies that they post.

What belongs here: one pure reading for each provider, `parse(provider, body)`. What does not: who may post (`intake/`), keeping it and acting on
it (`warehouse/ledger/sms_answer.py`).

Documents: Aliyun SmsReport and SmsUp over HTTP (help.aliyun.com 101508, 101871), Tencent's callbacks (cloud.tencent.com 382/37809, 382/59178).
Neither is signed: the address they post to is secret. What a receipt says of a number is `sms_bounced`, never for good: the codes of
operators do not tell an empty number from a phone that is off, so the rule of so many in a row decides (C12).
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vesper.sms import international, is_way_out

DELIVERED, BOUNCED, REPLIED, UNSUBSCRIBED = "sms_delivered", "sms_bounced", "sms_replied", "sms_unsubscribed"
CHINA_HOURS = dt.timedelta(hours=8)
TEXT_LENGTH = 500
MOST = 5_000
"""Entries of one post."""


class Unreadable(ValueError):
    """A body that is not what the provider's documents describe. Its text names no person."""


@dataclass(frozen=True, repr=False)
class Received:
    """One thing told. `source_event_id` is the same when it is told again. `address` (E.164) is personal; `payload` holds it as well.

    `message_id` is empty where the provider does not tell; `provider_id` is what the provider called the message.
    """

    source: str
    source_event_id: str
    kind: str
    occurred_at: dt.datetime
    address: str
    message_id: str = ""
    provider_id: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)


def parse(provider: str, body: bytes) -> list[Received]:
    """Everything that one post tells, in its order. Raises Unreadable; LookupError for a provider that is none."""
    read = PROVIDERS[provider]
    try:
        told = json.loads(body)
        entries = told if isinstance(told, list) else [told]
        if len(entries) > MOST or not all(isinstance(one, dict) for one in entries):
            raise Unreadable("no list of objects")
        return [read(one) for one in entries]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"not a receipt of {provider}: {type(error).__name__}") from None


def _aliyun(one: Mapping[str, Any]) -> Received:
    number = international(_text(one["phone_number"]))
    if "content" in one:
        return _reply("aliyun_sms", _text(one["sequence_id"]), number, _text(one["content"]), _china(one["send_time"]))
    kind = DELIVERED if one["success"] in (True, "true") else BOUNCED
    biz_id = _text(one["biz_id"])
    told = {"phone": number, "code": _text(one.get("err_code") or ""), "biz_id": biz_id}
    at = _china(one.get("report_time") or one["send_time"])
    id = f"{biz_id}|{_short_hash(number)}|{kind}"
    return Received("aliyun_sms", id, kind, at, number, _text(one.get("out_id") or ""), biz_id, told)


def _tencent(one: Mapping[str, Any]) -> Received:
    number = international(_text(one["mobile"]), _text(one["nationcode"]))
    if "text" in one:
        at = dt.datetime.fromtimestamp(int(one["time"]), dt.UTC).replace(tzinfo=None)
        return _reply("tencent_sms", f"{int(one['time'])}|{_short_hash(number + one['text'])}", number, one["text"], at)
    kind = DELIVERED if one["report_status"] == "SUCCESS" else BOUNCED
    sid = _text(one["sid"])
    told = {"phone": number, "code": _text(one.get("errmsg") or ""), "sid": sid}
    return Received("tencent_sms", f"{sid}|{kind}", kind, _china(one["user_receive_time"]), number, "", sid, told)


PROVIDERS: Mapping[str, Callable[[Mapping[str, Any]], Received]] = {"aliyun": _aliyun, "tencent": _tencent}


def _reply(source: str, id: str, number: str, text: str, at: dt.datetime) -> Received:
    kind = UNSUBSCRIBED if is_way_out(text) else REPLIED
    return Received(source, f"reply|{id}", kind, at, number, payload={"phone": number, "text": text[:TEXT_LENGTH]})


def _text(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TypeError
    return str(value)


def _china(written: Any) -> dt.datetime:
    """`2026-11-23 10:00:00` of China as UTC."""
    return dt.datetime.fromisoformat(_text(written)).replace(tzinfo=None) - CHINA_HOURS


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
