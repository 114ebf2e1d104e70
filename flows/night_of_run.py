"""Which night a flow run computes, and whether it may send. The clock itself is read in `vesper/clock.py` and by the scheduler, not here.

A scheduled run belongs to the business date of its scheduled instant in the company's zone, so a run that starts late, even after midnight, still
computes its own night (R49). Only a run for the night of the workspace's clock may write intents; a run for another date recomputes and sends nothing.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from prefect.runtime import flow_run

from vesper.clock import local_time
from vesper.load import read_workspace


@dataclass(frozen=True)
class NightOfRun:
    """What a stage is called with: paths and dates only, never a connection."""

    root: Path
    business_on: dt.date
    may_send: bool


def night_of_run(workspace: Path, business_on: dt.date | None, may_send: bool = True) -> NightOfRun:
    """The night of this run: the date of the form, else that of the clock. Sending needs the clock's own night."""
    from tasks.night import business_date

    clock_on = business_date(workspace)
    on = business_on or scheduled_on(workspace) or clock_on
    return NightOfRun(workspace, on, may_send and on == clock_on)


def scheduled_on(workspace: Path) -> dt.date | None:
    """The company's day of this run's scheduled instant; None on a simulated clock, which no schedule moves."""
    settings = read_workspace(workspace)
    if settings.clock.mode == "simulated":
        return None
    instant: dt.datetime = flow_run.scheduled_start_time
    return local_time(instant.astimezone(dt.UTC).replace(tzinfo=None), settings.company.zone).date()


def run_name() -> str:
    """The name of a run on the dashboard, such as `score 2018-01-01`; the bare word when the workspace cannot be read, which the run then says."""
    given = flow_run.parameters
    try:
        return f"{flow_run.flow_name} {night_of_run(Path(given['workspace']), given.get('business_on')).business_on}"
    except Exception:
        return str(flow_run.flow_name)
