"""What is recommended to whom: rules in their order, filled into the word `recommended` of a content (R118).

What belongs here: the shape. What does not: which products go together (`vesper/marts/product_pair.py`), whom what is recommended to
(`vesper/recommend.py`).
"""

from typing import Annotated

from pydantic import Field, model_validator

from vesper.model.content_word import LIST_LENGTH
from vesper.model.definition import Definition, Name, Strict, Text
from vesper.model.timing import Days
from vesper.problem import wrong

RULES = ("bought_with", "replenishment", "list")
YEAR = Days("365d")


class BoughtWith(Strict):
    """Products that stand in the same orders as something the person bought; never one that the person bought already."""

    within: Days = YEAR
    """Days of orders that are counted."""
    at_least: Annotated[int, Field(ge=2)] = 20
    """Orders that both products must stand in together; with fewer, chance speaks."""
    lift: Annotated[float, Field(ge=1)] = 1.2
    """So many times as often together as chance alone would bring."""


class Replenishment(Strict):
    """What the person buys regularly and is due by their own rhythm (R37): of each category the product that they bought most often."""

    category: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Product categories, spelled as in the catalogue; each has its own rhythm."""
    within: Days
    """How far ahead of the predicted day it is recommended; what is overdue by as much is, too."""


class Stated(Strict):
    """Products that the company states, in their order."""

    codes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=LIST_LENGTH)]
    """Product codes, as in the catalogue."""
    segment: Name | None = None
    """Only for the members of this segment."""


class RecommendationRule(Strict):
    """One way to find products: exactly one of bought_with, replenishment, list."""

    bought_with: BoughtWith | None = None
    """What others bought together with what the person bought."""
    replenishment: Replenishment | None = None
    """What the person is about to need again."""
    list: Stated | None = None
    """What the company states."""

    @model_validator(mode="after")
    def _one_way(self) -> "RecommendationRule":
        if sum(getattr(self, word) is not None for word in RULES) != 1:
            raise wrong("A rule finds products in one way.", "Write exactly one of {words}.", words=", ".join(RULES))
        return self


class Recommendation(Definition):
    """What a content recommends: the products of the first rule, then those of the next, each product once."""

    rules: Annotated[tuple[RecommendationRule, ...], Field(min_length=1)]
    """The rules, in their order."""
    most: Annotated[int, Field(ge=1, le=LIST_LENGTH)] = 3
    """Products that one person is shown."""
