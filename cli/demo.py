"""`vesper demo`: the grocer, a published year of shopping with composed contacts."""

from pathlib import Path
from typing import Annotated

import typer

from cli.night import say_stage, summarise
from cli.options import Workspace

app = typer.Typer(no_args_is_help=True, help="The grocer: a published year of shopping with composed contacts.")
GROCER = Path(__file__).parent.parent / "examples" / "grocer"


@app.command("run")
def demo_run(workspace: Workspace = GROCER) -> None:
    """Compose the grocer's landing files, then run the night as a flow on a local server, which is stopped at the end."""
    from deployments.demo import run_demo

    summarise(run_demo(workspace, typer.echo, lambda report: say_stage(report, workspace)), workspace, False)


@app.command("compose")
def demo_compose(workspace: Workspace = GROCER) -> None:
    """Fill the grocer's landing folder."""
    from examples.grocer.compose import compose

    compose(workspace)


@app.command("break")
def demo_break(
    way: Annotated[str, typer.Argument(help="How the input breaks.")] = "column_missing",
    workspace: Workspace = GROCER,
) -> None:
    """Break one input of a copy of the workspace and run its night: one sentence, nothing sent, yesterday stands."""
    from deployments.demo import break_demo

    raise typer.Exit(break_demo(workspace, way, typer.echo, lambda line: typer.secho(line, fg="red", bold=True)))
