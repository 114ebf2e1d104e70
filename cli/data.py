"""Commands that answer from the published tables: `explain`, `sql`, `export`, and `doctor`, which looks at what they stand on."""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import BROKEN, STOPPED, Json, Workspace, stop

app = typer.Typer()
WIDEST = 2000


@app.command()
def explain(
    what: Annotated[
        str, typer.Argument(help="A contact id, a card, a phone, an address, a campaign, or a table with a column.")
    ],
    column: Annotated[str, typer.Argument(help="Column of that table: where its figure comes from.")] = "",
    on: Annotated[
        dt.datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Night of the figure; the newest if missing."),
    ] = None,
    where: Annotated[list[str], typer.Option(help="COLUMN=VALUE: only these rows.")] = [],  # noqa: B006
    campaign: Annotated[
        str, typer.Option(help="With a person: why it got what it got of this campaign or journey.")
    ] = "",
    workspace: Workspace = Path(),
) -> None:
    """Take a person, a campaign or a figure apart: facts, rules, reasons, consent, messages; formula, inputs, bridge from the night before."""
    if column:
        from tasks.explain_figure import explain_figure

        typer.echo(explain_figure(workspace, what, column, on.date() if on else None, _pairs(where)))
        return
    from tasks.explain import explain as explained
    from tasks.explain import explain_why

    typer.echo(explain_why(workspace, what, campaign) if campaign else explained(workspace, what))


def _pairs(where: list[str]) -> dict[str, str]:
    """`COLUMN=VALUE` words as a mapping."""
    wrong = [word for word in where if "=" not in word]
    if wrong:
        raise stop(f"--where takes COLUMN=VALUE, not {wrong[0]}", BROKEN)
    return dict(tuple(word.split("=", 1)) for word in where)  # type: ignore[misc]


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="SQL over the published tables.")] = None,
    workspace: Workspace = Path(),
    show: Annotated[str | None, typer.Option(help="Print the SQL that fills a mart.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the published tables, or see the SQL behind one of them."""
    from tasks.night import business_date
    from tasks.sql import run_sql, show_sql

    if show:
        typer.echo(show_sql(workspace, show, business_date(workspace)))
        return
    if not query:
        raise stop('say what to ask: vesper sql "select * from mart__visibility"', BROKEN)
    columns, rows = run_sql(workspace, query)
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False, default=str))
    else:
        _print_table(columns, rows)


def _print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=SIMPLE)
    for row in rows:
        table.add_row(*["" if value is None else str(value) for value in row])
    # As wide as the values are: a figure that is cut off is no figure.
    Console(width=WIDEST).print(table, soft_wrap=True)


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="A published table, such as mart__score.")],
    folder: Annotated[Path, typer.Argument(help="Where the file goes.")],
    workspace: Workspace = Path(),
    format: Annotated[str, typer.Option(help="csv, xlsx or parquet")] = "xlsx",
    personal: Annotated[bool, typer.Option(help="Include columns with personal data.")] = False,
) -> None:
    """Write a table to a file; columns with personal data only when asked for."""
    from tasks.export import export as write

    typer.echo(str(write(workspace, table, folder, format, personal)))


@app.command()
def doctor(workspace: Workspace = Path(), deep: Annotated[bool, typer.Option(help="Hash every file.")] = False) -> None:
    """Look at versions, ledger, lake, last runs and landing; say what to do."""
    from tasks.doctor import doctor as examine

    findings = examine(workspace, deep)
    for finding in findings:
        typer.echo(
            f"{'ok  ' if finding.ok else 'LOOK'} {finding.what}" + (f"  ->  {finding.todo}" if finding.todo else "")
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(STOPPED)
