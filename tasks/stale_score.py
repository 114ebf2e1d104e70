"""Scores that are too old: contacts are due every night, and a score must not rest on facts of days ago unnoticed (R59).

What belongs here: the two ways in which a score grows old, and telling the owner. What does not: which rules are held (`marts/score_hold.py`).

A score grows old when the score stage has not published for days, which the stage before it sees, and when a rule keeps its points because a
source has a hole, which the watch stage sees.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.notices import tell_owner
from vesper.language import translator
from vesper.marts.score import SCORE
from vesper.marts.score_hold import SCORE_HOLD
from vesper.model.policy import ScoringPolicy
from vesper.tables.contact import CONTACT

FACT = "stale_score"


def warn_of_missing_scores(bench: Bench) -> None:
    """Tell that nobody was scored for longer than policy/scoring allows. For a stage that runs before tonight's scores."""
    before, due = bench.snapshot_before(SCORE.name), bench.snapshot_before(CONTACT.name)
    if before is None or due is None or not due.row_count:
        return
    age = (bench.business_on - before.business_on).days
    if age <= bench.night.definitions.one(ScoringPolicy, "scoring").stale_after.days:
        return
    _ = translator(bench.house.workspace.company.language)
    said = _(
        "{count} contacts are due for scoring, and their scores are {age} days old: the score stage last published {on}. See why it does not run."
    )
    fact = {"scored_on": before.business_on, "age_days": age, "contact_count": due.row_count}
    _tell(bench, [fact], said.format(count=f"{due.row_count:,}", age=age, on=before.business_on))


def warn_of_held_scores(bench: Bench) -> None:
    """Tell which rules stand on facts that are older than policy/scoring allows."""
    hold = SCORE_HOLD.c
    stale = bench.records(sa.select(SCORE_HOLD).where(hold.is_stale).order_by(hold.age_days.desc(), hold.rule_id))
    if not stale:
        return
    _ = translator(bench.house.workspace.company.language)
    said = _(
        "{count} contacts are due for scoring, and {rules} of the scoring rules have not been judged for up to {age} days, because these sources have "
        "a hole: {sources}. Deliver the missing files."
    )
    sources = sorted({source for row in stale for source in row["sources"].split(", ")})
    count, age = stale[0]["contact_count"], stale[0]["age_days"]
    _tell(bench, stale, said.format(count=f"{count:,}", rules=len(stale), age=age, sources=", ".join(sources)))


def _tell(bench: Bench, facts: list[dict[str, Any]], sentence: str) -> None:
    """On the stage's page always; to the owner for the night that is played, never for nights of the past."""
    bench.report.facts[FACT] = facts
    bench.report.warnings.append(sentence)
    if bench.mode == "night" and bench.business_on >= bench.house.business_on() - dt.timedelta(days=1):
        unsent = tell_owner(bench.house.workspace, f"scores {bench.business_on}", sentence)
        bench.report.warnings.extend([unsent] if unsent else [])
