"""Coupons in the ledger: codes put in stock, those that are free, redemption; and the words that a message is filled with (R118).

What belongs here: rows of `coupon`. What does not: giving them (`journey.py`, in the journey's own transaction), making codes (`tasks/coupon.py`).
One row is one code: it is free, then one person's for good, then redeemed. Nothing else ever becomes of it, so no code is given twice.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.ledger.engine import reading
from warehouse.ledger.journey_schema import COUPON

BATCH = 5000


@dataclass(frozen=True)
class Held:
    """A code that somebody has."""

    pool_id: str
    code: str
    contact_id: str
    reference: str
    given_at: dt.datetime
    expires_at: dt.datetime | None
    redeemed_at: dt.datetime | None


def counted(engine: sa.Engine) -> dict[str, int]:
    """Codes of each pool, given or not."""
    return _counted(engine)


def left(engine: sa.Engine) -> dict[str, int]:
    """Codes of each pool that nobody has."""
    return _counted(engine, COUPON.c.contact_id.is_(None))


def has_codes(engine: sa.Engine, pool_id: str) -> bool:
    """Whether the pool has any code, given or not."""
    with reading(engine) as connection:
        return (
            connection.execute(sa.select(COUPON.c.code).where(COUPON.c.pool_id == pool_id).limit(1)).first() is not None
        )


def put_in_stock(engine: sa.Engine, pool_id: str, codes: Iterable[str]) -> int:
    """Put codes in stock; those of the pool that are known stay as they are. Returns how many are new."""
    rows = [{"pool_id": pool_id, "code": code} for code in codes]
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    before = counted(engine).get(pool_id, 0)
    with engine.begin() as connection:
        for start in range(0, len(rows), BATCH):
            connection.execute(insert(COUPON).on_conflict_do_nothing(), rows[start : start + BATCH])
    return counted(engine).get(pool_id, 0) - before


def free_codes(engine: sa.Engine, pool_id: str, count: int) -> pa.Table:
    """So many codes that nobody has, the first in their order: pool_id, code."""
    free = sa.select(COUPON.c.code).where(COUPON.c.pool_id == pool_id, COUPON.c.contact_id.is_(None))
    with reading(engine) as connection:
        codes = list(connection.scalars(free.order_by(COUPON.c.code).limit(count)))
    return pa.table({"pool_id": pa.array([pool_id] * len(codes), pa.string()), "code": pa.array(codes, pa.string())})


def redeem(engine: sa.Engine, pool_id: str, redeemed: Sequence[tuple[str, dt.datetime]]) -> int:
    """Note that codes were redeemed, each at an instant; the first one counts, and codes that nobody has do not. Returns how many are new."""
    here = sa.and_(
        COUPON.c.pool_id == pool_id,
        COUPON.c.code == sa.bindparam("one"),
        COUPON.c.contact_id.is_not(None),
        COUPON.c.redeemed_at.is_(None),
    )
    values = [{"one": code, "when": at} for code, at in redeemed]
    if not values:
        return 0
    with engine.begin() as connection:
        update = sa.update(COUPON).where(here).values(redeemed_at=sa.bindparam("when"))
        return int(connection.execute(update, values).rowcount)


def open_codes(engine: sa.Engine, pool_id: str) -> bool:
    """Whether somebody has a code of a pool that is not redeemed yet."""
    mine = sa.select(COUPON.c.code).where(
        COUPON.c.pool_id == pool_id, COUPON.c.contact_id.is_not(None), COUPON.c.redeemed_at.is_(None)
    )
    with reading(engine) as connection:
        return connection.execute(mine.limit(1)).first() is not None


def held_by(engine: sa.Engine, contact_ids: Collection[str]) -> list[Held]:
    """The codes that some contacts have, the newest last."""
    columns = [COUPON.c[name] for name in Held.__dataclass_fields__]
    ids, found = sorted(set(contact_ids)), []
    with reading(engine) as connection:
        for start in range(0, len(ids), 500):
            mine = sa.select(*columns).where(COUPON.c.contact_id.in_(ids[start : start + 500]))
            found += [Held(*row) for row in connection.execute(mine)]
    return sorted(found, key=lambda one: (one.contact_id, one.given_at, one.pool_id, one.code))


def code_for(held: Iterable[Held], journey_id: str, contact_id: str, occurrence: int) -> Held | None:
    """The coupon that a journey's message speaks of: the newest that this very entry was given, else the newest that the contact has."""
    theirs = [one for one in held if one.contact_id == contact_id]
    of_entry = [
        one for one in theirs if one.reference.startswith(f"{journey_id}|") and one.reference.endswith(f"|{occurrence}")
    ]
    found = of_entry or theirs
    return found[-1] if found else None


def _counted(engine: sa.Engine, *which: sa.ColumnElement[bool]) -> dict[str, int]:
    query = sa.select(COUPON.c.pool_id, sa.func.count()).where(*which).group_by(COUPON.c.pool_id)
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
