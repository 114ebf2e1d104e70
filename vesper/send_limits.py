"""When a marketing message may go out: windows of the day and frequency caps, as pure functions of instants.

What belongs here: the next instant inside a window (R82, R113), the next instant that no cap forbids (R86, R87), and both together.
What does not: the ledger that holds the touches, the definitions that state the numbers.

Caps roll in UTC instants (decision 8). They are strict: two touches exactly one window apart still count as being in one window, so no
reading of "in any 24 hours" is ever exceeded. Caps look at touches on both sides of an instant, so the order of sending does not matter.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from vesper.clock import instant, local_time
from vesper.definition_set import DefinitionSet
from vesper.model.policy import FrequencyPolicy
from vesper.model.timing import Hours

STEP = dt.timedelta(seconds=1)
_TRIES = 64


@dataclass(frozen=True)
class Touch:
    """One reservation of a contact: when and on which channel."""

    at: dt.datetime
    channel: str


@dataclass(frozen=True)
class Cap:
    """At most `limit` touches in any stretch as long as `window`; on one channel, or on all of them when `channel` is None."""

    name: str
    limit: int
    window: dt.timedelta
    channel: str | None = None

    def counts(self, channel: str) -> bool:
        """Whether touches on a channel count against this cap."""
        return self.channel is None or self.channel == channel

    def allows(self, at: dt.datetime, touches: Sequence[Touch]) -> bool:
        """Whether one more touch at an instant keeps every stretch within the limit."""
        times = sorted([at, *(t.at for t in touches if self.counts(t.channel))])
        here = times.index(at)
        spans = zip(times, times[self.limit :], strict=False)
        ours = list(spans)[max(0, here - self.limit) : here + 1]
        return all(later - earlier > self.window for earlier, later in ours)


@dataclass(frozen=True)
class Limits:
    """What binds one message: each of `windows` is a set of stretches of which one must hold; all caps must hold. Times are of `zone`."""

    zone: str
    windows: tuple[tuple[Hours, ...], ...] = ()
    caps: tuple[Cap, ...] = ()

    def binding(self, at: dt.datetime, touches: Sequence[Touch]) -> str | None:
        """Name of the first cap that forbids a touch at an instant; None when all allow it."""
        return next((cap.name for cap in self.caps if not cap.allows(at, touches)), None)

    @property
    def lookback(self) -> dt.timedelta:
        """How far from an instant a touch can still matter."""
        return max((cap.window for cap in self.caps), default=dt.timedelta())

    def in_window(self, at: dt.datetime) -> dt.datetime | None:
        """The earliest instant from `at` on that lies in every window; None if there is none within two months."""
        for _ in range(_TRIES):
            openings = [next_opening(at, stretches, self.zone) for stretches in self.windows]
            if None in openings:
                return None
            moved = max([at, *(opening for opening in openings if opening is not None)])
            if moved == at:
                return at
            at = moved
        return None

    def earliest(self, at: dt.datetime, touches: Sequence[Touch]) -> dt.datetime | None:
        """The earliest instant from `at` on that windows and caps allow, given the touches so far; None if there is none."""
        for _ in range(_TRIES):
            opened = self.in_window(at)
            free = None if opened is None else uncapped(opened, touches, self.caps)
            if free is None or free == opened:
                return free
            at = free
        return None


def limits_of(definitions: DefinitionSet, zone: str, purpose: str, stage: str | None) -> Limits:
    """What binds a message of a purpose to a person in a lifecycle stage (R82, R86, R87). Caps bind marketing only (decision 7)."""
    policy = definitions.one(FrequencyPolicy, "frequency")
    windows = [hours for name, hours in policy.windows.items() if name == purpose and hours]
    if policy.quiet_hours and purpose != "operational":
        windows.append((Hours(starts=policy.quiet_hours.ends, ends=policy.quiet_hours.starts),))
    caps = [
        Cap(name, cap.touches, cap.within.timedelta, cap.channel)
        for name, cap in sorted(policy.caps.items())
        if purpose == "marketing" and (not cap.stages or stage in cap.stages)
    ]
    return Limits(zone, tuple(windows), tuple(caps))


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


def uncapped(at: dt.datetime, touches: Sequence[Touch], caps: Sequence[Cap]) -> dt.datetime | None:
    """The earliest instant from `at` on at which every cap allows one more touch; None when a cap of zero forbids all."""
    ends = {touch.at + cap.window + STEP for cap in caps for touch in touches if cap.counts(touch.channel)}
    candidates = sorted({at, *(end for end in ends if end > at)})
    return next((c for c in candidates if all(cap.allows(c, touches) for cap in caps)), None)


def _inside(at: dt.datetime, stretches: Sequence[Hours], zone: str) -> bool:
    return any(stretch.holds(local_time(at, zone).time()) for stretch in stretches)
