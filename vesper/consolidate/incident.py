"""Answers to a campaign that went wrong: they stay events, and no condition counts them (R109).

What belongs here: marking core__event. What does not: recording an incident (`warehouse/ledger/incident.py`), reading the mark
(`conditions/event_filter.py`). An event answers a message by naming it; nothing else of its campaign's series is touched.
"""

from typing import Any

import sqlalchemy as sa

from vesper.tables.campaign import EVENT
from vesper.tables.ledger_copy import LEDGER_INCIDENT

MARK = "excluded_by"


def marked(events: sa.FromClause) -> sa.Select[Any]:
    """core__event from rows that lack the mark: who answers a message of an incident bears its number."""
    number = sa.literal("incident ") + sa.cast(LEDGER_INCIDENT.c.incident_id, sa.String)
    same = LEDGER_INCIDENT.c.message_id == events.c.message_id
    return sa.select(*[events.c[c.name] for c in EVENT.c if c.name != MARK], number.label(MARK)).select_from(
        events.outerjoin(LEDGER_INCIDENT, same)
    )
