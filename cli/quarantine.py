"""`vesper quarantine`: the rows that nights set aside, and asking for them to be judged again (R10)."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Json, Reason, Workspace

app = typer.Typer(no_args_is_help=True, help="Rows that nights set aside: see them, have them judged again.")

SOMEBODY = os.environ.get("USER", "unknown")


@app.command("list")
def list_waiting(
    source: Annotated[str | None, typer.Argument(help="Id of a source; all of them otherwise.")] = None,
    workspace: Workspace = Path(),
    as_json: Json = False,
) -> None:
    """Rows that wait, by source, rule and file; what stands in them is not shown."""
    from tasks.quarantine import waiting_rows

    rows = waiting_rows(workspace, source)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        typer.echo("  ".join(str(part) for part in row.values() if part is not None))


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="Id of the source whose definition was mended.")],
    reason: Reason,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule, as the list names it.")] = None,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Have the next night judge rows again that were set aside; good ones are taken in as of the day they came."""
    from tasks import quarantine as task

    typer.echo(task.replay(workspace, source, rule, by, reason))
