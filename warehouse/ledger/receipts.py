"""Receipts: which source files a published night holds."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from warehouse.ledger.engine import reading
from warehouse.ledger.schema import RECEIPT


@dataclass(frozen=True)
class Receipt:
    """One file as it was taken in. `loaded_on` is the first night that holds it."""

    source: str
    file: str
    sha256: str
    covers_on: dt.date
    received_at: dt.datetime
    row_count: int
    size: int
    loaded_on: dt.date


def known_receipts(engine: sa.Engine, source: str) -> list[Receipt]:
    """All receipts of a source, oldest day first."""
    query = sa.select(*[RECEIPT.c[name] for name in Receipt.__dataclass_fields__]).where(RECEIPT.c.source == source)
    with reading(engine) as connection:
        return [Receipt(*row) for row in connection.execute(query.order_by(RECEIPT.c.covers_on, RECEIPT.c.file))]


def record_receipts(connection: sa.Connection, receipts: Sequence[Receipt]) -> None:
    """Add the receipts of a publishing night; a file that an earlier night holds keeps that night, a later one is brought forward."""
    key = (RECEIPT.c.source, RECEIPT.c.file, RECEIPT.c.sha256)
    mine = RECEIPT.c.source.in_(sorted({receipt.source for receipt in receipts}))
    held = {tuple(row[:3]): row[3] for row in connection.execute(sa.select(*key, RECEIPT.c.loaded_on).where(mine))}
    new = [asdict(receipt) for receipt in receipts if _key(receipt) not in held]
    if new:
        connection.execute(RECEIPT.insert(), new)
    for receipt in receipts:
        if _key(receipt) in held and held[_key(receipt)] > receipt.loaded_on:
            same = sa.and_(*[column == value for column, value in zip(key, _key(receipt), strict=True)])
            connection.execute(RECEIPT.update().where(same).values(loaded_on=receipt.loaded_on))


def _key(receipt: Receipt) -> tuple[str, str, str]:
    return receipt.source, receipt.file, receipt.sha256
