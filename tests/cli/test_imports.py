"""What a command imports: `check` answers while a file is saved, and a night without a server knows no Prefect."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Process
from tests.small_grocer import EXAMPLE, LAST, GrocerNights, copied, define

FILES = 200
SEGMENT = """says: {{zh_CN: 第 {number} 个分群, en: Segment {number}}}
owner: marketing@grocer.example.com
members: {{orders: {{at_least: {number}, within: 30d}}}}
examples:
  - {{given: {{}}, member: false}}
"""


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("check", "-w", str(EXAMPLE))], ids=" ".join)
def test_help_and_check_import_nothing_heavy(process: Callable[..., Process], arguments: tuple[str, ...]) -> None:
    done = process(*arguments)
    assert done.code == 0
    assert done.heavy == set()


@pytest.mark.requirement("R119")
def test_200_files_are_checked_without_anything_heavy(process: Callable[..., Process], tmp_path: Path) -> None:
    """How long it takes is measured in the bench."""
    define(tmp_path / "many")
    folder = tmp_path / "many" / "definitions" / "segments"
    for number in range(1, FILES + 1):
        (folder / f"bought_{number}.yml").write_text(SEGMENT.format(number=number), encoding="utf-8")
    done = process("check", "-w", tmp_path / "many")
    assert (done.code, done.err) == (0, "")
    assert done.heavy == set()
    assert int(done.out.split()[0]) > FILES


def test_a_stage_without_a_server_imports_no_prefect(
    process: Callable[..., Process], grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    """One stage stands for all: they share the way in, and tasks/ may not import Prefect (tests/house)."""
    root = copied(grocer_nights.after[LAST], tmp_path / "again")
    done = process("run", "measure", "-w", root)
    assert done.code == 0, done.err
    assert "prefect" not in done.imported
    assert "tasks" in done.imported
