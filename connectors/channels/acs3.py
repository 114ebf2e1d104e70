"""Aliyun's signature of a call, version 3: ACS3-HMAC-SHA256 (help.aliyun.com 2593177).

What belongs here: the canonical request and its signature, equal in every byte to the official SDK's. What does not: what is called
(`aliyun_sms.py`). The time is the machine's own: a signature is valid for fifteen minutes around it.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from vesper.clock import now

ALGORITHM = "ACS3-HMAC-SHA256"


@dataclass(frozen=True)
class Call:
    """One call: everything that is signed. Parameters travel in the query, as the documents of the SMS calls say."""

    action: str
    version: str
    host: str
    query: Mapping[str, str]
    at: dt.datetime = field(default_factory=now)
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    body: bytes = b""


def signed_headers(call: Call, key_id: str, key_secret: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every header of a call, Authorization among them. `more` are further headers, signed as well."""
    headers = {
        "host": call.host,
        "x-acs-action": call.action,
        "x-acs-content-sha256": hashlib.sha256(call.body).hexdigest(),
        "x-acs-date": f"{call.at:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": call.nonce,
        "x-acs-version": call.version,
        **(more or {}),
    }
    return {**headers, "authorization": authorization(call, headers, key_id, key_secret)}


def authorization(call: Call, headers: Mapping[str, str], key_id: str, key_secret: str) -> str:
    """The value of Authorization over some headers, each of which is signed."""
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = "\n".join(("POST", "/", canonical_query(call.query), lines, names, signed["x-acs-content-sha256"]))
    text = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"


def canonical_query(query: Mapping[str, str]) -> str:
    """Parameters by name, each percent-encoded as RFC 3986 says."""
    return "&".join(f"{_encoded(name)}={_encoded(query[name])}" for name in sorted(query))


def target_of(query: Mapping[str, str]) -> str:
    """Path and query of the call."""
    return f"/?{canonical_query(query)}"


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
