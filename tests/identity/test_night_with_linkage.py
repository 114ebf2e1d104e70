"""A company whose policy names the linkage that ships: real files, real nights, people found whom no key links (R5, R6, R13)."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tasks.consolidate import consolidate
from tests.identity.people_company import PeopleCompany, Row, crowd, day
from vesper.load import definition_texts, load_definitions
from vesper.model.linkage import Linkage

COUNT, FRESH = 400, 20
KEYS = ("phone", "email_key", "crm_id", "unionid")
STAR = {"company": "上海星河仪器有限公司", "city": "上海"}
WU = (
    ("crm_lead", "wu1", {"name": "吴祺婧", "phone": "13916660101", "email": "wu.qijing@xinghe.cn", **STAR}),
    ("web_form", "wu2", {"name": "吳祺婧女士", "email": "qijing.wu@qq.com", **STAR}),
    ("hotline_call", "wu3", {"name": "Wu Qijing", "phone": "+86 139-1666-0107", **STAR}),
)
"""One person by four accounts: traditional characters, pinyin and a slip in the number; no value of a key stands twice."""
COLLEAGUE = ("crm_lead", "li1", {"name": "李建军", "phone": "13916668888", **STAR})
FAMILY = (
    ("crm_lead", "wang1", {"name": "王建国", "phone": "13812345670", "city": "成都"}),
    ("web_form", "zhao1", {"name": "赵秀兰", "phone": "13812345670", "city": "成都"}),
)
"""Two people on one phone."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> PeopleCompany:
    """Two nights: nearly everybody on the first, a few more rows on the second, the third account of a person among them."""
    found = PeopleCompany(tmp_path_factory.mktemp("linkage") / "company")
    every = crowd(COUNT)
    found.land_people(day(0), [*every[:-FRESH], *map(told, (*WU[:2], COLLEAGUE, *FAMILY))])
    found.night(day(0))
    found.land_people(day(1), [*every[-FRESH:], told(WU[2])])
    found.night(day(1))
    return found


def told(row: tuple[str, str, dict[str, str]]) -> Row:
    """A planted row, as the crowd's rows are given."""
    source, id, said = row
    return {"unique_id": id, "source": {"crm_lead": "crm", "hotline_call": "hotline_400"}.get(source, source), **said}


def record(row: tuple[str, str, dict[str, str]]) -> str:
    return f"{row[0]}:{row[1]}"


def tied_by_keys(company: PeopleCompany) -> dict[str, str]:
    """The smallest row that each row is tied to by equal keys, over any number of steps: what could be known without weighing."""
    held = {f"{row['source']}:{row['record_key']}": row for row in company.rows("core__source_record")}
    of_key: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, row in held.items():
        for key in KEYS:
            if row[key]:
                of_key[key, row[key]].append(name)
    tied = {name: name for name in held}
    for _ in held:
        before = dict(tied)
        for some in of_key.values():
            least = min(tied[name] for name in some)
            tied.update(dict.fromkeys(some, least))
        if tied == before:
            break
    return tied


@pytest.mark.requirement("R5", "R6")
def test_people_are_found_whom_no_key_links(company: PeopleCompany) -> None:
    contact_of, tied = company.contact_of(), tied_by_keys(company)
    assert len({contact_of[record(row)] for row in WU}) == 1
    assert len({tied[record(row)] for row in WU}) == 3
    assert contact_of[record(COLLEAGUE)] != contact_of[record(WU[0])]
    assert contact_of[record(FAMILY[0])] != contact_of[record(FAMILY[1])]
    found = {frozenset((tied[a], tied[b])) for a, b in one_contact(contact_of) if tied[a] != tied[b]}
    assert len(found) > 5
    assert Counter(row["rule"] for row in company.rows("core__contact_member"))["linkage"] > 100
    links = {
        (row["record_a"], row["record_b"]) for row in company.rows("core__identity_link") if row["rule"] == "linkage"
    }
    assert (record(WU[0]), record(WU[1])) in links
    assert {row["rule"] for row in company.rows("core__contact_member") if row["record_key"] == "wu3"} == {"linkage"}


@pytest.mark.requirement("R6")
def test_whom_the_linkage_joins_is_one_person(company: PeopleCompany) -> None:
    truth = {str(row["unique_id"]): row["truth"] for row in crowd(COUNT)}
    contact_of = {name: id for name, id in company.contact_of().items() if name.split(":")[1] in truth}
    person_of = {name: truth[name.split(":")[1]] for name in contact_of}
    same = {pair for pair in one_contact(contact_of) if person_of[pair[0]] == person_of[pair[1]]}
    wanted, tied = set(one_contact(person_of)), tied_by_keys(company)
    assert len(same) >= 0.98 * len(one_contact(contact_of))
    assert len(same) >= 0.85 * len(wanted)
    assert len(same) > len([pair for pair in wanted if tied[pair[0]] == tied[pair[1]]]), "keys alone find as many"


def one_contact(contact_of: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of rows of one contact."""
    rows_of: dict[Any, list[str]] = defaultdict(list)
    for name in sorted(contact_of):
        rows_of[contact_of[name]].append(name)
    return [pair for some in rows_of.values() for pair in combinations(some, 2)]


@pytest.mark.requirement("R13")
def test_a_row_more_keeps_the_ids_and_joins_the_person(company: PeopleCompany) -> None:
    before, after = company.contact_of(day(0)), company.contact_of(day(1))
    assert len(after) == len(before) + FRESH + 1
    assert after[record(WU[2])] == before[record(WU[0])]
    moved = {name for name in before if before[name] != after[name]}
    alias = {row["old_id"]: row["contact_id"] for row in company.rows("core__contact_alias")}
    assert {name for name in moved if alias.get(before[name]) != after[name]} == set()


@pytest.mark.requirement("R5", "R6", "R13")
def test_the_second_night_scores_what_is_new_and_equals_a_full_rebuild(company: PeopleCompany) -> None:
    versions = {row["version"] for row in company.rows("core__identity_night")}
    assert len(versions) == 1, "another version is a full rebuild, and nothing would be proven"
    full, published = company.rebuilt(day(1)), company.published(day(1))
    assert "core__identity_link" in full
    assert {name: published[name] for name in full} == full


@pytest.mark.requirement("R6")
def test_a_night_computed_again_has_the_same_bytes(company: PeopleCompany) -> None:
    verdicts = consolidate(company.root, day(1), mode="replay").facts["replay"]
    assert verdicts["core__identity_link"] == "same"
    assert set(verdicts.values()) == {"same"}


def test_the_shipped_linkage_is_in_force_beside_the_policy_that_names_it(company: PeopleCompany) -> None:
    assert "linkage/contact" in definition_texts(company.root)
    assert load_definitions(company.root).one(Linkage, "contact").model is not None


IMPORTED = """
import datetime, sys
from pathlib import Path
from tasks.consolidate import consolidate
consolidate(Path(sys.argv[1]), datetime.date.fromisoformat(sys.argv[2]))
print(*sorted({"splink", "pypinyin"} & sys.modules.keys()))
"""


def test_a_night_without_a_linkage_loads_no_splink(tmp_path: Path, repository: Path) -> None:
    plain = PeopleCompany(tmp_path / "plain", linkage=None)
    plain.land_people(day(0), map(told, (*WU, COLLEAGUE, *FAMILY)))
    asked = [sys.executable, "-c", IMPORTED, str(plain.root), day(0).isoformat()]
    done = subprocess.run(asked, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    assert len({plain.contact_of()[record(row)] for row in WU}) == 3, "only keys link"
