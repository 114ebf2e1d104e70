"""Commands on definitions: `check`, `plan`, `activate`, `sign-off`."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.options import BROKEN, STOPPED, By, Json, On, Reason, Workspace, stop

app = typer.Typer()


@app.command()
def check(workspace: Workspace = Path(), as_json: Json = False) -> None:
    """Read every definition and say what is wrong, by file and line."""
    from vesper.check import checked

    found = checked(workspace)
    problems = found.problems
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
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
def plan(workspace: Workspace = Path(), on: On = None, as_json: Json = False) -> None:
    """Say what the edited files would change: who enters and leaves, who becomes MQL, who gets what. Changes nothing."""
    from tasks import plan as of

    business_on = on.date() if on else None
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(of.planned(workspace, business_on)), ensure_ascii=False, default=str))
    else:
        typer.echo(of.plan(workspace, business_on))


@app.command()
def backtest(
    subject: Annotated[Literal["scoring"], typer.Argument(help="What is tested.")] = "scoring",
    days: Annotated[int, typer.Option(min=1, help="How many days ago; what people did since is what counts.")] = 90,
    workspace: Workspace = Path(),
    as_json: Json = False,
) -> None:
    """Say what the rules would have said some days ago, against who converted since: discrimination, lift, calibration. Changes nothing."""
    from tasks import backtest as of

    if as_json:
        found = dataclasses.asdict(of.tested(workspace, days))
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
    else:
        typer.echo(of.backtest(workspace, days))


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


@app.command("sign-off")
def sign_off(
    kind: Annotated[str, typer.Argument(help="What is signed: scoring, the rules together with policy/scoring.")],
    hash: Annotated[str, typer.Argument(help="Hash of the set; without it, that of the files.")] = "",
    role: Annotated[str, typer.Option(help="For whom: marketing or sales.")] = "",
    by: Annotated[str, typer.Option(help="Your name; it stands in the ledger.")] = "",
    workspace: Workspace = Path(),
    reason: Reason = "",
) -> None:
    """Agree to a scoring set for marketing or sales: without both it does not come into force."""
    from tasks.sign_off import sign_off as signed

    if kind != "scoring":
        raise stop("only the scoring rules are signed off: `vesper sign-off scoring`", BROKEN)
    typer.echo(signed(workspace, hash, role, by, reason))
