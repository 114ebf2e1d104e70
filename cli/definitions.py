"""Commands on definitions: `check`, `activate`."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import BROKEN, STOPPED, By, Json, Reason, Workspace, stop

app = typer.Typer()


@app.command()
def check(workspace: Workspace = Path(), as_json: Json = False) -> None:
    """Read every definition and say what is wrong, by file and line."""
    from vesper.check import check as problems_of

    problems = problems_of(workspace)
    if as_json:
        typer.echo(json.dumps([vars_of(problem) for problem in problems], ensure_ascii=False))
    else:
        for problem in problems:
            typer.echo(str(problem))
    if problems:
        raise typer.Exit(STOPPED)
    if not as_json:
        from vesper.load import definition_texts

        typer.echo(f"{len(definition_texts(workspace))} definitions, nothing wrong")


def vars_of(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in problem.__dataclass_fields__}


@app.command()
def activate(
    definition: Annotated[str, typer.Argument(help="kind/id, such as segments/dormant_90d; `all` for every file.")],
    hash: Annotated[
        str, typer.Argument(help="Hash of the version, as `check` shows it; `back` for the one before.")
    ] = "",
    workspace: Workspace = Path(),
    by: By = os.environ.get("USER", "unknown"),
    reason: Reason = "",
) -> None:
    """Put one version of a definition in force, or the one before it."""
    from tasks import ops

    kind, _, id = definition.partition("/")
    if definition == "all":
        typer.echo(ops.activate_all(workspace, by, reason))
    elif not hash:
        raise stop("say which version: its hash, as `vesper check` shows it, or `back` for the one before", BROKEN)
    elif hash == "back":
        typer.echo(ops.roll_back(workspace, kind, id, by, reason))
    else:
        typer.echo(ops.activate(workspace, kind, id, hash, by, reason))
