"""`vesper doctor`: a healthy workspace is told to be one, and each harm is found, with what to do."""

import sqlite3
from pathlib import Path

import pytest

from tasks.doctor import doctor
from tasks.doctor_finding import Finding
from tasks.doctor_machine import packages
from tasks.sql import open_to_read, published
from tests.ops.conftest import NIGHT, edit, held_by_another_process
from tests.ops.test_sql import content
from warehouse.ledger.engine import MIGRATIONS


def harmed(findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if not finding.ok]


def file_in_force(root: Path) -> Path:
    """A file of core__contact."""
    with open_to_read(root) as house:
        part, *_patch = house.lake.parts(published(house)["core__contact"])
        return house.lake.folder / part.path


def test_a_healthy_workspace_is_told_so_and_left_alone(grocer: Path) -> None:
    before = content(grocer)
    findings = doctor(grocer, deep=True)
    assert harmed(findings) == []
    assert content(grocer) == before
    said = "\n".join(finding.what for finding in findings)
    for word in (
        "Python 3.",
        "prefect 3.",
        "duckdb 2.",
        "America/New_York",
        *("consolidate", "score", "send", "watch"),
        max(file.stem.partition("_")[0] for file in MIGRATIONS.glob("versions/0*.py")),
    ):
        assert word in said


def test_a_missing_file_is_found(own_grocer: Path) -> None:
    file = file_in_force(own_grocer)
    file.unlink()
    (what,) = harmed(doctor(own_grocer))
    assert file.name in what


def test_a_changed_file_is_found_by_its_content(own_grocer: Path) -> None:
    file = file_in_force(own_grocer)
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(text)
    assert harmed(doctor(own_grocer)) == []
    (what,) = harmed(doctor(own_grocer, deep=True))
    assert file.name in what


def test_a_process_at_work_is_named(own_grocer: Path) -> None:
    with held_by_another_process(own_grocer / ".vesper") as pid:
        (what,) = harmed(doctor(own_grocer))
        assert str(pid) in what
    assert harmed(doctor(own_grocer)) == []


def test_a_failed_run_shows_its_sentence_and_a_killed_one_is_no_longer_running(own_grocer: Path) -> None:
    database = sqlite3.connect(own_grocer / ".vesper" / "ledger.db")
    database.execute(
        "update run set state = 'failed', sentence = 'shop_order: 3 files are missing.' where stage = 'measure'"
    )
    database.execute("update run set state = 'running', ended_at = null where stage = 'watch'")
    database.commit()
    database.close()
    findings = doctor(own_grocer)
    failed, killed = (finding for finding in findings if not finding.ok)
    assert failed.what.startswith(f"measure {NIGHT}") and "shop_order: 3 files are missing." in failed.what
    assert "vesper run measure" in failed.todo
    assert killed.what.startswith(f"watch {NIGHT}") and "进程中断" in killed.what


@pytest.mark.parametrize("harm", ["overwritten", "other_version", "nothing_inside"])
def test_a_ledger_that_cannot_be_used_is_one_finding(own_grocer: Path, harm: str) -> None:
    file = own_grocer / ".vesper" / "ledger.db"
    if harm == "other_version":
        database = sqlite3.connect(file)
        database.execute("update alembic_version set version_num = '9999'")
        database.commit()
        database.close()
    else:
        for scratch in file.parent.glob("ledger.db-*"):
            scratch.unlink()
        file.write_bytes(b"no database " * 1000 if harm == "overwritten" else b"")
    assert len(harmed(doctor(own_grocer))) == 1


def test_settings_and_definitions_that_are_wrong_stand_with_their_line(own_grocer: Path) -> None:
    edit(own_grocer / "definitions" / "segments" / "dormant_90d.yml", r"last_order:", "last_ordr:")
    (what,) = harmed(doctor(own_grocer))
    assert what.startswith("definitions/segments/dormant_90d.yml:")
    edit(own_grocer / "vesper.toml", r'zone = "[^"]*"', 'zone = "Asia/Peking"')
    assert [what for what in harmed(doctor(own_grocer)) if what.startswith("vesper.toml:")]


def test_a_rehearsal_with_a_mail_server_elsewhere_is_found(own_grocer: Path) -> None:
    edit(own_grocer / "vesper.toml", r'server = "loopback"', 'server = "smtp.example.com:25"')
    (what,) = harmed(doctor(own_grocer))
    assert "smtp.example.com" in what


def test_a_mail_server_that_does_not_listen_is_found(own_grocer: Path) -> None:
    edit(own_grocer / "vesper.toml", r'server = "loopback"', 'server = "127.0.0.1:9"')
    (what,) = harmed(doctor(own_grocer))
    assert "127.0.0.1:9" in what


def test_a_server_file_without_a_server_is_found(own_grocer: Path) -> None:
    (own_grocer / ".vesper" / "server.json").write_text(
        '{"api_url": "http://127.0.0.1:9/api", "pid": 1}', encoding="utf-8"
    )
    (finding,) = [finding for finding in doctor(own_grocer) if not finding.ok]
    assert "http://127.0.0.1:9/api" in finding.what and "vesper up" in finding.todo


def test_a_file_that_landed_since_the_night_is_named(own_grocer: Path) -> None:
    (own_grocer / ".vesper" / "landing" / "crm_member" / "2018-01-02.csv").write_text("card\n", encoding="utf-8")
    findings = doctor(own_grocer)
    assert harmed(findings) == []
    assert [finding for finding in findings if "crm_member" in finding.what and finding.todo]


def test_a_workspace_before_its_first_night_is_healthy(repository: Path, own_grocer: Path, tmp_path: Path) -> None:
    root = tmp_path / "fresh"
    root.mkdir()
    (own_grocer / "definitions").rename(root / "definitions")
    (own_grocer / "vesper.toml").rename(root / "vesper.toml")
    findings = doctor(root)
    assert harmed(findings) == []
    assert any("vesper run nightly" in finding.what for finding in findings)
    assert not (root / ".vesper").exists()


def test_a_package_outside_its_range_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        '[project]\ndependencies = ["sqlalchemy>=99", "no-such-package>=1", "duckdb>=2"]\n', encoding="utf-8"
    )
    monkeypatch.setattr("tasks.doctor_machine.PROJECT", project)
    assert [finding.what.split()[0] for finding in packages(str)] == ["sqlalchemy", "no-such-package"]
