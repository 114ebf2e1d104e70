"""The wrong files of `wrong/`: every one refused with its file, its line and a hint, and nothing of any of them comes into force.

A wrong file says in its first comments where it stands, on which line it is wrong, in which words, and what the advice holds:
`# file:`, `# wrong: LINE WORDS`, `# hint: WORDS`. A second `# file:` begins another file of the same mistake.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks import ops
from tests.definitions.conftest import Company
from vesper.check import check
from vesper.load import load_definitions
from vesper.problem import DefinitionsInvalid, Problem
from warehouse.house import House
from warehouse.ledger.definitions import in_force

FILES = sorted((Path(__file__).parent / "wrong").glob("*.yml"))
BEGINS = re.compile(r"^(?=# file: )", re.MULTILINE)
TAG = "says: 咖啡\nowner: marketing\nmembers: {bought: {category: [COFFEE], within: 30d}}\n"
TIERS = "says: 价值\nowner: marketing\ntiers:\n  - {id: gold, when: {spent: {at_least: 10}}}\n  - {id: plain, when: {always: {}}}\n"
PERSONA = "says: 父母\nowner: marketing\nproduct: 咖啡\nmembers: {tag: {id: coffee}}\n"
PRODUCTS = """\
says: 商品
owner: data
system: csv
path: "shop_product/{on}.csv"
feeds: product
cadence: {every: once}
late: warn
rows: {min: 1, max: 100}
key: [product_code]
fields:
  product_code: {column: a, type: text, required: true}
  category: {column: b, type: category, allowed: [COFFEE, TEA]}
"""
SURVEY = """\
says: 调查
owner: data
system: csv
path: "shop_demographic/{on}.csv"
feeds: demographic
cadence: {every: once}
late: warn
rows: {min: 1, max: 100}
key: [card]
fields:
  card: {column: a, type: text, required: true}
  kids_count: {column: b, type: category, allowed: ["0", "1", "2", 3+]}
"""


@dataclass(frozen=True)
class Wrong:
    """What a wrong file expects."""

    file: str
    line: int
    what: str
    hint: str

    def fits(self, problem: Problem) -> bool:
        """Whether a problem is the one that was planted."""
        place = (problem.file, problem.line) == (f"definitions/{self.file}", self.line)
        return place and self.what in problem.what and self.hint in problem.instead


def planted(file: Path) -> tuple[dict[str, str], Wrong]:
    """The files of a mistake by their path, and what must be said of it."""
    texts = [part for part in BEGINS.split(file.read_text(encoding="utf-8")) if part]
    parts = {part.splitlines()[0].removeprefix("# file: "): part for part in texts}
    name, text = next(iter(parts.items()))
    said = {key: words for key, words in re.findall(r"^# (\w+): ?(.*)$", text, re.MULTILINE) if key != "file"}
    line, _, what = said["wrong"].partition(" ")
    # What is wrong with a place is said of the place: a folder that is none, not a file in it.
    place = name.split("/")[0] if "no kind of definition" in what else name
    place = str(Path(name).parent) if "A folder" in what or place.count("/") > 1 else place
    return parts, Wrong(place, int(line), what, said["hint"])


@pytest.fixture
def wide(company: Company) -> Iterator[Company]:
    """A company that has one of everything."""
    company.write("sources/shop_product.yml", PRODUCTS)
    company.write("sources/shop_demographic.yml", SURVEY)
    company.write("tags/coffee.yml", TAG)
    company.write("tiers/value.yml", TIERS)
    company.write("personas/parents.yml", PERSONA)
    yield company


def names_in_force(root: Path) -> list[str]:
    house = House.open(root)
    try:
        with house.engine.connect() as connection:
            return [item.name for item in in_force(connection)]
    finally:
        house.close()


def test_the_company_is_right_before(wide: Company) -> None:
    assert wide.problems() == []


def test_there_are_fifty_of_them() -> None:
    assert len(FILES) >= 50


@pytest.mark.requirement("R2", "R119")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_wrong_file_is_refused_where_it_is_wrong(wide: Company, file: Path) -> None:
    parts, wrong = planted(file)
    for name, text in parts.items():
        wide.write(name, text)
    found = wide.problems()
    assert [problem for problem in found if wrong.fits(problem)], "\n".join(map(str, found))
    assert len(wrong.hint) > 2
    # One slip is told once, except that a misspelled key is a missing one too.
    also = [p for p in found if not wrong.fits(p) and "missing" not in p.what and "is not a key" not in p.what]
    assert also == []
    with pytest.raises(DefinitionsInvalid):
        load_definitions(wide.root)


def renamed(wide: Company) -> Iterator[Wrong]:
    """Every wrong segment of one file, each put under a name of its own."""
    for number, file in enumerate(FILES):
        parts, wrong = planted(file)
        if len(parts) == 1 and re.fullmatch(r"segments/[a-z0-9_]+\.yml", wrong.file) and "->" not in wrong.what:
            name = f"segments/s{number}.yml"
            wide.write(name, next(iter(parts.values())))
            yield Wrong(name, wrong.line, wrong.what, wrong.hint)


@pytest.mark.requirement("R119")
def test_all_of_them_are_told_at_once_and_nothing_comes_into_force(wide: Company) -> None:
    expected = list(renamed(wide))
    assert len(expected) > 30
    found = check(wide.root)
    assert [wrong for wrong in expected if not any(wrong.fits(problem) for problem in found)] == []
    with pytest.raises(DefinitionsInvalid) as refused:
        ops.activate_all(wide.root, "test", "test")
    assert set(refused.value.problems) == set(found)
    assert names_in_force(wide.root) == []


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("name", ["segmnts/s.yml", "segments/s.yaml", "segments/old/s.yml", "s.yml"])
def test_a_file_that_nobody_would_read_keeps_the_others_out_too(wide: Company, name: str) -> None:
    wide.write(name, TAG)
    with pytest.raises(DefinitionsInvalid):
        ops.activate_all(wide.root, "test", "test")
    assert names_in_force(wide.root) == []
