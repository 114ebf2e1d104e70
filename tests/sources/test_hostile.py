"""Files that break things: one clear sentence or rows set aside, nothing lost, and the next night goes on."""

import json
import os
from pathlib import Path

import pytest

from tests.sources.night_of import HEAD, OneSource, csv_source, csv_text, day
from vesper.check import check
from vesper.stage_report import StageFailed

GOOD = csv_text({"1": ("王芳", "13800138000"), "2": ("李雷", "13900139000")})
JSONL = 'system: jsonl\npath: "crm_lead/{on}.jsonl"\n' + HEAD


@pytest.fixture
def company(tmp_path: Path) -> OneSource:
    return OneSource(tmp_path / "company", csv_source())


def refused(company: OneSource, number: int) -> str:
    """The sentence of a night that stopped; nothing of it was published."""
    with pytest.raises(StageFailed) as caught:
        company.night(day(number))
    return str(caught.value)


@pytest.mark.requirement("R10")
def test_a_cell_of_fifty_megabytes_is_set_aside_and_the_others_come(company: OneSource) -> None:
    company.land(day(0), GOOD + "3," + "x" * (50 << 20) + ",13700137000\n")
    night = company.night(day(0))
    assert (night.counts["new"], night.counts["quarantined"]) == (2, 1)
    (row,) = night.quarantine
    assert (row["rule_id"], row["row_key"]) == ("long:name", f"{day(0)}.csv:4")
    assert len(row["row_json"]) < 2000
    assert json.loads(row["row_json"])["姓名"].endswith("… (52428800 bytes)")


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_nul_bytes_in_a_cell_set_the_row_aside(company: OneSource, ending: str) -> None:
    if ending == "csv":
        company.land(day(0), GOOD.replace("李雷", "李\0雷"))
    else:
        company.define(JSONL)
        company.land(day(0), '{"编号": "1", "姓名": "王芳"}\n{"编号": "2", "姓名": "李\\u0000雷"}\n', ending)
    night = company.night(day(0))
    assert [row["rule_id"] for row in night.quarantine] == ["nul:name"]
    assert night.counts["new"] == 1


def test_nul_bytes_in_the_header_and_a_file_of_nothing_else(company: OneSource) -> None:
    for data in ("id,name\n1,x\n".encode("utf-16-le"), b"\0" * 4096):
        company.land(day(0), data)
        assert "NUL bytes" in refused(company, 0)
    company.land(day(0), GOOD)
    assert company.night(day(0)).counts["new"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("编号,姓名,手机,手机\n1,王芳,1,2\n", "column '手机' stands there more than once"),
        ("编号,姓名,手机, 手机\ufeff\n1,王芳,1,2\n", "column '手机' stands there more than once"),
        ("编号,姓名,手机\n1,王芳\n", "line 2 has 2 cells where the header has 3"),
        ('编号,姓名,手机\n1,"王芳,2\n', "line 2 has 2 cells"),
        ('编号,姓名,手机\n1,王芳,"2\n3,', "quotation mark"),
        ("编号,姓名,手机,file\n1,a,b,c\n", "a name that Vesper uses itself"),
    ],
)
def test_a_header_that_cannot_be_trusted(company: OneSource, text: str, words: str) -> None:
    company.land(day(0), text)
    assert words in refused(company, 0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"编号": "\\ud800"}', "line 1 escapes half a character"),
        ("[" * 100_000, "line 1 is nested too deeply"),
        ('{"a":' * 200 + "1" + "}" * 200, "line 1 is nested too deeply"),
        ('{"编号": 1', "line 1 is not valid JSON"),
    ],
)
def test_json_that_no_table_can_hold(company: OneSource, line: str, words: str) -> None:
    company.define(JSONL)
    company.land(day(0), line + "\n", "jsonl")
    assert words in refused(company, 0)


def test_a_sentence_is_said_in_the_companys_language(company: OneSource) -> None:
    settings = company.root / "vesper.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"en"', '"zh_CN"'), encoding="utf-8")
    company.land(day(0), "编号,姓名,手机\n1,王芳\n")
    assert "第 2 行有 2 个单元格，而表头有 3 个" in refused(company, 0)


@pytest.mark.requirement("R122")
def test_links_that_lead_out_of_the_landing_folder_are_refused(company: OneSource, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD, encoding="utf-8")
    path = company.path(day(0))
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)
    assert "a link that leads out of the landing folder" in refused(company, 0)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere.csv")
    assert company.night(day(0)).counts == {}
    path.unlink()
    path.parent.rmdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / path.name).write_text(GOOD, encoding="utf-8")
    path.parent.symlink_to(outside)
    assert "a link that leads out of the landing folder" in refused(company, 0)


def test_odd_names_and_things_that_are_no_files_are_passed_by(company: OneSource) -> None:
    company.land(day(0), GOOD)
    company.arrived(company.path(day(0)), day(0))
    folder = company.path(day(0)).parent
    for name in (f"{day(1)}.csv\n", f"{day(1)}.csv'; drop", f"x{day(1)}.csv", "٢٠١٨-٠٣-٠١.csv", f"{day(1)}.CSV"):
        (folder / name).write_text("not a source", encoding="utf-8")
    (folder / f"{day(2)}.csv").mkdir()
    os.mkfifo(folder / f"{day(3)}.csv")
    assert company.night(day(3)).counts["received"] == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ('"../../{on}.csv"', "leads out of the landing folder"),
        ('"/etc/{on}.csv"', "leads out of the landing folder"),
        ('"crm_lead/*/{on}.csv"', "does not name one file a day"),
        ('"crm_lead/{on}-{on}.csv"', "does not name one file a day"),
    ],
)
def test_a_definition_cannot_lead_elsewhere(company: OneSource, path: str, words: str) -> None:
    company.define(csv_source(path=path))
    assert [problem.what for problem in check(company.root) if words in problem.what]


def test_a_workspace_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    company = OneSource(tmp_path / "it [1] 100%", csv_source())
    company.land(day(0), GOOD)
    company.night(day(0))
    assert [row["name"] for row in company.rows()] == ["王芳", "李雷"]


def test_formulas_in_cells_are_text(company: OneSource) -> None:
    company.land(day(0), csv_text({"1": ("=HYPERLINK(1)", "+8613800138000"), "2": ("@SUM(A1)", "-1")}))
    company.night(day(0))
    assert [row["name"] for row in company.rows()] == ["=HYPERLINK(1)", "@SUM(A1)"]


@pytest.mark.requirement("R1")
def test_a_large_batch_is_copied_to_disk_and_gives_the_same_table(
    company: OneSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD + '3,"王\n小明",13700137000\n,无编号,1\n\n4,赵六,\n'
    other = OneSource(tmp_path / "other", csv_source())
    for one in (company, other):
        one.land(day(0), text)
        one.land(day(1), GOOD.replace("王芳", "王芳芳"), arrives=day(0))
    held = company.night(day(0))
    monkeypatch.setattr("tasks.incoming.SPILL_ABOVE", 10)
    spilled = other.night(day(0))
    assert spilled.counts == held.counts
    assert spilled.quarantine == held.quarantine
    assert spilled.quarantine[0]["row_key"] == f"{day(0)}.csv:6"
    assert other.rows() == company.rows()
    assert [row["source_row"] for row in other.rows()] == [2, 3, 4, 8]
    assert not (other.root / ".vesper" / "spill" / "incoming_crm_lead").exists()
