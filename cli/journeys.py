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


def new(
    id: Annotated[str, typer.Argument(help="Id of the journey, such as spring_cross_sell.")],
    preset: Annotated[str, typer.Option(help="Journey that ships with Vesper, such as cross_sell.")],
    owner: Annotated[str, typer.Option(help="Who answers for it; the owner of notices if missing.")] = "",
    workspace: Workspace = Path(),
) -> None:
    """Draft a journey over a preset, with its contents, coupons and recommendations as files to edit."""
    from tasks.new_journey import new_journey

    for name in new_journey(workspace, id, preset, owner):
        typer.echo(name)
