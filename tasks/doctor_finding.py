"""What an examination finds, and whom it examines."""

from dataclasses import dataclass

from vesper.language import Translate
from warehouse.house import House


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was seen, and what to do if anything."""

    ok: bool
    what: str
    todo: str = ""


@dataclass(frozen=True)
class Patient:
    """A workspace under examination. `is_deep` hashes every file."""

    house: House
    is_deep: bool
    _: Translate
