"""Regions: every spelling of a place becomes exactly (province, city), or says why not (R8).

Spellings are a table made from `definitions/reference/china_regions.csv`; a spelling that names two places is ambiguous and is never guessed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from vesper.cleaning.text import narrow
from vesper.tables.reference import SPELLING

MUNICIPALITIES = ("北京", "天津", "上海", "重庆")
AUTONOMOUS = {"广西": "壮族自治区", "内蒙古": "自治区", "宁夏": "回族自治区", "新疆": "维吾尔自治区", "西藏": "自治区"}


def spellings(regions: Iterable[Mapping[str, str]]) -> list[dict[str, str | None]]:
    """Rows of the spelling table from the reference file's rows (province, city, province_en, city_en)."""
    meanings: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    traditional = _traditional()
    for region in regions:
        for spelling, meaning in _spellings_of(region):
            meanings[_key(spelling)].add(meaning)
            meanings[_key(traditional(spelling))].add(meaning)
    return [_row(spelling, found) for spelling, found in sorted(meanings.items())]


def _traditional() -> Callable[[str], str]:
    """Simplified to traditional characters, by OpenCC (looked up once per night, for the reference table only)."""
    from opencc import OpenCC

    return OpenCC("s2t").convert


def _spellings_of(region: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, str | None]]]:
    province, city = region["province"], region["city"]
    here = (province, city)
    cities = [city, f"{city}市", region["city_en"]]
    provinces = [province, f"{province}{AUTONOMOUS.get(province, '省')}", region["province_en"]]
    if province in MUNICIPALITIES:
        yield from ((spelling, here) for spelling in [*cities, f"{province}{city}", f"{province}市{city}市"])
        return
    yield from ((spelling, here) for spelling in cities)
    yield from ((left + right, here) for left in provinces for right in cities)
    yield f"{region['city_en']}{region['province_en']}", here
    yield from ((spelling, (province, None)) for spelling in provinces)


def _row(spelling: str, found: set[tuple[str, str | None]]) -> dict[str, str | None]:
    cities = {meaning for meaning in found if meaning[1]}
    if len(cities) > 1 or (cities and len({province for province, _ in found}) > 1):
        return {"spelling": spelling, "province": None, "city": None, "status": "ambiguous"}
    if cities and len(found) > 1:
        return {"spelling": spelling, "province": next(iter(cities))[0], "city": None, "status": "province_only"}
    province, city = next(iter(found))
    return {"spelling": spelling, "province": province, "city": city, "status": "exact" if city else "province_only"}


def _key(spelling: str) -> str:
    return "".join(letter for letter in spelling.lower() if letter not in " ,'")


def key(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A region cell as it is looked up: narrow, lower case, without blanks, commas and separators."""
    return sa.func.nullif(sa.func.lower(sa.func.regexp_replace(narrow(value), "[ \t,，/·'-]", "", "g")), "")


def city_part(looked_up: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The cell up to its first 市, so that a district behind it does not hide the city."""
    return sa.func.regexp_extract(looked_up, "^.*?市")


def resolved(rows: sa.FromClause, column_name: str, kept: Iterable[Any]) -> sa.Select[Any]:
    """The kept columns with province, city and region_status for a region column; NULL and unknown spellings are `none`."""
    whole, part = SPELLING.alias("whole"), SPELLING.alias("part")
    looked_up = key(rows.c[column_name])
    status = sa.func.coalesce(whole.c.status, part.c.status, "none")
    return sa.select(
        *kept,
        sa.case((whole.c.spelling.is_not(None), whole.c.province), else_=part.c.province).label("province"),
        sa.case((whole.c.spelling.is_not(None), whole.c.city), else_=part.c.city).label("city"),
        status.label("region_status"),
    ).select_from(
        rows.join(whole, whole.c.spelling == looked_up, isouter=True).join(
            part, part.c.spelling == city_part(looked_up), isouter=True
        )
    )
