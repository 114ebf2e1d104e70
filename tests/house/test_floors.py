"""The floors hold, and the contract that holds them notices when they do not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOMS = ("vesper", "warehouse", "connectors", "data_quality", "tasks", "flows", "deployments", "intake", "cli")
PLANTED = [
    ("vesper", "import tasks", "never sideways"),
    ("warehouse", "import connectors", "never sideways"),
    ("data_quality", "import tasks", "never sideways"),
    ("tasks", "import flows", "never sideways"),
    ("vesper", "import pandas", "mechanism is pure"),
    ("tasks", "import prefect", "Prefect stays in flows"),
    ("tasks", "import duckdb", "DuckDB is known"),
    ("flows", "import cli", "never sideways"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms and their contracts in another folder, where something may be planted."""
    folder = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(repository / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", ".vesper"))
    shutil.copy(repository / "pyproject.toml", folder)
    return folder


def test_imports_go_down_only(repository: Path) -> None:
    seen = lint_imports(repository)
    assert seen.returncode == 0, seen.stdout + seen.stderr


@pytest.mark.parametrize(("room", "line", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(copy: Path, room: str, line: str, contract: str) -> None:
    planted = copy / room / "planted.py"
    planted.write_text(f'"""Planted by a test."""\n\n{line}\n', encoding="utf-8")
    try:
        seen = lint_imports(copy)
    finally:
        planted.unlink()
    broken = [row for row in seen.stdout.splitlines() if " BROKEN" in row]
    assert seen.returncode == 1, seen.stdout + seen.stderr
    assert any(contract in row for row in broken), seen.stdout


def test_the_mechanism_and_the_command_line_load_nothing_heavy(repository: Path) -> None:
    """`vesper check` is run on every save: it must not wait for Prefect, pandas or Great Expectations."""
    program = (
        "import importlib, pkgutil, sys, vesper, cli\n"
        "for m in pkgutil.walk_packages(vesper.__path__, 'vesper.'): importlib.import_module(m.name)\n"
        "print(*sorted({'prefect', 'pandas', 'great_expectations', 'duckdb', 'pyarrow'} & sys.modules.keys()))"
    )
    seen = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == ""
