"""What a stage leaves on the dashboard: one page that a marketer understands, its gate as a table, its key figures as tables.

What belongs here: keys and Prefect's calls. What does not: wording (`vesper/wording.py`). Keys are stable, so that the dashboard shows the history of
each: `score-summary`, `score-gate`, `measure-visibility`. The dashboard is a view: when it cannot take an artifact, the stage stands all the same.
"""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.artifacts import MarkdownArtifact, TableArtifact
from prefect.logging import get_run_logger

from vesper.load import read_workspace
from vesper.stage_report import StageFailed, StageReport
from vesper.wording import Beside, Row, Translate, failure, gate_rows, kpi_tables, stage_title, summary

WRITES_THE_PAGE, SENDS = "watch", "send"


def keep_report(report: StageReport, root: Path, _: Translate) -> None:
    """The artifacts of a stage that went well."""
    page = report_page(root) if report.stage == WRITES_THE_PAGE else None
    beside = Beside(night_before(report, root), page, read_workspace(root).company.composed)
    keep_page(f"{report.stage}-summary", summary(report, _, beside), _(stage_title(report.stage)))
    _keep_tables(report, _)
    if report.stage == SENDS:
        keep_campaigns(root)
        keep_experiments(root)


def keep_campaigns(root: Path) -> None:
    """A page for each campaign and journey that is no draft: planned, waiting, sent, refused by reason, unknown, pace and time left."""
    from tasks.explain_campaign import campaign_pages

    with _never_in_the_way("campaigns"):
        for id, markdown in campaign_pages(root).items():
            keep_page(f"campaign-{id}", markdown, id)


def keep_experiments(root: Path) -> None:
    """A page for each experiment that has begun: its arms, what may be said of them, who decided what."""
    from tasks.experiment_page import pages

    with _never_in_the_way("experiments"):
        for id, markdown in pages(root).items():
            keep_page(f"experiment-{id}", markdown, id)


def keep_failure(stage: str, failed: StageFailed, root: Path, _: Translate) -> None:
    """The artifacts of a stage that stopped: the sentence first, and everything that was known by then."""
    beside = Beside(note=read_workspace(root).company.composed)
    keep_page(f"{stage}-summary", failure(stage, failed, _, beside), _(stage_title(stage)))
    if failed.report is not None:
        _keep_tables(failed.report, _)


def night_before(report: StageReport, root: Path) -> StageReport | None:
    """The same stage's report of the night before, if it is kept."""
    from tasks.kept_reports import kept_reports

    found = kept_reports(root / ".vesper", report.business_on - dt.timedelta(days=1), (report.stage,))
    return found[0] if found else None


def keep_page(name: str, markdown: str, says: str) -> None:
    """One markdown artifact, pinned to the task or flow run that calls."""
    with _never_in_the_way(name):
        MarkdownArtifact(key=key_of(name), markdown=markdown, description=says).create(_sync=True)  # type: ignore[call-arg]


def key_of(name: str) -> str:
    """A key that Prefect takes: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def report_page(root: Path) -> Path | None:
    """The newest report page, once there is one."""
    page = root.resolve() / ".vesper" / "report" / "index.html"
    return page if page.exists() else None


def _keep_tables(report: StageReport, _: Translate) -> None:
    _keep_table(f"{report.stage}-gate", gate_rows(report, _), _("The gate"))
    for name, rows in kpi_tables(report, _).items():
        _keep_table(f"{report.stage}-{name}", rows, _(name.replace("_", " ")))


def _keep_table(name: str, rows: list[Row], says: str) -> None:
    if rows:
        with _never_in_the_way(name):
            TableArtifact(key=key_of(name), table=rows, description=says).create(_sync=True)  # type: ignore[call-arg]


@contextmanager
def _never_in_the_way(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the tables are published by now; a dashboard that is busy must not turn the run red
        get_run_logger().warning("artifact %s could not be kept: %s", name, type(error).__name__)
