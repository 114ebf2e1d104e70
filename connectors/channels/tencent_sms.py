"""Tencent Cloud's short messages (SMS 2021-01-11): SendSms, and PullSmsSendStatusByPhoneNumber for the reconciler.

What belongs here: these two calls and what their answers mean. What does not: the signature (`tc3.py`), when to call again (the ledger).
Documents: cloud.tencent.com 382/55981, 382/58693, error codes 382/59177.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.channels import Letter, Outcome
from connectors.channels.door import Door
from connectors.channels.tc3 import Call, signed_headers
from vesper.model.channel import Sms

ENDPOINT = "https://sms.tencentcloudapi.com"
SERVICE, VERSION, REGION = "sms", "2021-01-11", "ap-guangzhou"
PAGE = 100
MOST_PAGES = 20
HARD = frozenset(
    {"InvalidParameterValue.IncorrectPhoneNumber", "FailedOperation.PhoneNumberParseFail", "InvalidParameterValue.InvalidPhoneNumber"}
)  # fmt: skip
"""The number cannot be one."""
THROTTLED = frozenset(
    {"RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded", "LimitExceeded.DeliveryFrequencyLimit"}
)
"""The account is asked to wait; no number is to blame."""
MENDABLE = (
    "LimitExceeded.", "AuthFailure", "UnauthorizedOperation", "FailedOperation.InsufficientBalance", "FailedOperation.SignatureIncorrect",
    "FailedOperation.TemplateIncorrect", "FailedOperation.MissingSignature", "FailedOperation.MissingTemplate", "ResourceInsufficient",
    "InvalidParameterValue.SdkAppIdNotExist",
)  # fmt: skip
"""Not taken, and later it may be: limits of one number, and what the company can mend itself."""
POLICY = frozenset(
    {
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.ContainSensitiveWord",
        "FailedOperation.MarketingSendTimeConstraint",
    }
)


@dataclass(frozen=True, repr=False)
class Tencent:
    """The provider, with its secrets: never printed."""

    sms: Sms
    key_id: str
    key_secret: str
    address: str = field(default=ENDPOINT, init=False)
    shows_all: bool = field(default=False, init=False)
    """Whether `taken` shows every message that was taken."""

    def send(self, door: Door, letter: Letter) -> Outcome:
        """One call for one number; SessionContext carries our message id. Raises NotReached or NoAnswer."""
        body = {
            "PhoneNumberSet": [letter.address],
            "SmsSdkAppId": self.sms.app_id,
            "SignName": self.sms.sign,
            "TemplateId": letter.template,
            "TemplateParamSet": list(letter.params.values()),
            "SessionContext": letter.message_id,
        }
        return outcome_of(*self.call(door, "SendSms", body))

    def taken(self, door: Door, number: str, since: dt.datetime, until: dt.datetime) -> dict[str, dt.datetime] | None:
        """Message id -> when it was taken (UTC), of one number's messages between two instants; None when the provider did not say.

        It tells only of messages with a receipt, and of their SessionContext only where the provider has switched that on: what it does not
        show may have been taken all the same. Raises NotReached or NoAnswer.
        """
        found: dict[str, dt.datetime] = {}
        for page in range(MOST_PAGES):
            body = {
                "SmsSdkAppId": self.sms.app_id,
                "PhoneNumber": number,
                "BeginTime": _seconds(since),
                "EndTime": _seconds(until),
                "Offset": page * PAGE,
                "Limit": PAGE,
            }
            _status, answer = self.call(door, "PullSmsSendStatusByPhoneNumber", body)
            if answer is None or "Error" in answer:
                return None
            statuses = answer.get("PullSmsSendStatusSet") or []
            found |= {str(one["SessionContext"]): since for one in statuses if one.get("SessionContext")}
            if len(statuses) < PAGE:
                return found
        return None

    def call(self, door: Door, action: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any] | None]:
        """Status and `Response` of one signed call; None for an answer that is none."""
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        call = Call(SERVICE, action, VERSION, self.sms.region or REGION, door.host_header, data)
        status, said = door.post(data, signed_headers(call, self.key_id, self.key_secret), "/")
        try:
            answer = json.loads(said)["Response"]
        except (ValueError, KeyError, TypeError, RecursionError):
            answer = None
        return status, answer if isinstance(answer, dict) else None


def outcome_of(status: int, answer: Mapping[str, Any] | None) -> Outcome:
    """What an answer to SendSms means. Only a code of the provider proves that it did not take the message."""
    if answer is None:
        return Outcome("deferred" if status in (401, 403, 429, 503) else "unknown", str(status))
    one = next(iter(answer.get("SendStatusSet") or ()), None) or answer.get("Error") or {}
    code = str(one.get("Code") or "")
    if code == "Ok":
        return Outcome("accepted", "Ok", str(one.get("SerialNo") or "") or None)
    if not code:
        return Outcome("unknown", str(status))
    if code in THROTTLED:
        return Outcome("deferred", "429", code)
    if code.startswith("InternalError"):
        return Outcome("unknown", code)
    if code in HARD:
        return Outcome("rejected", code, bounce="hard")
    if code.startswith(MENDABLE):
        return Outcome("deferred", code)
    return Outcome("rejected", code, bounce="policy" if code in POLICY else None)


def _seconds(at: dt.datetime) -> int:
    return int(at.replace(tzinfo=dt.UTC).timestamp())
