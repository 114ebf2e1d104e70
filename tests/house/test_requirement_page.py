"""The list of requirements claims only what a test proved."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs import requirement_page

TESTS = """
import pytest

@pytest.mark.requirement("R1", "R2")
@pytest.mark.parametrize("n", [1, {second}])
def test_two_values(n): assert n < 3

class TestGroup:
    pytestmark = pytest.mark.requirement("R3")
    def test_inside(self): pass

@pytest.mark.requirement("R4")
def test_skipped(): pytest.skip("no server here")
"""
SENTENCES = "- title: All\n  requirements:\n" + "".join(f"    R{n}: Sentence {n}.\n" for n in range(1, 6))
FILE = "tests/test_some.py"


def company(folder: Path, tests: str) -> Path:
    """A project with a few requirements and the given tests."""
    for name, text in {
        FILE: tests,
        "docs/requirements.yml": SENTENCES,
        "pytest.ini": "[pytest]\nmarkers = requirement\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, repository: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.requirements_plugin",
        "--rootdir",
        ".",
        "--import-mode=importlib",
        *more,
        FILE,
    ]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_number_counts_when_every_test_of_it_ran_and_passed(tmp_path: Path, repository: Path) -> None:
    folder = company(tmp_path, TESTS.format(second=2))
    seen = run(folder, repository)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    text = requirement_page.fresh(folder)
    states = [row.split(" | ")[2] for row in text.splitlines() if row.startswith("| R") and " | " in row][1:]
    assert states == ["proven", "proven", "proven", "in work", "open"]
    assert "**3 of 5 proven.**" in text
    assert f"`{FILE}::TestGroup::test_inside`" in text


def test_one_failing_parameter_fails_the_test_and_two_processes_agree(tmp_path: Path, repository: Path) -> None:
    folder = company(tmp_path, TESTS.format(second=9))
    assert run(folder, repository, "-n", "2").returncode == 1
    record = json.loads((folder / requirement_page.RECORD).read_text(encoding="utf-8"))
    assert record[f"{FILE}::test_two_values"] == {"requirements": ["R1", "R2"], "passed": False}
    assert record[f"{FILE}::TestGroup::test_inside"]["passed"] is True
    assert record[f"{FILE}::test_skipped"]["passed"] is False


def test_a_claim_of_a_test_that_is_gone_is_found_without_a_run(tmp_path: Path) -> None:
    folder = company(tmp_path, TESTS.format(second=2))
    tests = requirement_page.marked_tests(folder)
    claimed = {name for names in tests.values() for name in names}
    page = folder / requirement_page.PAGE
    page.write_text(requirement_page.page(requirement_page.sections(folder), tests, claimed), encoding="utf-8")
    assert list(requirement_page.problems(folder)) == []
    (folder / FILE).write_text(TESTS.format(second=2).replace("test_inside", "test_renamed"), encoding="utf-8")
    assert list(requirement_page.problems(folder)) == [
        f"docs/requirements.md: claims {FILE}::TestGroup::test_inside, and there is no such marked test; run `make docs`"
    ]


def test_a_claim_that_the_last_run_disproved_is_found(tmp_path: Path, repository: Path) -> None:
    folder = company(tmp_path, TESTS.format(second=2))
    run(folder, repository)
    (folder / requirement_page.PAGE).write_text(requirement_page.fresh(folder), encoding="utf-8")
    (folder / FILE).write_text(TESTS.format(second=9), encoding="utf-8")
    run(folder, repository)
    assert list(requirement_page.broken_claims(folder)) == [
        f"docs/requirements.md: counts {FILE}::test_two_values, and it did not pass in the last run here"
    ]


@pytest.mark.parametrize("number", ["R0", "R124", "51"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, repository: Path, number: str) -> None:
    folder = company(tmp_path, TESTS.replace('"R4"', f'"{number}"').format(second=2))
    seen = run(folder, repository)
    assert seen.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"'{number}' is no requirement; write R1 to R123" in seen.stdout + seen.stderr


def test_every_requirement_has_a_sentence(repository: Path) -> None:
    numbers = [number for _, sentences in requirement_page.sections(repository) for number in sentences]
    assert numbers == [f"R{n}" for n in range(1, 124)]
