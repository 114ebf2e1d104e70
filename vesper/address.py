"""An address as the ledger knows it: a hash, the same whether Python or SQL takes it.

What belongs here: the one normal form of an address and its hash, in both languages. What does not: judging whether an address is usable
(cleaning does), and keeping one: outside `core__contact` an address exists in memory only.
"""

import hashlib
import string
from typing import Any

import sqlalchemy as sa

# Only ASCII is folded: Python and DuckDB disagree about the lower case of a few other letters, and a hash forgives nothing.
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def address_hash(channel: str, address: str) -> str:
    """sha256 (64 hex digits) of `<channel>:<address>`, trimmed and in lower case. The channel keeps a phone's SMS apart from its WeChat."""
    return hashlib.sha256(f"{channel}:{address.strip(' ').translate(_FOLD)}".encode()).hexdigest()


def hashed_address(channel: str, address: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """SQL: `address_hash`; NULL of no address."""
    folded = sa.func.translate(
        sa.func.trim(address, " "), string.ascii_uppercase, string.ascii_lowercase, type_=sa.String
    )
    return sa.func.sha256(sa.literal(f"{channel}:") + folded, type_=sa.String)
