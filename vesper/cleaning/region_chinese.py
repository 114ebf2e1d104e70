"""Reads one Chinese run: 广东深圳市南山区科技园, 上海, 北京路. Names are read from the left, longest first, and each must lie in the one before it.

What belongs here: which names a run holds, and whether what is left over makes them part of something else. What does not: what several
runs of one cell say together (region.py).
"""

from functools import lru_cache
from typing import NamedTuple

from vesper.cleaning.region_names import (
    CITY,
    COUNTY,
    LESSER,
    PROVINCE,
    TAIWAN,
    TOWN,
    Meaning,
    gazetteer,
    in_order,
    is_explicit,
)
from vesper.cleaning.region_words import ADDRESS, CONNECTORS, CONTINUES, COUNTRY, ORGANISATION, PREFIXES, STREET

MOST_NAMES = 6


class Reading(NamedTuple):
    """What one piece says: place, conflict, several, foreign or unknown.

    A shared name is that of several counties; a vague one may be no name of a place, or that of a town like many. Neither decides anything alone.
    """

    kind: str
    meanings: tuple[Meaning, ...] = ()
    is_shared: bool = False
    is_vague: bool = False

    @property
    def is_weak(self) -> bool:
        return self.is_shared or self.is_vague


class Step(NamedTuple):
    """A name inside a run, the meanings that are left after it, and where it ends."""

    name: str
    meanings: tuple[Meaning, ...]
    end: int
    rank: int
    """Rank of the name by itself, whatever stands before it."""
    is_generic: bool = False
    """A word such as 开发区, which means one only behind the name of a place."""

    @property
    def is_explicit(self) -> bool:
        return self.is_generic or is_explicit(self.name)

    @property
    def is_vague(self) -> bool:
        """Whether the name may be no name of a place, or is that of a town like many."""
        return self.name in gazetteer().words or self.rank == TOWN


UNKNOWN = Reading("unknown")


def joined(left: tuple[Meaning, ...], right: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """Meanings of two names together: the pairs of which one lies in the other. The rank stays that of the left one."""
    found = [
        one if one.city or not other.city else Meaning(one.province, other.city, one.rank)
        for one in left
        for other in right
        if one.province == other.province and (one.city == other.city or one.city is None or other.city is None)
    ]
    return tuple(found) if len(found) < 2 else tuple(sorted(set(found), key=in_order))


@lru_cache(maxsize=65536)
def read_chinese(run: str) -> Reading:
    """What a folded Chinese run says."""
    run, is_prefixed = run.strip("0123456789"), False
    for _ in range(3):
        special = _special(run)
        if special:
            return special
        steps = _steps(run, 0, ())
        if steps:
            # 中国 before a county is the name of a company, not a place.
            return UNKNOWN if is_prefixed and steps[0].rank >= COUNTY else _settled(run, list(steps))
        prefix = next((prefix for prefix in PREFIXES if run.startswith(prefix) and len(run) > len(prefix)), None)
        if not prefix:
            return UNKNOWN
        run, is_prefixed = run.removeprefix(prefix), prefix in COUNTRY
    return UNKNOWN


def _special(run: str) -> Reading | None:
    """Runs that are one word of the lists, or letters that stand for provinces."""
    names = gazetteer()
    if run in names.several:
        return Reading("several")
    if run in names.foreign:
        return Reading("foreign")
    if run in names.letters:
        return Reading("place", names.letters[run])
    if len(run) > 1 and run not in names.chinese and all(letter in names.letters for letter in run):
        return Reading("several")
    return None


def _steps(run: str, start: int, before: tuple[Step, ...]) -> tuple[Step, ...]:
    """The chain of names from here: the first that uses the run up, or else the one that comes furthest."""
    best = before
    if start == len(run) or len(before) == MOST_NAMES:
        return before
    for step in _candidates(run, start, before):
        chain = _steps(run, step.end, (*before, step))
        # A letter stands for its province before a city alone: 粤深圳, but not 湘芙蓉.
        if len(step.name) == 1 and (len(chain) < 2 or chain[1].rank > CITY or chain[-1].end < len(run)):
            continue
        if chain[-1].end == len(run):
            return chain
        if not best or chain[-1].end > best[-1].end:
            best = chain
    return best


def _candidates(run: str, start: int, before: tuple[Step, ...]) -> list[Step]:
    """Names that begin here, longest first, with the meanings that agree with the names before."""
    names, room = gazetteer(), len(run) - start
    found = []
    for length in names.lengths.get(run[start], ()):
        if length > room:
            continue
        name = run[start : start + length]
        meanings = names.chinese.get(name)
        left = (joined(before[-1].meanings, meanings) if before else _first(meanings)) if meanings else ()
        if meanings and left:
            found.append(Step(name, left, start + length, meanings[0].rank))
        elif before and name in names.generic:
            found.append(Step(name, before[-1].meanings, start + length, COUNTY, True))
    if not start and run[0] in names.letters:
        found.append(Step(run[0], names.letters[run[0]], 1, PROVINCE))
    return found


def _first(meanings: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """A run that begins with the name of a province means it, or a city; never a county elsewhere of the same name (河北 is no part of 天津)."""
    if meanings[0].rank != PROVINCE:
        return meanings
    return tuple(meaning for meaning in meanings if meaning.rank <= CITY or meaning.province == meanings[0].province)


def _settled(run: str, steps: list[Step]) -> Reading:
    """Judge the chain by what is left of the run behind it; a bare name that goes on as a road or a school gives way to the name before it."""
    has_given_way = False
    while steps:
        rest, last = run[steps[-1].end :], steps[-1]
        if not rest:
            return _place(steps)
        other = _other_place(rest) if not has_given_way else ()
        if other:
            return UNKNOWN if steps[0].is_vague else Reading("conflict", (*last.meanings, *other))
        if rest.startswith("场") and last.name.endswith("市"):
            return UNKNOWN
        if last.is_explicit and (len(steps) > 1 or not ORGANISATION.search(rest)):
            return _place(steps)
        goes_on = not has_given_way and CONTINUES.match(rest)
        if not goes_on and not ORGANISATION.search(rest):
            return _place(steps) if len(steps) > 1 or _is_address(last, rest) else UNKNOWN
        steps.pop()
        has_given_way = True
    return UNKNOWN


def _is_address(step: Step, rest: str) -> bool:
    """Whether what stands behind one bare name is an address inside it; behind a county it must be a street or a village."""
    return bool((ADDRESS if step.rank <= CITY else STREET).search(rest))


def _place(steps: list[Step]) -> Reading:
    """What a chain says: several names that lie in each other are sure, and so is one that says itself what it is."""
    names = [step for step in steps if not step.is_generic]
    sure = [step for step in names if not step.is_vague or (step.rank <= CITY and step is not names[0])]
    if not sure or _is_taiwans(names):
        return Reading("place", steps[-1].meanings, is_shared(steps[-1].meanings), True)
    # A vague name does not add a city to a province: 新疆天山 may be the mountains.
    meanings = sure[-1].meanings
    return Reading("place", meanings, len(sure) == 1 and not sure[0].is_explicit and is_shared(meanings))


def _is_taiwans(names: list[Step]) -> bool:
    """Whether the one name is the bare name of a district of Taiwan: those are mostly ordinary words."""
    (first, *others) = names
    return not others and first.rank == LESSER and not first.is_explicit and first.meanings[0].province == TAIWAN


def is_shared(meanings: tuple[Meaning, ...]) -> bool:
    """Whether a name is that of several counties, and of no province or city."""
    rank = min(meaning.rank for meaning in meanings)
    return rank >= COUNTY and len({meaning[:2] for meaning in meanings if meaning.rank == rank}) > 1


def _other_place(rest: str) -> tuple[Meaning, ...]:
    """Meanings of a second place behind the first: it fills the rest, or says itself what it is (上海或杭州, 江苏省上海市)."""
    connector = next((word for word in CONNECTORS if rest.startswith(word)), "")
    steps = _steps(rest.removeprefix(connector), 0, ())
    if not steps or steps[0].name in gazetteer().words:
        return ()
    end = steps[-1].end + len(connector)
    is_sure = end == len(rest) and (len(steps) > 1 or not _place(list(steps)).is_weak)
    return steps[-1].meanings if is_sure or any(step.is_explicit for step in steps) else ()
