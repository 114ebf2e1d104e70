"""The command line as a function of this process, and as a process that tells what it imported."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli

HEAVY = ("prefect", "pandas", "great_expectations")
ASK = """
import json, sys
import cli
sys.argv = ["vesper", *sys.argv[1:]]
code = 0
try:
    cli.main()
except SystemExit as stopped:
    code = stopped.code or 0
print(json.dumps({"code": code, "imported": sorted({name.split(".")[0] for name in sys.modules})}), file=sys.__stderr__)
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Process(Said):
    """The same of a process, with the top-level modules it had imported by the end."""

    imported: frozenset[str] = frozenset()

    @property
    def heavy(self) -> frozenset[str]:
        return self.imported & frozenset(HEAVY)


Vesper = Callable[..., Said]


@pytest.fixture
def vesper(monkeypatch: pytest.MonkeyPatch) -> Vesper:
    """Run a command in this process."""

    def run(*arguments: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["vesper", *map(str, arguments)])
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main()
            except SystemExit as stopped:
                code = stopped.code
        return Said(int(str(code or 0)), out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def process(repository: Path) -> Callable[..., Process]:
    """Run a command in a process of its own."""

    def run(*arguments: object) -> Process:
        command = [sys.executable, "-c", ASK, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=repository, timeout=300)
        *lines, last = done.stderr.splitlines()
        told = json.loads(last)
        return Process(told["code"], done.stdout, "\n".join(lines), frozenset(told["imported"]))

    return run
