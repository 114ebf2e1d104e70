"""Notices to sales in a ledger that was put back (R120, R63): what sales may know already is never told again by itself."""

import datetime as dt

import pytest
import sqlalchemy as sa

from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import HANDOVER, NOTICE
from warehouse.ledger.notices import due
from warehouse.ledger.restore import Reconciled, hold, take_evidence, waiting_since

pytestmark = pytest.mark.requirement("R120", "R63")

BACKUP_AT = dt.datetime(2018, 1, 1, 12)
LATER = dt.datetime(2999, 1, 1)
WAITING = {"due": ("email", "planned", BACKUP_AT), "posted": ("webhook", "planned", BACKUP_AT)}
WAITING |= {"on_the_wire": ("email", "sending", BACKUP_AT), "tomorrow": ("email", "planned", LATER)}
WAITING |= {"told": ("email", "accepted", BACKUP_AT), "alone": ("wecom", "planned", BACKUP_AT)}


def handed_over(ledger: sa.Engine) -> None:
    """One hand-over with a notice in every state that matters."""
    same = {
        "contact_id": "c1",
        "episode": 1,
        "cause": "mql",
        "score": 90,
        "business_on": BACKUP_AT.date(),
        "state": "open",
    }
    at = dict.fromkeys(("scored_at", "recorded_at", "created_at", "due_at"), BACKUP_AT)
    rows = [
        {"notice_id": id, "about": "h1", "handover_id": "h1", "kind": "new", "channel": channel, "recipient": id}
        | {"state": state, "created_at": BACKUP_AT, "not_before": not_before, "attempts": 0}
        for id, (channel, state, not_before) in WAITING.items()
    ]
    with ledger.begin() as connection:
        connection.execute(sa.insert(HANDOVER), {"handover_id": "h1", **same, **at})
        connection.execute(sa.insert(NOTICE), rows)


def states(ledger: sa.Engine) -> dict[str, tuple[str, str | None]]:
    """State and reason of each notice."""
    with reading(ledger) as connection:
        rows = connection.execute(sa.select(NOTICE.c.notice_id, NOTICE.c.state, NOTICE.c.reason))
        return {row[0]: (row[1], row[2]) for row in rows}


def test_what_was_due_before_the_restore_waits_for_a_person(ledger: sa.Engine) -> None:
    handed_over(ledger)
    hold(ledger, BACKUP_AT, "ops")
    found = {"alone": BACKUP_AT + dt.timedelta(hours=1)}
    done = take_evidence(ledger, found, True, "the mail server's log", "ops", ["webhook"])
    assert done == Reconciled(found=1, accepted=0, doubtful=0, told=1, perhaps_told=2)
    assert waiting_since(ledger) is None
    unknown = ("unknown", "restored")
    assert states(ledger) == {
        "due": unknown,
        "on_the_wire": unknown,
        "posted": ("planned", None),
        "tomorrow": ("planned", None),
        "told": ("accepted", None),
        "alone": ("accepted", "sent_before_restore"),
    }
    assert {one.notice_id for one in due(ledger, LATER)} == {"posted", "tomorrow"}


def test_a_receiver_that_takes_everything_is_not_told_twice(ledger: sa.Engine) -> None:
    handed_over(ledger)
    hold(ledger, BACKUP_AT, "ops")
    assert take_evidence(ledger, {}, False, "nowhere", "ops").perhaps_told == 4
    assert [one.notice_id for one in due(ledger, LATER)] == ["tomorrow"]
    again = take_evidence(ledger, {}, False, "nowhere", "ops")
    assert (again.told, again.perhaps_told) == (0, 0)
