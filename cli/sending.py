"""`vesper stop` and `vesper resume`: what reaches people is stopped, and goes on by an act of its own (R108)."""

import os
from pathlib import Path

import typer

from cli.options import By, Reason, Workspace

app = typer.Typer(no_args_is_help=True, help="Stop things that reach people.")


@app.command("send")
def stop_send(reason: Reason, workspace: Workspace = Path(), by: By = os.environ.get("USER", "unknown")) -> None:
    """Stop every message from the next transaction on."""
    from tasks import ops

    typer.echo(ops.stop(workspace, reason, by))


def resume_send(reason: Reason, workspace: Workspace = Path(), by: By = os.environ.get("USER", "unknown")) -> None:
    """Let sending go on after a stop."""
    from tasks import ops

    typer.echo(ops.resume(workspace, reason, by))
