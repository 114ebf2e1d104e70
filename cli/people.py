"""`vesper steward` and `vesper erase`: what a person decides about people, each with who and why in the ledger (R104)."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import BROKEN, By, Json, Reason, Workspace, stop

app = typer.Typer()
steward = typer.Typer(no_args_is_help=True, help="Decide about identity and values; every night keeps to it.")

SOMEBODY = os.environ.get("USER", "unknown")
Who = Annotated[str, typer.Argument(help="A contact id, or a source row as source:key.")]


@steward.command()
def link(one: Who, other: Who, reason: Reason, workspace: Workspace = Path(), by: By = SOMEBODY) -> None:
    """Say that two rows are one person."""
    from tasks import steward as task

    typer.echo(task.link(workspace, one, other, by, reason))


@steward.command()
def separate(one: Who, other: Who, reason: Reason, workspace: Workspace = Path(), by: By = SOMEBODY) -> None:
    """Say that two rows are two people; both get back what is theirs."""
    from tasks import steward as task

    typer.echo(task.separate(workspace, one, other, by, reason))


@steward.command()
def pin(
    who: Who,
    field: Annotated[str, typer.Argument(help="Field of core__contact, such as name.")],
    value: Annotated[str, typer.Argument(help="What it is, whatever sources say; empty empties it.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """Fix a field of a contact."""
    from tasks import steward as task

    typer.echo(task.pin(workspace, who, field, value, by, reason))


@steward.command()
def lift(
    rule: Annotated[int, typer.Argument(help="The rule's number.")],
    reason: Reason,
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
) -> None:
    """End a rule from the next night on."""
    from tasks import steward as task

    typer.echo(task.lift(workspace, rule, by, reason))


@steward.command("list")
def list_rules(workspace: Workspace = Path(), as_json: Json = False) -> None:
    """The rules in force; the value of a pin is personal and stays out."""
    from tasks import steward as task

    rules = task.rules(workspace)
    if as_json:
        typer.echo(json.dumps(rules, ensure_ascii=False, default=str))
        return
    for rule in rules:
        typer.echo("  ".join(str(part) for part in rule.values() if part is not None))


@app.command()
def erase(
    person: Annotated[str, typer.Argument(help="A contact id, or a source row as source:key.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")] = "",
    workspace: Workspace = Path(),
    by: By = SOMEBODY,
    is_list: Annotated[bool, typer.Option("--list", help="Show every erasure with its proof.")] = False,
    readmit: Annotated[str, typer.Option(help="Id of an erasure whose person may be taken in again.")] = "",
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a person out of every file, retained night and landed copy, and prove it. It cannot be undone."""
    from tasks import erase as task

    if is_list:
        typer.echo(json.dumps(task.erasures(workspace), ensure_ascii=False, default=str, indent=1))
    elif not reason:
        raise stop("say why: --reason; it stands in the ledger", BROKEN)
    elif readmit:
        typer.echo(task.readmit(workspace, readmit, by, reason))
    elif not person:
        raise stop("say whom: a contact id or a source row such as crm_member:1001", BROKEN)
    elif is_sure or typer.confirm(f"Erase {person} for good?"):
        typer.echo(task.erase(workspace, person, by, reason))
