"""Published tables for other tools: a file for Excel or a notebook, key-figure tables in a company's BI database (R97).

What belongs here: CSV, Excel and Parquet files, and replacing tables behind an SQLAlchemy URL. What does not: choosing people to write to
(the send stage), and the report page. Columns that hold personal data are left out unless they are asked for by name of the switch (R122).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.sql import Unanswered, bind_published, open_to_read, published
from vesper.language import Translate, translator
from vesper.marts import all_marts
from vesper.nearest import suggestion
from warehouse.house import House
from warehouse.runner import Runner
from warehouse.sql_text import sql_text

FORMATS = ("csv", "xlsx", "parquet")
SHEET_ROWS = 1_048_576
CHUNK = 5_000
WIDTHS = (8, 60)


def export(root: Path, table: str, folder: Path, format: str = "xlsx", personal: bool = False) -> Path:
    """Write a published table into a folder as `<table>-<business date>.<format>`; returns the file.

    Headers are the declared column names, rows are in the order of the grain, instants are UTC. Columns with personal data are left out
    unless `personal`. Raises Unanswered, one sentence, for an unknown table or format, or more rows than a sheet holds.
    """
    with open_to_read(root) as house, Runner(house.lake) as runner:
        _ = translator(house.workspace.company.language)
        if format not in FORMATS:
            raise Unanswered(_("{word} is no format here.").format(word=format) + " " + suggestion(format, FORMATS, _))
        declared = _published_table(bind_published(house, runner), table, _)
        snapshot = published(house)[table]
        if format == "xlsx" and snapshot.row_count >= SHEET_ROWS:
            said = _("{table} has {count} rows, more than an Excel sheet holds; ask for csv or parquet.")
            raise Unanswered(said.format(table=table, count=snapshot.row_count))
        columns = shown(declared, personal)
        target = Path(folder) / f"{table}-{snapshot.business_on.isoformat()}.{format}"
        _write_whole(target, lambda draft: _WRITERS[format](runner, declared, columns, draft, _))
        return target


def shown(declared: sa.Table, personal: bool = False) -> list[sa.Column[Any]]:
    """The columns of an export: all, or those that hold no personal data."""
    return [column for column in declared.c if personal or column.name not in declared.info["personal"]]


def _published_table(known: dict[str, sa.Table], name: str, _: Translate) -> sa.Table:
    if name not in known:
        said = _("No night has published a table {name}.").format(name=name)
        raise Unanswered(f"{said} {suggestion(name, known, _)}")
    return known[name]


def _rows_of(declared: sa.Table, columns: Sequence[sa.Column[Any]]) -> sa.Select[Any]:
    return sa.select(*columns).order_by(*[declared.c[name] for name in declared.info["grain"]])


def _write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """The file appears when it is whole: nobody opens half an export, and a failed one leaves the last one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        write(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _csv(runner: Runner, declared: sa.Table, columns: Sequence[sa.Column[Any]], draft: Path, _: Translate) -> None:
    """UTF-8 with a mark at its beginning, because Excel reads Chinese only then."""
    import pyarrow.csv as csv

    with draft.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        csv.write_csv(_harmless(runner.arrow(_rows_of(declared, columns))), file)


def _harmless(rows: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe; numbers and phones stay."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            cell = rows.column(place)
            is_number = pc.match_substring_regex(cell, r"^[+-]?[0-9][0-9 .,-]*$")
            is_live = pc.and_(pc.match_substring_regex(cell, r"^[=+\-@\t\r]"), pc.invert(is_number))
            escaped = pc.binary_join_element_wise("'", cell, "")
            rows = rows.set_column(place, field, pc.if_else(is_live, escaped, cell))
    return rows


def _parquet(runner: Runner, declared: sa.Table, columns: Sequence[sa.Column[Any]], draft: Path, _: Translate) -> None:
    """Each column carries its description."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = runner.arrow(_rows_of(declared, columns))
    fields = [
        field.with_metadata({"description": str(column.comment)})
        for field, column in zip(rows.schema, columns, strict=True)
    ]
    pq.write_table(rows.cast(pa.schema(fields)), draft, compression="zstd")


def _xlsx(runner: Runner, declared: sa.Table, columns: Sequence[sa.Column[Any]], draft: Path, _: Translate) -> None:
    """One sheet of rows, one that describes the columns. Text that begins with = stays text."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(draft), options) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "money": book.add_format({"num_format": "#,##0.00"}),
        }
        rows = runner.query(sql_text(_rows_of(declared, columns)))
        _fill(book.add_worksheet(declared.name[:31]), columns, _batches(rows), formats)
        _describe(book.add_worksheet(_("column descriptions")), declared, columns, formats, _)


def _fill(sheet: Any, columns: Sequence[sa.Column[Any]], batches: Iterable[list[Any]], formats: dict[str, Any]) -> None:
    for place, column in enumerate(columns):
        width = min(max(len(column.name) + 2, WIDTHS[0]), WIDTHS[1])
        sheet.set_column(place, place, width, formats.get(_looks(column)))
        sheet.write_string(0, place, column.name, formats["head"])
    sheet.freeze_panes(1, 0)
    line = 0
    for batch in batches:
        for row in batch:
            line += 1
            for place, value in enumerate(row):
                if value is not None:
                    sheet.write(line, place, float(value) if isinstance(value, Decimal) else value)
    sheet.autofilter(0, 0, line, len(columns) - 1)


def _describe(
    sheet: Any, declared: sa.Table, columns: Sequence[sa.Column[Any]], formats: dict[str, Any], _: Translate
) -> None:
    """What the table is, and each column with its description; what was left out is named."""
    left_out = [name for name in declared.info["personal"] if name not in {column.name for column in columns}]
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 14)
    sheet.set_column(2, 2, 100)
    lines = [[_("column"), _("type"), _("description")]]
    lines += [[column.name, str(column.type), _(str(column.comment))] for column in columns]
    lines += [["", "", ""], [declared.name, "", _(str(declared.comment))]]
    if left_out:
        lines.append([_("left out"), "", _("personal data: {columns}").format(columns=", ".join(left_out))])
    for number, line in enumerate(lines):
        for place, text in enumerate(line):
            sheet.write_string(number, place, text, formats["head"] if number == 0 else None)


def _looks(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.DateTime):
        return "instant"
    if isinstance(column.type, sa.Date):
        return "date"
    is_money = isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float)
    return "money" if is_money else ""


def _batches(rows: Any) -> Iterator[list[Any]]:
    while batch := rows.fetchmany(CHUNK):
        yield batch


_WRITERS: dict[str, Callable[[Runner, sa.Table, Sequence[sa.Column[Any]], Path, Translate], None]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
}


# the company's BI database -------------------------------------------------------------------------------------------


def publish_marts(root: Path, url: str, tables: Sequence[str] | None = None) -> dict[str, int]:
    """Write marts into a company's BI database, each replaced in one transaction; returns the rows of each.

    Who reads there meanwhile sees a table of the last publish or of this one, never half of it. Personal columns are left out always.

    Args:
        url: any SQLAlchemy URL; its driver must be installed.
        tables: names of published tables; all marts when None.
    """
    with open_to_read(root) as house, Runner(house.lake) as runner:
        _ = translator(house.workspace.company.language)
        known = bind_published(house, runner)
        wanted = sorted(all_marts().keys() & known.keys()) if tables is None else list(tables)
        chosen = [_published_table(known, name, _) for name in wanted]
        target = _target(house, url, _)
        try:
            return {declared.name: _replace(target, runner, declared) for declared in chosen}
        except sa.exc.DBAPIError as error:
            shown_url = target.url.render_as_string(hide_password=True)
            said = _("{url} did not take the tables ({why}); correct the address, or ask for its rights.")
            raise Unanswered(said.format(url=shown_url, why=type(error.orig).__name__)) from None
        finally:
            target.dispose()


def _target(house: House, url: str, _: Translate) -> sa.Engine:
    """The BI database. Values never stand in its errors; transactions of SQLite begin at once, so that they hold the DDL, too."""
    if sa.engine.make_url(url) == sa.engine.make_url(house.workspace.ledger_url):
        raise Unanswered(_("This address is the ledger's; give the one of the BI database."))
    engine = sa.create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _by_hand)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _by_hand(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _replace(target: sa.Engine, runner: Runner, declared: sa.Table) -> int:
    columns = shown(declared)
    there = sa.Table(declared.name, sa.MetaData(), *map(_portable, columns), comment=declared.comment)
    count = 0
    rows = runner.query(sql_text(_rows_of(declared, columns)))
    with target.begin() as connection:
        _make_room(connection, there)
        for batch in _batches(rows):
            connection.execute(there.insert(), [dict(zip(there.c.keys(), row, strict=True)) for row in batch])
            count += len(batch)
    return count


def _make_room(connection: sa.Connection, there: sa.Table) -> None:
    """Empty the table, so that grants and views on it last; make it anew only when its columns are others."""
    inspected = sa.inspect(connection)
    if inspected.has_table(there.name):
        if [column["name"] for column in inspected.get_columns(there.name)] == there.c.keys():
            connection.execute(there.delete())
            return
        there.drop(connection)
    there.create(connection)


def _portable(column: sa.Column[Any]) -> sa.Column[Any]:
    """The column with a type that every database knows. Money stays exact where the database can; SQLite holds it as a float."""
    kind: sa.types.TypeEngine[Any] = column.type
    if isinstance(kind, sa.String):
        kind = sa.Text()
    elif isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        kind = sa.Numeric(kind.precision, kind.scale, asdecimal=False)
    return sa.Column(column.name, kind, nullable=column.nullable, comment=column.comment)
