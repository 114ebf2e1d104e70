"""The gate: files that are not yet published, checked by Great Expectations against what their tables declare (R103).

One `run_gate` for all stages; the checks stand in suite.py, the words for people in verdict.py. No publish happens
here: the stage publishes when nothing critical failed.
Great Expectations is imported on the first call and its context kept for the process; its memory database is closed
after every call.
"""

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data_quality import dialect
from data_quality.suite import Check, Part, checks_of, expectation
from vesper.stage_report import CheckResult
from vesper.tables.declare import empty

if TYPE_CHECKING:
    from great_expectations import ValidationDefinition
    from great_expectations.core import ExpectationValidationResult

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
LONGEST_ERROR = 300


@dataclass(frozen=True)
class Candidate:
    """Files of a table that wait to be published. `part` is "new" when they are only the changed parts of a cut table,
    else "whole".
    """

    table: sa.Table
    files: Sequence[Path]
    part: Part = "whole"


def run_gate(candidates: Sequence[Candidate]) -> list[CheckResult]:
    """Check every candidate; one CheckResult per check, in the order of the declarations. Nothing is raised for bad
    data.

    A check that cannot run is critical whatever its severity, and so is a table that declares no check beyond its
    columns.
    """
    declared = [candidate for candidate in candidates if _is_checked(candidate)]
    results = [_undeclared(candidate) for candidate in candidates if candidate not in declared]
    if declared:
        with _opened() as inspector:
            for candidate in declared:
                results += inspector.inspect(candidate)
    return results


def _is_checked(candidate: Candidate) -> bool:
    return any(check.rule != "columns" for check in checks_of(candidate.table, candidate.part))


def _undeclared(candidate: Candidate) -> CheckResult:
    error = "the table declares no check beyond its columns"
    return CheckResult(candidate.table.name, "declared", None, False, "critical", error=error)


class _Inspector:
    """Great Expectations with one data source, and the suites made so far. Not for two threads at once."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        os.environ["TQDM_DISABLE"] = "1"
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
        from sqlalchemy.dialects import postgresql

        # Critical only: it logs failing queries with the values in them, and people's data never stands in a log.
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
        dialect.register()
        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self.source = self.context.data_sources.add_sql("gate", connection_string=dialect.URL)
        self.engine = self.source.get_execution_engine()
        # Undocumented: without it Great Expectations finds no functions for DuckDB. The canary test holds it.
        self.engine.dialect_module = postgresql
        self.suites: dict[tuple[str, tuple[Check, ...]], ValidationDefinition] = {}

    def inspect(self, candidate: Candidate) -> list[CheckResult]:
        """A quick pass that only says yes or no; where it says no, a second one that counts rows."""
        checks = checks_of(candidate.table, candidate.part)
        self._bind(candidate)
        suite = self._suite(candidate, checks)
        run = suite.run(result_format="BOOLEAN_ONLY")
        if not run.success:
            run = suite.run(result_format="BASIC")
        return [
            _result(candidate.table.name, check, found)
            for check, found in zip(checks, _in_order(run.results, checks), strict=True)
        ]

    def close(self) -> None:
        """Give up every connection: an open one makes a `duckdb.connect` with another configuration fail elsewhere."""
        self.engine.close()
        self.engine.engine.dispose()
        self.source.get_engine().dispose()

    def _bind(self, candidate: Candidate) -> None:
        """The files as a view under the table's name; without files the declared columns without rows."""
        with self.engine.engine.connect() as connection:
            rows = _files_sql(candidate.files) if candidate.files else str(empty(candidate.table).compile(connection))
            connection.exec_driver_sql(f'CREATE OR REPLACE VIEW "{candidate.table.name}" AS {rows}')

    def _suite(self, candidate: Candidate, checks: Sequence[Check]) -> "ValidationDefinition":
        """The suite of a table, made once in the process; later candidates of the table only rebind the view."""
        import great_expectations as gx

        table = candidate.table.name
        key = (table, tuple(checks))
        if key not in self.suites:
            name = f"{table} {candidate.part} {len(self.suites)}"
            batch = self.source.add_table_asset(name, table_name=table).add_batch_definition_whole_table("all")
            numbered = [_numbered(check, place) for place, check in enumerate(checks)]
            suite = self.context.suites.add(gx.ExpectationSuite(name, expectations=numbered))
            made = gx.ValidationDefinition(name=name, data=batch, suite=suite)
            self.suites[key] = self.context.validation_definitions.add(made)
        return self.suites[key]


def _numbered(check: Check, place: int) -> Any:
    made = expectation(check)
    made.meta = {"place": place}
    return made


def _in_order(
    results: Sequence["ExpectationValidationResult"], checks: Sequence[Check]
) -> list["ExpectationValidationResult"]:
    by_place = {(each.expectation_config.meta or {})["place"]: each for each in results if each.expectation_config}
    return [by_place[place] for place in range(len(checks))]


def _files_sql(files: Sequence[Path]) -> str:
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"SELECT * FROM read_parquet([{names}], union_by_name = true)"


_inspector: _Inspector | None = None
_one_at_a_time = threading.Lock()


@contextmanager
def _opened() -> Iterator[_Inspector]:
    global _inspector
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _inspector = _inspector or _Inspector()
        try:
            yield _inspector
        finally:
            _inspector.close()


def _result(table: str, check: Check, found: "ExpectationValidationResult") -> CheckResult:
    error = _error(found.exception_info)
    return CheckResult(
        table=table,
        check=check.rule,
        column=None if check.rule in ("columns", "row_count") else ", ".join(check.columns),
        passed=bool(found.success) and error is None,
        severity="critical" if error else check.severity,
        unexpected=found.result.get("unexpected_count"),
        observed=_observed(check, found.result.get("observed_value")),
        error=error,
    )


def _observed(check: Check, seen: Any) -> str | None:
    """What was seen, without any value of a row: a count of rows, or the columns that are missing or too many."""
    if seen is None:
        return None
    if check.rule != "columns":
        return str(seen)
    lacking, extra = sorted(set(check.columns) - set(seen)), sorted(set(seen) - set(check.columns))
    return "; ".join(f"{sign}{', '.join(names)}" for sign, names in (("-", lacking), ("+", extra)) if names) or None


def _error(exception_info: Mapping[str, Any] | None) -> str | None:
    """The reason why a check could not run: Great Expectations gives it flat or by metric. Quoted words are masked,
    they may be a person's data.
    """
    info = exception_info or {}
    nested = [each for each in info.values() if isinstance(each, Mapping)]
    raised = next((each for each in [info, *nested] if each.get("raised_exception")), None)
    if raised is None:
        return None
    lines = str(raised.get("exception_message") or "unknown").strip().splitlines() or ["unknown"]
    return QUOTED.sub("«…»", lines[0])[:LONGEST_ERROR]
