"""An address as the ledger knows it: a keyed hash, the same whether Python or SQL takes it.

What belongs here: the normal form of an address, its keyed hash in both languages, and the key in the form that SQL reads. What does not:
where a workspace keeps its key (`warehouse/secret.py`), judging whether an address is usable (cleaning does), and keeping one: outside
the tables of people an address exists in memory only.

hash = HMAC-SHA256(key, sha256 as 64 hex digits of `kind:text`). A bare sha256 of a phone number is guessed in minutes, since there are few
numbers; the inner sha256 is there so that ledgers that kept it could be carried over exactly (docs/decisions/0015).
"""

import hashlib
import hmac
import string
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

# Only ASCII is folded: Python and DuckDB disagree about the lower case of a few other letters, and a hash forgives nothing.
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_BLOCK = 64
_NAME_OF_KEY = "vesper address key"

ADDRESS_KEY = sa.Table(
    "raw_vesper__address_key",
    sa.MetaData(),  # no table of the lake: what is not bound cannot be read as empty
    sa.Column("inner_pad", sa.LargeBinary, nullable=False),
    sa.Column("outer_pad", sa.LargeBinary, nullable=False),
    comment="One row, bound in memory: the two pads of HMAC, so that no SQL text and no recipe holds the key.",
)


@dataclass(frozen=True, repr=False)
class AddressKey:
    """The key of one workspace. Never printed."""

    secret: bytes

    @property
    def id(self) -> str:
        """A name of the key that tells nothing of it: 16 hex digits."""
        return hmac.new(self.secret, _NAME_OF_KEY.encode(), hashlib.sha256).hexdigest()[:16]

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The inner and the outer pad of HMAC-SHA256, 64 bytes each."""
        short = hashlib.sha256(self.secret).digest() if len(self.secret) > _BLOCK else self.secret
        block = short.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)

    def over(self, unkeyed: str) -> str:
        """The keyed hash over a bare one: how rows of an older ledger are carried over."""
        return hmac.new(self.secret, unkeyed.encode(), hashlib.sha256).hexdigest()


def unkeyed_hash(kind: str, text: str) -> str:
    """sha256 (64 hex digits) of `kind:text`: the inner half, and all that ledgers before revision 0002 kept of an address."""
    return hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()


def keyed_hash(key: AddressKey, kind: str, text: str) -> str:
    """The keyed hash (64 hex digits) of a text as it stands. The kind keeps a source row's key apart from an address."""
    return key.over(unkeyed_hash(kind, text))


def address_hash(key: AddressKey, channel: str, address: str) -> str:
    """The keyed hash of an address, trimmed and in lower case. The channel keeps a phone's SMS apart from its WeChat."""
    return keyed_hash(key, channel, address.strip(" ").translate(_FOLD))


def hashed(kind: str, text: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """SQL: `keyed_hash`; NULL of no text. What runs it must have ADDRESS_KEY bound."""
    unkeyed = sa.func.sha256(sa.literal(f"{kind}:") + text, type_=sa.String)
    inner = sa.func.sha256(_after(ADDRESS_KEY.c.inner_pad, sa.func.encode(unkeyed)))
    return sa.func.sha256(_after(ADDRESS_KEY.c.outer_pad, sa.func.unhex(inner)), type_=sa.String)


def hashed_address(channel: str, address: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """SQL: `address_hash`; NULL of no address. What runs it must have ADDRESS_KEY bound."""
    trimmed = sa.func.trim(address, " ")
    folded = sa.func.translate(trimmed, string.ascii_uppercase, string.ascii_lowercase, type_=sa.String)
    return hashed(channel, folded)


def _after(pad: sa.Column[bytes], rest: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.select(pad).scalar_subquery().op("||")(rest)
