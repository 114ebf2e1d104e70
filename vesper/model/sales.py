"""policy/sales.yml: how a contact who is ready gets to a salesperson (R63 to R69, R113, R115).

What belongs here: the declaration. What does not: the Selects (`vesper/handover.py`), who gets whom (`vesper/handover_team.py`), the clock of
the business days (`vesper/handover_clock.py`). A company without this file hands nobody over.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.model.timing import ClockTime, Days, Duration, Hours
from vesper.problem import wrong

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PersonalField = Literal["name", "phone", "email", "company", "job_title", "province", "city"]
NAMED: tuple[PersonalField, ...] = ("name", "phone", "email", "company", "job_title", "province", "city")
EVERYBODY, UNASSIGNED = "all", "unassigned"
"""Rows of mart__follow_up that are nobody's."""
Mail = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Secret = Annotated[str, Field(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")]
Ratio = Annotated[float, Field(ge=0, le=1)]


class BusinessCalendar(Strict):
    """When sales work. Times are those of the company's zone."""

    working_days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS[:5]
    """Days of the week."""
    hours: Hours = Hours(starts=ClockTime("09:00"), ends=ClockTime("18:00"))
    """Hours of a working day."""
    holidays: tuple[dt.date, ...] = ()
    """Days on which nobody works."""
    extra_working_days: tuple[dt.date, ...] = ()
    """Days of a weekend that are worked, such as those that make up for a holiday."""

    @model_validator(mode="after")
    def _days_are_told_apart(self) -> "BusinessCalendar":
        both = sorted(set(self.holidays) & set(self.extra_working_days))
        if both:
            raise wrong(
                "{day} is a holiday and a working day.", "Drop it from one of the lists.", day=both[0].isoformat()
            )
        if self.hours.ends.time <= self.hours.starts.time:
            raise wrong("The working hours end before they begin.", "Write hours of one day, such as 09:00 to 18:00.")
        return self


class FollowUp(Strict):
    """How soon sales answer (R68)."""

    within: Duration = Duration("24h")
    """Time from the hand-over to the first answer."""
    counts: Literal["working_days", "working_hours"] = "working_days"
    """working_days: every hour of a working day counts, so 24h end at the same time of the next one. working_hours: only hours that are worked."""
    target_ratio: Ratio = 0.9
    """Share of hand-overs that should be answered in time."""
    window: Days = Days("30d")
    """Hand-overs that fell due in this window make the figure."""


class Representative(Strict):
    """One salesperson."""

    name: Text
    """Name as colleagues say it."""
    email: Mail
    """Where notices go."""
    regions: tuple[Text, ...] = ()
    """Provinces or cities; whoever has none takes contacts of every region."""
    open_limit: Annotated[int, Field(ge=0)] = 20
    """Most hand-overs that may be open at a time (R69)."""


class Webhook(Strict):
    """A CRM or a call system that takes each hand-over as signed JSON (R66)."""

    url: Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/]|\$\{|loopback$)")]
    """Where it is posted, encrypted unless it is this machine; the word loopback keeps it here."""
    secret: Secret
    """Key of the signature, as a variable of the environment: ${CRM_SECRET}."""
    fields: tuple[PersonalField, ...] = NAMED
    """What is told of the person; () tells the contact's id alone."""
    deduplicates: bool = False
    """True when the receiver takes an Idempotency-Key once only. Then what was left without an answer is posted again; else it is listed."""


class Robot(Strict):
    """A robot of a WeCom group."""

    url: Annotated[str, Field(pattern=r"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|loopback)$")]
    """Its address holds a key, so it is a variable of the environment: ${WECOM_ROBOT}. The word loopback keeps notices on this machine."""


class Notices(Strict):
    """How and when sales are told (R113)."""

    hours: Hours = Hours(starts=ClockTime("08:00"), ends=ClockTime("22:00"))
    """Notices leave in these hours; the others wait for the digest."""
    digest_at: ClockTime = ClockTime("09:00")
    """When the waiting ones leave together, on the next working day."""
    email: bool = True
    """A mail to the representative."""
    wecom: Robot | None = None
    """A line in the team's WeCom group."""
    webhook: Webhook | None = None
    """A post to the CRM."""

    @model_validator(mode="after")
    def _somebody_hears(self) -> "Notices":
        if not (self.email or self.wecom or self.webhook):
            raise wrong("Nobody would be told of a hand-over.", "Keep one of email, wecom and webhook.")
        return self


class SalesPolicy(Definition):
    """policy/sales.yml: from an MQL to a salesperson."""

    takeover_at: int | None = 90
    """Score from which a person talks to the contact and marketing writes nothing more (R64)."""
    chat_intents: tuple[Name, ...] = ()
    """Kinds of event that say so in a chat, whatever the score is (R65)."""
    intent_within: Days = Days("7d")
    """How old such an event may be."""
    team: Annotated[dict[Name, Representative], Field(min_length=1)]
    """Salespeople by a short name."""
    manager: Mail
    """Who hears of contacts for whom nobody has room."""
    calendar: BusinessCalendar = BusinessCalendar()
    """When sales work."""
    follow_up: FollowUp = FollowUp()
    """How soon they answer."""
    notices: Notices = Notices()
    """How they are told."""
    reject_reasons: Annotated[dict[Name, Wording], Field(min_length=1)]
    """Codes with which sales reject, and what each means (R115)."""
    review: Days = Days("7d")
    """Window of the alignment sheet."""

    @model_validator(mode="after")
    def _names_are_free(self) -> "SalesPolicy":
        for taken in ("manager", "team", "crm", EVERYBODY, UNASSIGNED):
            if taken in self.team:
                raise wrong("A representative cannot be called {word}.", "Give another short name.", word=taken)
        return self
