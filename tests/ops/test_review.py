"""The review queue as a sheet: what stands in it, how answers come back, and that every later night keeps to them."""

import ast
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from cli import app
from deployments.registry import ALL
from tasks import review, steward
from tasks.review_sheet import headings, words
from tests.consolidate.company import Company, Row, day, member, members
from vesper.language import translator

PHONE, MAIL = "13900139001", "wang@haolinju.cn"
BEFORE, SEEN, AFTER = day(2), day(3), day(4)
POLICY = """name: {zh_CN: 身份识别, en: Identity}
says: 测试用。
owner: data@example.com
keys:
  card: {strength: authority, weight: 40000, is_single: true}
  phone: {strength: guarded, weight: 20000}
  email: {strength: guarded, weight: 40000, columns: [email_key]}
clusters: {conflict: 30000}
"""
en, zh = translator("en"), translator("zh_CN")
ONE, TWO = words(en).values()
Sheet = list[dict[str, Any]]


def opened(root: Path) -> Company:
    """A company of one evening: a phone that its two names keep apart, a mail address that joins two names, two cards that no one may join."""
    company = Company(root, "crm_member", "shop_order", "shop_product")
    (root / "definitions" / "policy").mkdir()
    (root / "definitions" / "policy" / "identity.yml").write_text(POLICY, encoding="utf-8")
    people: list[Row] = [
        member("1", name="王小明", phone=PHONE, region="上海"),
        member("2", name="李雷", phone=PHONE, region="上海"),
        member("3", name="韩梅梅", email=MAIL),
        member("4", name="张三", email=MAIL),
        member("5", name="赵六", card="101", phone="13900139005"),
        member("6", name="赵六", card="102", phone="13900139005"),
    ]
    company.land(members(BEFORE, *people))
    company.quick_night(BEFORE)
    return company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return opened(tmp_path / "company")


def read(file: Path) -> Sheet:
    header, *lines = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), line, strict=True)) for line in lines]


def fill(file: Path, sheet: Sheet) -> Path:
    """A sheet as a spreadsheet saves it."""
    with xlsxwriter.Workbook(str(file)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(sheet[0]))
        for line, row in enumerate(sheet, start=1):
            page.write_row(line, 0, list(row.values()))
    return file


def written(company: Company, name: str = "review.xlsx", personal: bool = False) -> Sheet:
    review.write(company.root, company.root / name, personal)
    return read(company.root / name)


def pairs(sheet: Sheet) -> list[tuple[str, str, str]]:
    return [(row["why it is here"], row["source row A"], row["source row B"]) for row in sheet]


APART = ("kept apart", "crm_member:1", "crm_member:2")
JOINED = ("joined in doubt", "crm_member:3", "crm_member:4")


@pytest.mark.requirement("R5", "R122")
def test_the_queue_holds_what_the_rules_left_open_and_masks_it(company: Company) -> None:
    said = review.write(company.root, company.root / "review.xlsx")
    assert said == "review.xlsx: 2 pairs to decide on."
    sheet = read(company.root / "review.xlsx")
    assert pairs(sheet) == [JOINED, APART]
    joined, apart = sheet
    assert (apart["name A"], apart["name B"], apart["phone A"]) == ("王**", "李**", "+86*****01")
    assert (apart["evidence against"], apart["agree on"], apart["weight in bits"]) == ("name", "phone, city", 20)
    assert joined["contact A"] == joined["contact B"] and apart["contact A"] != apart["contact B"]
    assert (joined["mail A"], joined["agree on"], joined["decision"]) == ("w**@h**", "mail", "")


@pytest.mark.requirement("R122")
def test_personal_data_stands_in_it_only_when_asked_for_and_nobody_else_may_read_the_file(company: Company) -> None:
    (joined, apart) = written(company, personal=True)
    assert (apart["name A"], apart["phone B"], joined["mail B"]) == ("王小明", "+86" + PHONE, MAIL)
    file = company.root / "review.xlsx"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    book = CalamineWorkbook.from_path(file)
    guide = [str(line[0]) for line in book.get_sheet_by_name(en("how to decide")).to_python()]
    assert any(ONE in line and TWO in line for line in guide)
    assert "personal data" in guide[-1]


@pytest.mark.requirement("R5", "R104")
def test_what_is_decided_holds_from_the_next_night_on(company: Company) -> None:
    before = company.contact_of()
    sheet = written(company)
    sheet[0] |= {"decision": TWO, "note": "两个同事共用邮箱"}
    sheet[1] |= {"decision": ONE}
    said = review.take(company.root, fill(company.root / "back.xlsx", sheet), "anna")
    assert "1 pairs are one person and 1 are two; 0 were decided before" in said
    rules = [(rule["kind"], rule["record_a"], rule["by"], rule["reason"]) for rule in steward.rules(company.root)]
    assert rules == [
        ("cannot_link", "crm_member:3", "anna", "两个同事共用邮箱"),
        ("must_link", "crm_member:1", "anna", "review sheet back.xlsx"),
    ]
    assert written(company, "again.xlsx") == [], "decided pairs are out of the queue before the night knows of them"
    company.night(SEEN)
    after = company.contact_of()
    assert after["crm_member:1"] == after["crm_member:2"] in {before["crm_member:1"], before["crm_member:2"]}
    assert after["crm_member:3"] != after["crm_member:4"]
    assert before["crm_member:3"] in {after["crm_member:3"], after["crm_member:4"]}
    assert len(company.rows("core__contact")) == 5
    assert written(company, "third.xlsx") == []
    company.land(members(AFTER, member("1", name="王小明", phone="13900139009"), member("9", name="张三", email=MAIL)))
    company.quick_night(AFTER)
    third = company.contact_of()
    assert after.items() <= third.items(), "changed rows and new ones do not undo what a person decided"


@pytest.mark.requirement("R104")
def test_rows_without_a_decision_are_left_and_rules_in_force_are_known(company: Company) -> None:
    sheet = written(company)
    sheet[1] |= {"decision": ONE}
    file = fill(company.root / "back.xlsx", [*sheet, sheet[1]])
    first = review.take(company.root, file, "anna")
    assert "1 pairs are one person and 0 are two; 1 were decided before" in first
    assert "0 pairs are one person and 0 are two; 2 were decided before" in review.take(company.root, file, "ben")
    assert len(steward.rules(company.root)) == 1
    (rule,) = steward.rules(company.root)
    steward.lift(company.root, rule["rule_id"], "anna", "认错人了")
    assert pairs(written(company, "lifted.xlsx")) == [JOINED, APART]
    assert "1 pairs are one person" in review.take(company.root, file, "anna"), "a lifted rule is none"


@pytest.mark.requirement("R111")
def test_a_sheet_speaks_the_companys_language_and_either_is_understood(company: Company) -> None:
    settings = company.root / "vesper.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"en"', '"zh_CN"'), encoding="utf-8")
    sheet = written(company)
    assert list(sheet[0]) == list(headings(zh).values())
    assert [row["复核原因"] for row in sheet] == ["已合并但存疑", "未合并"]
    same, different = words(zh).values()
    sheet[0]["判定"], sheet[1]["判定"] = f" {TWO.upper()} ", same
    assert "1 对视为同一个人，1 对视为两个人" in review.take(company.root, fill(company.root / "b.xlsx", sheet), "anna")
    english = dict(zip(headings(zh).values(), headings(en).values(), strict=True))
    moved = [{english[name]: cell for name, cell in reversed(row.items())} for row in sheet]
    moved[0]["decision"] = different
    assert "另有 2 对此前已判定" in review.take(company.root, fill(company.root / "c.xlsx", moved), "anna")


def _wrong(name: str, sheet: Sheet) -> None:
    """A decision that can be recorded, and one row that stops the whole sheet."""
    first, second = sheet
    first["decision"], second["decision"] = TWO, ONE
    match name:
        case "a word that is no decision":
            second["decision"] = "maybe"
        case "a row that nobody has":
            second["source row B"] = "crm_member:99"
        case "one row alone":
            second["source row B"] = second["source row A"]
        case "two rows that disagree":
            sheet.append(second | {"decision": TWO})


WRONG = {
    "a word that is no decision": "back.xlsx, row 3: the decision is one of one person, two people, or empty.",
    "a row that nobody has": "back.xlsx, row 3: no contact holds a source row crm_member:99 any more; empty the decision.",
    "one row alone": "back.xlsx, row 3: source row A and source row B must name two source rows",
    "two rows that disagree": "back.xlsx, row 4: row 3 decides the opposite of the same two; leave one of them.",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company to which only sheets come that it refuses."""
    return opened(tmp_path_factory.mktemp("asked") / "company")


@pytest.fixture
def sheet(asked: Company) -> Iterator[Sheet]:
    file = asked.root / "review.xlsx"
    review.write(asked.root, file)
    yield read(file)
    file.unlink()


def refused(company: Company, file: Path, by: str = "anna") -> str:
    with pytest.raises(review.Unanswered) as stopped:
        review.take(company.root, file, by)
    (sentence,) = str(stopped.value).splitlines()
    return sentence


@pytest.mark.requirement("R104")
@pytest.mark.parametrize("name", WRONG)
def test_one_row_that_cannot_be_taken_leaves_the_ledger_as_it_was(asked: Company, sheet: Sheet, name: str) -> None:
    _wrong(name, sheet)
    assert refused(asked, fill(asked.root / "back.xlsx", sheet)).startswith(WRONG[name])
    assert steward.rules(asked.root) == []


@pytest.mark.requirement("R104")
def test_a_rule_in_force_is_not_overruled_by_a_sheet(company: Company) -> None:
    steward.separate(company.root, "crm_member:2", "crm_member:1", "ben", "电话确认")
    (rule,) = steward.rules(company.root)
    sheet = [
        {"source row A": a, "source row B": b, "decision": ONE, "note": ""}
        for a, b in (("crm_member:4", "crm_member:5"), ("crm_member:1", "crm_member:2"))
    ]
    sentence = refused(company, fill(company.root / "back.xlsx", sheet))
    assert sentence.startswith(f"back.xlsx, row 3: rule {rule['rule_id']} says the opposite")
    assert steward.rules(company.root) == [rule]


def test_a_file_that_is_no_sheet_is_one_sentence(asked: Company, sheet: Sheet) -> None:
    root = asked.root
    assert "no file gone.xlsx" in refused(asked, root / "gone.xlsx")
    (root / "broken.xlsx").write_bytes(b"PK\x03\x04 cut off")
    assert "broken.xlsx" in refused(asked, root / "broken.xlsx")
    (root / "plain.csv").write_text("decision\n", encoding="utf-8")
    assert ".xlsx" in refused(asked, root / "plain.csv")
    other = [{name: cell for name, cell in row.items() if name != "source row B"} for row in sheet]
    assert "no column source row B" in refused(asked, fill(root / "other.xlsx", other))
    assert "who decided" in refused(asked, root / "review.xlsx", by=" ")


def test_a_sheet_with_decisions_is_not_written_over(asked: Company, sheet: Sheet) -> None:
    for name, said in (("review.xlsx", "is there already"), ("review.ods", "is named .xlsx")):
        with pytest.raises(review.Unanswered, match=said):
            review.write(asked.root, asked.root / name)


def test_before_the_first_night_there_is_no_queue(tmp_path: Path) -> None:
    company = Company(tmp_path / "new", "crm_member")
    with pytest.raises(review.Unanswered, match="No night has run"):
        review.write(company.root, tmp_path / "review.xlsx")
    assert not (tmp_path / "review.xlsx").exists()


@pytest.mark.requirement("R104")
def test_both_commands_answer_in_a_sentence(company: Company) -> None:
    file = company.root / "review.xlsx"
    out = CliRunner().invoke(app, ["review", "write", str(file), "-w", str(company.root)])
    assert (out.exit_code, out.output) == (0, "review.xlsx: 2 pairs to decide on.\n")
    back = CliRunner().invoke(app, ["review", "take", str(file), "--by", "anna", "-w", str(company.root)])
    assert back.exit_code == 0
    assert "0 pairs are one person and 0 are two" in back.output
    assert steward.rules(company.root) == []


@pytest.mark.requirement("R110")
def test_both_ways_are_forms_of_marketing_ops() -> None:
    assert {"write-review-sheet", "take-review-sheet"} <= {entry.name for entry in ALL}


@pytest.mark.requirement("R111")
def test_every_word_of_the_sheet_has_chinese(repository: Path) -> None:
    said = [
        str(node.args[0].value)
        for name in ("review", "review_sheet")
        for node in ast.walk(ast.parse((repository / "tasks" / f"{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
        if isinstance(node.args[0], ast.Constant)
    ]
    assert len(said) > 30
    assert [message for message in said if zh(message) == message] == []
