"""Reads a phrase in Latin letters: English, pinyin, old romanisations. `Nanshan District, Shenzhen` comes as two phrases.

What belongs here: which names a phrase holds. What does not: which of several places is meant (region.py).
"""

from functools import lru_cache

from vesper.cleaning.region_chinese import UNKNOWN, Reading, is_shared
from vesper.cleaning.region_names import COUNTY, PROVINCE, Meaning, gazetteer
from vesper.cleaning.region_words import FILLERS, PART, PINYIN_SUFFIXES, ROADS, WHOLE_CITY, WHOLE_PROVINCE

MOST_WORDS = 5
SHORTEST = 5  # letters of a county; shorter ones are mostly words and names of people


@lru_cache(maxsize=65536)
def read_english(words: tuple[str, ...]) -> tuple[Reading, ...]:
    """One reading per name of the phrase; unknown when a word is left that is no name, unless it is the beginning of an address."""
    readings: list[Reading] = []
    place, is_address = 0, False
    while place < len(words):
        length, reading = _name_at(words, place)
        if reading:
            readings.append(reading)
        elif words[place] not in FILLERS and not words[place].isdigit():
            is_address = (
                is_address or words[place] in ROADS or any(letter.isdigit() for letter in "".join(words[:place]))
            )
            readings.append(UNKNOWN)
        place += length
    if UNKNOWN not in readings:
        return tuple(readings)
    behind = readings[len(readings) - readings[::-1].index(UNKNOWN) :]
    return tuple(behind) if behind and is_address else (UNKNOWN,)


def _name_at(words: tuple[str, ...], start: int) -> tuple[int, Reading | None]:
    """How many words the name that begins here takes, and what it says."""
    names = gazetteer()
    for length in range(min(MOST_WORDS, len(words) - start), 0, -1):
        name = "".join(words[start : start + length])
        if name in names.foreign:
            return length, Reading("foreign")
        if name in names.english:
            following = words[start + length] if start + length < len(words) else ""
            return length, _reading(name, _narrowed(names.english[name], following), following)
        for suffix in PINYIN_SUFFIXES:
            stem = name.removesuffix(suffix)
            if stem != name and stem in names.english and length == 1:
                return length, _reading(stem, _narrowed(names.english[stem], suffix), suffix)
    return 1, None


def _narrowed(meanings: tuple[Meaning, ...], following: str) -> tuple[Meaning, ...]:
    """The meanings that the word behind the name allows: a district is no province."""
    if following in WHOLE_PROVINCE:
        allowed = [meaning for meaning in meanings if meaning.rank == PROVINCE]
    elif following in WHOLE_CITY:
        allowed = [meaning for meaning in meanings if meaning.city]
    elif following in PART:
        allowed = [meaning for meaning in meanings if meaning.rank >= COUNTY]
    else:
        allowed = []
    return tuple(allowed) or meanings


def _reading(name: str, meanings: tuple[Meaning, ...], following: str) -> Reading:
    is_vague = len(name) < SHORTEST and min(meaning.rank for meaning in meanings) >= COUNTY
    return Reading("place", meanings, is_shared(meanings) and following not in PART, is_vague)
