"""`vesper task`: what journeys ask colleagues to do; `vesper forecast`: what journeys would do in the days to come."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Reason, Workspace
from cli.people import SOMEBODY

app = typer.Typer(
    no_args_is_help=True, help="What journeys ask colleagues to do: visits, demonstrations, trials, calls."
)


@app.command("list")
def show(
    workspace: Workspace = Path(), owner: Annotated[str | None, typer.Option(help="Only one colleague's.")] = None
) -> None:
    """Show the open tasks, those due first."""
    from tasks import nurture

    typer.echo(nurture.listed(workspace, owner))


@app.command()
def close(
    id: Annotated[str, typer.Argument(help="The task, or the beginning of its number.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Close a task; a journey that waits for it goes on."""
    from tasks import nurture

    typer.echo(nurture.close_task(workspace, id, by, reason))


def forecast(
    workspace: Workspace = Path(),
    days: Annotated[int, typer.Option(min=1, max=120, help="So many days from the newest night on.")] = 7,
    files: Annotated[bool, typer.Option("--files", help="By the edited files, not by what is in force.")] = False,
) -> None:
    """Show whom the journeys would give what in the days to come, with the refusals. Writes and sends nothing."""
    from tasks import journey_forecast

    typer.echo(journey_forecast.forecast(workspace, days, files))
