"""The `vesper` command. Each command is a few lines: its words, its options, and a call into tasks/ or deployments/.

What belongs here: putting the groups together, and the one sentence that every failure ends in. What does not: any command (the modules beside).
Nothing heavy is imported at the top: `vesper check` must answer while a file is being saved.
"""

import sys
from collections.abc import Callable

import typer

from cli import (
    backup,
    content,
    data,
    definitions,
    demo,
    experiment,
    handover,
    incident,
    intake,
    journeys,
    night,
    people,
    quarantine,
    review,
    sending,
    sources,
    train,
)
from cli.options import BROKEN, STOPPED
from vesper.problem import DefinitionsInvalid

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Vesper: marketing automation as a nightly pipeline."
)
for commands in (night, definitions, data, people, backup, content):
    app.add_typer(commands.app)
app.add_typer(demo.app, name="demo")
app.add_typer(sources.app, name="new")
sources.app.command("journey")(journeys.new)
app.add_typer(people.steward, name="steward")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(review.app, name="review")
app.add_typer(handover.app, name="handover")
app.add_typer(journeys.app, name="task")
app.add_typer(experiment.app, name="experiment")
app.add_typer(sending.app, name="stop")
app.add_typer(train.app, name="train")
app.command("resume")(sending.resume_send)
app.command("forecast")(journeys.forecast)
app.command("incident")(incident.incident)
app.command("send")(sending.send)
app.command("reconcile")(sending.reconcile)
app.command("live-test")(intake.live_test)


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
