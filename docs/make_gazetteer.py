"""`python -m docs.make_gazetteer DIVISIONS PHONES`: makes the generated reference tables of regions again from their published sources.

What belongs here: how the published tables (definitions/reference/SOURCE.md names them) become `china_places.csv`, `china_traditional.csv`,
`china_area_codes.csv` and `phone_regions.csv.xz`. What does not: names that people made up, such as nicknames and English exonyms: those are
written by hand in `china_place_names.csv`.
"""

import argparse
import csv
import gzip
import io
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path

from vesper.cleaning.region import resolve

OUT = Path(__file__).resolve().parent.parent / "definitions" / "reference"
ELSEWHERE = ("格尔木藏青工业园区",)  # listed under another city than the one it lies in
MUNICIPALITIES = {"11": "北京", "12": "天津", "31": "上海", "50": "重庆", "81": "香港", "82": "澳门"}
# Cities without counties: their towns are what people write behind the city.
WITHOUT_COUNTIES = ("4419", "4420", "4604", "6202")
WITH_DISTRICTS_BELOW = ("81", "82")
FOREIGN, TAIWAN = "91", "71"
ABOLISHED_CITIES = {"3412": ("安徽", "阜阳"), "3712": ("山东", "济南"), "5424": ("西藏", "那曲")}
NOT_NAMES = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "国外")
LEVELS = ("province", "city", "county", "town")
PLACE_FIELDS = ("name", "short", "kind", "province", "city", "pinyin")
# Labels of the phone table that are no place of today: an oil field with its own exchange, and a code that all of Hainan shares.
PHONE_LABELS = {("湖北", "江汉"): ("湖北", ""), ("海南", "海口"): ("海南", ""), ("海南", "三亚"): ("海南", "")}


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of one published table."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class Divisions:
    """The tree of divisions, from which every place learns its province and its city in short form."""

    def __init__(self, folder: Path) -> None:
        self.rows = {row["id"]: row for row in read(folder, "areacity_level4")}
        self.others = [(row["code"], row["name"]) for row in read(folder, "modood_areas")]
        self.old = [(row["adcode"][:6], row["name"]) for row in read(folder, "cpca_adcodes")]

    def place_of(self, code: str) -> tuple[str, str] | None:
        """(province, city) of a division code; the city is empty for a province, None for a code whose city is gone."""
        if code[:2] in MUNICIPALITIES:
            return MUNICIPALITIES[code[:2]], MUNICIPALITIES[code[:2]]
        province = self.rows[code[:2]]["name"]
        if len(code) == 2:
            return province, ""
        if code[:2] == TAIWAN or code[:4] not in self.rows:
            row = self.rows.get(code)
            while row and row["deep"] != "1":
                row = self.rows.get(row["pid"])
            return (province, row["name"]) if row else ABOLISHED_CITIES.get(code[:4])
        return province, short_name(self.rows[code[:4]])

    def listed(self) -> Iterator[dict[str, str]]:
        """Places of today, from provinces down to towns where towns stand for counties."""
        for code, row in self.rows.items():
            kind = LEVELS[int(row["deep"])]
            if code[:2] == FOREIGN or row["ext_name"] in NOT_NAMES or not self.is_wanted(code, kind):
                continue
            place = self.place_of(code)
            if place:
                yield entry(
                    row["ext_name"], short_name(row), listed_as(row, kind), place, row["pinyin"].replace(" ", "")
                )

    def is_wanted(self, code: str, kind: str) -> bool:
        if kind == "city":
            return code[:2] not in MUNICIPALITIES
        if kind == "county":
            return code[:2] not in WITH_DISTRICTS_BELOW
        return kind == "province" or code.startswith((*WITHOUT_COUNTIES, *WITH_DISTRICTS_BELOW))

    def unlisted(self, known: set[str]) -> Iterator[dict[str, str]]:
        """Zones that only the second table has, and counties that only the older third one has."""
        for kind, rows in (("zone", self.others), ("former", self.old)):
            for code, name in sorted(rows):
                place = (
                    self.place_of(code)
                    if code[:2] in self.rows and name not in known | {*NOT_NAMES, *ELSEWHERE}
                    else None
                )
                if place and len(name) > 2:
                    known.add(name)
                    yield entry(name, name if kind == "zone" else name[:-1], kind, place, "")


def short_name(row: dict[str, str]) -> str:
    """The short name; one city is named like its province and loses its suffix in short form all the same."""
    if row["id"].startswith(WITH_DISTRICTS_BELOW) and len(row["name"]) > 2:
        return row["name"].removesuffix("区")
    return "吉林" if row["ext_name"] == "吉林市" else row["name"].removesuffix("街道")


def listed_as(row: dict[str, str], kind: str) -> str:
    """Districts of Hong Kong and Macau stand where counties do; townships of Taiwan are towns."""
    if kind == "town" and row["id"].startswith(WITH_DISTRICTS_BELOW):
        return "county"
    is_township = row["id"].startswith(TAIWAN) and row["ext_name"].endswith(("乡", "镇"))
    return "town" if kind == "county" and is_township else kind


def entry(name: str, short: str, kind: str, place: tuple[str, str], pinyin: str) -> dict[str, str]:
    return dict(zip(PLACE_FIELDS, (name, short, kind, *place, pinyin), strict=True))


def places(folder: Path) -> list[dict[str, str]]:
    """Every row of china_places.csv; the same county listed beside its city of the same name is left out."""
    divisions = Divisions(folder)
    listed = list(divisions.listed())
    cities = {row["name"] for row in listed if row["kind"] == "city"}
    listed = [row for row in listed if row["kind"] != "county" or row["name"] not in cities]
    return listed + list(divisions.unlisted({row["name"] for row in listed}))


def traditional(used: set[str]) -> Iterator[tuple[str, str]]:
    """Characters that are written otherwise in traditional script, with the simplified one that a name uses."""
    from opencc import OpenCC

    converters = [OpenCC(name).convert for name in ("t2s", "tw2s", "hk2s")]
    for number in range(0x4E00, 0xA000):
        letter = chr(number)
        found = next((made for made in (convert(letter) for convert in converters) if made != letter), letter)
        if found != letter and found in used and letter not in used:
            yield letter, found


def phone_place(row: dict[str, str]) -> tuple[str, str]:
    """A label of the phone table as a place of today, in short form."""
    label = (row["province"], row["city"])
    if label not in PHONE_LABELS:
        place = resolve(f"{row['province']} {row['city']}")
        PHONE_LABELS[label] = (place.province or "", place.city or "")
    return PHONE_LABELS[label]


def runs(rows: Iterable[dict[str, str]]) -> Iterator[tuple[int, str, str]]:
    """(length, province, city) of neighbouring seven-digit prefixes, from 1300000 on; a gap has no province."""
    current, length, upcoming = ("", ""), 0, 1300000
    for row in rows:
        prefix, place = int(row["prefix7"]), phone_place(row)
        for found, count in ((("", ""), prefix - upcoming), (place, 1)):
            if count and found != current:
                if length:
                    yield length, *current
                current, length = found, 0
            length += count
        upcoming = prefix + 1
    yield length, *current


def area_codes(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    """(area code without its zero, province, city); the city is empty where several cities share the code."""
    meanings: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        meanings.setdefault(row["area_code"].lstrip("0"), set()).add(phone_place(row))
    for code, found in sorted(meanings.items()):
        provinces, cities = {province for province, _ in found}, {city for _, city in found}
        if code and len(provinces) == 1:
            yield code, min(provinces), min(cities) if len(cities) == 1 else ""


def text_of(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """CSV text with plain line ends, so that the same sources give the same bytes everywhere."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def main() -> None:
    """Write the places first: the resolver that reads the phone table's labels stands on them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("divisions", type=Path, help="folder with the tables of divisions")
    parser.add_argument("phones", type=Path, help="folder with the table of phone prefixes")
    arguments = parser.parse_args()
    rows = places(arguments.divisions)
    (OUT / "china_places.csv").write_text(text_of(PLACE_FIELDS, [row.values() for row in rows]), encoding="utf-8")
    used = set((OUT / "china_places.csv").read_text("utf-8") + (OUT / "china_place_names.csv").read_text("utf-8"))
    letters = text_of(("traditional", "simplified"), traditional(used))
    (OUT / "china_traditional.csv").write_text(letters, encoding="utf-8")
    phones = read(arguments.phones, "phone_prefix_7digit")
    codes = text_of(("area_code", "province", "city"), area_codes(phones))
    (OUT / "china_area_codes.csv").write_text(codes, encoding="utf-8")
    packed = lzma.compress(
        text_of(("length", "province", "city"), runs(phones)).encode(), preset=9 | lzma.PRESET_EXTREME
    )
    (OUT / "phone_regions.csv.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
