"""Redeeming a coupon at a till: one transaction that closes the code and tells the inbox (R118).

What belongs here: that transaction. What does not: giving codes (`journey.py`), redemptions that come as a source's events (`coupon.py`).
"""

import datetime as dt
import json
from typing import Literal

import sqlalchemy as sa

from warehouse.ledger.inbox import Arrival, append
from warehouse.ledger.journey_schema import COUPON
from warehouse.ledger.send_schema import INBOX

SOURCE, REDEEMED = "signed:shop", "coupon_redeemed"
Word = Literal["redeemed", "unknown", "not_given", "expired", "already_redeemed"]


def redeem_at_till(engine: sa.Engine, pool_id: str, code: str, id: str, at: dt.datetime) -> Word:
    """Redeem a code that somebody has; when this returns `redeemed`, it is committed and nobody else can.

    Args:
        id: the till's own id of the redemption. A till that got no answer asks again with the same id, and gets the same answer.
    """
    mine = sa.and_(COUPON.c.pool_id == pool_id, COUPON.c.code == code)
    with engine.begin() as connection:
        row = connection.execute(sa.select(COUPON).where(mine)).first()
        if row is None:
            return "unknown"
        if row.contact_id is None:
            return "not_given"
        if row.redeemed_at is not None:
            return "redeemed" if _is_same(connection, pool_id, code, id) else "already_redeemed"
        if row.expires_at is not None and row.expires_at < at:
            return "expired"
        close = sa.update(COUPON).where(mine, COUPON.c.redeemed_at.is_(None)).values(redeemed_at=at)
        if connection.execute(close).rowcount != 1:
            return "already_redeemed"
        said = {"content_id": code, "keyword": pool_id, "contact_id": row.contact_id, "till": id}
        append(connection, Arrival(SOURCE, f"{pool_id}|{code}", REDEEMED, at, said, row.contact_id))
    return "redeemed"


def _is_same(connection: sa.Connection, pool_id: str, code: str, id: str) -> bool:
    """Whether the redemption that is kept is the one that is asked for again."""
    kept = sa.select(INBOX.c.payload).where(INBOX.c.source == SOURCE, INBOX.c.source_event_id == f"{pool_id}|{code}")
    found = connection.scalar(kept)
    return found is not None and json.loads(found).get("till") == id
