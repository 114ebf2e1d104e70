"""`vesper sql`: the published tables as views for analysts, and the SQL behind a mart.

What belongs here: opening a workspace for reading, the views, one sentence for SQL that does not run. What does not: executing SQL
(`warehouse/runner.py`), files for Excel and BI tools (`tasks/export.py`).

Nothing here writes: the ledger is opened read-only and is not migrated, the run lock is not taken, and DuckDB lives in memory.
"""

import datetime as dt
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import vesper.tables
from vesper.language import Translate, translator
from vesper.load import read_workspace
from vesper.marts import Mart, all_marts
from vesper.model.source import Source
from vesper.nearest import suggestion
from vesper.night import Night
from vesper.tables.declare import METADATA
from vesper.tables.quality import COVERAGE
from vesper.tables.raw import raw_table
from warehouse.house import House
from warehouse.lake import Lake, Snapshot
from warehouse.ledger.engine import connect, reading
from warehouse.ledger.runs import latest_run
from warehouse.ledger.schema import POINTER, SNAPSHOT
from warehouse.runner import Runner
from warehouse.sql_text import shaped, sql_text

_STRING = r"'(?:[^']|'')*'|\"[^\"]*\""
_CLAUSE = r"\b(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|UNION ALL|UNION|(?:LEFT OUTER |FULL OUTER )?JOIN|WITH|SELECT)\b"
_TOKEN = re.compile(rf"({_STRING}|[(),]|{_CLAUSE})")
_NO_TABLE = re.compile(r"Table with name \"?([^\s\"]+)\"? does not exist|Referenced table \"([^\"]+)\" not found")
_NO_COLUMN = re.compile(r"Referenced column \"([^\"]+)\" not found|does not have a column named \"([^\"]+)\"")
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_QUOTED = re.compile(_STRING)
_RESERVED = re.compile(r"(?<![\w\"])(?:at|on)(?![\w\"])", re.IGNORECASE)


class Unanswered(LookupError):
    """A question that cannot be answered. Its text is one sentence: what, and what to ask instead."""


@contextmanager
def open_to_read(root: Path) -> Iterator[House]:
    """A workspace whose ledger cannot be written: not migrated, not locked. Raises Unanswered while no night has run."""
    workspace = read_workspace(Path(root).resolve())
    _ = translator(workspace.company.language)
    url = sa.engine.make_url(workspace.ledger_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Unanswered(_("No night has run in this workspace yet; start one with `vesper run nightly`."))
    engine = connect(workspace.ledger_url)
    sa.event.listen(engine, "connect", _only_read)
    try:
        yield House(workspace, engine, Lake(workspace.store / "lake", engine))
    finally:
        engine.dispose()


def _only_read(connection: Any, _record: Any) -> None:
    """Whatever asks to write is refused by the database itself."""
    if hasattr(connection, "read_only"):
        connection.read_only = True  # psycopg
    else:
        connection.execute("pragma query_only=ON")


@contextmanager
def open_views(root: Path) -> Iterator[Runner]:
    """A runner with a view for each published table, all of one moment: what a night publishes meanwhile does not show."""
    with open_to_read(root) as house, Runner(house.lake) as runner:
        bind_published(house, runner)
        yield runner


def bind_published(house: House, runner: Runner) -> dict[str, sa.Table]:
    """Bind every published table that is declared; returns the declarations by name."""
    tables = declared_tables(house)
    bound = {}
    for name, snapshot in published(house).items():
        if name in tables:
            bound[name] = tables[name]
            runner.bind_snapshot(tables[name], snapshot)
    return bound


def published(house: House) -> dict[str, Snapshot]:
    """The snapshot in force of each table, read in one transaction, so that they belong together."""
    columns = [SNAPSHOT.c[name] for name in Snapshot.__dataclass_fields__]
    query = sa.select(*columns).join_from(POINTER, SNAPSHOT, POINTER.c.snapshot_id == SNAPSHOT.c.snapshot_id)
    with reading(house.engine) as connection:
        found = [Snapshot(*row) for row in connection.execute(query.order_by(SNAPSHOT.c.table_name))]
    return {snapshot.table_name: snapshot for snapshot in found}


def declared_tables(house: House) -> dict[str, sa.Table]:
    """Every declared table by name, the raw tables of the sources in force among them."""
    for module in pkgutil.iter_modules(vesper.tables.__path__):
        importlib.import_module(f"vesper.tables.{module.name}")
    all_marts()
    sources = house.definitions_at(None).of(Source).values()
    return dict(METADATA.tables) | {table.name: table for table in map(raw_table, sources)}


def run_sql(root: Path, text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of SQL over the published tables. Raises Unanswered with the nearest name of a table or column."""
    _ = translator(read_workspace(Path(root).resolve()).company.language)
    if not text.strip(" ;\n\t"):
        raise Unanswered(_('There is no SQL here; ask for example "select * from mart__visibility".'))
    with open_to_read(root) as house, Runner(house.lake) as runner:
        tables = bind_published(house, runner)
        try:
            answer = runner.query(text)
            return [column[0] for column in answer.description or ()], answer.fetchall()
        except Exception as error:  # only the engine runs inside, and only the runner may know its errors by name
            raise Unanswered(_sentence(str(error), text, tables, _)) from None


def _sentence(message: str, text: str, tables: Mapping[str, sa.Table], _: Translate) -> str:
    """The engine's message as one sentence. Values of rows are left out: they may be personal."""
    line = _LINE.search(message)
    where = _("SQL, line {line}").format(line=line.group(1)) if line else "SQL"
    no_table, no_column = _NO_TABLE.search(message), _NO_COLUMN.search(message)
    if no_table:
        name = no_table.group(1) or no_table.group(2)
        return (
            _("{where}: there is no table {name}.").format(where=where, name=name) + " " + suggestion(name, tables, _)
        )
    if no_column:
        name = no_column.group(1) or no_column.group(2)
        columns = _columns(text, tables)
        said = _("{where}: there is no column {name}.").format(where=where, name=name)
        return f"{said} {suggestion(name, columns, _)}"
    first = message.partition("\n")[0].strip()
    if not first.startswith("Parser"):
        return f"{where}: {_QUOTED.sub('…', first)}"
    hint = " " + _("The columns at and on are written in double quotes.") if _RESERVED.search(text) else ""
    return f"{where}: {first}.{hint}"


def _columns(text: str, tables: Mapping[str, sa.Table]) -> set[str]:
    """Columns of the tables that a text names; of all tables if it names none."""
    words = set(re.findall(r"\w+", text))
    named = [table for name, table in tables.items() if name in words] or list(tables.values())
    return {column.name for table in named for column in table.c}


def show_sql(root: Path, table_name: str, business_on: dt.date) -> str:
    """The SQL that fills a mart, with the definitions of the night's published run, or those in force. Raises Unanswered for another table."""
    with open_to_read(root) as house:
        _ = translator(house.workspace.company.language)
        mart = all_marts().get(table_name)
        if mart is None:
            said = _("{name} is no mart: only a mart is filled by one Select.").format(name=table_name)
            raise Unanswered(f"{said} {suggestion(table_name, all_marts(), _)}")
        select = mart.select(night_of(house, mart, business_on))
        return laid_out(sql_text(shaped(select, mart.table)))


def night_of(house: House, mart: Mart, business_on: dt.date) -> Night:
    """The night as the published run of the mart's stage saw it: definitions by activation, sources with a hole."""
    with reading(house.engine) as connection:
        run = latest_run(connection, mart.stage, business_on)
    definitions = house.definitions_at(run["activation_id"] if run else None)
    with Runner(house.lake) as runner:
        runner.bind_snapshot(COVERAGE, house.lake.as_of(COVERAGE.name, business_on))
        held = runner.rows(sa.select(COVERAGE.c.source).where(COVERAGE.c.is_held))
    return replace(Night(business_on, house.workspace, definitions), held=frozenset(row[0] for row in held))


def laid_out(text: str) -> str:
    """SQL with a line for each clause and column, indented by depth. Only white space changes."""
    lines: list[str] = [""]
    depths: list[bool] = []
    for token in _tokens(text):
        _place(token, lines, depths)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _tokens(text: str) -> Iterable[str]:
    pieces = (piece if _QUOTED.fullmatch(piece) else re.sub(r"\s+", " ", piece) for piece in _TOKEN.split(text))
    return [piece for piece in pieces if piece]


def _place(token: str, lines: list[str], depths: list[bool]) -> None:
    """Put a token onto the last line or onto a new one. `depths` says of each open bracket whether it holds a Select."""
    indent = "  " * sum(depths)
    if token == "(":
        depths.append(False)
        lines[-1] += token
    elif token == ")":
        if depths and depths.pop():
            lines.append("  " * sum(depths))
        lines[-1] += token
    elif token in ("SELECT", "WITH") and depths and not depths[-1]:
        depths[-1] = True
        lines.append("  " * sum(depths) + token)
    elif re.fullmatch(_CLAUSE, token) and (not depths or depths[-1]):
        lines.append(indent + token)
    elif token == "," and (not depths or depths[-1]):
        lines[-1] += token
        lines.append(indent + "  ")
    else:
        lines[-1] += token.lstrip() if lines[-1].isspace() or not lines[-1] else token
