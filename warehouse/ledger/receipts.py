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
    for receipt in receipts:
        same = sa.and_(
            RECEIPT.c.source == receipt.source, RECEIPT.c.file == receipt.file, RECEIPT.c.sha256 == receipt.sha256
        )
        held = connection.scalar(sa.select(RECEIPT.c.loaded_on).where(same))
        if held is None:
            connection.execute(RECEIPT.insert().values(asdict(receipt)))
        elif held > receipt.loaded_on:
            connection.execute(RECEIPT.update().where(same).values(loaded_on=receipt.loaded_on))
