"""The gazetteer: which places a written name can mean. Loaded once from `definitions/reference` (SOURCE.md says where it comes from).

What belongs here: names and their meanings, the forms that follow from a name (a city with 市, a county under its former type, pinyin).
What does not: how a cell is cut and read (region_text.py, region_chinese.py, region_english.py) and what several names together say (region.py).
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from vesper.reference import reference_rows

PROVINCE, CITY, COUNTY, LESSER, TOWN = range(5)
RANKS = {"province": PROVINCE, "city": CITY, "county": COUNTY, "zone": COUNTY, "town": TOWN, "former": LESSER}
ADDED_RANKS = {"zone": COUNTY, "former": LESSER}
SUFFIXES = ("省", "市", "区", "县", "旗", "盟", "镇", "乡")
TAIWAN = "台湾"  # its districts share many names with counties of the mainland, which go before them
# Types that people still write behind a county whatever it is today.
COUNTY_TYPES = ("区", "县", "市")


class Meaning(NamedTuple):
    """A place that a name can mean: short forms, city None for a whole province. The rank tells a city from a county of the same name."""

    province: str
    city: str | None
    rank: int


def in_order(meaning: Meaning) -> tuple[int, str, str]:
    """Sorts meanings: a province before a city, a city before a county, then by name."""
    return meaning.rank, meaning.province, meaning.city or ""


class Gazetteer(NamedTuple):
    """Names by what they can mean, and the names that need care. All names are simplified, lower case, without blanks."""

    chinese: dict[str, tuple[Meaning, ...]]
    english: dict[str, tuple[Meaning, ...]]
    letters: dict[str, tuple[Meaning, ...]]
    words: frozenset[str]
    several: frozenset[str]
    foreign: frozenset[str]
    generic: frozenset[str]
    traditional: dict[int, str]
    lengths: dict[str, tuple[int, ...]]
    """Lengths of the Chinese names that begin with a character, longest first."""


class Names:
    """Collects meanings while the tables are read; a name may come from several rows."""

    def __init__(self) -> None:
        self.found: dict[str, set[Meaning]] = defaultdict(set)

    def add(self, names: Iterable[str], meaning: Meaning) -> None:
        for name in names:
            self.found[name].add(meaning)

    def add_where_free(self, names: Iterable[tuple[str, Meaning]]) -> None:
        """Forms that follow from a name never take a name that a place bears itself."""
        taken = set(self.found)
        for name, meaning in names:
            if name not in taken:
                self.found[name].add(meaning)

    def frozen(self) -> dict[str, tuple[Meaning, ...]]:
        return {name: tuple(sorted(found, key=in_order)) for name, found in self.found.items()}


def is_explicit(name: str) -> bool:
    """Whether a name says itself what it is: 南山区, 广东省, 大理州, but not 南山, 广州, 景德镇."""
    if name.endswith("州"):
        return len(name) > 3 or name in ("大理州", "恩施州", "凉山州", "甘孜州", "阿坝州")
    return len(name) > 2 and name.endswith(SUFFIXES) and name != "景德镇"


class Tables:
    """What the tables give, by script, until all of them are read."""

    def __init__(self) -> None:
        self.chinese, self.english, self.letters = Names(), Names(), Names()
        self.kinds: dict[str, list[str]] = defaultdict(list)
        self._derived: list[tuple[str, Meaning]] = []

    def add_place(self, row: dict[str, str]) -> None:
        """A row of china_places.csv."""
        rank = LESSER if row["province"] == TAIWAN and row["kind"] == "county" else RANKS[row["kind"]]
        meaning = Meaning(row["province"], row["city"] or None, rank)
        self.chinese.add(_bare(row), meaning)
        self._derived.extend((name, meaning) for name in _derived(row))
        # 陕西 is written shaanxi; who writes shanxi and a city of it means it all the same.
        self.english.add(_pinyin(row), meaning._replace(rank=CITY) if row["short"] == "陕西" else meaning)

    def add_name(self, row: dict[str, str]) -> None:
        """A row of china_place_names.csv."""
        name, kind = row["name"].replace(" ", "").replace("'", "").replace("-", ""), row["kind"]
        self.kinds[kind].append(name)
        if row["province"]:
            to = self.letters if kind == "letter" else self.english if name.isascii() else self.chinese
            to.add([name], Meaning(row["province"], row["city"] or None, _rank(row)))

    def settle(self) -> None:
        """Add the forms that follow from names, once all names are there; take the ranks from those that say nothing alone."""
        self.chinese.add_where_free(self._derived)
        for name in self.kinds["contested"]:
            for names in (self.chinese, self.english, self.letters):
                if name in names.found:
                    names.found[name] = {meaning._replace(rank=COUNTY) for meaning in names.found[name]}


@cache
def gazetteer() -> Gazetteer:
    """The tables of `definitions/reference`, read once per process."""
    tables = Tables()
    for row in reference_rows("china_places"):
        tables.add_place(row)
    for row in reference_rows("china_place_names"):
        tables.add_name(row)
    tables.settle()
    kinds, words = tables.kinds, frozenset(tables.kinds["word"])
    return Gazetteer(
        tables.chinese.frozen(),
        tables.english.frozen(),
        {name: found for name, found in tables.letters.frozen().items() if name not in words},
        words,
        frozenset(kinds["several"]),
        frozenset(kinds["foreign"]),
        frozenset(kinds["generic"]),
        {ord(row["traditional"]): row["simplified"] for row in reference_rows("china_traditional")},
        _lengths([*tables.chinese.found, *kinds["generic"]]),
    )


def _lengths(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = defaultdict(set)
    for name in names:
        found[name[0]].add(len(name))
    return {letter: tuple(sorted(lengths, reverse=True)) for letter, lengths in found.items()}


def _rank(row: dict[str, str]) -> int:
    """Rank of a name that was added by hand: parts of a city, and names of the past, come after the cities and counties of today."""
    if row["kind"] in ADDED_RANKS:
        return ADDED_RANKS[row["kind"]]
    return CITY if row["city"] and row["city"] != row["province"] else PROVINCE


def _bare(row: dict[str, str]) -> list[str]:
    """The full name, and the short one where it is long enough to stand alone."""
    short = row["short"]
    return [row["name"], short] if len(short) > 1 else [row["name"]]


def _derived(row: dict[str, str]) -> Iterable[str]:
    """Forms that people write although no table lists them."""
    short, kind = row["short"], row["kind"]
    if kind == "province" and not row["city"]:
        yield f"{short}省"
    elif kind == "city":
        yield f"{short}地区"
        if row["name"].endswith(("州", "盟")):
            yield f"{short}{row['name'][-1]}"
    elif kind == "county" and len(short) > 1 and short[-1] not in SUFFIXES:
        yield from (f"{short}{suffix}" for suffix in COUNTY_TYPES)


def _pinyin(row: dict[str, str]) -> list[str]:
    """Pinyin of the short name, for names of two characters and more; Taiwan romanises its districts otherwise."""
    pinyin, short = row["pinyin"], row["short"]
    if (
        row["kind"] not in ("province", "city", "county")
        or len(short) < 2
        or (row["kind"] == "county" and row["province"] == TAIWAN)
    ):
        return []
    forms = {pinyin, pinyin.replace("lv", "lu").replace("nv", "nu")}
    return sorted({form.removesuffix("shi") if short in ("吉林", "新竹市", "嘉义市") else form for form in forms})
