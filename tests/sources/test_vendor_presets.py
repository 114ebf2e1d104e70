"""Presets of sources: 125 real files pass through them, each row accounted for; a company states only what differs (R1, R2)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_quality.contract import check_structure
from tests.sources.vendors import company, exports, rows_of, taken_in
from vesper.check import check
from vesper.load import definition_set, definition_texts, load_definitions
from vesper.model.source import Source
from vesper.presets import preset_ids, preset_text
from vesper.problem import Problem
from vesper.reading import read_key

Written = Callable[..., list[Problem]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return company(tmp_path / "company", {})


@pytest.fixture
def written(root: Path) -> Written:
    """Write one source of the company; gives what `check` says of it."""

    def write(text: str, id: str = "crm_contact") -> list[Problem]:
        (root / "definitions" / "sources" / f"{id}.yml").write_text(text, encoding="utf-8")
        return check(root)

    return write


def source(root: Path, id: str = "crm_contact") -> Source:
    return load_definitions(root).one(Source, id)


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.requirement("R1", "R2")
def test_every_real_export_passes_through_its_preset(reference_data: Path, tmp_path: Path) -> None:
    files = exports(reference_data)
    assert len(files) == 125
    with taken_in(company(tmp_path, files)) as (bench, taken):
        assert set(taken) == set(files)
        received = {balance.name.split()[1]: balance.total for balance in bench.report.balances}
        assert received == {preset: len(rows_of(content)) for preset, content in files.items()}
        assert sum(received.values()) == 4530
        assert [balance.name for balance in bench.report.balances if not balance.holds] == []
        # Nothing set aside, nothing lost to a key that two rows share, no column that the preset does not know.
        assert bench.report.quarantined == {}
        assert received == {one.source.id: bench.report.rows[one.raw.name] for one in taken.values()}
        assert [warning for warning in bench.report.warnings if "lacks the column" not in warning] == []


@pytest.mark.requirement("R2")
def test_every_preset_is_a_source_by_itself_and_through_the_company_that_names_it(tmp_path: Path) -> None:
    assert len(preset_ids("sources")) >= 126
    root = company(tmp_path, dict.fromkeys(preset_ids("sources"), b""))
    assert check(root) == []
    own = load_definitions(root).of(Source)
    for id in preset_ids("sources"):
        reading = read_key(f"sources/{id}", preset_text("sources", id) or "", str)
        assert isinstance(reading.model, Source), (id, reading.problems)
        assert own[id] == reading.model.model_copy(update={"preset": id, "owner": "crm@example.com"})


def test_a_company_states_only_what_differs(root: Path, written: Written) -> None:
    text = """preset: hubspot_contact
owner: crm@example.com
says: 联系人
path: "eu/{on}.csv"
cadence: {every: day, due: "06:00"}
crm: hubspot_eu
fields:
  email: {column: Mail}
  phone: null
  other_phone:
  need: {column: Wish, type: text}
"""
    assert written(text) == []
    own = source(root)
    assert (str(own.says), own.path, own.cadence.every, own.system_of_ids) == (
        "联系人",
        "eu/{on}.csv",
        "day",
        "hubspot_eu",
    )
    assert (own.fields["email"].column, own.fields["email"].type) == ("Mail", "text")
    assert own.fields["need"].column == "Wish"
    assert not {"phone", "other_phone"} & own.fields.keys()
    assert own.fields["crm_id"].required
    assert own.key == ("crm_id",)


def test_what_is_in_force_holds_the_preset_too(root: Path, written: Written) -> None:
    assert written("preset: hubspot_contact\nowner: crm@example.com\n") == []
    texts = definition_texts(root)
    assert [key for key in texts if key.startswith("sources/")] == ["sources/crm_contact"]
    assert (preset_text("sources", "hubspot_contact") or "") in texts["sources/crm_contact"]
    assert definition_set(texts) == load_definitions(root)


@pytest.mark.parametrize(
    ("text", "line", "what", "instead"),
    [
        ("owner: a\npreset: hubspot_contcat\n", 2, "There is no preset hubspot_contcat.", "Did you mean hubspot_contact?"),
        ("preset: 7\nowner: a\n", 1, "There is no preset 7.", "Known here: "),
        ("preset: hubspot_contact\n", 1, "owner is missing.", "Add it."),
        ("preset: hubspot_contact\nowner: a\nfields:\n  emial: {column: M, type: text}\n", 4, "emial is not a field of contact.", "email?"),
        ("preset: hubspot_contact\nowner: a\nfields:\n  email: {type: money}\n", 4, "email cannot be of type money.", "Use text"),
        ("preset: hubspot_contact\nowner: a\nfields:\n  crm_id: null\n", 1, "The key names crm_id, which is not among the fields.", ""),
        ("preset: hubspot_deal\nowner: a\nfields:\n  file: {column: F, type: text}\n", 4, "file is a column that Vesper adds itself.", "another name"),
        ("preset: hubspot_email_event\nowner: a\nevent_kind: mail_sent\n", 1, "which kind of event its rows are, once.", "Add event_kind"),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_its_line(written: Written, text: str, line: int, what: str, instead: str) -> None:
    (problem,) = written(text)
    assert (problem.file, problem.line) == ("definitions/sources/crm_contact.yml", line)
    assert what in problem.what
    assert instead in problem.instead


def test_a_text_that_is_no_yaml_is_named_as_such(written: Written) -> None:
    (problem,) = written("preset: [hubspot_contact\nowner: a\n")
    assert "not valid YAML" in problem.what


@pytest.mark.requirement("R2")
def test_an_event_that_a_column_names_may_be_asked_for(root: Path, written: Written) -> None:
    segments = root / "definitions" / "segments"
    segments.mkdir()
    asked = "says: 打开过邮件\nowner: marketing\nmembers: {{events: {{kind: {kind}, at_least: 1, within: 90d}}}}\n"
    (segments / "openers.yml").write_text(asked.format(kind="mail_opened"), encoding="utf-8")
    assert written("preset: hubspot_email_event\nowner: a\n", "hubspot_email_event") == []
    (segments / "openers.yml").write_text(asked.format(kind="mail_opend"), encoding="utf-8")
    assert [problem.what for problem in check(root)] == ["No source brings the event mail_opend."]


@pytest.mark.requirement("R2")
def test_columns_of_a_preset_are_known_missing_or_new(root: Path, written: Written) -> None:
    assert written("preset: hubspot_contact\nowner: a\nfields: {phone: null}\n") == []
    found = check_structure(source(root), ["property_email", "property_own", "_fivetran_synced", "Strange"], 5)
    assert found.unknown == ("Strange",)
    assert {one.rule.removeprefix("column:") for one in found.critical} == {"id"}
    assert "property_jobtitle" in found.missing
    assert "property_phone" not in found.missing
