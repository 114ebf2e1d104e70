"""Options that many commands share, and how a command stops with a sentence."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

STOPPED, BROKEN = 1, 2

Workspace = Annotated[
    Path,
    typer.Option("--workspace", "-w", envvar="VESPER_WORKSPACE", help="Folder with vesper.toml.", show_default="."),
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
By = Annotated[str, typer.Option(help="Who does this; it stands in the ledger.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]
On = Annotated[dt.datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="A past night; sends nothing.")]


def stop(sentence: str, code: int = STOPPED) -> typer.Exit:
    """An exit after one red sentence: `raise stop(...)`."""
    typer.secho(sentence, fg="red", err=True)
    return typer.Exit(code)
