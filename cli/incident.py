"""`vesper incident`: a campaign went wrong (R109)."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Reason, Workspace


def incident(
    campaign: Annotated[str, typer.Argument(help="Campaign or journey that went wrong.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = os.environ.get("USER", "unknown"),
    file: Annotated[Path | None, typer.Option(help="Also list the people here, a new .csv with masked names.")] = None,
) -> None:
    """Pause a campaign that went wrong, say who was reached, and leave its answers out of all scores."""
    from tasks.incident import incident as recorded

    typer.echo(recorded(workspace, campaign, reason, by, file))
