"""A past night computed again: by the rules in force then, to be held against its manifest, or by those in force now, to see what they change.

What belongs here: running the stages and wording what differs. What does not: how a stage compares (`tasks/stage.py`). Publishes nothing, sends
nothing, activates nothing. What is left out: hand-over and sending, whose tables are copies of the ledger and not functions of the night.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.bench import Mode
from tasks.explain_asked import table
from tasks.night import STAGES
from vesper.language import translator
from vesper.load import read_workspace
from vesper.stage_report import StageFailed
from vesper.wording import figure
from warehouse.collect import delete_unnamed
from warehouse.house import House
from warehouse.lock import run_lock
from warehouse.rehearsal import Rehearsal

REPLAYED = ("consolidate", "measure", "score", "segment", "watch")
Rules = Literal["then", "now"]


@dataclass(frozen=True)
class Compared:
    """One table of a night as it was published and as it was computed again. Rows of a history are those of the night."""

    verdict: Literal["same", "differs"]
    published_rows: int
    computed_rows: int


def replay(root: Path, on: dt.date, rules: Rules = "then") -> str:
    """Compute a past night again and hold every table against its manifest.

    By the rules of then every table must have its bytes, else StageFailed names those that differ. By the rules in force now a table may differ: the
    answer in markdown says which, with the rows of both.
    """
    if rules == "now":
        return _worded(root, on, rehearsed(root, on))
    verdicts = replayed(root, on)
    _ = translator(read_workspace(root).company.language)
    differing = sorted(name for name, verdict in verdicts.items() if verdict != "same")
    if differing:
        tables = ", ".join(differing)
        raise StageFailed(_("replay {on}: {tables} differ from what was published.").format(on=on, tables=tables))
    return _("{on}: all {count} tables have the bytes that were published.").format(on=on, count=len(verdicts))


def replayed(root: Path, on: dt.date) -> dict[str, str]:
    """Verdict by table, by the rules in force then. Every stage reads what was published."""
    return {name: found.verdict for name, found in _run(root, on, "replay").items()}


def rehearsed(root: Path, on: dt.date) -> dict[str, Compared]:
    """Both sides by table, by the rules in force now. Every stage reads what the stages before it made by these rules."""
    house = House.open(root)
    try:
        with run_lock(house.workspace.store) as fresh:
            if fresh:
                house.tidy()
            try:
                return _run(root, on, Rehearsal(on))
            finally:
                delete_unnamed(house.lake, None)
    finally:
        house.close()


def _run(root: Path, on: dt.date, mode: Mode) -> dict[str, Compared]:
    found: dict[str, Compared] = {}
    for stage in STAGES:
        if stage.word in REPLAYED:
            report = stage.run(root, on, False, mode=mode)  # type: ignore[call-arg]
            rows = report.facts["replay_rows"]
            found |= {name: Compared(verdict, *rows[name]) for name, verdict in report.facts["replay"].items()}
    return found


def _worded(root: Path, on: dt.date, found: dict[str, Compared]) -> str:
    _ = translator(read_workspace(root).company.language)
    differing = sorted(name for name, one in found.items() if one.verdict != "same")
    said = _(
        "{on} by the rules in force now: {count} of {all} tables differ from what was published. Nothing was published."
    )
    words = {"same": _("same"), "differs": _("differs")}
    rows = [
        [name, words[found[name].verdict], figure(found[name].published_rows), figure(found[name].computed_rows)]
        for name in [*differing, *sorted(found.keys() - set(differing))]
    ]
    head = [_("Table"), _("verdict"), _("rows published"), _("rows by the rules of now")]
    return said.format(on=on, count=len(differing), all=len(found)) + "\n\n" + table(head, rows)
