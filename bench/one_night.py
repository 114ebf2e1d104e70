"""`python -m bench.one_night ROOT DATE`: one night in a process of its own, its CPU divided by stage and by what it was spent on.

What belongs here: wrapping the product's functions from outside and counting. What does not: workspaces and comparisons (`night.py`).

A second of CPU belongs to one kind: `imports` (Python modules being loaded, wherever), `gx_import` (Great Expectations being loaded, with what
it loads), `gate` (it at work), `mail` (messages over SMTP), `page` (the report page), `duckdb` (SQL statements, Parquet written by them),
`python` (the rest: reading files, the ledger, hashes).
"""

import argparse
import builtins
import datetime as dt
import importlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.memory import peak_mb

KINDS = ("duckdb", "python", "gate", "imports", "gx_import", "mail", "page")
LOADING = frozenset({"imports", "gx_import"})
WHOLE = frozenset({"gate", "mail", "page"})
"""Kinds that keep what happens inside them, SQL included; only loading is always counted apart."""


class Meter:
    """CPU of this process by stage and kind; every moment is charged once."""

    def __init__(self) -> None:
        self.spent: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(KINDS, 0.0))
        self.stage, self.kind = "start", "python"
        self.since = time.process_time()

    def charge(self) -> None:
        """Charge what was spent since the last change to the kind that is on."""
        now = time.process_time()
        self.spent[self.stage][self.kind] += now - self.since
        self.since = now

    @contextmanager
    def on(self, kind: str) -> Iterator[None]:
        """Charge the block to a kind. Threads beside the main one are charged to whatever that one is doing."""
        inside = threading.current_thread() is not threading.main_thread()
        if inside or kind == self.kind or self.kind in LOADING or (self.kind in WHOLE and kind not in LOADING):
            yield
            return
        self.charge()
        before, self.kind = self.kind, kind
        try:
            yield
        finally:
            self.charge()
            self.kind = before

    def enter(self, stage: str) -> None:
        self.charge()
        self.stage = stage

    def wrapped(self, call: Callable[..., Any], kind: str) -> Callable[..., Any]:
        """The same function, its CPU charged to a kind."""

        def measured(*arguments: Any, **options: Any) -> Any:
            with self.on(kind):
                return call(*arguments, **options)

        return measured

    def wrap(self, owner: Any, name: str, kind: str) -> None:
        """Charge a function of a module or class to a kind; AttributeError when it is not there any more."""
        setattr(owner, name, self.wrapped(getattr(owner, name), kind))


class Counted:
    """A DuckDB connection whose statements are charged to `duckdb`."""

    def __init__(self, native: Any, meter: Meter) -> None:
        self.native = native
        self.execute = meter.wrapped(native.execute, "duckdb")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.native, name)


def watch_imports(meter: Meter) -> None:
    """Charge the loading of modules to `imports`, that of Great Expectations to `gx_import`."""
    plain, by_name = builtins.__import__, importlib.import_module

    def kind_of(name: str) -> str:
        return "gx_import" if name.partition(".")[0] == "great_expectations" else "imports"

    def load(name: str, *arguments: Any, **options: Any) -> Any:
        with meter.on(kind_of(name)):
            return plain(name, *arguments, **options)

    def load_by_name(name: str, package: str | None = None) -> Any:
        with meter.on(kind_of(name)):
            return by_name(name, package)

    builtins.__import__ = load
    importlib.import_module = load_by_name


def watch_product(meter: Meter) -> None:
    """Charge the product's own functions, named where they are called."""
    import tasks.send
    import tasks.stage
    import tasks.watch
    from warehouse.runner import Runner

    meter.wrap(tasks.stage, "run_gate", "gate")
    meter.wrap(tasks.send, "deliver", "mail")
    meter.wrap(tasks.watch, "write_page", "page")
    opened = Runner.__init__

    def counted(runner: Runner, *arguments: Any, **options: Any) -> None:
        opened(runner, *arguments, **options)
        runner.connection = Counted(runner.connection, meter)  # type: ignore[assignment]

    setattr(Runner, "__init__", counted)  # noqa: B010  (mypy holds a method for final)


def main() -> None:
    parser = argparse.ArgumentParser(description="One night, measured.")
    parser.add_argument("root", type=Path)
    parser.add_argument("on", type=dt.date.fromisoformat)
    parser.add_argument("--may-send", action="store_true")
    chosen = parser.parse_args()
    started, meter = time.monotonic(), Meter()
    watch_imports(meter)
    watch_product(meter)
    from tasks.night import Stage, directly, run_night

    def call(stage: Stage, root: Path, on: dt.date, may_send: bool) -> Any:
        meter.enter(stage.word)
        return directly(stage, root, on, may_send)

    reports = run_night(call, chosen.root, chosen.on, chosen.may_send)
    meter.enter("end")
    found = {
        "cpu_s": meter.spent,
        "wall_s": time.monotonic() - started,
        "peak_mb": peak_mb(),
        "prefect": "prefect" in sys.modules,
        "checks": sum(len(report.checks) for report in reports),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
