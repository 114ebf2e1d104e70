"""Tencent Cloud's signature of a call, version 3: TC3-HMAC-SHA256 (cloud.tencent.com 382/52071).

What belongs here: the canonical request and its signature, equal in every byte to the official SDK's. What does not: what is called
(`tencent_sms.py`). The time is the machine's own: a signature is valid for five minutes around it.
"""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass, field

from vesper.clock import now

ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Call:
    """One call: everything that is signed, and beside it action, version and region."""

    service: str
    action: str
    version: str
    region: str
    host: str
    body: bytes
    at: dt.datetime = field(default_factory=now)

    @property
    def timestamp(self) -> int:
        """Seconds since 1970."""
        return int(self.at.replace(tzinfo=dt.UTC).timestamp())


def signed_headers(call: Call, key_id: str, key_secret: str) -> dict[str, str]:
    """Every header of a call, Authorization among them."""
    return {
        "Host": call.host,
        "Content-Type": CONTENT_TYPE,
        "X-TC-Action": call.action,
        "X-TC-Version": call.version,
        "X-TC-Region": call.region,
        "X-TC-Timestamp": str(call.timestamp),
        "Authorization": authorization(call, key_id, key_secret),
    }


def authorization(call: Call, key_id: str, key_secret: str) -> str:
    """The value of Authorization: content-type and host are signed."""
    lines = f"content-type:{CONTENT_TYPE}\nhost:{call.host}\n"
    canonical = "\n".join(("POST", "/", "", lines, "content-type;host", hashlib.sha256(call.body).hexdigest()))
    day = f"{call.at:%Y-%m-%d}"
    scope = f"{day}/{call.service}/tc3_request"
    text = "\n".join((ALGORITHM, str(call.timestamp), scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("TC3" + key_secret).encode()
    for part in (day, call.service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
