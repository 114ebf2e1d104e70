"""`vesper preview` and `vesper map`: what people would read, and what content there is for whom."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Workspace

app = typer.Typer()


@app.command()
def preview(
    what: Annotated[str, typer.Argument(help="A campaign, a journey, a content or a matrix.")],
    people: Annotated[
        int, typer.Option(min=1, max=50, help="So many real people, masked; each variant once at least.")
    ] = 6,
    workspace: Workspace = Path(),
) -> None:
    """Show what the edited files would say to a few real people, masked, in both parts of the mail. Sends nothing."""
    from tasks.preview import preview as previewed

    typer.echo(previewed(workspace, what, people))


@app.command("map")
def show_map(
    what: Annotated[str, typer.Argument(help="A matrix or a journey map; all of them if missing.")] = "",
    workspace: Workspace = Path(),
) -> None:
    """Print the matrix of contents and the journey map, gaps by name."""
    from tasks.content_page import map_of

    typer.echo(map_of(workspace, what))
