"""`vesper send`, `stop`, `resume` and `reconcile`: what reaches people leaves, is stopped, goes on by an act of its own (R108), and is accounted for."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Reason, Workspace

app = typer.Typer(no_args_is_help=True, help="Stop things that reach people.")


Campaign = Annotated[str, typer.Option(help="Only this campaign or journey, by its id.")]


@app.command("send")
def stop_send(
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = os.environ.get("USER", "unknown"),
    campaign: Campaign = "",
) -> None:
    """Stop every message, or those of one campaign, from the next transaction on."""
    from tasks import ops

    typer.echo(ops.stop(workspace, reason, by, campaign))


def resume_send(
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = os.environ.get("USER", "unknown"),
    campaign: Campaign = "",
) -> None:
    """Let sending go on after a stop, all of it or that of one campaign."""
    from tasks import ops

    typer.echo(ops.resume(workspace, reason, by, campaign))


def send(
    workspace: Workspace = Path(),
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes side by side.")] = 1,
    connections: Annotated[int, typer.Option(min=0, max=64, help="Connections of each; 0: [mail] connections.")] = 0,
) -> None:
    """Send what is due now, on the live clock. May run beside a night, a tick and other workers: each message goes to one of them."""
    from tasks.send_now import deliver_side_by_side

    codes = deliver_side_by_side(workspace, workers, connections or None)
    raise typer.Exit(max(codes, default=0))


def reconcile(
    workspace: Workspace = Path(),
    settled_after: Annotated[
        float | None, typer.Option(help="Minutes that a server may take to write down a mail; 15 unless told.")
    ] = None,
    by: By = os.environ.get("USER", "unknown"),
) -> None:
    """Find out what became of messages of unknown fate, and what was sent since the backup that a ledger comes from."""
    import datetime as dt

    from tasks.reconcile import reconcile as settle

    typer.echo(settle(workspace, by, None if settled_after is None else dt.timedelta(minutes=settled_after)))
