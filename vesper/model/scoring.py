"""A scoring rule: for whom it holds, and the points it gives. One file each, so that a rule is one change (R50..R58)."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from vesper.conditions import Condition
from vesper.model.condition import Counted
from vesper.model.definition import Definition, Name, Strict
from vesper.model.example import PointsExample
from vesper.model.timing import Days, WrittenTime
from vesper.problem import wrong

Points = Annotated[int, Field(ge=-100, le=100)]
BASE, CLAMP = "base", "clamp"
RULE_KINDS = ("fit", "engagement")
DATED = frozenset({"event", "order_line", "bant", "lead_outcome"})
"""Kinds of source rows that happen on a day; points may fade from the last one on."""


def cap_id(kind: str) -> str:
    """Name of the reason that keeps the rules of a kind within their limit."""
    return f"cap_{kind}"


RESERVED = frozenset({BASE, CLAMP, *map(cap_id, RULE_KINDS)})
"""Reasons that are no rule."""


class Each(WrittenTime):
    """What a rule counts: `event`, `message`, or stretches of days such as 7d."""

    pattern = r"event|message|[1-9]\d{0,3}d"
    example = "event, message, 7d"

    @property
    def days(self) -> int | None:
        """Days of a stretch; None where no stretches are counted."""
        return int(self[:-1]) if self[:-1].isdigit() else None


class PointsBand(Strict):
    """Points for a stretch of counts, both ends included."""

    at_least: Annotated[int, Field(ge=0)]
    """Smallest count."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """Largest count; open where it is missing."""
    points: Points
    """Points for a count in between; 0 is a band like any other."""


class Decay(Strict):
    """Points that fade with time, in whole steps."""

    lose: Annotated[int, Field(ge=1, le=100)]
    """Points lost by each step; the rule's points end at 0 and never change sign."""
    every: Days
    """Length of a step, counted from the company day of the last fact that the rule rests on."""


def _whole_or_preset(schema: dict[str, Any]) -> None:
    """For editors: a rule is whole by itself, or names a preset and its owner."""
    whole = schema["required"]
    schema["required"] = ["owner"]
    schema["if"], schema["then"] = {"not": {"required": ["preset"]}}, {"required": whole}


class ScoringRule(Definition):
    """One rule: `when` and `points`, or a counting condition under `when` and `bands` of points."""

    model_config = ConfigDict(json_schema_extra=_whole_or_preset)

    preset: Name | None = None
    """Rule that ships with Vesper: what is not stated here is taken from it."""
    kind: Literal["engagement", "fit"]
    """Behaviour of the contact, or how well it fits; shown side by side (R58)."""
    when: Condition
    """For whom it holds. With bands: a counting condition without bounds, e.g. orders: {within: 30d}."""
    points: Points | None = None
    """Points where it holds; with `each`, for each one that is counted."""
    bands: tuple[PointsBand, ...] = ()
    """Points by count, from 0 upwards without a gap."""
    each: Each | None = None
    """What is counted: `event` every fact, `message` each message that was answered once, `7d` each stretch of seven days that has a fact
    (stretches from a Monday on). Without it a rule gives its points once."""
    at_most_points: Annotated[int, Field(ge=1, le=100)] | None = None
    """With `each`: where the counting ends, in points; for a rule that takes points, the most it takes."""
    decay: Decay | None = None
    """How the points fade; they stay until the condition ends where it is missing."""
    examples: Annotated[tuple[PointsExample, ...], Field(min_length=1)]
    """Contacts and the points the rule gives them; they are its tests."""

    @model_validator(mode="after")
    def _points_or_bands(self) -> "ScoringRule":
        if (self.points is None) == (not self.bands):
            raise wrong("A rule has either points or bands.", "Write one of the two.")
        if self.bands:
            self._check_bands()
        self._check_each()
        if self.decay and (self.when.word == "not" or not self.when.feeds & DATED):
            raise wrong(
                "Points fade from the last fact on, and {word} rests on no fact with a date.",
                "Drop decay, or ask for events or orders.",
                word=self.when.word,
            )
        return self

    def _check_each(self) -> None:
        if (self.each is None) != (self.at_most_points is None):
            raise wrong(
                "each and at_most_points belong together: what is counted needs an end.",
                "Write both, e.g. each: event and at_most_points: 30.",
            )
        body = self.when.body
        if self.each and (self.bands or not isinstance(body, Counted) or body.at_most == 0):
            raise wrong(
                "each needs points and a counting condition under `when`.", "Write e.g. orders: {{within: 30d}}."
            )
        fits = self.each is None or self.each == "event" or hasattr(body, "days" if self.each.days else "count")
        if not fits:
            raise wrong(
                "{word} cannot be counted by {each}.", "Write each: event.", word=self.when.word, each=self.each or ""
            )

    def _check_bands(self) -> None:
        body = self.when.body
        if not isinstance(body, Counted) or body.at_least is not None or body.at_most is not None:
            raise wrong(
                "Bands need a counting condition without bounds under `when`.", "Write e.g. orders: {{within: 30d}}."
            )
        expected = 0
        for band in self.bands:
            if band.at_least > expected:
                raise wrong(
                    "The bands leave a gap at {count}: no band says what it is worth.",
                    "Begin a band at {count}; 0 points is a band too.",
                    count=expected,
                )
            if band.at_least < expected or (band.at_most or band.at_least) < band.at_least:
                raise wrong(
                    "Two bands claim the count {count}.", "Let each count stand in one band.", count=band.at_least
                )
            if band.at_most is None:
                break
            expected = band.at_most + 1
        if self.bands[-1].at_most is not None:
            raise wrong(
                "The bands leave a gap at {count}: no band says what it is worth.",
                "Drop at_most of the last band, or add one.",
                count=expected,
            )
        if band is not self.bands[-1]:
            raise wrong("A band without at_most takes every larger count.", "Let it be the last one.")

    @property
    def cases(self) -> tuple[tuple[Condition, int], ...]:
        """What the rule gives, as conditions that exclude each other with their points; cases without points are left out."""
        if self.points is not None:
            when = self._by({"count": "messages"}) if self.each == "message" else self.when
            return ((when, self.points),)
        return tuple((self.counting(band.at_least, band.at_most), band.points) for band in self.bands if band.points)

    def counting(self, at_least: int, at_most: int | None) -> Condition:
        """The counting condition within bounds, such as those of a band."""
        return self._by({"at_least": at_least, "at_most": at_most})

    def _by(self, update: dict[str, Any]) -> Condition:
        """The counting condition with some settings of its own."""
        return Condition.model_validate({self.when.word: self.when.body.model_copy(update=update)})
