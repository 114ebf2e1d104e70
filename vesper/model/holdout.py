"""policy/holdout.yml: the share of people who get no marketing at all for a quarter, so that it can be told what marketing brings.

What belongs here: how many, how they rotate, what is counted. What does not: who they are (`vesper/experiment/holdout.py`), a campaign's own holdout
(`vesper/model/outreach.py`).
"""

from typing import Annotated, Literal

from pydantic import Field

from vesper.definition_set import DefinitionSet
from vesper.model.definition import Definition, Text, Wording
from vesper.model.timing import Days


class HoldoutPolicy(Definition):
    """The global holdout; a share of 0 holds nobody out."""

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of all people who get no marketing message; requested and operational ones go all the same."""
    rotates: Literal["quarter", "year", "never"] = "quarter"
    """When other people are held out, so that nobody is for ever."""
    salt: Text = "1"
    """Another salt chooses other people."""
    within: Days = Days("30d")
    """An order within so many days of the first message, or of the first one withheld, counts for the lift."""


def holdout_policy(definitions: DefinitionSet) -> HoldoutPolicy:
    """The company's holdout; nobody where it has none."""
    found = definitions.of(HoldoutPolicy).get("holdout")
    return found or HoldoutPolicy(id="holdout", says=Wording("-"), owner="vesper")
