"""A pool of coupons: codes that are given once, to one person, and redeemed once (R118).

What belongs here: the shape. What does not: the codes themselves (the ledger holds them), giving one (`vesper/journey/acting.py`).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.conditions.event_filter import EventFilter
from vesper.model.definition import Definition, Strict, Text
from vesper.model.timing import Duration
from vesper.problem import wrong


class Made(Strict):
    """Codes that Vesper makes; nobody can guess one from another."""

    count: Annotated[int, Field(ge=1, le=10_000_000)]
    """How many there are."""
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,8}$")] = ""
    """What every code begins with."""
    length: Annotated[int, Field(ge=8, le=24)] = 10
    """Characters after the prefix."""


class Redemption(Strict):
    """The event that says that a coupon was redeemed."""

    event: EventFilter
    """Which events."""
    code_in: Literal["content_id", "keyword", "product_code", "url"] = "content_id"
    """Field of the event that holds the code."""


class Coupons(Definition):
    """One pool of coupons."""

    file: Text | None = None
    """CSV file of the workspace with a column `code`: the codes of a shop system."""
    made: Made | None = None
    """Codes made by Vesper instead."""
    expires_after: Duration | None = None
    """How long a code is good for, from the moment it is given; for ever where it is missing."""
    warn_below: Annotated[int, Field(ge=0)] = 100
    """So few codes left, and the owner is warned."""
    redeemed: Redemption | None = None
    """How it is known that a code was redeemed."""

    @model_validator(mode="after")
    def _one_stock(self) -> "Coupons":
        if (self.file is None) == (self.made is None):
            raise wrong("Coupons come from one place.", "Write either file or made.")
        return self
