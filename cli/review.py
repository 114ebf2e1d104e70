"""`vesper review`: what the rules leave to a person, out as a sheet and back in as decisions (R104)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Workspace
from cli.people import SOMEBODY

app = typer.Typer(no_args_is_help=True, help="Pairs that the rules leave to a person: a sheet out, decisions in.")


@app.command()
def write(
    file: Annotated[Path, typer.Argument(help="The workbook to write, .xlsx.")],
    workspace: Workspace = Path(),
    personal: Annotated[bool, typer.Option("--personal", help="Names, numbers and addresses as they are.")] = False,
) -> None:
    """Write the pairs to decide on as a sheet; names, numbers and addresses are masked."""
    from tasks import review as task

    typer.echo(task.write(workspace, file, personal))


@app.command()
def take(
    file: Annotated[Path, typer.Argument(help="The workbook with decisions.")],
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Take in the decisions of a sheet: all of them hold from the next night on, or none."""
    from tasks import review as task

    typer.echo(task.take(workspace, file, by))
