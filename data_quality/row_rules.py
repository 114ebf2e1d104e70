"""The rules a single row must keep, as one Select: typed columns by canonical name, and the first rule the row broke.

Rules about a whole file stand in contract.py and volume.py, rules about a table in suite.py. Where judged rows go is
split.py. No engine here.

The incoming table holds one batch of a source: its own columns, plus `file` (text) and `source_row` (whole number).
Rules are named `required:<field>` (R10), `nul:<field>` and `long:<field>` (a text no system can have meant), `type:<field>`,
`category:<field>` and `time:<field>`. Of two rows of one file with the same key the later one counts and the earlier is
superseded, which is no fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data_quality.cells import Cell, CellType, Family, can_fail, cleaned, family, value
from vesper import clock
from vesper.model.source import FILE_DATE, Source, SourceField

CLOCK_TOLERANCE_HOURS = 1
HAPPENED_AT = "at"
DATE_IN_NAME = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
LONGEST = 400_000
"""Bytes of a text; no CRM keeps longer ones."""
SHOWN, BEGINNING = 10_000, 1_000
"""A cell of more bytes is set aside by its first characters: the whole of it stays in the landed file."""
Broken = sa.ColumnElement[bool]
BOOKKEEPING = ("file", "source_row", "received_at")


def typed(
    incoming: sa.FromClause,
    source: Source,
    *,
    zone: str,
    received_at: Cell,
    incoming_types: Mapping[str, str] | None = None,
) -> sa.Select[Any]:
    """One row for each incoming row, its fields typed and judged.

    Columns: the declared fields, `file`, `source_row`, `received_at`, `failed_rule` (NULL when good), `row_json` (the row
    as it came, for broken rows only), `is_superseded`.

    Args:
        zone: the company's zone, for times whose source names none.
        received_at: UTC instant (naive) at which the row's file arrived; a column of `incoming` or a literal
            (`clock.at`).
        incoming_types: pyarrow or SQL type by incoming column; a column that is not named counts as text.
    """
    readings = _readings(incoming, source, zone, incoming_types or {})
    cells = _typed_cells(incoming, readings, received_at)
    names = list(source.fields)
    judged = _judged(cells, list(_rules(cells, readings, zone)), names, _originals(incoming, incoming_types or {}))
    kept = [judged.c[name] for name in (*names, *BOOKKEEPING, "failed_rule", "row_json")]
    return sa.select(*kept, _is_superseded(judged, source.key).label("is_superseded"))


def critical_rules(source: Source) -> frozenset[str]:
    """Rules of which one broken row already stops the stage: categories declared `unknown: fail`."""
    return frozenset(
        f"category:{name}" for name, field in source.fields.items() if field.allowed and field.unknown == "fail"
    )


@dataclass(frozen=True)
class _Reading:
    """One field on its way: how it is read, its cleaned cell and the family of that cell."""

    name: str
    field: SourceField
    how: CellType
    cell: Cell
    family: Family


def _readings(incoming: sa.FromClause, source: Source, zone: str, types: Mapping[str, str]) -> list[_Reading]:
    readings = []
    for name, field in source.fields.items():
        how = _how(field, source.zone or zone)
        column = _column(incoming, field)
        cell, found = cleaned(column, family(types.get(field.column, "text")), how, source.null_words)
        readings.append(_Reading(name, field, how, cell, found))
    return readings


def _column(incoming: sa.FromClause, field: SourceField) -> Cell:
    if field.column == FILE_DATE:
        return sa.func.nullif(
            sa.func.regexp_extract(incoming.c.file, DATE_IN_NAME, type_=sa.String), "", type_=sa.String
        )
    return incoming.c[field.column] if field.column in incoming.c else sa.cast(sa.null(), sa.String)


def _how(field: SourceField, zone: str) -> CellType:
    return CellType(field.type, zone, field.format, field.true_words, field.false_words, field.map)


def _typed_cells(incoming: sa.FromClause, readings: list[_Reading], received_at: Cell) -> sa.CTE:
    """Cells cleaned (`clean__`), then typed: two steps, so that each is computed once. The original columns ride along
    for `row_json`.
    """
    bookkeeping = [incoming.c.file, incoming.c.source_row, received_at.label("received_at")]
    originals = [incoming.c[name].label(f"original__{place}") for place, name in enumerate(_original_columns(incoming))]
    cells = sa.select(*[each.cell.label(f"clean__{each.name}") for each in readings], *bookkeeping, *originals).cte(
        "cells"
    )
    values = [value(cells.c[f"clean__{each.name}"], each.family, each.how).label(each.name) for each in readings]
    return sa.select(*values, *cells.c).cte("typed_cells")


def _judged(cells: sa.CTE, rules: list[tuple[str, Broken]], names: list[str], original: dict[str, bool]) -> sa.CTE:
    """The fields with the first broken rule, and the row as it came where there is one. `original` says which columns are text."""
    first_broken = sa.case(*[(broken, rule) for rule, broken in rules]) if rules else sa.null()
    originals = [cells.c[f"original__{place}"] for place in range(len(original))]
    kept = [cells.c[name] for name in (*names, *BOOKKEEPING)]
    ruled = sa.select(*kept, *originals, sa.cast(first_broken, sa.String).label("failed_rule")).cte("ruled")
    pairs = [
        part
        for place, (name, is_text) in enumerate(original.items())
        for part in (sa.literal(name, sa.String), _shown(ruled.c[f"original__{place}"], is_text))
    ]
    row_json = sa.case(
        (ruled.c.failed_rule.is_not(None), sa.cast(sa.func.json_object(*pairs), sa.String)), else_=sa.null()
    )
    return sa.select(
        *[ruled.c[each.name] for each in kept], ruled.c.failed_rule, sa.cast(row_json, sa.String).label("row_json")
    ).cte("judged")


def _shown(cell: Cell, is_text: bool) -> Cell:
    """A cell as it came; of one that is too long for people to look at, its beginning and its size."""
    if not is_text:
        return cell
    size = sa.cast(sa.func.strlen(cell), sa.String)
    beginning = sa.func.left(cell, BEGINNING).concat("… (").concat(size).concat(" bytes)")
    return sa.case((sa.func.strlen(cell) > SHOWN, beginning), else_=cell)


def _originals(incoming: sa.FromClause, types: Mapping[str, str]) -> dict[str, bool]:
    return {name: family(types.get(name, "text")) == "text" for name in _original_columns(incoming)}


def _original_columns(incoming: sa.FromClause) -> list[str]:
    return [each.name for each in incoming.c if each.name not in BOOKKEEPING]


def _rules(cells: sa.CTE, readings: list[_Reading], zone: str) -> Iterator[tuple[str, Broken]]:
    """Every rule with the condition under which a row breaks it: required before damaged texts, these before type, type
    before category, category before time.
    """
    yield from (
        (f"required:{each.name}", cells.c[f"clean__{each.name}"].is_(None)) for each in readings if each.field.required
    )
    for each in readings:
        if each.field.type == "text" and each.family == "text":
            cell = cells.c[f"clean__{each.name}"]
            yield f"nul:{each.name}", sa.func.contains(cell, sa.func.chr(0))
            yield f"long:{each.name}", sa.func.strlen(cell) > LONGEST
    for each in readings:
        if can_fail(each.family, each.how):
            yield (
                f"type:{each.name}",
                sa.and_(cells.c[f"clean__{each.name}"].is_not(None), cells.c[each.name].is_(None)),
            )
    yield from (
        (f"category:{each.name}", cells.c[each.name].not_in(list(each.field.allowed)))
        for each in readings
        if each.field.allowed
    )
    latest = cells.c.received_at + sa.func.to_hours(CLOCK_TOLERANCE_HOURS)
    for each in readings:
        if each.field.type == "instant":
            yield f"time:{each.name}", cells.c[each.name] > latest
        elif each.field.type == "date" and each.name == HAPPENED_AT:
            yield f"time:{each.name}", cells.c[each.name] > clock.local_day(latest, zone)


def _is_superseded(judged: sa.CTE, key: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a later good row of the same file has the same key. By file, so that the answer does not depend on how
    files are put into batches.
    """
    if not key:
        return sa.false()
    keys = [judged.c[name] for name in key]
    is_good = judged.c.failed_rule.is_(None)
    place = sa.func.row_number().over(partition_by=[judged.c.file, *keys, is_good], order_by=judged.c.source_row.desc())
    return sa.and_(is_good, *[each.is_not(None) for each in keys], place > 1)
