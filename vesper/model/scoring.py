"""A scoring rule: for whom it holds, and the points it gives. One file each, so that a rule is one change (R50..R58)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.condition import Counted
from vesper.model.definition import Definition, Strict
from vesper.model.example import PointsExample
from vesper.problem import wrong

Points = Annotated[int, Field(ge=-100, le=100)]


class PointsBand(Strict):
    """Points for a stretch of counts, both ends included."""

    at_least: Annotated[int, Field(ge=0)]
    """Smallest count."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """Largest count; open where it is missing."""
    points: Points
    """Points for a count in between; 0 is a band like any other."""


class ScoringRule(Definition):
    """One rule: `when` and `points`, or a counting condition under `when` and `bands` of points."""

    kind: Literal["engagement", "fit"]
    """Behaviour of the contact, or how well it fits; shown side by side (R58)."""
    when: Condition
    """For whom it holds. With bands: a counting condition without bounds, e.g. orders: {within: 30d}."""
    points: Points | None = None
    """Points where it holds."""
    bands: tuple[PointsBand, ...] = ()
    """Points by count, from 0 upwards without a gap."""
    examples: Annotated[tuple[PointsExample, ...], Field(min_length=1)]
    """Contacts and the points the rule gives them; they are its tests."""

    @model_validator(mode="after")
    def _points_or_bands(self) -> "ScoringRule":
        if (self.points is None) == (not self.bands):
            raise wrong("A rule has either points or bands.", "Write one of the two.")
        if self.bands:
            self._check_bands()
        return self

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
            return ((self.when, self.points),)
        return tuple((self._band_condition(band), band.points) for band in self.bands if band.points)

    def _band_condition(self, band: PointsBand) -> Condition:
        """The counting condition of one band."""
        bounds = {"at_least": band.at_least, "at_most": band.at_most}
        return Condition.model_validate({self.when.word: self.when.body.model_copy(update=bounds)})
