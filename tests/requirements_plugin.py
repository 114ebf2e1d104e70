"""Which requirement a test proves, and whether it did: collects `@pytest.mark.requirement("R51", ...)` over a run.

Writes `.vesper-test/requirements.json`, from which `python -m docs.generate` makes docs/requirements.md. Results of tests that did not run this
time are kept, so a part of the suite can be run alone. A number counts only through tests that ran and passed; a skipped test proves nothing.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MARK = "requirement"
NUMBER = re.compile(r"R([1-9]\d?|1[01]\d|12[0-3])")
DEFAULT = Path(".vesper-test") / "requirements.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--requirements-report", default=None, metavar="PATH", help=f"where to keep what was proven (default {DEFAULT})"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The process that hears every report keeps the record; a worker of xdist does not."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Record(config), "requirements-record")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the numbers on each test, so that its reports carry them, and refuse a number that is none."""
    for item in items:
        for number in numbers_of(item):
            if not NUMBER.fullmatch(str(number)):
                raise pytest.UsageError(f"{item.nodeid}: {number!r} is no requirement; write R1 to R123")
            item.user_properties.append((MARK, number))


def numbers_of(item: pytest.Item) -> list[str]:
    """The requirements on one test, its class and its module, in the order written."""
    return list(dict.fromkeys(number for mark in item.iter_markers(MARK) for number in mark.args))


class Record:
    """Outcome of every marked test of this run: a test with parameters passes when each of them did."""

    def __init__(self, config: pytest.Config) -> None:
        given = config.getoption("--requirements-report")
        self.root = config.rootpath
        self.path = Path(given) if given else self.root / DEFAULT
        self.seen: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        numbers = sorted(
            {str(value) for name, value in report.user_properties if name == MARK}, key=lambda n: int(n[1:])
        )
        if not numbers:
            return
        test = self.seen.setdefault(
            report.nodeid.split("[")[0], {"requirements": numbers, "passed": True, "called": False}
        )
        test["requirements"] = sorted({*test["requirements"], *numbers}, key=lambda n: int(n[1:]))
        test["passed"] &= report.passed
        test["called"] |= report.when == "call"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if not self.seen:
            return
        kept = {name: test for name, test in earlier(self.path) if (self.root / name.split("::")[0]).exists()}
        now = {
            name: {"requirements": test["requirements"], "passed": test["passed"] and test["called"]}
            for name, test in self.seen.items()
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({**kept, **now}, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        proven = {
            number
            for test in self.seen.values()
            if test["passed"] and test["called"]
            for number in test["requirements"]
        }
        if proven:
            terminalreporter.write_line(f"requirements with a passing test in this run: {len(proven)} of 123")


def earlier(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What former runs left; an unreadable file counts as none."""
    try:
        yield from json.loads(path.read_text(encoding="utf-8")).items()
    except (OSError, ValueError):
        return
