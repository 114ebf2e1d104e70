"""Where a Chinese number was issued: the region of last resort, for people who state none. It is marked as such wherever it is used.

What belongs here: mobile prefixes and area codes to places. What does not: whether a number is valid (phone.py), and who needs this (source records).
People keep their number when they move, so this says where a number was issued and no more.
"""

import csv
import io
import lzma
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache

from vesper.reference import FOLDER, reference_rows

DIGITS = 7
FIRST_PREFIX = 1300000
AREA_CODE_LENGTHS = (3, 2)

Issued = tuple[str | None, str | None]
NOWHERE: Issued = (None, None)


def by_phone(prefixes: Iterable[str]) -> list[Issued]:
    """(province, city) for each of the first seven digits of national numbers, without the leading zero, in their order.

    The city is None where several cities share the prefix or area code; both are None for a prefix that was not issued by the table's date.
    """
    return [_issued(prefix) for prefix in prefixes]


def _issued(prefix: str) -> Issued:
    if (
        len(prefix) == DIGITS
        and prefix.isdecimal()
        and prefix.isascii()
        and int(prefix) >= FIRST_PREFIX
        and prefix[0] == "1"
    ):
        starts, places = _mobile()
        return places[bisect_right(starts, int(prefix)) - 1]
    codes = _area_codes()
    return next((codes[prefix[:length]] for length in AREA_CODE_LENGTHS if prefix[:length] in codes), NOWHERE)


@cache
def _mobile() -> tuple[list[int], list[Issued]]:
    """First prefix and place of each run of neighbouring prefixes. Loaded when the first mobile number is asked for."""
    text = lzma.decompress((FOLDER / "phone_regions.csv.xz").read_bytes()).decode()
    starts, places, upcoming = [], [], FIRST_PREFIX
    known: dict[tuple[str, str], Issued] = {}
    rows = csv.reader(io.StringIO(text))
    next(rows)
    for length, province, city in rows:
        starts.append(upcoming)
        places.append(known.setdefault((province, city), (province or None, city or None)))
        upcoming += int(length)
    return [*starts, upcoming], [*places, NOWHERE]


@cache
def _area_codes() -> dict[str, Issued]:
    return {row["area_code"]: (row["province"], row["city"] or None) for row in reference_rows("china_area_codes")}
