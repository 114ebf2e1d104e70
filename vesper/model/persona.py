"""A persona: a kind of person the company wants to talk to, in words for its people and as a condition for the night (R29, R30).

What belongs here: the shape, and how many a product has. What does not: the warning about it (`vesper/checks/persona.py`).
"""

from typing import Annotated

from pydantic import Field

from vesper.model.definition import Text, Wording
from vesper.model.segment import Group

Words = Annotated[tuple[Text, ...], Field(min_length=1)]

FEWEST, MOST = 3, 6
"""Personas that a product has: fewer see no difference between people, more are not kept in mind (R29)."""


class Persona(Group):
    """One persona. The words are for people; `members` says which contacts they stand for."""

    product: Text
    """Product or product line that it is a persona of."""
    gender: Words | None = None
    """Gender, in words."""
    age: Words | None = None
    """Age or age bands."""
    income: Words | None = None
    """Income or buying power."""
    region: Words | None = None
    """Where they live or work."""
    interests: Words | None = None
    """What they care about."""
    url: Words | None = None
    """Pages they visit, or parts of their addresses."""
    keyword: Words | None = None
    """What they search for."""
    goals: tuple[Wording, ...] = ()
    """What they want to reach."""
    pains: tuple[Wording, ...] = ()
    """What stands in their way."""
