"""`vesper backup` and `vesper restore`: a workspace in a folder of copies, and back (R120)."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import By, Workspace

app = typer.Typer()
Folder = Annotated[Path, typer.Argument(help="Folder of the backup.")]


@app.command()
def backup(folder: Folder, workspace: Workspace = Path()) -> None:
    """Copy ledger, lake, landed files and definitions; what an earlier backup in the folder holds is not copied again."""
    from tasks.backup import backup as back_up

    typer.echo(back_up(workspace, folder))


@app.command()
def restore(folder: Folder, workspace: Workspace = Path(), by: By = os.environ.get("USER", "unknown")) -> None:
    """Fill an empty workspace from a backup. Sending is on hold until `vesper reconcile`."""
    from tasks.backup import restore as put_back

    typer.echo(put_back(workspace, folder, by))
