"""An experiment: one question, two or more arms that people fall into by a hash, one thing that is counted, and when a difference is one (R92).

What belongs here: the shape, and what one experiment must be by itself. What does not: whether its campaign and its variants exist
(`vesper/checks/experiment.py`), who falls into which arm (`vesper/experiment/assign.py`), what the figures say (`vesper/experiment/verdict.py`).
"""

import datetime as dt
import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.experiment.statistics import sample_size, sample_size_always_valid
from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.model.timing import Days
from vesper.problem import wrong

TOLERANCE = 1e-9
KINDS = ("variant", "content", "journey")
MOST_ARMS = 8


class Arm(Strict):
    """One way of doing it: another variant of the content, another content, or another journey. The first arm is what the others are held against."""

    id: Name
    """The arm's word."""
    share: Annotated[float, Field(gt=0, lt=1)]
    """Share of the experiment's people; the shares of all arms sum to 1."""
    says: Wording | None = None
    """What is different here."""
    variant: Name | None = None
    """Variant of the content; `default` is what is written for everybody."""
    content: Name | None = None
    """Content, instead of the one of the campaign or step."""
    journey: Name | None = None
    """Journey that its people may enter; they enter none of the other arms (triggers)."""

    @model_validator(mode="after")
    def _differs_in_one_way(self) -> "Arm":
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise wrong("An arm is one way of doing it.", "Write exactly one of {kinds}.", kinds=", ".join(KINDS))
        return self

    @property
    def kind(self) -> str:
        """What it changes, one of KINDS."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Metric(Strict):
    """What is counted of each person: done or not within so many days of the assignment."""

    kind: Literal["click", "event", "order", "coupon"]
    """`click`: a human clicked in one of the messages. `event`: something that a source brings. `order`: bought. `coupon`: redeemed."""
    event: Name | None = None
    """With `event`: the kind of event."""
    pool: Name | None = None
    """With `coupon`: the pool of coupons."""
    within: Days
    """So many days after the assignment a person's outcome is settled; only settled people are counted."""

    @model_validator(mode="after")
    def _names_what_it_counts(self) -> "Metric":
        if (self.kind == "event") != (self.event is not None) or (self.kind == "coupon") != (self.pool is not None):
            raise wrong(
                "A metric says what it counts.", "Write event with kind event, pool with kind coupon, and neither else."
            )
        return self


class Experiment(Definition):
    """One experiment on a campaign, on a sending step of a journey, or on which journey people enter."""

    question: Text
    """What is asked, e.g. does a question in the subject bring more clicks?"""
    about: Name | None = None
    """Campaign or journey whose messages differ; not with arms that are journeys."""
    step: Name | None = None
    """Sending step of that journey."""
    segment: Name | None = None
    """With arms that are journeys: its people, and only they enter one of them."""
    of_audience: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the audience that takes part; the others wait for the decision (`experiment`) and then get the winner."""
    arms: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=MOST_ARMS)]
    """The ways of doing it, the usual one first."""
    metric: Metric
    """What is counted."""
    baseline: Annotated[float, Field(gt=0, lt=1)]
    """Rate that the usual way has, as far as is known: the sample size rests on it."""
    smallest_effect: Annotated[float, Field(gt=0, lt=1)]
    """Smallest difference of the rates worth finding, as a share: 0.005 is half a percentage point."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Chance of calling a winner where there is none."""
    power: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    """Chance of finding the smallest effect."""
    method: Literal["always_valid", "fixed"] = "always_valid"
    """`always_valid` may be read every day; `fixed` is read once, at its horizon."""
    horizon: Days | None = None
    """With `fixed`: so many days after starts_on it is read, once."""
    winner: Literal["hold", "send_the_rest"] = "hold"
    """What happens to a winner: a person decides, or everybody who was in no arm gets it from the next night on."""
    salt: Text = "1"
    """Another salt deals the people anew."""
    starts_on: dt.date
    """First night that assigns."""
    ends_on: dt.date
    """Last night that assigns."""

    @model_validator(mode="after")
    def _arms_fit(self) -> "Experiment":
        shares = math.fsum(arm.share for arm in self.arms)
        if abs(shares - 1) > TOLERANCE:
            raise wrong(
                "The shares of the arms sum to {sum}.",
                "They must sum to 1: everybody is in one arm.",
                sum=f"{shares:g}",
            )
        if len({arm.id for arm in self.arms}) < len(self.arms):
            raise wrong("Two arms have the same id.", "Give each arm its own id.")
        if len({arm.kind for arm in self.arms} - {"variant", "content"}) and len({arm.kind for arm in self.arms}) > 1:
            raise wrong("Some arms are journeys and some are not.", "Let all arms differ in the same way.")
        return self

    @model_validator(mode="after")
    def _is_about_something(self) -> "Experiment":
        if self.is_of_journeys == (self.about is not None) or self.is_of_journeys == (self.segment is None):
            raise wrong(
                "It is not clear whom the experiment is about.",
                "Write about (a campaign or a journey) for variants and contents, segment for journeys.",
            )
        if self.step is not None and self.about is None:
            raise wrong("A step belongs to a journey.", "Write about: the journey.")
        if self.is_of_journeys and self.of_audience < 1:
            raise wrong("Nobody can wait at the entry of a journey.", "Leave out of_audience.")
        return self

    @model_validator(mode="after")
    def _can_be_decided(self) -> "Experiment":
        if (self.method == "fixed") != (self.horizon is not None):
            raise wrong(
                "A fixed test is read once, at its horizon.", "Write horizon with method fixed, and only there."
            )
        if self.starts_on > self.ends_on:
            raise wrong("The experiment ends before it starts.", "Swap the two dates.")
        if self.baseline + self.smallest_effect >= 1:
            raise wrong("The rate and the effect sum to more than everybody.", "Lower one of them.")
        return self

    @property
    def is_of_journeys(self) -> bool:
        """Whether the arms are triggers: which journey people enter."""
        return self.arms[0].journey is not None

    @property
    def alpha_of_each(self) -> float:
        """Alpha of one comparison: that of all, over the arms that are held against the first (Bonferroni)."""
        return self.alpha / (len(self.arms) - 1)

    @property
    def needed_people(self) -> int:
        """People in all arms that the test needs, so that the worst-placed arm can be told from the first."""
        first, size = self.arms[0], sample_size if self.method == "fixed" else sample_size_always_valid
        asked = (self.baseline, self.smallest_effect, self.alpha_of_each, self.power)
        return max(math.ceil(size(*asked, arm.share / first.share) / first.share) for arm in self.arms[1:])

    def arm(self, id: str) -> Arm:
        """An arm by its id; LookupError where there is none."""
        for arm in self.arms:
            if arm.id == id:
                return arm
        raise LookupError(f"{self.id} has no arm {id!r}; it has {', '.join(arm.id for arm in self.arms)}")
