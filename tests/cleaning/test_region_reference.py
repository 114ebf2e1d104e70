"""Regions on published data: labelled cells, an independent table of divisions, names of companies, and every mobile prefix."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from vesper.cleaning.region import by_phone, resolve
from vesper.reference import reference_rows

pytestmark = pytest.mark.reference

LONG_FORMS = {
    row["name"]: row["short"] for row in reference_rows("china_places") if row["kind"] in ("province", "city")
}
NOT_CITIES = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


def short(name: str | None) -> str | None:
    return LONG_FORMS[name] if name else None


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.requirement("R8")
def test_labelled_cells(reference_data: Path) -> None:
    cases = json.loads((reference_data / "identity" / "region_cases.json").read_text(encoding="utf-8"))
    failed = [cell for cell, province, city in cases if resolve(cell)[:2] != (short(province), short(city))]
    assert failed == []


@pytest.mark.requirement("R8")
def test_every_county_of_another_table_lies_where_it_says(reference_data: Path) -> None:
    folder = reference_data / "china_divisions"
    provinces = {row["code"]: row["name"] for row in rows(folder / "modood_provinces.csv.gz")}
    cities = {row["code"]: row["name"] for row in rows(folder / "modood_cities.csv.gz")}
    tally: Counter[str] = Counter()
    for row in rows(folder / "modood_areas.csv.gz"):
        province, city = provinces[row["provinceCode"]], cities[row["cityCode"]]
        place = resolve(f"{province}{city}{row['name']}")
        told = city if city not in NOT_CITIES else row["name"] if city.endswith("行政区划") else province
        right = place.province == short(province) and told.startswith(place.city or "-")
        tally["right" if right else place.status] += 1
    assert tally["exact"] == 0  # none is wrong
    assert tally["right"] >= 0.999 * tally.total()


@pytest.mark.requirement("R8")
def test_names_of_companies_are_hardly_ever_places(reference_data: Path) -> None:
    """Of 267,399 names 0.16 % are read as a place, nearly all because a shop bears the bare name of one."""
    path = reference_data / "china_companies" / "company_short_names_280k.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8-sig") as file:
        names = file.read().split()[::5]
    assert sum(resolve(name).province is not None for name in names) <= 0.002 * len(names)


@pytest.mark.requirement("R8")
def test_no_listed_company_is_put_elsewhere_by_its_name(reference_data: Path) -> None:
    listed = rows(reference_data / "china_companies" / "a_share_stock_basic.csv.gz")
    assert {resolve(row["area"]).status for row in listed if row["area"]} == {"exact", "province_only"}
    told = [(resolve(row["name"]), resolve(row["area"])) for row in listed if row["area"]]
    assert [(name, area) for name, area in told if name.province and name.province != area.province] == []


@pytest.mark.requirement("R8")
def test_every_mobile_prefix_has_its_place(reference_data: Path) -> None:
    published = rows(reference_data / "china_phone_prefix" / "phone_prefix_7digit.csv.gz")
    issued = by_phone([row["prefix7"] for row in published])
    assert sum(place[0] != row["province"] for place, row in zip(issued, published, strict=True)) == 0
    cities = Counter(row["city"] for place, row in zip(issued, published, strict=True) if place[1] != row["city"])
    # Places that are part of another city today, or that their numbers do not tell apart.
    assert cities.total() < 0.02 * len(published)
    assert {"海口", "三亚", "万州", "莱芜", "巴州", "江汉", "雄安"} <= set(cities)
