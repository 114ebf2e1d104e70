"""`vesper experiment`: what is asked, what the figures say, and a winner declared by a person (R92)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Reason, Workspace
from cli.people import SOMEBODY

app = typer.Typer(no_args_is_help=True, help="Experiments: their state, their figures, their winners.")


@app.command("list")
def list_all(workspace: Workspace = Path()) -> None:
    """Show every experiment with its state, and what the holdouts say."""
    from tasks import experiment_page

    typer.echo(experiment_page.listed(workspace))


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The experiment: its file's name.")], workspace: Workspace = Path()
) -> None:
    """Show one experiment: what it needs, its arms, what may be said, who decided what."""
    from tasks import experiment_page

    typer.echo(experiment_page.shown(workspace, id))


@app.command()
def decide(
    id: Annotated[str, typer.Argument(help="The experiment: its file's name.")],
    reason: Reason,
    arm: Annotated[str | None, typer.Argument(help="The arm that wins; left out, the decision is taken back.")] = None,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Declare a winner: who was in no arm gets it from the next plan on."""
    from tasks import experiment_page

    typer.echo(experiment_page.decide(workspace, id, arm, by, reason))
