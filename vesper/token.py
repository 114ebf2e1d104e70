"""Signed tokens of links in messages: who holds one may do one thing for one message, without a cookie and without a password.

What belongs here: the form of a token, its keys, the links made of it. What does not: where the secrets are kept (`warehouse/secret.py`), and
what is done for whoever brings one (`intake/`).

token = base64url(version | key id | purpose | message id | first 128 bits of HMAC-SHA256 over all that stands before)

A token has no end. It cannot be made without the key, it names one message and one purpose, and the law asks that an unsubscribe works for long
(CAN-SPAM 30 days, Vesper 13 months at least): a link that went stale would be a person who cannot leave. Taking a key out of the ring ends every
token that it signed; that is the only end there is (docs/decisions/0031).
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from vesper.model.workspace import Workspace

Purpose = Literal["unsubscribe", "preference", "open", "click", "confirm", "form"]
"""What a token lets its holder do. Each purpose has a key of its own: a token of one never verifies as another."""

PURPOSES: dict[Purpose, int] = {"unsubscribe": 1, "preference": 2, "open": 3, "click": 4, "confirm": 5, "form": 6}
"""The byte that stands for a purpose in a token. A number is never given anew: old mails carry it."""

BETWEEN = "~"
"""Stands between a message and what the token is about beside it; no id of either holds it."""
VERSION = 1
_KEY_ID_BYTES, _MAC_BYTES = 4, 16
_HEAD = 1 + _KEY_ID_BYTES + 1
LONGEST = 256
"""Characters of the longest text that is looked at as a token; a real one has 64."""


@dataclass(frozen=True, repr=False)
class TokenKey:
    """The keys made of one secret: one for each purpose, by HMAC over the purpose's name. Never printed."""

    secret: bytes

    @cached_property
    def id(self) -> bytes:
        """A name of the key that tells nothing of it; it stands in every token."""
        return self._derived("key id")[:_KEY_ID_BYTES]

    @cached_property
    def of(self) -> dict[str, bytes]:
        """The key of each purpose."""
        return {purpose: self._derived(purpose) for purpose in PURPOSES}

    @cached_property
    def begun(self) -> "dict[str, hmac.HMAC]":
        """The HMAC of each purpose with its key taken in: a letter has several tokens, and a copy of this costs half of a new one."""
        return {purpose: hmac.new(key, digestmod=hashlib.sha256) for purpose, key in self.of.items()}

    def _derived(self, name: str) -> bytes:
        return hmac.new(self.secret, f"vesper token {VERSION} {name}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True, repr=False)
class TokenKeys:
    """A ring of keys: the first signs, every one verifies. Rotating is putting a new one first; dropping the last ends what it signed."""

    ring: tuple[TokenKey, ...]

    @classmethod
    def of(cls, *secrets: bytes) -> "TokenKeys":
        """A ring of secrets, the newest first."""
        return cls(tuple(TokenKey(secret) for secret in secrets))


def sign(keys: TokenKeys, purpose: Purpose, message_id: str) -> str:
    """The token that lets its holder do one thing for one message. The same message gives the same token, as long as the key is the same."""
    key = keys.ring[0]
    told = bytes([VERSION]) + key.id + bytes([PURPOSES[purpose]]) + message_id.encode()
    return base64.urlsafe_b64encode(told + _mac(key, purpose, told)).rstrip(b"=").decode()


def verify(keys: TokenKeys, purpose: Purpose, token: str) -> str | None:
    """The message that a token was signed for, or None: forged, cut, of another purpose, of a key that is in the ring no more.

    Takes any text. Only the one spelling that `sign` gives is accepted.
    """
    raw = _decoded(token)
    if raw is None or len(raw) <= _HEAD + _MAC_BYTES or raw[0] != VERSION:
        return None
    told, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    for key in keys.ring:
        if hmac.compare_digest(key.id, told[1 : 1 + _KEY_ID_BYTES]) and hmac.compare_digest(
            _mac(key, purpose, told), mac
        ):
            return _message_of(told, purpose)
    return None


def unsubscribe_url(workspace: Workspace, keys: TokenKeys, message_id: str) -> str | None:
    """The address at which one POST unsubscribes the receiver of a message (RFC 8058); None where the workspace has no intake address."""
    address = workspace.intake.address
    return f"{address}/u/{sign(keys, 'unsubscribe', message_id)}" if address else None


def preference_url(workspace: Workspace, keys: TokenKeys, message_id: str) -> str | None:
    """The address where the receiver of a message says what they want to get; None where the workspace has no intake address."""
    address = workspace.intake.address
    return f"{address}/p/{sign(keys, 'preference', message_id)}" if address else None


def link_url(address: str, keys: TokenKeys, message_id: str, link_id: str) -> str:
    """The address that leads the receiver of a message to a link; the token names both, so that nobody's clicks can be told as another's."""
    return f"{address}/c/{sign(keys, 'click', f'{message_id}{BETWEEN}{link_id}')}"


def open_url(address: str, keys: TokenKeys, message_id: str) -> str:
    """The address of the picture that says that a message was opened."""
    return f"{address}/o/{sign(keys, 'open', message_id)}.gif"


def link_of(told: str) -> tuple[str, str]:
    """(message id, link id) of what a verified click token says."""
    message_id, _, link_id = told.rpartition(BETWEEN)
    return message_id, link_id


def _mac(key: TokenKey, purpose: Purpose, told: bytes) -> bytes:
    mac = key.begun[purpose].copy()
    mac.update(told)
    return mac.digest()[:_MAC_BYTES]


def _decoded(token: str) -> bytes | None:
    """The bytes of a token; None of a text that is none, or that is another spelling of the same bytes."""
    if not token.isascii() or len(token) > LONGEST:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == token.encode() else None


def _message_of(told: bytes, purpose: Purpose) -> str | None:
    if told[_HEAD - 1] != PURPOSES[purpose]:
        return None
    try:
        return told[_HEAD:].decode()
    except UnicodeDecodeError:
        return None
