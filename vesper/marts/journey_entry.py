"""People in journeys as analysts read them: one row for each entry, with where it stands and how it ended."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts import mart
from vesper.model.journey import Journey
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, table
from vesper.tables.journey import OCCURRENCE, RAW_JOURNEY_ENTRY, STATES

JOURNEY_ENTRY = table(
    "out__journey_entry",
    column("journey_id", TEXT, "Journey", required=True),
    column("contact_id", TEXT, "Golden contact when it entered", required=True),
    column("occurrence", INTEGER, "Which time the contact entered, from 1", required=True, between=OCCURRENCE),
    column("series_id", TEXT, "Campaign series that the journey rolls up to (R71)"),
    column("business_on", DATE, "Night that entered, or the day of the tick", required=True),
    column("entered_at", INSTANT, "When it entered, by the facts (UTC)", required=True),
    column("step_id", TEXT, "Step where it stands, or stood last", required=True),
    column("step_since_at", INSTANT, "When it came to that step (UTC)", required=True),
    column("waits_until_at", INSTANT, "When its wait is over at the latest (UTC)"),
    column("state", TEXT, "active, done, goal, exited or expired", required=True, among=STATES),
    column("reason", TEXT, "Exit or limit that ended it"),
    column("ended_at", INSTANT, "When it ended (UTC)"),
    column("definition_hash", TEXT, "Version of the journey that the contact stays on", required=True),
    grain=("journey_id", "contact_id", "occurrence"),
    owner="marketing",
    says="One row for each time somebody entered a journey, with the step where they stand and how it ended for them.",
)


@mart(JOURNEY_ENTRY, stage="send")
def journey_entry(night: Night) -> sa.Select[Any]:
    """The ledger's entries up to this night."""
    raw = RAW_JOURNEY_ENTRY.c
    series = {id: one.series for id, one in night.definitions.of(Journey).items()}
    made: dict[str, Any] = {
        "series_id": sa.case(series, value=raw.journey_id) if series else sa.cast(sa.null(), sa.String),
        "waits_until_at": raw.due_at,
    }
    columns = [(made[c.name] if c.name in made else raw[c.name]).label(c.name) for c in JOURNEY_ENTRY.c]
    return sa.select(*columns).where(raw.business_on <= on(night.business_on))
