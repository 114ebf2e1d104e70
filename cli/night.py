"""Commands that run nights: `run`, `up`, `replay`, `backfill`, and what a night leaves on the terminal."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import BROKEN, Json, On, Workspace, stop

if TYPE_CHECKING:
    from vesper.stage_report import StageReport

app = typer.Typer()


@app.command()
def run(
    stage: Annotated[
        str, typer.Argument(help="nightly, or one stage: consolidate, measure, score, handover, segment, send, watch")
    ],
    workspace: Workspace = Path(),
    as_of: On = None,
    threads: Annotated[int, typer.Option(help="Threads of the engine; the bytes are the same.")] = 2,
    as_json: Json = False,
) -> None:
    """Run a night, or one stage of it. Uses the workspace's server when one answers, else runs here, without Prefect."""
    from tasks.night import WORDS, business_date

    words = WORDS if stage == "nightly" else tuple(word for word in WORDS if word == stage)
    if not words:
        raise stop(f"there is no stage {stage!r}; say nightly or one of {', '.join(WORDS)}", BROKEN)
    clock_on = business_date(workspace)
    business_on = as_of.date() if as_of else clock_on
    reports = _run(workspace, business_on, as_of is None, words, threads)
    summarise(reports, workspace, as_json)


def _run(root: Path, business_on: dt.date, may_send: bool, words: tuple[str, ...], threads: int) -> "list[StageReport]":
    from deployments.server import running_server

    if running_server(root):
        from deployments.night_as_flow import run_as_flow

        return run_as_flow(root, business_on, may_send, words, lambda report: say_stage(report, root))
    from tasks.night import Stage, run_night

    def here(stage: Stage, root: Path, on: dt.date, may_send: bool) -> "StageReport":
        report = stage.run(root, on, may_send, threads=threads)  # type: ignore[call-arg]
        say_stage(report, root)
        return report

    return run_night(here, root, business_on, may_send, words)


def say_stage(report: "StageReport", root: Path) -> None:
    from vesper.language import translator
    from vesper.load import read_workspace
    from vesper.wording import headline

    line = headline(report, translator(read_workspace(root).company.language))
    typer.echo(f"{line}  ({report.seconds:.1f} s)", err=True)


def summarise(reports: "list[StageReport]", root: Path, as_json: bool) -> None:
    """What a night leaves on the terminal, after each stage had its line: warnings, and where to look."""
    from vesper.language import translator
    from vesper.load import read_workspace

    if as_json:
        typer.echo(json.dumps([_as_data(report) for report in reports], ensure_ascii=False, default=str))
        return
    workspace = read_workspace(root)
    _ = translator(workspace.company.language)
    for report in reports:
        for warning in report.warnings:
            typer.secho(f"{report.stage}: {warning}", fg="yellow")
    if workspace.company.composed:
        typer.echo(workspace.company.composed)
    page = workspace.store / "report" / "index.html"
    if page.is_file():
        typer.secho(_("Report: {page}").format(page=page), bold=True)


def _as_data(report: "StageReport") -> dict[str, Any]:
    return {
        "stage": report.stage,
        "business_on": report.business_on.isoformat(),
        "rows": report.rows,
        "quarantined": {f"{source} {rule}": count for (source, rule), count in report.quarantined.items()},
        "checks": len(report.checks),
        "warnings": report.warnings,
        "facts": report.facts,
        "seconds": round(report.seconds, 2),
        "cpu_seconds": round(report.cpu_seconds, 2),
    }


@app.command()
def up(workspace: Workspace = Path()) -> None:
    """Start the server, every deployment and the runner; Ctrl+C stops all of them."""
    from deployments.up import up as start

    raise typer.Exit(start(workspace, typer.echo))


@app.command()
def replay(
    on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])],
    workspace: Workspace = Path(),
    rules: Annotated[
        Literal["then", "now"],
        typer.Option(help="Rules in force then, whose tables must be the same, or now, to see what they change."),
    ] = "then",
) -> None:
    """Compute a past night again and compare every table with what was published. Publishes nothing."""
    from tasks import ops

    typer.echo(ops.replay(workspace, on.date(), rules))


@app.command()
def backfill(
    from_on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])],
    to_on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])],
    workspace: Workspace = Path(),
) -> None:
    """Compute past nights again and publish them; sends nothing."""
    from tasks import ops

    typer.echo(ops.backfill(workspace, from_on.date(), to_on.date()))
