"""Modules say what they are, and stay small enough to read."""

import ast
import statistics
from pathlib import Path

MODULE_LINES = 400
MEDIAN_LINES = 120
FUNCTION_LINES = 40
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base2"}


def length(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_every_module_opens_with_a_docstring(modules: list[Path]) -> None:
    silent = [str(f) for f in modules if not ast.get_docstring(ast.parse(f.read_text(encoding="utf-8")))]
    assert silent == []


def test_no_module_is_too_long(modules: list[Path]) -> None:
    assert {str(f): length(f) for f in modules if length(f) > MODULE_LINES} == {}


def test_the_median_module_is_short(modules: list[Path]) -> None:
    assert statistics.median(length(f) for f in modules) <= MEDIAN_LINES


def test_no_function_is_too_long(modules: list[Path]) -> None:
    long = {
        f"{file}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for file in modules
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    }
    assert long == {}


def test_every_name_says_its_subject(modules: list[Path], repository: Path) -> None:
    nameless = [
        str(f) for f in modules if FORBIDDEN & {part.removesuffix(".py") for part in f.relative_to(repository).parts}
    ]
    assert nameless == []


def test_definitions_have_one_extension(repository: Path) -> None:
    folders = [repository / "definitions", repository / "examples"]
    assert [str(f) for folder in folders for f in folder.rglob("*.yaml") if ".vesper" not in f.parts] == []
