"""`vesper live-test CAMPAIGN`: try a campaign's one-click unsubscribe over the wire."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Workspace


def live_test(
    campaign: Annotated[str, typer.Argument(help="Id of a campaign or journey.")],
    workspace: Workspace = Path(),
    by: By = os.environ.get("USER", "unknown"),
) -> None:
    """Try a campaign's one-click unsubscribe at the address that its mails name; in production it is asked for before `full`."""
    from tasks.live_test import live_test as tried

    typer.echo(tried(workspace, campaign, by))
