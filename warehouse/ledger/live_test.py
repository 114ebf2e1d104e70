"""Live tests of one-click unsubscribe: append-only; a campaign reaches everybody only after one that passed (RFC 8058, rule C4).

What belongs here: the rows. What does not: the test itself, which goes over the wire, and who asks for it (`tasks/rollout.py`).
"""

import datetime as dt

import sqlalchemy as sa

from warehouse.ledger.send_schema import LIVE_TEST


def is_passed(connection: sa.Connection, campaign_id: str, tested: str) -> bool:
    """Whether the newest test of a campaign or journey passed; False where nobody tested it.

    Args:
        tested: `vesper.live_test.tested_hash` of what is to come into force: a test of another address is none.
    """
    newest = sa.select(LIVE_TEST.c.is_passed).where(
        LIVE_TEST.c.campaign_id == campaign_id, LIVE_TEST.c.definition_hash == tested
    )
    return bool(connection.scalar(newest.order_by(LIVE_TEST.c.live_test_id.desc()).limit(1)))


def record(
    connection: sa.Connection,
    campaign_id: str,
    definition_hash: str,
    passed: bool,
    detail: str,
    by: str,
    at: dt.datetime,
) -> None:
    """Keep what a test brought."""
    row = {"campaign_id": campaign_id, "definition_hash": definition_hash, "is_passed": passed, "detail": detail}
    connection.execute(sa.insert(LIVE_TEST), row | {"by": by, "at": at})
