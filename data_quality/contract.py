"""The shape of a source file against the source's definition: columns that are missing, columns nobody declared (R2).

Only names are compared, so a file is refused before a single row is read. Rows are judged by row_rules.py, their number
by volume.py.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from data_quality.findings import Finding, Translate, finding, plain
from vesper.model.source import FILE_DATE, Source
from vesper.tables.declare import Severity

NEAR_ENOUGH = 0.4


@dataclass(frozen=True)
class StructureFindings:
    """Columns of the definition that the file lacks, columns it has too many, and a finding for each."""

    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def critical(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.is_critical)

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(each.sentence for each in self.findings)


def check_structure(
    source: Source, columns: Sequence[str], row_count: int, *, file: str = "?", _: Translate = plain
) -> StructureFindings:
    """Compare a file's columns with the declared ones.

    Critical: a missing column, since a renamed one would empty the field of everybody. Warnings: a key of an optional
    field that no line of a JSON file has or whose source says `missing_columns: warn`, and an undeclared column (it is
    not taken in). An ignored column is no finding.
    """
    declared: dict[str, bool] = {}
    for field in (field for field in source.fields.values() if field.column != FILE_DATE):
        declared[field.column] = declared.get(field.column, False) or field.required
    missing = tuple(column for column in declared if column not in columns)
    unknown = tuple(column for column in columns if column not in declared and not _is_ignored(source, column))
    # A table's header names every column even where all cells are empty; of JSON lines a key may be absent for a day.
    fixed = source.system not in ("jsonl", "http") and source.missing_columns == "block"
    lacking = [_lacks(source, column, fixed or declared[column], unknown, row_count, file, _) for column in missing]
    return StructureFindings(missing, unknown, (*lacking, *_undeclared(source, unknown, file, _)))


def nearest(column: str, others: Sequence[str]) -> str:
    """The undeclared column that looks most like this one; "" when none does."""
    by_folded = {each.strip().lower(): each for each in others}
    found = difflib.get_close_matches(column.strip().lower(), list(by_folded), n=1, cutoff=NEAR_ENOUGH)
    return by_folded[found[0]] if found else ""


def _is_ignored(source: Source, column: str) -> bool:
    """Whether the source says that the column is known and left out."""
    return any(fnmatchcase(column, pattern) for pattern in source.ignored)


def _lacks(
    source: Source, column: str, required: bool, unknown: Sequence[str], row_count: int, file: str, _: Translate
) -> Finding:
    near = nearest(column, unknown) or (unknown[0] if len(unknown) == 1 else "")
    what = _("{source}: {file} ({rows} rows) lacks the column {column}.")
    if not required:
        todo = _("Its values stay empty.")
    elif near:
        todo = _("The nearest column there is {near}: correct the file, or the column in the source's definition.")
    else:
        todo = _("Ask for the file again, or correct the source's definition.")
    severity: Severity = "critical" if required else "warning"
    facts = {"file": file, "rows": row_count, "column": column, "near": near}
    return finding(source.id, f"column:{column}", severity, f"{what} {todo}", **facts)


def _undeclared(source: Source, unknown: Sequence[str], file: str, _: Translate) -> Iterator[Finding]:
    message = _(
        "{source}: {file} has a column nobody declared, {column}. It is not taken in;"
        " declare it in the source's definition if it is wanted."
    )
    for column in unknown:
        yield finding(source.id, f"column:{column}", "warning", message, file=file, column=column)
