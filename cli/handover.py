"""`vesper handover`: what is open with sales; the sheet out and back in; withdraw a hand-over, close a human task (R63, R64, R115)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Reason, Workspace
from cli.people import SOMEBODY

app = typer.Typer(no_args_is_help=True, help="Hand-overs to sales: lists, sheets, withdrawal, human tasks.")
Sheet = Annotated[Path, typer.Argument(help="The workbook, .xlsx.")]


@app.command("list")
def show(workspace: Workspace = Path()) -> None:
    """Show open hand-overs and human tasks."""
    from tasks import handover_acts as task

    typer.echo(task.listed(workspace))


@app.command()
def withdraw(
    id: Annotated[str, typer.Argument(help="The hand-over, or the beginning of its number.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Withdraw a hand-over that sales have not accepted; whoever heard of it is told."""
    from tasks import handover_acts as task

    typer.echo(task.withdraw(workspace, id, by, reason))


@app.command("close-task")
def close_task(
    id: Annotated[str, typer.Argument(help="The human task, or the beginning of its number.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Close a human task: marketing may write to its contact again."""
    from tasks import handover_acts as task

    typer.echo(task.close_task(workspace, id, by, reason))


@app.command()
def write(
    file: Sheet,
    workspace: Workspace = Path(),
    owner: Annotated[str | None, typer.Option(help="Only one representative's.")] = None,
    personal: Annotated[bool, typer.Option("--personal", help="Names, numbers and addresses as they are.")] = False,
) -> None:
    """Write the open hand-overs as a sheet for sales to answer on."""
    from tasks import handover_sheet as task

    typer.echo(task.write(workspace, file, owner, personal))


@app.command()
def take(file: Sheet, workspace: Workspace = Path()) -> None:
    """Take in the answers of a sheet: all of them count from the next night on, or none."""
    from tasks import handover_sheet as task

    typer.echo(task.take(workspace, file))


@app.command()
def align(file: Sheet, workspace: Workspace = Path()) -> None:
    """Write the weekly alignment sheet: acceptance by rule, rejections, deals that no rule saw."""
    from tasks import alignment_sheet as task

    typer.echo(task.write(workspace, file))
