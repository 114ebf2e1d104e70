"""Commands on sources: `vesper new source`, which drafts a definition from a file (R116)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import BROKEN, Workspace, stop

app = typer.Typer(no_args_is_help=True, help="Draft a definition.")


@app.callback()
def new() -> None:
    """Draft a definition."""


@app.command("source")
def new_source(
    id: Annotated[str, typer.Argument(help="Id of the source, such as crm_lead.")],
    file: Annotated[Path, typer.Option("--from", help="A file as the source sends it.")],
    feeds: Annotated[str | None, typer.Option(help="What its rows become; told from the columns otherwise.")] = None,
    workspace: Workspace = Path(),
) -> None:
    """Look at a file and draft its source: columns, types, words for nothing, categories, key."""
    from tasks.new_source import new_source as draft
    from tasks.sql import Unanswered

    try:
        typer.echo(draft(workspace, id, file, feeds))
    except Unanswered as error:
        raise stop(str(error), BROKEN) from None
