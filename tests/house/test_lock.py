"""The lock holds every direct dependency, exactly, and names no address."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def lock(repository: Path) -> list[str]:
    lines = (repository / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_no_host_stands_in_the_lock(repository: Path) -> None:
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"\w+://|--\S*(?:index|find|host)\S*| @ ", text) == []


def test_every_line_is_one_exact_version(lock: list[str]) -> None:
    loose = [line for line in lock if not re.fullmatch(r"[a-z0-9._-]+==[^\s=]+( ; .+)?", line)]
    assert loose == []


def test_every_direct_dependency_is_locked_within_its_bounds(lock: list[str], repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    pinned = {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in map(Requirement, lock)}
    outside = [
        line
        for line in declared
        if not Requirement(line).specifier.contains(pinned.get(canonicalize_name(Requirement(line).name), "0"))
    ]
    assert outside == []


def test_every_dependency_says_why(repository: Path) -> None:
    """A line such as `"duckdb>=2.0,<2.1", # why`, wherever dependencies are listed."""
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    bare = [line.strip() for line in listed.splitlines() if line.strip().startswith('"') and "#" not in line]
    assert bare == []
