"""`score: {at_least: 80}`: the contact's score of this night."""

from typing import ClassVar

import sqlalchemy as sa
from pydantic import model_validator

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.problem import wrong


class Score(ConditionBody, Strict):
    """The score lies between bounds, both included."""

    word: ClassVar[str] = "score"

    at_least: int | None = None
    """Smallest score that matches."""
    at_most: int | None = None
    """Largest score that matches."""

    @model_validator(mode="after")
    def _bounded(self) -> "Score":
        if self.at_least is None and self.at_most is None:
            raise wrong("A score needs a bound.", "Write at_least or at_most.")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by their score."""
        from vesper.marts.score import SCORE  # the mart is made of conditions

        answer = sa.select(*evidence(SCORE.c.contact_id, 1))
        if self.at_least is not None:
            answer = answer.where(SCORE.c.score >= self.at_least)
        if self.at_most is not None:
            answer = answer.where(SCORE.c.score <= self.at_most)
        return answer
