"""Coupons: codes from a file or made here put in stock, redemptions taken from the events, the state of every pool for people (R118).

What belongs here: these three. What does not: giving a code (`tasks/journey_turn.py`), the rows (`warehouse/ledger/coupon.py`).
"""

import csv
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vesper.address import AddressKey
from vesper.clock import at
from vesper.journey.turn import Turn
from vesper.model.coupon import Coupons, Made
from vesper.said import Said
from vesper.tables.campaign import EVENT
from vesper.tables.journey import RAW_COUPON
from warehouse.house import House
from warehouse.ledger.coupon import counted, has_codes, open_codes, put_in_stock, redeem
from warehouse.ledger.journey_copies import copies

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that nobody takes for one another."""
COLUMN = "code"


class CouponsUnreadable(Said):
    """A file of codes that cannot be taken in."""


def stock_pools(house: House, pools: Iterable[Coupons], only_new: bool = False) -> list[CouponsUnreadable]:
    """Put in stock what is not there yet; returns what is wrong with files that bring nothing. `only_new` looks at pools without any code."""
    pools = [pool for pool in pools if not (only_new and has_codes(house.engine, pool.id))]
    known, unreadable = counted(house.engine) if pools else {}, []
    for pool in pools:
        try:
            codes = codes_in(house, pool) if pool.made is None or known.get(pool.id, 0) < pool.made.count else []
        except CouponsUnreadable as found:
            unreadable.append(found)
            continue
        if known.get(pool.id, 0) < len(codes):
            put_in_stock(house.engine, pool.id, codes)
    return unreadable


def codes_in(house: House, pool: Coupons) -> list[str]:
    """Every code of a pool: of its file, or made."""
    if pool.made is not None:
        return list(made_codes(pool.id, pool.made, house.address_key))
    return list(codes_of(house.workspace.root, pool))


def made_codes(pool_id: str, made: Made, key: AddressKey) -> Iterator[str]:
    """The codes of a pool: a keyed hash of pool and number, so that they are the same every time and nobody can guess one."""
    for number in range(made.count):
        value, letters = int(key.over(f"coupon|{pool_id}|{number}"), 16), []
        for _ in range(made.length):
            value, place = divmod(value, len(ALPHABET))
            letters.append(ALPHABET[place])
        yield made.prefix + "".join(letters)


def codes_of(root: Path, pool: Coupons) -> Iterator[str]:
    """The codes of a file, each once, in its order. Raises CouponsUnreadable."""
    name = pool.file or ""
    file = (root / name).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        raise CouponsUnreadable(
            "{pool}: there is no file {file} in the workspace; put it there.", pool=pool.id, file=name
        )
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if COLUMN not in (rows.fieldnames or ()):
            raise CouponsUnreadable(
                "{file}:1: there is no column code; write it in the first line.", pool=pool.id, file=name
            )
        seen: set[str] = set()
        for row in rows:
            code = (row[COLUMN] or "").strip()
            if code and code not in seen:
                seen.add(code)
                yield code


def redeem_from_events(
    engine: sa.Engine, desk: Any, pools: Iterable[Coupons], turn: Turn, people: Collection[str] | None = None
) -> dict[str, int]:
    """Note the redemptions that the events tell of, of some contacts or of all; returns how many of each pool are new."""
    found = {}
    for pool in pools:
        if pool.redeemed is None or not open_codes(engine, pool.id):
            continue
        desk.bind_arrow(RAW_COUPON.name, copies(engine, people)[RAW_COUPON.name])
        rows = desk.rows(redemptions(pool, turn))
        found[pool.id] = redeem(engine, pool.id, [(row[0], row[1]) for row in rows])
    return found


def redemptions(pool: Coupons, turn: Turn) -> sa.Select[Any]:
    """Codes of a pool that events name after they were given: code, and the first such instant."""
    asked = pool.redeemed
    if asked is None:
        raise ValueError(f"{pool.id} says nowhere how a redemption is known")
    code, raw = EVENT.c[asked.code_in], RAW_COUPON.c
    facts = [raw.pool_id == pool.id, raw.redeemed_at.is_(None), asked.event.holds()]
    facts += [EVENT.c.at >= raw.given_at, EVENT.c.at <= at(turn.at)]
    first = sa.func.min(EVENT.c.at)
    return sa.select(raw.code, first).join_from(RAW_COUPON, EVENT, code == raw.code).where(*facts).group_by(raw.code)
