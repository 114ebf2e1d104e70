"""The fence of a workspace that is not production, through a whole delivery: on a real server only test addresses get mail."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.delivery import Letters, deliver, live
from tests.send.company import (
    attempts,
    campaign,
    definitions,
    frequency,
    looking_up,
    messages,
    people,
    planned,
    touches,
    workspace,
)
from tests.send.smtp_script import Scripted
from vesper.clock import now
from vesper.model.workspace import Clock, Mail


@pytest.mark.requirement("R99")
def test_only_test_addresses_are_written_to(any_ledger: sa.Engine, tmp_path: Path) -> None:
    """0.0.0.0 leads to this machine, and its name does not say so: to the fence it is a real server."""
    today, persons = now().date(), people(4)
    each = campaign(starts_on=today, ends_on=today + dt.timedelta(days=9))
    known = definitions(each, policy=frequency(windows={}, quiet_hours=None))
    planned(any_ledger, known, tmp_path, persons, on=today)
    with Scripted() as server:
        mail = Mail(
            server=f"0.0.0.0:{server.port}", security="none", test_addresses=("PERSON1@example.com", "nobody@x.y")
        )
        space = workspace(tmp_path, clock=Clock(), mail=mail)
        letters = Letters(space, known, looking_up(persons))
        report = deliver(any_ledger, space, known, letters, now() + dt.timedelta(days=2), live())
        assert len(server.mails) == 1 and b"To: person1@example.com" in server.mails[0]
    assert (report.outcomes, report.refused) == ({"accepted": 1}, {"fence": 3})
    assert (
        sorted((row.state, row.reason) for row in messages(any_ledger) if row.contact_id != "c0001")
        == [("refused", "fence")] * 3
    )
    assert len(attempts(any_ledger)) == len(touches(any_ledger)) == 1
