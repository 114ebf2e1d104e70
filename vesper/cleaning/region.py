"""Regions: every spelling of a place becomes exactly (province, city), or says why not (R8). Never a guess.

What belongs here: what all pieces of a cell say together. What does not: names (region_names.py), cutting (region_text.py), reading one piece
(region_chinese.py, region_english.py), and where a phone number was issued (region_phone.py).
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from vesper.cleaning.region_chinese import Reading, joined, read_chinese
from vesper.cleaning.region_english import read_english
from vesper.cleaning.region_names import CITY, Meaning
from vesper.cleaning.region_phone import by_phone
from vesper.cleaning.region_text import folded, pieces

__all__ = ["Place", "by_phone", "resolve"]

Status = Literal["exact", "province_only", "ambiguous", "none"]
LONGEST = 200  # characters of a cell that are read; what stands further on is no region


class Place(NamedTuple):
    """A region of today in short form: 广东, 深圳. Without a city the status says why: only the province is told, several places fit, or none."""

    province: str | None
    city: str | None
    status: Status


NONE, AMBIGUOUS = Place(None, None, "none"), Place(None, None, "ambiguous")


def resolve(text: str) -> Place:
    """The place that a region cell states. Every text has an answer; none of them raises."""
    readings = [reading for piece in pieces(folded(text[:LONGEST])) for reading in _read(piece.chinese, piece.words)]
    kinds = {reading.kind for reading in readings}
    stated = [reading for reading in readings if reading.kind in ("place", "conflict")]
    if not stated:
        return AMBIGUOUS if "several" in kinds else NONE
    if "foreign" in kinds:
        return AMBIGUOUS
    strong = [reading for reading in stated if not reading.is_weak]
    return _of_strong(strong, stated) if strong else _of_weak(stated)


def _of_strong(strong: list[Reading], stated: list[Reading]) -> Place:
    """Names that stand alone decide. One that several counties share, or a city named by an ordinary word, adds to them where it can."""
    meanings = _agreed(strong)
    if not meanings or any(reading.kind == "conflict" for reading in strong):
        return _shared_province(strong)
    for reading in stated:
        if (reading.is_shared and not reading.is_vague) or (reading.is_weak and reading.meanings[0].rank <= CITY):
            meanings = joined(meanings, reading.meanings) or meanings
    return _chosen(meanings)


def _of_weak(stated: list[Reading]) -> Place:
    """Names that do not stand alone are sure together where only one place bears them all: 鼓楼 and 玄武区 are both in 南京 alone."""
    meanings = _agreed(stated)
    is_vague = all(reading.is_vague for reading in stated)
    if meanings and len(stated) > 1 and not is_vague and len({meaning[:2] for meaning in meanings}) == 1:
        return _chosen(meanings)
    if any(reading.is_vague for reading in stated):
        return AMBIGUOUS
    return _within({meaning.province for reading in stated for meaning in reading.meanings})


def _read(chinese: str, words: tuple[str, ...]) -> Iterable[Reading]:
    return (read_chinese(chinese),) if chinese else read_english(words)


def _agreed(readings: list[Reading]) -> tuple[Meaning, ...]:
    """What all readings can mean together; nothing when they contradict each other."""
    meanings = readings[0].meanings
    for reading in readings[1:]:
        meanings = joined(meanings, reading.meanings)
    return meanings


def _chosen(meanings: tuple[Meaning, ...]) -> Place:
    """A province before a city, a city before a county of the same name; among equals the only one, or none."""
    if len(meanings) == 1:
        return _place(meanings[0].province, meanings[0].city)
    rank = min(meaning.rank for meaning in meanings)
    places = {(meaning.province, meaning.city) for meaning in meanings if meaning.rank == rank}
    # 吉林吉林: the province, and the city in it that bears its name.
    places = {
        place for place in places if place[1] or not any(other != place and other[0] == place[0] for other in places)
    }
    if len(places) == 1:
        return _place(*places.pop())
    return _within({province for province, _ in places})


def _place(province: str, city: str | None) -> Place:
    return Place(province, city, "exact" if city else "province_only")


def _shared_province(readings: list[Reading]) -> Place:
    """Places that contradict each other: the province if they lie in one, else nothing."""
    provinces = [{meaning.province for meaning in reading.meanings} for reading in readings]
    if any(reading.kind == "conflict" and len({m.province for m in reading.meanings}) > 1 for reading in readings):
        return AMBIGUOUS
    return _within(set.intersection(*provinces))


def _within(provinces: set[str]) -> Place:
    return Place(next(iter(provinces)), None, "province_only") if len(provinces) == 1 else AMBIGUOUS
