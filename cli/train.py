"""`vesper train`: learning weights from what was published."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Workspace

app = typer.Typer(no_args_is_help=True, help="Learn the weights of a definition from the last night.")


@app.callback()
def train() -> None:
    """Learn the weights of a definition from the last night."""


@app.command("linkage")
def train_linkage(
    id: Annotated[str, typer.Argument(help="Id of the linkage, such as contact.")], workspace: Workspace = Path()
) -> None:
    """Learn how much each agreement of two source rows says, and write it into definitions/linkage."""
    from tasks.train import train_linkage as task

    typer.echo(task(workspace, id))
