"""What one turn of the journeys may know: its instant, the night it stands in, and up to when which facts are known.

What belongs here: the turn, the versions of a journey that people are on, the tables a turn works on. What does not: any Select.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from vesper.clock import instant
from vesper.model.journey import Journey
from vesper.night import Night
from vesper.send import planned_at

ACT, STEP, GOAL, EXITED, EXPIRED, DONE, ACTIVE = "act", "step", "goal", "exited", "expired", "done", "active"
"""What may become of somebody: do the step's action, go on, or one of four endings; and being on the way."""
OVER, LIMIT, GONE = "journey_over", "limit", "gone"
"""Reasons that no definition names: the journey's last day has passed, a wait's limit has, the contact is no more."""
JOURNEY_ENDED, OUT_OF_STOCK, ALREADY_GIVEN = "journey_ended", "out_of_stock", "already_given"
GIVEN, OPENED, WAITED, TIMEOUT, CAME = "given", "task_opened", "waited", "timeout", "came"
REFUSED_NOT = ("intent", GIVEN, OPENED)
"""Outcomes of actions that gave something."""
WAITS_FOR = ("held", "paused", "over_max_people", "deviation", "pilot", "partial", "experiment")
"""Decisions on a message that are of the night or of the whole journey and not of the person: they wait at the step for another one."""


@dataclass(frozen=True)
class Turn:
    """One turn. Facts are known up to `at` and steps are taken up to it; what is planned is planned at `planned_at`.

    `live` are the kinds of event that are known up to `at` between nights, too; all others are known up to `published_at`. A night's own turn
    knows all up to its cut-off.
    """

    night: Night
    at: dt.datetime
    planned_at: dt.datetime
    is_night: bool = True
    published_at: dt.datetime | None = None
    live: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of_night(cls, night: Night) -> "Turn":
        """The turn of a night: facts up to its cut-off, planned at 21:00."""
        return cls(night, night.cutoff_at, planned_at(night))

    @classmethod
    def of_tick(
        cls, night: Night, at: dt.datetime, published_at: dt.datetime | None = None, live: Iterable[str] = ()
    ) -> "Turn":
        """A turn between nights; without `published_at` every fact is known up to `at`."""
        return cls(night, at, at, False, published_at or at, frozenset(live))

    def known(self, kinds: Iterable[str]) -> dt.datetime:
        """Up to when events of some kinds are known."""
        if self.is_night or self.published_at is None or set(kinds) <= self.live:
            return self.at
        return min(self.at, self.published_at)


@dataclass(frozen=True)
class Version:
    """One version of a journey that people are on. New people enter the version in force."""

    journey: Journey
    hash: str
    is_paused: bool = False

    def begins_at(self, night: Night) -> dt.datetime:
        """The first instant (UTC) of the journey's first day."""
        return instant(self.journey.starts_on, dt.time(), night.zone)

    def over_at(self, night: Night) -> dt.datetime:
        """The instant (UTC) at which the journey's last day is over."""
        return instant(self.journey.ends_on + dt.timedelta(days=1), dt.time(), night.zone)


STANDING = sa.Table(
    "journey_standing",
    sa.MetaData(),
    sa.Column("contact_id", sa.String),
    sa.Column("occurrence", sa.Integer),
    sa.Column("definition_hash", sa.String),
    sa.Column("business_on", sa.Date),
    sa.Column("entered_at", sa.DateTime),
    sa.Column("step_id", sa.String),
    sa.Column("step_since_at", sa.DateTime),
    sa.Column("state", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("ended_at", sa.DateTime),
    sa.Column("inbox_id", sa.Integer),
    sa.Column("number", sa.Integer),
    sa.Column("number_before", sa.Integer, comment="Number at the turn's start; empty of who entered in it"),
    sa.Column("due_before", sa.DateTime, comment="When its wait was to be over, as the ledger has it"),
    sa.Column("acted", sa.String, comment="What the action of the present step came to; empty until it is done"),
    comment="Where everybody of one journey stands within a turn; one row for each entry that was active when it began, or began in it",
)

WAY = sa.Table(
    "journey_way",
    sa.MetaData(),
    sa.Column("contact_id", sa.String),
    sa.Column("occurrence", sa.Integer),
    sa.Column("number", sa.Integer),
    sa.Column("step_id", sa.String),
    sa.Column("at", sa.DateTime),
    sa.Column("business_on", sa.Date),
    sa.Column("outcome", sa.String),
    sa.Column("due_at", sa.DateTime),
    sa.Column("left_at", sa.DateTime),
    sa.Column("handled_at", sa.DateTime),
    comment="The steps that the people of STANDING came to so far",
)

MOVE = sa.Table(
    "journey_move",
    sa.MetaData(),
    sa.Column("contact_id", sa.String),
    sa.Column("occurrence", sa.Integer),
    sa.Column("number", sa.Integer),
    sa.Column("step_id", sa.String),
    sa.Column("verb", sa.String),
    sa.Column("at", sa.DateTime),
    sa.Column("to_step", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("due_at", sa.DateTime, comment="Limit of the step that it goes to"),
    comment="What becomes of people next: at most one row for each of STANDING",
)

ACTED = sa.Table(
    "journey_acted",
    sa.MetaData(),
    sa.Column("contact_id", sa.String),
    sa.Column("occurrence", sa.Integer),
    sa.Column("outcome", sa.String),
    comment="What the actions of a round came to",
)

PEOPLE = sa.Table(
    "journey_people",
    sa.MetaData(),
    sa.Column("contact_id", sa.String),
    comment="The contacts that a tick looks at",
)

STOCK = sa.Table(
    "journey_stock",
    sa.MetaData(),
    sa.Column("pool_id", sa.String),
    sa.Column("code", sa.String),
    comment="Codes in stock that a turn may give",
)
