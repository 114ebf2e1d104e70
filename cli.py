"""The `vesper` command. Each command is a few lines: its words, its options, and a call into tasks/ or deployments/.

Nothing heavy is imported at the top: `vesper check` must answer while a file is being saved.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesper.problem import DefinitionsInvalid

if TYPE_CHECKING:
    from vesper.stage_report import StageReport

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Vesper: marketing automation as a nightly pipeline."
)
demo = typer.Typer(no_args_is_help=True, help="The grocer: a published year of shopping with composed contacts.")
stopping = typer.Typer(no_args_is_help=True, help="Stop things that reach people.")
app.add_typer(demo, name="demo")
app.add_typer(stopping, name="stop")

GROCER = Path(__file__).parent / "examples" / "grocer"
STOPPED, BROKEN = 1, 2
WIDEST = 2000

Workspace = Annotated[
    Path,
    typer.Option("--workspace", "-w", envvar="VESPER_WORKSPACE", help="Folder with vesper.toml.", show_default="."),
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
By = Annotated[str, typer.Option(help="Who does this; it stands in the ledger.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]
On = Annotated[dt.datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="A past night; sends nothing.")]


@app.command()
def run(
    stage: Annotated[
        str, typer.Argument(help="nightly, or one stage: consolidate, measure, score, segment, send, watch")
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
        raise _stop(f"there is no stage {stage!r}; say nightly or one of {', '.join(WORDS)}", BROKEN)
    clock_on = business_date(workspace)
    business_on = as_of.date() if as_of else clock_on
    reports = _run(workspace, business_on, as_of is None, words, threads)
    _summarise(reports, workspace, as_json)


def _run(root: Path, business_on: dt.date, may_send: bool, words: tuple[str, ...], threads: int) -> "list[StageReport]":
    from deployments.server import running_server

    if running_server(root):
        from deployments.night_as_flow import run_as_flow

        return run_as_flow(root, business_on, may_send, words, lambda report: _say_stage(report, root))
    from tasks.night import Stage, run_night

    def here(stage: Stage, root: Path, on: dt.date, may_send: bool) -> "StageReport":
        report = stage.run(root, on, may_send, threads=threads)  # type: ignore[call-arg]
        _say_stage(report, root)
        return report

    return run_night(here, root, business_on, may_send, words)


def _say_stage(report: "StageReport", root: Path) -> None:
    from vesper.language import translator
    from vesper.load import read_workspace
    from vesper.wording import headline

    line = headline(report, translator(read_workspace(root).company.language))
    typer.echo(f"{line}  ({report.seconds:.1f} s)", err=True)


def _summarise(reports: "list[StageReport]", root: Path, as_json: bool) -> None:
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
        raise _stop("say which version: its hash, as `vesper check` shows it, or `back` for the one before", BROKEN)
    elif hash == "back":
        typer.echo(ops.roll_back(workspace, kind, id, by, reason))
    else:
        typer.echo(ops.activate(workspace, kind, id, hash, by, reason))


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="A contact id, a card, a phone, an address, or a campaign.")],
    workspace: Workspace = Path(),
) -> None:
    """Take a person or a campaign apart: facts, rules, reasons, consent, messages and refusals."""
    from tasks.explain import explain as explained

    typer.echo(explained(workspace, what))


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="SQL over the published tables.")] = None,
    workspace: Workspace = Path(),
    show: Annotated[str | None, typer.Option(help="Print the SQL that fills a mart.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the published tables, or see the SQL behind one of them."""
    from tasks.night import business_date
    from tasks.sql import run_sql, show_sql

    if show:
        typer.echo(show_sql(workspace, show, business_date(workspace)))
        return
    if not query:
        raise _stop('say what to ask: vesper sql "select * from mart__visibility"', BROKEN)
    columns, rows = run_sql(workspace, query)
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False, default=str))
    else:
        _print_table(columns, rows)


def _print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=SIMPLE)
    for row in rows:
        table.add_row(*["" if value is None else str(value) for value in row])
    # As wide as the values are: a figure that is cut off is no figure.
    Console(width=WIDEST).print(table, soft_wrap=True)


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="A published table, such as mart__score.")],
    folder: Annotated[Path, typer.Argument(help="Where the file goes.")],
    workspace: Workspace = Path(),
    format: Annotated[str, typer.Option(help="csv, xlsx or parquet")] = "xlsx",
    personal: Annotated[bool, typer.Option(help="Include columns with personal data.")] = False,
) -> None:
    """Write a table to a file; columns with personal data only when asked for."""
    from tasks.export import export as write

    typer.echo(str(write(workspace, table, folder, format, personal)))


@app.command()
def replay(on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])], workspace: Workspace = Path()) -> None:
    """Compute a past night again and compare every table with what was published."""
    from tasks import ops

    typer.echo(ops.replay(workspace, on.date()))


@app.command()
def backfill(
    from_on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])],
    to_on: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"])],
    workspace: Workspace = Path(),
) -> None:
    """Compute past nights again and publish them; sends nothing."""
    from tasks import ops

    typer.echo(ops.backfill(workspace, from_on.date(), to_on.date()))


@stopping.command("send")
def stop_send(reason: Reason, workspace: Workspace = Path(), by: By = os.environ.get("USER", "unknown")) -> None:
    """Stop every message from the next transaction on."""
    from tasks import ops

    typer.echo(ops.stop(workspace, reason, by))


@app.command("resume")
def resume_send(reason: Reason, workspace: Workspace = Path(), by: By = os.environ.get("USER", "unknown")) -> None:
    """Let sending go on after a stop."""
    from tasks import ops

    typer.echo(ops.resume(workspace, reason, by))


@app.command()
def doctor(workspace: Workspace = Path(), deep: Annotated[bool, typer.Option(help="Hash every file.")] = False) -> None:
    """Look at versions, ledger, lake, last runs and landing; say what to do."""
    from tasks.doctor import doctor as examine

    findings = examine(workspace, deep)
    for finding in findings:
        typer.echo(
            f"{'ok  ' if finding.ok else 'LOOK'} {finding.what}" + (f"  ->  {finding.todo}" if finding.todo else "")
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(STOPPED)


@demo.command("run")
def demo_run(workspace: Workspace = GROCER) -> None:
    """Compose the grocer's landing files, then run the night as a flow on a local server, which is stopped at the end."""
    from deployments.demo import run_demo

    _summarise(run_demo(workspace, typer.echo, lambda report: _say_stage(report, workspace)), workspace, False)


@demo.command("compose")
def demo_compose(workspace: Workspace = GROCER) -> None:
    """Fill the grocer's landing folder."""
    from examples.grocer.compose import compose

    compose(workspace)


@demo.command("break")
def demo_break(
    way: Annotated[str, typer.Argument(help="How the input breaks.")] = "column_missing",
    workspace: Workspace = GROCER,
) -> None:
    """Break one input of a copy of the workspace and run its night: one sentence, nothing sent, yesterday stands."""
    from deployments.demo import break_demo

    raise typer.Exit(break_demo(workspace, way, typer.echo, lambda line: typer.secho(line, fg="red", bold=True)))


def _stop(sentence: str, code: int = STOPPED) -> typer.Exit:
    typer.secho(sentence, fg="red", err=True)
    return typer.Exit(code)


def main() -> None:
    """Run a command; what goes wrong ends in one sentence and an exit code, never in a traceback alone."""
    _sentence_or_traceback(lambda: app())


def _sentence_or_traceback(call: Callable[[], None]) -> None:
    from vesper.stage_report import StageFailed

    try:
        call()
    except DefinitionsInvalid as invalid:
        for problem in invalid.problems:
            typer.secho(str(problem), fg="red", err=True)
        sys.exit(BROKEN)
    except (StageFailed, LookupError) as failed:
        typer.secho(str(failed), fg="red", err=True)
        sys.exit(STOPPED)
    except Exception as error:
        if type(error).__name__ not in ("WorkspaceBusy", "ServerFailed"):
            raise
        typer.secho(str(error), fg="red", err=True)
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()
