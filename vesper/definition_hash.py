"""The hash that a mart's rows carry: which text of which definitions made them.

What belongs here: hashes of the definitions behind a table. What does not: hashing files (the loader does) and hashes of tables (the lake).
"""

import hashlib
from collections.abc import Mapping

from vesper.night import Night

LENGTH = 16
SCORING = ("scoring", "policy/scoring")
"""The definitions that make a score: what marketing and sales sign off together (R56)."""


def hash_of(night: Night, *names: str) -> str:
    """One hash over the definitions of the given kinds ("scoring") or single definitions ("policy/scoring"); it changes when one of them does."""
    return set_hash(night.definitions.hashes, *names)


def set_hash(hashes: Mapping[str, str], *names: str) -> str:
    """The same hash of any set of definitions, given as name -> hash of its text."""
    found = sorted((key, text) for key, text in hashes.items() if key in names or key.split("/")[0] in names)
    return hashlib.sha256(repr(found).encode()).hexdigest()[:LENGTH]
