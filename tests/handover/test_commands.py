"""`vesper handover` from the command line."""

from pathlib import Path

from typer.testing import CliRunner

from cli import app
from tests.handover.test_notices import write_policy
from tests.handover.world import Company

RUN = CliRunner()


def test_what_is_open_is_listed_and_withdrawn(company: Company, tmp_path: Path) -> None:
    (row,) = company.night({"a": 92})
    write_policy(company)
    there = ["-w", str(company.root)]
    shown = RUN.invoke(app, ["handover", "list", *there])
    assert shown.exit_code == 0 and row.handover_id in shown.output and "王" not in shown.output
    assert RUN.invoke(app, ["handover", "write", str(tmp_path / "out.xlsx"), *there]).exit_code == 0
    assert RUN.invoke(app, ["handover", "withdraw", row.handover_id, *there]).exit_code == 2, "a reason is asked for"
    done = RUN.invoke(app, ["handover", "withdraw", row.handover_id[:8], "--reason", "误判", *there])
    assert done.exit_code == 0 and row.handover_id in done.output
    assert row.handover_id not in RUN.invoke(app, ["handover", "list", *there]).output


def test_an_unknown_number_is_one_sentence(company: Company) -> None:
    write_policy(company)
    done = RUN.invoke(app, ["handover", "close-task", "ffff", "--reason", "x", "-w", str(company.root)])
    assert done.exit_code != 0 and "ffff" in str(done.exception)
