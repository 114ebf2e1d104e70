"""When a message may go out: windows of the day and frequency caps, as pure functions of instants.

What belongs here: the next instant inside a window (R82, R113), the next instant that no cap forbids (R86, R87), and both together.
What does not: the ledger that holds the touches, the definitions that state the numbers, whose clock it is (`zone.py`).

Caps roll in UTC instants (decision 8). They are strict: two touches exactly one window apart still count as being in one window, so no
reading of "in any 24 hours" is ever exceeded. Caps look at touches on both sides of an instant, so the order of sending does not matter.
A cap that is said to be of the calendar counts in days or weeks of the person's zone instead.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from vesper.clock import instant, local_time
from vesper.definition_set import DefinitionSet
from vesper.model.outreach import outreach_of
from vesper.model.policy import FrequencyPolicy
from vesper.model.timing import Hours
from vesper.zone import zones_of

STEP = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
MARKETING, OPERATIONAL = "marketing", "operational"
HORIZON = 9 * DAY
"""How far a window is looked for. Windows are of every day; what does not open in a week of days opens at a change of the clocks at best."""
_TRIES = 64


@dataclass(frozen=True)
class Touch:
    """One reservation of a contact: when and on which channel."""

    at: dt.datetime
    channel: str


@dataclass(frozen=True)
class Cap:
    """At most `limit` touches in any stretch as long as `window`, or in any day or week of the calendar; on one channel, or on all of them
    when `channel` is None."""

    name: str
    limit: int
    window: dt.timedelta
    channel: str | None = None
    calendar: bool = False

    def counts(self, channel: str) -> bool:
        """Whether touches on a channel count against this cap."""
        return self.channel is None or self.channel == channel

    def allows(self, at: dt.datetime, touches: Sequence[Touch], zones: Sequence[str] = ()) -> bool:
        """Whether one more touch at an instant keeps every stretch within the limit; every period in every zone, of a calendar's cap."""
        mine = [t.at for t in touches if self.counts(t.channel)]
        if self.calendar:
            return all(self._in_period(at, mine, zone) < self.limit for zone in zones)
        times = sorted([at, *mine])
        here = times.index(at)
        spans = zip(times, times[self.limit :], strict=False)
        ours = list(spans)[max(0, here - self.limit) : here + 1]
        return all(later - earlier > self.window for earlier, later in ours)

    def ends(self, at: dt.datetime, zones: Sequence[str]) -> list[dt.datetime]:
        """When a touch stops counting: after the window, or where the next day or week of the calendar begins."""
        if not self.calendar:
            return [at + self.window + STEP]
        return [instant(self._period(at, zone) + self.window, dt.time(), zone) for zone in zones]

    @property
    def reach(self) -> dt.timedelta:
        """How far from an instant a touch can still matter."""
        return self.window + DAY if self.calendar else self.window

    def _in_period(self, at: dt.datetime, times: Sequence[dt.datetime], zone: str) -> int:
        here = self._period(at, zone)
        return sum(self._period(other, zone) == here for other in times)

    def _period(self, at: dt.datetime, zone: str) -> dt.date:
        """First day of the day or week that an instant lies in."""
        day = local_time(at, zone).date()
        return day if self.window == DAY else day - dt.timedelta(days=day.weekday())


@dataclass(frozen=True)
class Limits:
    """What binds one message: each of `windows` is a set of stretches of which one must hold, in every one of `zones`; all caps must hold."""

    zones: tuple[str, ...]
    windows: tuple[tuple[Hours, ...], ...] = ()
    caps: tuple[Cap, ...] = ()

    def binding(self, at: dt.datetime, touches: Sequence[Touch]) -> str | None:
        """Name of the first cap that forbids a touch at an instant; None when all allow it."""
        return next((cap.name for cap in self.caps if not cap.allows(at, touches, self.zones)), None)

    @property
    def lookback(self) -> dt.timedelta:
        """How far from an instant a touch can still matter."""
        return max((cap.reach for cap in self.caps), default=dt.timedelta())

    def in_window(self, at: dt.datetime) -> dt.datetime | None:
        """The earliest instant from `at` on that lies in every window in every zone; None if there is none within HORIZON."""
        return _in_all(at, self.windows, self.zones)

    def earliest(self, at: dt.datetime, touches: Sequence[Touch]) -> dt.datetime | None:
        """The earliest instant from `at` on that windows and caps allow, given the touches so far; None if there is none."""
        for _ in range(_TRIES):
            opened = self.in_window(at)
            free = None if opened is None else uncapped(opened, touches, self.caps, self.zones)
            if free is None or free == opened:
                return free
            at = free
        return None


class Sendable(Protocol):
    """What of a message its limits depend on."""

    @property
    def campaign_id(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def stage_at_plan(self) -> str | None: ...
    @property
    def zone(self) -> str | None: ...
    @property
    def channel(self) -> str: ...


def limits_of_message(definitions: DefinitionSet, company_zone: str, message: Sendable) -> Limits:
    """What binds a message of the ledger: the windows of its campaign or journey, the caps of its purpose and stage, its person's zones."""
    outreach = outreach_of(definitions, message.campaign_id)
    zones = zones_of(message.zone, definitions, company_zone)
    own = outreach.windows if outreach else ()
    return limits_of(definitions, zones, message.purpose, message.stage_at_plan, own, message.channel)


def limits_of(
    definitions: DefinitionSet,
    zones: tuple[str, ...],
    purpose: str,
    stage: str | None,
    windows: tuple[Hours, ...] = (),
    channel: str = "",
) -> Limits:
    """What binds a message of a purpose to a person in a lifecycle stage, who is in one of some zones (R82, R86, R87).

    Caps bind marketing only (decision 7). `windows` of a campaign or journey stand in the place of the policy's; quiet hours bind beside
    either, and so do the marketing hours of the channel. Nothing of it binds operational messages but windows that the policy states for them.
    """
    policy = definitions.one(FrequencyPolicy, "frequency")
    own = windows if windows and purpose != OPERATIONAL else policy.windows.get(purpose, ())  # type: ignore[call-overload]
    stretches = [own] if own else []
    if policy.quiet_hours and purpose != OPERATIONAL:
        stretches.append((Hours(starts=policy.quiet_hours.ends, ends=policy.quiet_hours.starts),))
    if purpose == MARKETING and policy.hours_on(channel):
        stretches.append(policy.hours_on(channel))
    caps = [
        Cap(name, cap.touches, cap.within.timedelta, cap.channel, cap.calendar)
        for name, cap in sorted(policy.caps.items())
        if purpose == MARKETING and (not cap.stages or stage in cap.stages)
    ]
    return Limits(zones, tuple(stretches), tuple(caps))


def next_opening(at: dt.datetime, stretches: Sequence[Hours], zone: str) -> dt.datetime | None:
    """The earliest instant (UTC, naive) from `at` on that lies inside one of the stretches; `at` itself when there are none.

    A stretch that daylight saving swallows on a day opens on the next one; a stretch without a minute never opens (None).
    """
    if not stretches or _inside(at, stretches, zone):
        return at
    today = local_time(at, zone).date()
    openings = [
        instant(today + dt.timedelta(days=ahead), stretch.starts.time, zone)
        for ahead in range(-1, 3)
        for stretch in stretches
    ]
    return min((o for o in openings if o >= at and _inside(o, stretches, zone)), default=None)


def uncapped(
    at: dt.datetime, touches: Sequence[Touch], caps: Sequence[Cap], zones: Sequence[str] = ()
) -> dt.datetime | None:
    """The earliest instant from `at` on at which every cap allows one more touch; None when a cap of zero forbids all."""
    ends = {end for cap in caps for touch in touches if cap.counts(touch.channel) for end in cap.ends(touch.at, zones)}
    candidates = sorted({at, *(end for end in ends if end > at)})
    return next((c for c in candidates if all(cap.allows(c, touches, zones) for cap in caps)), None)


@lru_cache(maxsize=4096)
def _in_all(at: dt.datetime, windows: tuple[tuple[Hours, ...], ...], zones: tuple[str, ...]) -> dt.datetime | None:
    """The steps of one tick ask the same."""
    clocks, last = _clocks(zones, at), at + HORIZON
    while at <= last:
        openings = [next_opening(at, stretches, zone) for stretches in windows for zone in clocks]
        if None in openings:
            return None
        moved = max([at, *(opening for opening in openings if opening is not None)])
        if moved == at:
            return at
        at = moved
    return None


def _inside(at: dt.datetime, stretches: Sequence[Hours], zone: str) -> bool:
    return any(stretch.holds(local_time(at, zone).time()) for stretch in stretches)


def _clocks(zones: tuple[str, ...], at: dt.datetime) -> tuple[str, ...]:
    """Of zones that go alike from an instant to the horizon, one: many names of a country are one clock."""
    if len(zones) < 2:
        return zones
    hours = [at.replace(tzinfo=dt.UTC) + dt.timedelta(hours=n) for n in range(-48, HORIZON // STEP // 3600 + 72, 6)]
    alike = {tuple(hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours): zone for zone in zones}
    return tuple(alike.values())
