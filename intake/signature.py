"""Whether a posted body is its sender's: checked over the raw bytes, before anything reads them.

What belongs here: signatures. What does not: what the body says. Where the sender states when it signed, so many seconds may lie between; an
older one is refused, and what is brought again within them is known by its own id.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SKEW_SECONDS = 300
Headers = Mapping[str, str]


def is_signed(poster: str, key: str, headers: Headers, body: bytes) -> bool:
    """Whether a body is signed by its poster: a mail provider in its own way, everybody else as Vesper signs. `headers` are in lower case."""
    return _CHECKS.get(poster, _vesper)(key, headers, body)


def _vesper(key: str, headers: Headers, body: bytes) -> bool:
    """`X-Vesper-Signature: sha256=` and the hex HMAC of `<timestamp>.<body>`, as `connectors/channels/webhook.py` writes it."""
    stated = headers.get("x-vesper-timestamp", "")
    mac = hmac.digest(key.encode(), stated.encode() + b"." + body, hashlib.sha256).hex()
    return _same(f"sha256={mac}", headers.get("x-vesper-signature", "")) and _is_fresh(stated)


def _sendgrid(key: str, headers: Headers, body: bytes) -> bool:
    """ECDSA over timestamp and body, with the public key of the signed event webhook (base64 DER)."""
    stated = headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        signature = base64.b64decode(headers.get("x-twilio-email-event-webhook-signature", ""), validate=True)
        public = load_der_public_key(base64.b64decode(key))
        if not isinstance(public, EllipticCurvePublicKey):
            return False
        public.verify(signature, stated.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return _is_fresh(stated)


def _mailgun(key: str, headers: Headers, body: bytes) -> bool:
    """HMAC over timestamp and token, which stand in the body: the one provider whose body has to be read first; no more of it is looked at."""
    try:
        told = json.loads(body)["signature"]
        stated, token, signature = (str(told[name]) for name in ("timestamp", "token", "signature"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    mac = hmac.digest(key.encode(), (stated + token).encode(errors="replace"), hashlib.sha256).hex()
    return _same(mac, signature) and _is_fresh(stated)


def _postmark(key: str, headers: Headers, body: bytes) -> bool:
    """Basic authentication with `user:password` as the key: Postmark signs nothing."""
    given = headers.get("authorization", "")
    return _same("Basic " + base64.b64encode(key.encode()).decode(), given)


_CHECKS: Mapping[str, Callable[[str, Headers, bytes], bool]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "postmark": _postmark,
}


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))


def _is_fresh(stated: str) -> bool:
    return stated.isascii() and stated.isdigit() and len(stated) < 12 and abs(time.time() - int(stated)) <= SKEW_SECONDS
