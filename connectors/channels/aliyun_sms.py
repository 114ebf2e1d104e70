"""Aliyun's short messages (Dysmsapi 2017-05-25): SendSms, and QuerySendDetails for the reconciler.

What belongs here: these two calls and what their answers mean. What does not: the signature (`acs3.py`), when to call again (the ledger).
Documents: help.aliyun.com SendSms 55284, QuerySendDetails 419277, error codes 101346.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.channels import Letter, Outcome
from connectors.channels.acs3 import Call, signed_headers, target_of
from connectors.channels.door import Door
from vesper.model.channel import Sms
from vesper.sms import national

ENDPOINT = "https://dysmsapi.aliyuncs.com"
VERSION = "2017-05-25"
CHINA_HOURS = dt.timedelta(hours=8)
PAGE = 50
MOST_PAGES = 20
HARD = frozenset({"isv.MOBILE_NUMBER_ILLEGAL"})
"""The number cannot be one."""
THROTTLED = frozenset({"Throttling", "Throttling.User", "Throttling.Api", "ServiceUnavailable", "isv.ACCOUNT_ABNORMAL"})
"""The account is asked to wait; no number is to blame."""
LATER = frozenset(
    {
        "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.SMS_CONTENT_ILLEGAL_FREQUENCY",
        "isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH", "isv.PRODUCT_UNSUBSCRIBE", "isv.PRODUCT_UN_SUBSCRIPT", "isv.ACCOUNT_NOT_EXISTS",
        "isp.RAM_PERMISSION_DENY", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL", "isv.SIGN_STATE_ILLEGAL",
        "SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "InvalidTimeStamp.Expired", "Forbidden.RAM",
        "SignatureNonceUsed",
    }
)  # fmt: skip
"""Not taken, and by tomorrow it may be: limits of one number, and what the company can mend itself."""
POLICY = frozenset({"isv.BLACK_KEY_CONTROL_LIMIT", "isv.SMS_CONTENT_ILLEGAL", "isv.DENY_IP_RANGE"})


@dataclass(frozen=True, repr=False)
class Aliyun:
    """The provider, with its secrets: never printed."""

    sms: Sms
    key_id: str
    key_secret: str
    address: str = field(default=ENDPOINT, init=False)
    shows_all: bool = field(default=True, init=False)
    """Whether `taken` shows every message that was taken."""

    def send(self, door: Door, letter: Letter) -> Outcome:
        """One call for one number; OutId carries our message id. Raises NotReached or NoAnswer."""
        query = {
            "PhoneNumbers": national(letter.address),
            "SignName": self.sms.sign,
            "TemplateCode": letter.template,
            "OutId": letter.message_id,
        }
        if letter.params:
            query["TemplateParam"] = json.dumps(dict(letter.params), ensure_ascii=False, separators=(",", ":"))
        return outcome_of(*self.call(door, "SendSms", query))

    def taken(self, door: Door, number: str, since: dt.datetime, until: dt.datetime) -> dict[str, dt.datetime] | None:
        """Message id -> when it was taken (UTC), of one number's messages between two instants; None when the provider did not say.

        Raises NotReached or NoAnswer.
        """
        found: dict[str, dt.datetime] = {}
        first, last = (since + CHINA_HOURS).date(), (until + CHINA_HOURS).date()
        for ahead in range((last - first).days + 1):
            for detail in self._details(door, number, first + dt.timedelta(days=ahead)):
                if detail is None:
                    return None
                if detail.get("OutId"):
                    found[str(detail["OutId"])] = _instant(detail.get("SendDate"), since)
        return found

    def call(self, door: Door, action: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any] | None]:
        """Status and answer of one signed call; None for an answer that is no JSON object."""
        call = Call(action, VERSION, door.host_header, query)
        headers = signed_headers(call, self.key_id, self.key_secret)
        status, body = door.post(b"", headers, target_of(query))
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        return status, answer if isinstance(answer, dict) else None

    def _details(self, door: Door, number: str, day: dt.date) -> Iterator[dict[str, Any] | None]:
        """One number's messages of one day in China, page by page; None and an end where the provider did not say."""
        for page in range(1, MOST_PAGES + 1):
            query = {
                "PhoneNumber": national(number),
                "SendDate": f"{day:%Y%m%d}",
                "PageSize": str(PAGE),
                "CurrentPage": str(page),
            }
            _status, answer = self.call(door, "QuerySendDetails", query)
            if answer is None or answer.get("Code") != "OK":
                yield None
                return
            details = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
            yield from details
            if page * PAGE >= int(answer.get("TotalCount") or 0) or not details:
                return
        yield None


def outcome_of(status: int, answer: Mapping[str, Any] | None) -> Outcome:
    """What an answer to SendSms means. Only a code of the provider proves that it did not take the message."""
    code = str((answer or {}).get("Code") or "")
    if code == "OK":
        return Outcome("accepted", "OK", str((answer or {}).get("BizId") or "") or None)
    if not code:
        return Outcome("deferred" if status in (401, 403, 429, 503) else "unknown", str(status))
    if code in THROTTLED or status == 429:
        return Outcome("deferred", "429", code)
    if code in LATER:
        return Outcome("deferred", code)
    if code in HARD:
        return Outcome("rejected", code, bounce="hard")
    if code.startswith("isp.") or status >= 500:
        return Outcome("unknown", code)
    return Outcome("rejected", code, bounce="policy" if code in POLICY else None)


def _instant(written: Any, otherwise: dt.datetime) -> dt.datetime:
    """`2026-11-23 10:00:00` of China as UTC."""
    try:
        return dt.datetime.fromisoformat(str(written)).replace(tzinfo=None) - CHINA_HOURS
    except ValueError:
        return otherwise
