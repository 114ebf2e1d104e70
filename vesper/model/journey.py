"""A journey: who enters it, the steps they go through, what ends it (R73, R81, R102).

What belongs here: the shape. What does not: moving people (`vesper/journey/`), what must fit between definitions (`vesper/checks/journey.py`).

Steps follow each other in their order; `go` leads elsewhere, `end` ends the journey. Every step says who answers for it and within what time it
must be done: a step that is done later is listed as late and done all the same; a wait for something that does not come in time ends the journey
for that person (`expired`), unless it says `at_most`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from vesper.conditions import Condition
from vesper.conditions.event_filter import EventFilter
from vesper.model.condition import Path
from vesper.model.definition import Name, Strict, Text
from vesper.model.from_matrix import FromMatrix, Sent
from vesper.model.journey_example import JourneyExample
from vesper.model.journey_when import END, Asked, When, is_exact
from vesper.model.outreach import Channel, Outreach, Purpose
from vesper.model.sales import Weekday
from vesper.model.timing import ClockTime, Duration, WrittenTime
from vesper.problem import wrong

ACTIONS = ("send", "give", "task")
WAITS = ("wait", "until", "clock")
MAIL: Channel = "email"
KINDS = (*ACTIONS, *WAITS, "branch")


class Entry(Strict):
    """Who enters: everybody who does something, or everybody for whom a condition comes to hold."""

    event: EventFilter | None = None
    """Who does this enters at that very instant, from the first night of the journey on."""
    when: Condition | None = None
    """Who comes to meet this enters in the night that finds it; who meets it already when the journey starts, in its first night."""
    who: Condition | None = None
    """Only people for whom this holds at that moment."""

    @model_validator(mode="after")
    def _one_way_in(self) -> "Entry":
        if (self.event is None) == (self.when is None):
            raise wrong("A journey has one way in.", "Write either event or when.")
        return self


class Reentry(WrittenTime):
    """Whether somebody may enter again once the journey is over for them."""

    pattern = r"never|each|after [1-9]\d{0,4}[dhm]"
    example = "never, each, after 90d"

    @property
    def after(self) -> Duration | None:
        """The shortest time between two entries."""
        return Duration(self.removeprefix("after ")) if self.startswith("after ") else None


def _exact(when: Asked) -> Asked:
    if not is_exact(when):
        raise wrong("A goal or an exit is something that happens, so there is no `not` in it.", "Ask in a branch.")
    return when


Event = Annotated[When, AfterValidator(_exact)]
"""Something that comes true at an instant, for good."""


class Exit(Strict):
    """Something that ends the journey before its time."""

    id: Name
    """Its name: the reason in every list."""
    when: Event
    """When it ends."""


class Send(Strict):
    """One message."""

    content: Sent
    """Content that it sends, or `{matrix: id}`: the one that the matrix has for each person."""
    channel: Channel | None = None
    """Channel it is sent on; email where it is missing. A matrix says it for each person, so beside one there is none."""
    purpose: Purpose | None = None
    """Class of the message, where it is another than the journey's."""

    @model_validator(mode="after")
    def _one_says_the_channel(self) -> "Send":
        if isinstance(self.content, FromMatrix) and self.channel is not None:
            raise wrong("The matrix says on which channel each person is written to.", "Drop channel.")
        return self

    @property
    def own_channel(self) -> Channel | None:
        """Channel of everybody; None where the matrix says it for each person."""
        return None if isinstance(self.content, FromMatrix) else self.channel or MAIL


class Until(Strict):
    """A wait for something; then the person goes on at that very instant."""

    when: When
    """What is waited for."""
    at_most: Duration | None = None
    """After so long they go on even so. Without it the step's limit ends the journey for them."""

    @model_validator(mode="after")
    def _ends(self) -> "Until":
        if not is_exact(self.when):
            raise wrong(
                "Nothing says when something that did not happen is over.", "Wait for a time and ask in a branch."
            )
        return self


class NextTime(Strict):
    """A wait for a time of day in the company's zone."""

    at: ClockTime
    """The next such time."""
    days: tuple[Weekday, ...] = ()
    """Only on these days of the week."""


class Case(Strict):
    """One way out of a branch."""

    when: When
    """For whom; the first case that holds is taken."""
    go: Name
    """Step to go to, or `end`."""


class Give(Strict):
    """A coupon out of a pool: one code for one person (R118)."""

    pool: Name
    """Pool of coupons."""


class AskPerson(Strict):
    """Something that a colleague does."""

    kind: Literal["visit", "demo", "trial", "call"]
    """What is to be done."""
    due: Duration
    """Within what time."""
    to: Text | None = None
    """Who does it; the step's owner where it is missing."""


def _named(schema: dict[str, Any]) -> None:
    """For editors: over a preset a step states who answers for it, and what differs."""
    schema["required"] = ["id", "owner"]


class JourneyStep(Strict):
    """One step: exactly one of send, give, task, wait, until, clock, branch."""

    model_config = ConfigDict(json_schema_extra=_named)

    id: Name
    """Name of the step."""
    owner: Text
    """Who answers for it (R102)."""
    within: Duration
    """Limit: it must be done so long after the person came to it (R73)."""
    send: Send | None = None
    """A message."""
    wait: Duration | None = None
    """A pause: 3d is 3 x 24 hours."""
    until: Until | None = None
    """A pause until something happens."""
    clock: NextTime | None = None
    """A pause until a time of day."""
    branch: Annotated[tuple[Case, ...], Field(min_length=1)] | None = None
    """Ways out, in their order; who fits none goes `otherwise`."""
    otherwise: Name | None = None
    """With branch: where all others go; the next step where it is missing."""
    give: Give | None = None
    """A coupon."""
    task: AskPerson | None = None
    """A task for a colleague."""
    go: Name | None = None
    """Where everybody goes from here; the next step where it is missing, and `end` after the last one."""

    @model_validator(mode="after")
    def _one_thing(self) -> "JourneyStep":
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise wrong("A step does one thing.", "Write exactly one of {kinds}.", kinds=", ".join(KINDS))
        if (self.otherwise is not None and self.branch is None) or (self.go is not None and self.branch is not None):
            raise wrong("A branch goes by its cases and otherwise, any other step by go.", "Use the other word.")
        if self.longest and self.longest.timedelta > self.within.timedelta:
            raise wrong(
                "The wait takes {wait} and must be over within {limit}: nobody can keep that.",
                "Raise within, or wait less.",
                wait=self.longest,
                limit=self.within,
            )
        return self

    @property
    def longest(self) -> Duration | None:
        """How long its wait can last; None where the step's limit says so, or where it is no wait."""
        if self.clock is not None:
            return Duration("8d" if self.clock.days else "25h")
        return self.until.at_most if self.until else self.wait

    @property
    def kind(self) -> str:
        """What it does, one of KINDS."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


def _whole_or_preset(schema: dict[str, Any]) -> None:
    """For editors: a journey is whole by itself, or names a preset and what no preset can say."""
    whole = schema["required"]
    own = ["owner", "series", "brief", "max_people", "starts_on", "ends_on"]
    schema["required"] = own
    schema["if"], schema["then"] = {"not": {"required": ["preset"]}}, {"required": whole}


class Journey(Outreach):
    """A journey, as it is in force. Whoever is on one stays on the version that they entered."""

    model_config = ConfigDict(json_schema_extra=_whole_or_preset)

    preset: Name | None = None
    """Journey that ships with Vesper: what is not stated here is taken from it, but owners, limits of people and dates."""
    entry: Entry
    """Who enters, and when."""
    reentry: Reentry = Reentry("never")
    """`never`; `each`: every time anew, once the last time is over; `after 90d`: not before so long after the last entry."""
    goal: Event | None = None
    """What it is for: who gets there leaves with success, and nothing more is sent to them."""
    exits: tuple[Exit, ...] = ()
    """What else ends it; looked at before every step."""
    steps: Annotated[tuple[JourneyStep, ...], Field(min_length=1)]
    """The steps, in their order."""
    examples: Annotated[tuple[JourneyExample, ...], Field(min_length=1)]
    """People and what they get when; they are its tests."""

    def step(self, id: str) -> JourneyStep:
        """A step by its id; LookupError where there is none."""
        for step in self.steps:
            if step.id == id:
                return step
        raise LookupError(f"{self.id} has no step {id!r}; it has {', '.join(step.id for step in self.steps)}")

    def after(self, step: JourneyStep) -> str:
        """Where a step leads by itself: its `go` or `otherwise`, else the next one, `end` after the last."""
        stated = step.go or step.otherwise
        following = [one.id for one in self.steps[self.steps.index(step) + 1 :]]
        return stated or (following[0] if following else END)

    def ways(self, step: JourneyStep) -> list[str]:
        """Every place that a step may lead to."""
        return [*[case.go for case in step.branch or ()], self.after(step)]

    def asked(self) -> Iterator[tuple[Path, Asked]]:
        """Everything that is asked of people on the way, each with its path in the text."""
        if self.goal is not None:
            yield ("goal",), self.goal
        for number, one in enumerate(self.exits):
            yield ("exits", number, "when"), one.when
        for number, step in enumerate(self.steps):
            if step.until is not None:
                yield ("steps", number, "until", "when"), step.until.when
            for place, case in enumerate(step.branch or ()):
                yield ("steps", number, "branch", place, "when"), case.when

    def written(self) -> Iterator[tuple[Path, Condition]]:
        """Its conditions of the language, each with its path in the text."""
        for word in ("when", "who"):
            condition = getattr(self.entry, word)
            if condition is not None:
                yield ("entry", word), condition
        for start, when in self.asked():
            for path, part in when.each(start):
                if part.condition is not None:
                    yield path[:-1], part.condition
