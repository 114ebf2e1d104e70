"""Policies: what holds for the whole company. One file each in `definitions/policy/`; a company without its own takes Vesper's.

What belongs here: scoring scale, frequency and hours, analysis settings, monitored targets. What does not: any one rule or campaign.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.campaign import Channel
from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.model.timing import ClockTime, Days, Duration, Hours, ZoneName
from vesper.problem import wrong


class StrictMql(Strict):
    """What must be known of a contact, beside its score, before the preset `strict` calls it an MQL (R54)."""

    budget: Annotated[tuple[Text, ...], Field(min_length=1)] = ("clear",)
    """Values of the newest BANT statement on the budget that count as clear."""
    authority: Annotated[tuple[Text, ...], Field(min_length=1)] = ("decision_maker",)
    """Values of the newest BANT statement on authority that say: the decision maker was reached."""


class CalibrationSettings(Strict):
    """How scores are held against what people did afterwards (R60)."""

    band_width: Annotated[int, Field(ge=1, le=100)] = 10
    """Points of one band, counted from the floor; the last band includes the ceiling."""
    after: Days = Days("30d")
    """So many days after the score is counted what came of it. Not longer than the tables are kept (`[retention] derived_days`)."""


class ScoringPolicy(Definition):
    """policy/scoring.yml: where every score starts, its bounds, and who is an MQL (R50, R53)."""

    base: int = 60
    """Points of a contact without any signal; a row of its own in the reasons."""
    mql_at: int = 80
    """Smallest score of an MQL."""
    mql_preset: Literal["score", "strict"] = "score"
    """`score`: mql_at decides alone. `strict`: the budget is clear and the decision maker was reached, too (R54)."""
    strict: StrictMql = StrictMql()
    """What the preset `strict` asks for."""
    floor: int = 0
    """Lowest score; what lies below is a `clamp` row."""
    ceiling: int = 100
    """Highest score; what lies above is a `clamp` row."""
    most_points: dict[Literal["fit", "engagement"], Annotated[int, Field(ge=0)]] = {}
    """Largest sum of all rules of a kind; what lies above is a row `cap_fit` or `cap_engagement`. No limit where it is missing."""
    stale_after: Days = Days("3d")
    """A score that rests on facts older than this raises an alert (R59)."""
    calibration: CalibrationSettings = CalibrationSettings()
    """Conversion by score band."""

    @model_validator(mode="after")
    def _ordered(self) -> "ScoringPolicy":
        if not self.floor <= self.base <= self.ceiling or not self.floor <= self.mql_at <= self.ceiling:
            raise wrong(
                "base {base} and mql_at {mql} must lie between floor {floor} and ceiling {ceiling}.",
                "Correct one of them.",
                base=self.base,
                mql=self.mql_at,
                floor=self.floor,
                ceiling=self.ceiling,
            )
        return self


CALENDAR_DAYS = (1, 7)
SMS_HOURS = Hours(starts=ClockTime("09:00"), ends=ClockTime("20:00"))
"""Hours of marketing by short message where the policy states none (rule C7)."""
SMS_LOUDEST = Hours(starts=ClockTime("08:00"), ends=ClockTime("21:00"))
"""Hours beyond which providers hold marketing back, whatever a policy says (rule C7)."""


class Cap(Strict):
    """At most so many marketing messages to one person in a rolling stretch of time."""

    touches: Annotated[int, Field(ge=1)]
    """Largest number of marketing messages."""
    within: Duration
    """Rolling stretch before the message."""
    channel: Channel | None = None
    """Only messages on this channel count; all channels together where it is missing."""
    stages: tuple[Name, ...] = ()
    """Only people in these lifecycle stages; everybody where it is empty."""
    calendar: bool = False
    """Counts in calendar days (1d, 24h) or weeks from Monday (7d) of the person's zone, instead of the rolling stretch before the message."""

    @model_validator(mode="after")
    def _is_in_the_calendar(self) -> "Cap":
        if self.calendar and self.within.timedelta.days not in CALENDAR_DAYS:
            raise wrong(
                "A calendar has no stretches of {within}.",
                "Write within: 1d or 7d, or leave calendar out.",
                within=self.within,
            )
        return self


class FrequencyPolicy(Definition):
    """policy/frequency.yml: caps, send windows and quiet hours (R82, R86, R87)."""

    caps: Annotated[dict[Name, Cap], Field(min_length=1)]
    """Caps by name; the name is the reason of a refusal."""
    windows: dict[Literal["requested", "operational", "marketing"], tuple[Hours, ...]] = {}
    """Purpose -> hours in which its messages leave, in the person's zone; a purpose without hours may leave at any time."""
    quiet_hours: Hours | None = None
    """No message of any purpose but operational leaves in these hours."""
    channel_windows: dict[Channel, Annotated[tuple[Hours, ...], Field(min_length=1)]] = {"sms": (SMS_HOURS,)}
    """Channel -> hours of marketing on it, beside all other hours: short messages from 09:00 to 20:00, and never outside 08:00 to 21:00."""
    zones: tuple[ZoneName, ...] = ()
    """Zones of the company's markets: where the zone of a person is not known, it is every one of these; the company's own where it is empty."""

    @model_validator(mode="after")
    def _windows_are_loud(self) -> "FrequencyPolicy":
        for window in self.windows.get("marketing", ()):
            if self.quiet_hours and window.overlaps(self.quiet_hours):
                raise wrong(
                    "The window {starts} to {ends} lies in the quiet hours.",
                    "Move one of them.",
                    starts=window.starts,
                    ends=window.ends,
                )
        return self

    @model_validator(mode="after")
    def _short_messages_come_by_day(self) -> "FrequencyPolicy":
        for window in self.channel_windows.get("sms", ()):
            if window.starts < SMS_LOUDEST.starts or window.ends > SMS_LOUDEST.ends or window.starts >= window.ends:
                raise wrong(
                    "Marketing by short message from {starts} to {ends}: providers let none through before 08:00 or after 21:00.",
                    "Write hours between 08:00 and 21:00.",
                    starts=window.starts,
                    ends=window.ends,
                )
        return self

    def hours_on(self, channel: str) -> tuple[Hours, ...]:
        """Hours of marketing on a channel; short messages have some even where the policy says nothing of them."""
        own: tuple[Hours, ...] = self.channel_windows.get(channel, ())  # type: ignore[call-overload]
        return own or ((SMS_LOUDEST,) if channel == "sms" else ())


class RfmSettings(Strict):
    """How buyers are put into fifths."""

    within: Days = Days("365d")
    """Orders of this window count."""


class ReplenishmentSettings(Strict):
    """When a rhythm is known well enough to predict from it (R37)."""

    minimum_purchases: Annotated[int, Field(ge=3)] = 3
    """Purchase days in a category; fewer give no prediction."""
    within: Days = Days("365d")
    """Purchases of this window count."""


class EffectSettings(Strict):
    """How a campaign's effect is counted (R96)."""

    attribution: Literal["responders"] = "responders"
    """Revenue of the people who responded, from mailing to the end of the campaign."""
    cost_per_message: Annotated[Decimal, Field(ge=0)] | None = None
    """Cost of one message, in the company's currency; without it no cost and no return are stated."""


class AnalysisPolicy(Definition):
    """policy/analysis.yml: settings of computed attributes and key figures."""

    rfm: RfmSettings = RfmSettings()
    """Fifths of the buyers."""
    replenishment: ReplenishmentSettings = ReplenishmentSettings()
    """Predicted next purchase."""
    effect: EffectSettings = EffectSettings()
    """Effect of campaigns."""


class MonitorTarget(Strict):
    """One line of the monitoring table: what should be, and what is done where it is not (R94)."""

    flow: Literal["consolidate", "measure", "score", "handover", "segment", "send", "watch"]
    """Stage that the figure belongs to."""
    metric: Name
    """Figure, e.g. visibility_ratio."""
    period: Literal["day", "week", "month", "quarter", "year"]
    """Stretch of time that the figure covers, ending on the night."""
    target: float
    """What it should be."""
    better: Literal["higher", "lower"] = "higher"
    """Whether more or less of it is good."""
    owner: Text
    """Who answers for it."""
    analysis: Wording
    """What a gap usually comes from."""
    action: Wording
    """What is done about it."""


class MonitorPolicy(Definition):
    """policy/monitor.yml: the monitored targets."""

    targets: Annotated[tuple[MonitorTarget, ...], Field(min_length=1)]
    """Lines of the monitoring table."""

    @model_validator(mode="after")
    def _once_each(self) -> "MonitorPolicy":
        keys = [(target.flow, target.metric, target.period) for target in self.targets]
        if len(set(keys)) < len(keys):
            raise wrong("Two targets name the same figure of the same flow and period.", "Keep one.")
        return self
