"""The actions of marketing ops as forms: check, explain, stop, resume, backfill, replay, activate, review (R110).

Each action ends as a page on the dashboard, or Failed with one sentence. Whoever stops, resumes or activates gives a name and a reason: both are kept.
The work stands in `tasks/ops.py` and `tasks/review.py`.
"""

import datetime as dt
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal

from prefect import flow

from flows.artifacts import keep_page
from flows.ending import ends_in_a_sentence
from flows.form import field, in_folder
from flows.form import workspace as workspace_field
from vesper.language import translator
from vesper.load import read_workspace

BY = "Who does this: a name that colleagues know."
ONE_CAMPAIGN = "Id of one campaign or journey. Left empty: all sending."
SHEET = "Name of the workbook in the company's folder, such as review.xlsx."
Kind = Literal[
    "sources",
    "markets",
    "goals",
    "tags",
    "tiers",
    "personas",
    "segments",
    "lifecycle",
    "scoring",
    "campaigns",
    "journeys",
    "experiments",
    "coupons",
    "forms",
    "recommendations",
    "content",
    "matrix",
    "journey_map",
    "linkage",
    "policy",
]


def action(name: str) -> Callable[[Callable[..., str]], Any]:
    """A flow around an action: named by its word, its answer kept as a page."""

    def wrap(body: Callable[..., str]) -> Any:
        return flow(name=name, flow_run_name=name, log_prints=False)(ends_in_a_sentence(_kept(name, body)))

    return wrap


def _says(body: Callable[..., str], workspace: Path) -> str:
    """What a form does, in the company's language: the title of its page."""
    return translator(read_workspace(workspace).company.language)(inspect.getdoc(body) or "")


def _kept(name: str, body: Callable[..., str]) -> Callable[..., str]:
    @wraps(body)
    def run(*args: Any, **kwargs: Any) -> str:
        answer = body(*args, **kwargs)
        keep_page(name, answer, _says(body, kwargs.get("workspace") or args[0]))
        return answer

    return run


@action("check")
def check(workspace: Path = workspace_field()) -> str:
    """Reads every definition and says what is wrong with it, by file and line. Changes nothing."""
    from tasks import ops

    return ops.check(workspace)


@action("plan")
def plan(
    workspace: Path = workspace_field(),
    on: dt.date | None = field("Business date", "A published night to try the files on. Left empty: the newest.", None),
) -> str:
    """Says what the edited files would change: who enters and leaves, who becomes MQL, who gets what. Changes nothing."""
    from tasks import plan as of

    return of.plan(workspace, on)


@action("backtest-scoring")
def backtest_scoring(
    workspace: Path = workspace_field(),
    days: int = field("Days", "How many days ago the scores are computed; what people did since is what counts.", 90),
) -> str:
    """Says what the rules, in force and edited, would have said some days ago, against who converted since. Changes nothing."""
    from tasks import backtest as of

    return of.backtest(workspace, days)


@action("explain")
def explain(
    workspace: Path = workspace_field(),
    asked: str = field(
        "Whom or what",
        "A contact's id, a card or a campaign. No phone and no mail address: what stands here is kept with the run.",
    ),
) -> str:
    """Takes a person or a campaign apart: facts, score with its reasons, segments, messages sent and refused, and why."""
    from tasks import ops

    return ops.explain(workspace, asked)


@action("explain-figure")
def explain_figure(
    workspace: Path = workspace_field(),
    table: str = field("Table", "A key-figure table, such as mart__visibility."),
    column: str = field("Column", "The figure, such as visibility_ratio."),
    on: dt.date | None = field("Business date", "Night of the figure. Left empty: the newest.", None),
    where: dict[str, str] = field("Rows", 'Only these rows, such as {"market_id": "regular"}. Left empty: all.', {}),
) -> str:
    """Takes a key figure apart: formula, owner, definitions, inputs, and what led from the night before to it."""
    from tasks.explain_figure import explain_figure as explained

    return explained(workspace, table, column, on, where)


@action("stop-send")
def stop_send(
    workspace: Path = workspace_field(),
    reason: str = field("Reason", "Why sending stops. It stands in the ledger and on the dashboard."),
    by: str = field("Your name", BY),
    campaign: str = field("Campaign", ONE_CAMPAIGN, ""),
) -> str:
    """Stops every message, or those of one campaign, from the next transaction on. What a mail server has accepted cannot be called back."""
    from tasks import ops

    return ops.stop(workspace, reason, by, campaign)


@action("live-test")
def live_test(
    workspace: Path = workspace_field(),
    campaign: str = field("Campaign", "Id of a campaign or journey."),
    by: str = field("Your name", BY),
) -> str:
    """Tries a campaign's one-click unsubscribe at the address that its mails name. In production it is asked for before `full`."""
    from tasks.live_test import live_test as tried

    return tried(workspace, campaign, by)


@action("resume-send")
def resume_send(
    workspace: Path = workspace_field(),
    reason: str = field("Reason", "Why sending may go on. It stands in the ledger and on the dashboard."),
    by: str = field("Your name", BY),
    campaign: str = field("Campaign", ONE_CAMPAIGN, ""),
) -> str:
    """Lets messages go again after a stop; a separate act with a name and a reason of its own."""
    from tasks import ops

    return ops.resume(workspace, reason, by, campaign)


@action("incident")
def incident(
    workspace: Path = workspace_field(),
    campaign: str = field("Campaign", "Id of the campaign or journey that went wrong."),
    reason: str = field("Reason", "What went wrong. It stands in the ledger and on the dashboard."),
    by: str = field("Your name", BY),
) -> str:
    """Pauses a campaign that went wrong, says who was reached, and leaves its answers out of all scores."""
    from tasks.incident import incident as recorded

    return recorded(workspace, campaign, reason, by)


@action("backfill")
def backfill(
    workspace: Path = workspace_field(),
    from_on: dt.date = field("First night", "The first business date to compute again."),
    to_on: dt.date = field("Last night", "The last business date to compute again, itself included."),
) -> str:
    """Computes nights of the past again and publishes them. Sends nothing."""
    from tasks import ops

    return ops.backfill(workspace, from_on, to_on)


@action("replay")
def replay(
    workspace: Path = workspace_field(),
    on: dt.date = field("Business date", "The night to compute again and compare with what was published."),
    rules: Literal["then", "now"] = field("Rules", "Those in force then, or those in force now.", "then"),
) -> str:
    """Computes a past night again and compares every table with its manifest. Publishes nothing, sends nothing."""
    from tasks import ops

    return ops.replay(workspace, on, rules)


@action("activate")
def activate(
    workspace: Path = workspace_field(),
    kind: Kind = field("Kind of definition", "The folder in which the definition stands."),
    id: str = field("Definition", "The name of its file, without .yml."),
    hash: str = field("Hash", "The hash that `check` shows for the version you have read."),
    by: str = field("Your name", BY),
    reason: str = field("Reason", "What changes and why. It stands in the ledger."),
) -> str:
    """Puts one version of a definition in force from the next night on; the hash of an earlier version brings that one back."""
    from tasks import ops

    return ops.activate(workspace, kind, id, hash, by, reason)


@action("sign-off")
def sign_off(
    workspace: Path = workspace_field(),
    role: Literal["marketing", "sales"] = field("For whom", "Marketing or sales; a changed set needs both."),
    by: str = field("Your name", BY),
    hash: str = field("Hash", "The hash that `check` shows for the scoring set. Left empty: that of the files.", ""),
    reason: str = field("Reason", "What you agreed on. It stands in the ledger.", ""),
) -> str:
    """Agrees to the scoring rules and their policy for marketing or for sales. Without both, a changed set does not come into force."""
    from tasks.sign_off import sign_off as signed

    return signed(workspace, hash, role, by, reason)


@action("write-review-sheet")
def write_review_sheet(
    workspace: Path = workspace_field(),
    file: Path = field("Sheet", SHEET),
    personal: bool = field("With personal data", "Names, numbers and addresses as they are; masked otherwise.", False),
) -> str:
    """Writes the pairs of source rows that the rules leave to a person as a sheet with a list of decisions. Changes nothing else."""
    from tasks import review

    return review.write(workspace, in_folder(workspace, file), personal)


@action("take-review-sheet")
def take_review_sheet(
    workspace: Path = workspace_field(),
    file: Path = field("Sheet", SHEET),
    by: str = field("Your name", BY),
) -> str:
    """Takes in the decisions of a filled-in review sheet: all of them hold from the next night on, or none."""
    from tasks import review

    return review.take(workspace, in_folder(workspace, file), by)
